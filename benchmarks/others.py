"""Other people's option mathematics on our chains: those that are installed, each as its docs say.

NumPy's and JAX's implied volatilities are the textbook's: eight Newton steps from Manaster and
Koehler's start, on the whole column; QuantLib and vollib bring their own.
"""

import importlib.util
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from benchmarks.cases import Chain
from tomking.pricing.black import black

Floats = NDArray[np.float64]
Contender = tuple[str, str, int, Callable[[], object]]
GREEKS, IMPLIED, AMERICAN = "price + 5 Greeks", "implied volatility", "American"
FEW = 2_000
"""Options for what is called once for each of them."""


def contenders(c: Chain) -> Iterator[Contender]:
    """Name, what it does, how many options, and the call."""
    yield from _numpy(c)
    few = Chain(*(x[:FEW] for x in c))
    f, k, t, v, df, s = few
    price = black(forward=f, strike=k, years=t, vol=v, discount=df, right=s).price
    for module, its in (("QuantLib", _quantlib), ("vollib", _vollib)):
        if importlib.util.find_spec(module) is not None:
            yield from its(few, price)
    if importlib.util.find_spec("jax") is not None:
        yield from _jax(c)


def _greeks(c: Chain, xp: Any, cdf: Callable[[Any], Any]) -> tuple[Any, ...]:  # noqa: ANN401
    f, k, t, vol, df, s = c
    root = xp.sqrt(t)
    v = vol * root
    d1 = xp.log(f / k) / v + 0.5 * v
    inside, density = cdf(s * d1), xp.exp(-0.5 * d1 * d1) * 0.3989422804014327
    price = df * s * (f * inside - k * cdf(s * (d1 - v)))
    theta = -0.5 * df * f * density * vol / root - xp.log(df) / t * price
    return price, df * s * inside, df * density / (f * v), df * f * density * root, theta, -t * price


def _newton(price: Any, c: Chain, xp: Any, cdf: Callable[[Any], Any]) -> Any:  # noqa: ANN401
    f, k, t, _, df, s = c
    x = xp.log(f / k)
    v = xp.sqrt(2.0 * xp.abs(x)) + 1e-3
    for _ in range(8):
        d1 = x / v + 0.5 * v
        value = df * s * (f * cdf(s * d1) - k * cdf(s * (d1 - v)))
        slope = df * f * xp.exp(-0.5 * d1 * d1) * 0.3989422804014327 + 1e-300
        v = xp.clip(v - (value - price) / slope, 1e-6, 20.0)
    return v / xp.sqrt(t)


def _numpy(c: Chain) -> Iterator[Contender]:
    n = c.forward.size
    price = _greeks(c, np, ndtr)[0]
    yield "NumPy + scipy ndtr", GREEKS, n, lambda: _greeks(c, np, ndtr)
    yield "NumPy, 8 Newton steps", IMPLIED, n, lambda: _newton(price, c, np, ndtr)


def _jax(c: Chain) -> Iterator[Contender]:
    import jax  # noqa: PLC0415

    jax.config.update("jax_enable_x64", val=True)
    chain = Chain(*(jax.numpy.asarray(x) for x in c))
    cdf = jax.scipy.special.ndtr
    greeks = jax.jit(lambda *a: _greeks(Chain(*a), jax.numpy, cdf))
    newton = jax.jit(lambda p, *a: _newton(p, Chain(*a), jax.numpy, cdf))
    price, n = greeks(*chain)[0], c.forward.size
    yield "JAX, jit on CPU", GREEKS, n, lambda: jax.block_until_ready(greeks(*chain))
    yield "JAX, 8 Newton steps", IMPLIED, n, lambda: jax.block_until_ready(newton(price, *chain))


def _vollib(c: Chain, price: Floats) -> Iterator[Contender]:
    from py_vollib.black import black as price_of  # noqa: PLC0415
    from py_vollib.black.greeks import analytical as greek  # noqa: PLC0415
    from py_vollib.black.implied_volatility import implied_volatility  # noqa: PLC0415

    rows = [
        ("c" if s > 0 else "p", f, k, t, -np.log(df) / t, v)
        for f, k, t, v, df, s in zip(*(x.tolist() for x in c), strict=True)
    ]
    asked = (price_of, greek.delta, greek.gamma, greek.vega, greek.theta, greek.rho)
    yield "vollib", GREEKS, FEW, lambda: [of(*row) for row in rows for of in asked]
    quotes = [(p, f, k, r, t, flag) for p, (flag, f, k, t, r, _) in zip(price.tolist(), rows, strict=True)]
    yield "vollib", IMPLIED, FEW, lambda: [implied_volatility(*quote) for quote in quotes]


def _quantlib(c: Chain, price: Floats) -> Iterator[Contender]:
    import QuantLib as ql  # noqa: N813, PLC0415

    rows = list(zip(*(x.tolist() for x in c), price.tolist(), strict=True))
    kind = {1.0: ql.Option.Call, -1.0: ql.Option.Put}

    def greeks() -> None:
        for f, k, t, v, df, s, _ in rows:
            b = ql.BlackCalculator(ql.PlainVanillaPayoff(kind[s], k), f, v * t**0.5, df)
            b.value(), b.deltaForward(), b.gammaForward(), b.vega(t), b.theta(f, t), b.rho(t)

    def implied() -> int:
        failed = 0
        for f, k, _, v, df, s, p in rows:
            try:
                ql.blackFormulaImpliedStdDev(kind[s], k, f, p, df, 0.0, v, 1e-12, 100)
            except RuntimeError:
                failed += 1
        return failed

    yield "QuantLib BlackCalculator", GREEKS, FEW, greeks
    yield "QuantLib, own solver", IMPLIED, FEW, implied
    yield from _quantlib_american(ql, rows[:200], kind)


def _quantlib_american(ql: Any, rows: list[tuple[float, ...]], kind: dict[float, Any]) -> Iterator[Contender]:  # noqa: ANN401
    today, counter = ql.Date(2, 1, 2024), ql.Actual365Fixed()
    ql.Settings.instance().evaluationDate = today
    options = []
    for f, k, t, v, _, s, _ in rows:
        curves = [ql.YieldTermStructureHandle(ql.FlatForward(today, y, counter)) for y in (0.02, 0.04)]
        flat = ql.BlackVolTermStructureHandle(ql.BlackConstantVol(today, ql.NullCalendar(), v, counter))
        process = ql.BlackScholesMertonProcess(ql.QuoteHandle(ql.SimpleQuote(f)), *curves, flat)
        exercise = ql.AmericanExercise(today, today + max(1, round(365 * t)))
        options.append((ql.VanillaOption(ql.PlainVanillaPayoff(kind[s], k), exercise), process))

    def price(engine: Callable[[Any], Any]) -> None:
        for option, process in options:
            option.setPricingEngine(engine(process))
            option.NPV()

    fast = ql.QdFpAmericanEngine.fastScheme()
    yield (
        "QuantLib QD+ fixed point, fast",
        AMERICAN,
        len(options),
        lambda: price(lambda process: ql.QdFpAmericanEngine(process, fast)),
    )
    yield (
        "QuantLib CRR tree, 201",
        AMERICAN,
        len(options),
        lambda: price(lambda process: ql.BinomialVanillaEngine(process, "crr", 201)),
    )
