"""A generated option market for the store's benchmarks: 13 half-hour chains a session of 1,250 contracts.

The shape of ../shared/bench/gen_market.py (a 0DTE expiry, Fridays, monthlies; quotes on the grid of 0.05 and
0.10), without its listing rules: it is there to be read, not to be traded.
"""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tomking.adapters.calendars import load_sessions
from tomking.adapters.importers.raw import QUOTES, STRIKE_DIGITS
from tomking.domain.calendar import wall_instant
from tomking.pricing.black import black

BARS = [time(10 + n // 2, n % 2 * 30) for n in range(13)]
LEVEL = 3_000.0

_EXPIRIES = ((0, 5, 0.08), (1, 5, 0.08), (2, 5, 0.08), (7, 10, 0.16), (14, 10, 0.18), (21, 25, 0.25))
_MONTHLIES = ((28, 25, 0.20), (60, 25, 0.25), (90, 25, 0.30), (120, 50, 0.40), (150, 50, 0.45))
"""Days to the expiry, interval of strikes, and how far they reach, as a share of the level."""


def sessions_of(rng: np.random.Generator, first: date, last: date) -> Iterator[pl.DataFrame]:
    """Raw quotes of SPXW, a frame a session of the exchange."""
    level = LEVEL
    for session in load_sessions(first, last):
        path = level * np.exp(np.cumsum(rng.normal(0, 0.003, len(BARS))))
        level = LEVEL + 0.8 * (float(path[-1]) - LEVEL)
        listed = _listed(session.date)
        bars = [
            _bar(rng, wall_instant(session.date, bar), float(spot), session.date, listed)
            for bar, spot in zip(BARS, path, strict=True)
            if session.close >= wall_instant(session.date, bar)
        ]
        rows = pl.concat(bars)
        yield rows.with_columns(line=pl.int_range(2, pl.len() + 2, dtype=pl.Int64)).select(QUOTES.names())


def optionsdx(quotes: pl.DataFrame) -> pl.DataFrame:
    """The same rows as the vendor's text files have them: a call and a put on a row."""
    keys = ["at", "expiry", "strike", "spot"]
    calls = quotes.filter(pl.col("right") > 0).select(*keys, c_bid="bid", c_ask="ask")
    puts = quotes.filter(pl.col("right") < 0).select(*keys, p_bid="bid", p_ask="ask")
    both = calls.join(puts, on=keys, maintain_order="left")
    wall = pl.col("at").dt.convert_time_zone("America/New_York")
    day = wall.dt.strftime("%Y-%m-%d")
    empty = pl.lit(0.0)
    return both.select(
        pl.col("at").dt.epoch("s").alias("[QUOTE_UNIXTIME]"),
        wall.dt.strftime("%Y-%m-%d %H:%M").alias(" [QUOTE_READTIME]"),
        day.alias(" [QUOTE_DATE]"),
        pl.col("spot").round(2).alias(" [UNDERLYING_LAST]"),
        pl.col("expiry").dt.strftime("%Y-%m-%d").alias(" [EXPIRE_DATE]"),
        (pl.col("expiry") - wall.dt.date()).dt.total_days().alias(" [DTE]"),
        *(empty.alias(f" [C_{greek}]") for greek in ("DELTA", "GAMMA", "VEGA", "THETA", "RHO", "IV")),
        pl.col("c_bid").alias(" [C_BID]"),
        pl.col("c_ask").alias(" [C_ASK]"),
        (pl.col("strike") / STRIKE_DIGITS).alias(" [STRIKE]"),
        pl.col("p_bid").alias(" [P_BID]"),
        pl.col("p_ask").alias(" [P_ASK]"),
        *(empty.alias(f" [P_{greek}]") for greek in ("DELTA", "GAMMA", "VEGA", "THETA", "RHO", "IV")),
    )


def _listed(day: date) -> list[tuple[date, NDArray[np.float64]]]:
    found: dict[date, NDArray[np.float64]] = {}
    for days, step, reach in (*_EXPIRIES, *_MONTHLIES):
        expiry = day + timedelta(days=days)
        if days >= 7:
            expiry += timedelta(days=(4 - expiry.weekday()) % 7)
        strikes = np.arange(np.ceil(LEVEL * (1 - reach) / step), LEVEL * (1 + reach * 0.6) / step) * step
        if expiry.weekday() < 5:
            found.setdefault(expiry, strikes)
    return sorted(found.items())


def _bar(
    rng: np.random.Generator, at: datetime, spot: float, day: date, listed: list[tuple[date, Any]]
) -> pl.DataFrame:
    strike = np.concatenate([np.tile(k, 2) for _, k in listed])
    right = np.concatenate([np.repeat([-1.0, 1.0], k.size) for _, k in listed])
    ends = np.concatenate([np.repeat((e - day).days, 2 * k.size) for e, k in listed])
    left = (wall_instant(day, time(16)) - at).total_seconds() / 86_400
    years = np.maximum((ends + left) / 365, 1e-6)
    one = np.ones(strike.size)
    mid = black(
        forward=spot * one, strike=strike, years=years, vol=0.17 * one, discount=one, right=right
    ).price
    half = 0.03 + 0.008 * mid**0.8 + 0.01 * rng.random(mid.size)
    per = np.where(mid < 3, 20, 10)
    bid = np.maximum(np.floor((mid - half) * per), 0) / per
    ask = np.maximum(np.ceil((mid + half) * per), 1) / per
    frame = pl.DataFrame(
        {
            "right": right.astype(np.int8),
            "strike": (strike * STRIKE_DIGITS).astype(np.int64),
            "bid": bid,
            "ask": ask,
            "expiry": np.datetime64(day) + ends.astype("timedelta64[D]"),
        }
    )
    said = {"member": "", "root": "SPXW", "at": at, "spot": round(spot, 2)}
    rest = [pl.lit(said.get(c)).cast(kind).alias(c) for c, kind in QUOTES.items() if c not in frame.columns]
    return frame.with_columns(rest).select(pl.col(c).cast(kind) for c, kind in QUOTES.items())
