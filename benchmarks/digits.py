"""How many digits are right: against mpmath for European options, QuantLib for American ones."""

import importlib.util
import math
from collections.abc import Iterator
from typing import Any

import mpmath as mp
import numpy as np
from numpy.typing import NDArray

from benchmarks.cases import Chain
from tomking.pricing.american import american
from tomking.pricing.black import black
from tomking.pricing.implied import Code, implied_vol

Floats = NDArray[np.float64]
EPS = float(np.finfo(np.float64).eps)


def accuracy(name: str, c: Chain) -> Iterator[str]:
    """Lines: price error in forwards, Greeks' relative to their largest, the round trip and its codes."""
    exact = reference(c)
    f, k, t, v, df, s = c
    b = black(forward=f, strike=k, years=t, vol=v, discount=df, right=s)
    price_error = np.abs(b.price - exact[0]) / c.forward
    yield f"{name:10}{f.size:7,} prices: worst error {price_error.max():.1e} of the forward"
    worst = [_relative(ours, true) for ours, true in zip(b[1:], exact[1:], strict=True)]
    names = ("delta", "gamma", "vega", "theta", "rho")
    yield f"{'':10}Greeks, worst error over max(own, 1e-6 of the largest): " + ", ".join(
        f"{n} {w:.1e}" for n, w in zip(names, worst, strict=True)
    )
    iv = implied_vol(price=b.price, forward=f, strike=k, years=t, discount=df, right=s)
    answered = iv.code == Code.OK
    error = np.abs(iv.vol[answered] / v[answered] - 1)
    codes = ", ".join(f"{Code(i).name} {n}" for i, n in enumerate(np.bincount(iv.code)) if n)
    yield f"{'':10}implied: worst round trip {error.max():.1e} relative; codes: {codes}"
    # What vega allows: half an ulp of the price, and what subtracting intrinsic leaves of it.
    allowed = 0.5 * EPS * b.price / (np.maximum(b.vega, 1e-300) * v)
    refused = int((~answered & (allowed < 1e-10) & (b.price > 1e-280)).sum())
    beyond = int((answered & (allowed > 1e-9)).sum())
    nan = int((np.isnan(iv.vol) & answered).sum())
    counts = f"refused where vega allows 1e-10: {refused}; answered where it does not allow 1e-9: {beyond}"
    yield f"{'':10}{counts}; NaN without a code: {nan}"


def _relative(ours: Floats, true: Floats) -> float:
    size = np.maximum(np.abs(true), 1e-6 * np.abs(true).max())
    return float((np.abs(ours - true) / size).max())


def reference(c: Chain) -> Floats:
    """The rows of ``Black`` with 60 digits, rounded."""
    rows = np.empty((6, c.forward.size))
    with mp.workdps(60):
        for i, row in enumerate(zip(*c, strict=True)):
            F, K, t, vol, df, s = (mp.mpf(float(x)) for x in row)
            root = mp.sqrt(t)
            v = vol * root
            d1 = mp.log(F / K) / v + v / 2
            inside, density = mp.ncdf(s * d1), mp.npdf(d1)
            price = df * s * (F * inside - K * mp.ncdf(s * (d1 - v)))
            theta = -df * F * density * vol / (2 * root) - mp.log(df) / t * price
            values = (
                price,
                df * s * inside,
                df * density / (F * v),
                df * F * density * root,
                theta,
                -t * price,
            )
            rows[:, i] = [float(x) for x in values]
    return rows


def american_accuracy(seed: int, n: int = 1_000) -> str:
    """The worst error in units of max(0.2 %, half a tick), and in price."""
    if importlib.util.find_spec("QuantLib") is None:
        return "QuantLib is not installed"
    import QuantLib as ql  # noqa: N813, PLC0415

    rng = np.random.default_rng(seed)
    today = ql.Date(2, 1, 2024)
    ql.Settings.instance().evaluationDate = today
    rows = [_american_case(ql, today, rng, i) for i in range(n)]
    spot, years, vol, rate, yield_, right, fine = (np.array(x) for x in zip(*rows, strict=True))
    ours = american(spot=spot, strike=100, years=years, vol=vol, rate=rate, yield_=yield_, right=right)
    error = np.abs(ours.price - fine)
    share = error / np.maximum(0.002 * fine, 0.005)
    return (
        f"{n:,} options, strike 100: worst {error.max():.4f} points, median {np.median(error):.1e}; "
        f"worst {share.max():.2f} of max(0.2 %, half a cent)"
    )


def _american_case(ql: Any, today: Any, rng: np.random.Generator, i: int) -> tuple[float, ...]:  # noqa: ANN401
    days, vol, rate = (
        int(math.exp(rng.uniform(0, 7))),
        float(rng.uniform(0.08, 0.9)),
        float(rng.uniform(0.002, 0.1)),
    )
    yield_ = (rate, 0.0, float(rng.uniform(0, 0.1)))[i % 3]
    spot, right = 100 * math.exp(float(rng.normal()) * vol * math.sqrt(days / 365)), int(rng.choice([1, -1]))
    counter = ql.Actual365Fixed()
    curves = [ql.YieldTermStructureHandle(ql.FlatForward(today, y, counter)) for y in (yield_, rate)]
    flat = ql.BlackVolTermStructureHandle(ql.BlackConstantVol(today, ql.NullCalendar(), vol, counter))
    process = ql.BlackScholesMertonProcess(ql.QuoteHandle(ql.SimpleQuote(spot)), *curves, flat)
    payoff = ql.PlainVanillaPayoff(ql.Option.Call if right == 1 else ql.Option.Put, 100.0)
    option = ql.VanillaOption(payoff, ql.AmericanExercise(today, today + days))
    engine = ql.QdFpAmericanEngine
    option.setPricingEngine(engine(process, engine.highPrecisionScheme()))
    return spot, days / 365, vol, rate, yield_, float(right), float(option.NPV())
