"""Time of one chain read: terms, surface, all rows; and how near the surface lies, on one core.

A made chain (six expiries from a day to a year, 250 rows each, SSVI smiles, markets 0.10 wide) and,
where ``../shared/data`` is, every snapshot of SPXW on 2016-04-28: 18 expiries, 4,772 rows.  Beside it, in
the same run, plain SVI slices fitted with scipy to the same quotes: five numbers an expiry, no conditions.

    PYTHONPATH=. python -m benchmarks.surfaces
"""

import time
from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from tomking.adapters.calendars import load_sessions
from tomking.adapters.recorded_index import Indexed
from tomking.adapters.recorded_snapshots import FromSnapshots, read_recording
from tomking.pricing.black import black
from tomking.pricing.clock import VarianceClock
from tomking.pricing.implied import implied_vol
from tomking.pricing.snapshot import Instant, read_instant
from tomking.pricing.surface import Quotes, Surface, fit_surface, residuals
from tomking.pricing.terms import Terms, imply_terms

Floats = NDArray[np.float64]
REPEATS = 9
YEARS = np.array([0.004, 0.02, 0.08, 0.17, 0.4, 1.0])
DAY = date(2016, 4, 28)
RECORDED = Path(__file__).resolve().parents[1] / "../shared/data/chains/spxw_15min_20160428.csv.gz"


def made(strikes: int = 125) -> Instant:
    """A chain of calls and puts at ``strikes`` strikes an expiry."""
    z = np.linspace(-6, 3.5, strikes)
    e = np.repeat(np.arange(YEARS.size), 2 * strikes)
    k = np.tile(np.repeat(z, 2), YEARS.size) * 0.2 * np.sqrt(YEARS[e])
    right = np.tile((1.0, -1.0), strikes * YEARS.size)
    theta = 0.04 * YEARS[e]
    phi = 0.6 / np.sqrt(theta)
    w = 0.5 * theta * (1 - 0.6 * phi * k + np.sqrt((phi * k - 0.6) ** 2 + 0.64))
    strike = 5_000 * np.exp(k)
    price = black(
        forward=5_000, strike=strike, years=YEARS[e], vol=np.sqrt(w / YEARS[e]), discount=1, right=right
    ).price
    return Instant(5_000.0, 0.0, YEARS, YEARS, e, strike, right, np.maximum(price - 0.05, 0), price + 0.05)


def recorded() -> list[Instant]:
    """Every snapshot of one day; none where the recording is not at hand."""
    if not RECORDED.exists():
        return []
    sessions = load_sessions(DAY, date(2018, 12, 31))
    stamps = np.array([(s.open.timestamp(), s.close.timestamp()) for s in sessions], dtype=np.int64) // 60
    clock = VarianceClock.of(stamps[:, 0], stamps[:, 1])
    (data, *_), _ = read_recording([RECORDED], sessions)
    indexed = Indexed(FromSnapshots(data), sessions)
    return [
        indexed.instant(number, clock, spot=float(data.spot[number]), rate=0.003, rate_sd=0.005)[0]
        for number in range(len(indexed.minutes))
    ]


def quickest(run: Callable[[], object]) -> float:
    """Milliseconds of the quickest of several runs, after one to warm up."""
    run()
    times = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        run()
        times.append(time.perf_counter() - started)
    return 1e3 * min(times)


def terms(instant: Instant) -> Terms:
    i = instant
    return imply_terms(
        calendar_years=i.calendar_years,
        rate=i.rate,
        row_expiry=i.row_expiry,
        strike=i.strike,
        right=i.right,
        bid=i.bid,
        ask=i.ask,
    )


def fitted(instant: Instant) -> tuple[Surface, Quotes]:
    """The surface, and the quotes it rests on: those of expiries whose calls and puts agree."""
    i, reading = instant, read_instant(instant)
    assert reading.surface is not None
    kept = np.isin(i.years, reading.surface.years)
    rows = kept[i.row_expiry]
    place = (np.cumsum(kept) - 1)[i.row_expiry[rows]]
    columns = (column[rows] for column in (i.strike, i.right, i.bid, i.ask))
    return reading.surface, Quotes(
        i.years[kept], reading.forward[kept], reading.discount[kept], place, *columns
    )


def plain_svi(quotes: Quotes) -> Floats:
    """Shares of quotes inside bid and ask by slice: ``w = a + b (r (k - m) + sqrt((k - m)^2 + s^2))``."""
    q, e, inside = quotes, quotes.row_expiry, []
    out = (q.right * (q.strike - q.forward[e]) >= 0) & (q.bid > 0) & (q.ask > q.bid)
    for slot in range(q.years.size):
        at = out & (e == slot)
        forward, discount, years = q.forward[slot], q.discount[slot], q.years[slot]
        mid, half = 0.5 * (q.bid[at] + q.ask[at]), 0.5 * (q.ask[at] - q.bid[at])
        given = {
            "forward": forward,
            "strike": q.strike[at],
            "years": years,
            "discount": discount,
            "right": q.right[at],
        }
        vol = implied_vol(price=mid, **given).vol
        vega = black(vol=vol, **given).vega
        known = np.isfinite(vol)
        k, w = np.log(q.strike[at] / forward)[known], (vol**2 * years)[known]
        weight = (vega / (2 * vol * years) / half)[known]
        level = float(w[np.argmin(np.abs(k))])

        def off(x: Floats, k: Floats = k, w: Floats = w, weight: Floats = weight) -> Floats:
            a, b, r, m, s = x
            return np.asarray(weight * (a + b * (r * (k - m) + np.sqrt((k - m) ** 2 + s**2)) - w))

        start = np.array([0.5 * level, 0.5 * np.sqrt(level), -0.5, 0.0, np.sqrt(level)])
        scale = np.array([level, np.sqrt(level), 1.0, np.sqrt(level), np.sqrt(level)])
        best = least_squares(off, start, x_scale=scale, max_nfev=100, loss="huber", f_scale=2.0)
        inside.append(float(np.mean(np.abs(off(best.x)) <= 1.0)))
    return np.array(inside)


def line(name: str, instants: list[Instant]) -> None:
    """Medians over the instants, each the quickest of several runs."""
    found = [fitted(i) for i in instants]
    parts = {
        "terms": [quickest(partial(terms, i)) for i in instants],
        "surface": [quickest(partial(fit_surface, quotes)) for _, quotes in found],
        "whole reading": [quickest(partial(read_instant, i)) for i in instants],
    }
    inside = [residuals(surface, quotes).inside for surface, quotes in found]
    rows, expiries = instants[0].strike.size, instants[0].years.size
    print(f"{name}: {len(instants)} chains of {rows:,} rows, {expiries} expiries")
    for part, times in parts.items():
        print(f"  {part:16}{np.median(times):8.2f} ms, slowest {max(times):.2f}")
    print(
        f"  mids out of the money inside bid and ask: median {np.median(inside):.1%}, worst {min(inside):.1%}"
    )
    started = time.perf_counter()
    shares = plain_svi(found[0][1])
    spent = 1e3 * (time.perf_counter() - started)
    print(
        f"  plain SVI with scipy, first chain: {spent:.0f} ms, {spent / np.median(parts['surface']):.0f}x; "
        f"median slice {np.median(shares):.1%} inside"
    )


def main() -> None:
    line("made", [made()])
    real = recorded()
    if real:
        line(f"SPXW {DAY}", real)


if __name__ == "__main__":
    main()
