"""The variance clock against the record: nights, weekends, the session's U, own-day expiries."""

import math
import zipfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scripts.fidelity import figure, table
from scripts.fidelity_chains import spy_dividends
from scripts.fidelity_model import Drawn, surface, vols
from scripts.fidelity_quotes import SHARED, Smile, VixRecord, close_of, elapsed, minute_of, rows

from tomking.pricing.black import black_price
from tomking.pricing.clock import (
    FURTHER_DAY_MINUTES,
    MINUTES_A_YEAR,
    NIGHT_MINUTES,
    SESSION_MINUTES,
    session_elapsed,
)
from tomking.pricing.implied import implied_vol
from tomking.pricing.ssvi import total_variance
from tomking.sim.surface import phi_of, rho_of

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

TRIMMED = 9.0
"""Squares of moves in units of VIX count up to this: three deviations."""


# -- nights and sessions of SPY ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Moves:
    """SPY's moves by day, (n,)."""

    day: list[str]
    year: NDArray[np.int64]
    gap_days: NDArray[np.int64]
    """Calendar days since the session before."""
    night: Floats
    """Log of the open, dividend added, over the close before, in daily deviations of the VIX before."""
    session: Floats
    """Log of close over open, the same."""
    late: Floats
    """Log of close over open, plain."""


def spy_moves(record: VixRecord) -> Moves:
    told, paid = dict(zip(record.day, record.close.tolist(), strict=True)), dict(spy_dividends())
    found, days = [], []
    spy = rows("daily/spy_ohlcv_daily.csv.gz")
    for before, now in pairwise(spy):
        if before["date"] in told:
            unit = told[before["date"]] / 100 / math.sqrt(252)
            opened, closed = float(now["open"]), float(now["close"])
            night = math.log((opened + paid.get(now["date"], 0.0)) / float(before["close"]))
            late = math.log(closed / opened)
            gap = (date.fromisoformat(now["date"]) - date.fromisoformat(before["date"])).days
            days.append(now["date"])
            found.append((int(now["date"][:4]), gap, night / unit, late / unit, late))
    year, gaps, night, session, plain = np.array(found).T
    return Moves(days, year.astype(np.int64), gaps.astype(np.int64), night, session, plain)


def share_table(moves: Moves) -> str:
    """Variance of nights by length over that of the session, and the share outside."""
    night, session = np.minimum(moves.night**2, TRIMMED), np.minimum(moves.session**2, TRIMMED)
    even = moves.year % 2 == 0
    samples = (
        ("even years (calibration)", even),
        ("odd years (held out)", ~even),
        ("1993–2009", moves.year < 2010),
        ("2010–2024", moves.year >= 2010),
    )
    body = []
    for name, chosen in samples:
        one, three = (night[chosen & (moves.gap_days == n)].mean() / session[chosen].mean() for n in (1, 3))
        share = night[chosen].mean() / (night[chosen].mean() + session[chosen].mean())
        body.append([name, str(int(chosen.sum())), *_shares(one, three, share)])
    ours = NIGHT_MINUTES / SESSION_MINUTES, (NIGHT_MINUTES + 2 * FURTHER_DAY_MINUTES) / SESSION_MINUTES
    extra = np.minimum(moves.gap_days, 4).mean() - 1
    mean = (NIGHT_MINUTES + extra * FURTHER_DAY_MINUTES) / SESSION_MINUTES
    body.append(["the clock", "", *_shares(*ours, mean / (1 + mean))])
    return table(["SPY", "sessions", "a night over a session", "a weekend", "share outside"], body)


def _shares(night: float, weekend: float, share: float) -> list[str]:
    return [figure(night, 2), figure(weekend, 2), f"{100 * share:.0f} %"]


ERAS = (("1993–2002", 1993, 2002), ("2003–2009", 2003, 2009), ("2010–2024", 2010, 2024))


def third_fridays(moves: Moves, drawn: Drawn) -> str:
    """Monthly settlement mornings: from the open to the close, and what a call sold a month before pays.

    The call is at the money at 11:00 on the third Friday before, as BXM sells it; SPY's open is carried
    to the index by the day's close.
    """
    late = dict(zip(moves.day, moves.late.tolist(), strict=True))
    found, strike = [], math.nan
    for day in (d for d in moves.day if d in drawn.row and _third_friday(d)):
        path = drawn.path(day).spx
        opened = [path[-1] * math.exp(-late[day]), path[0]]
        paid = [max(level - strike, 0.0) / path[-1] for level in opened]
        found.append((int(day[:4]), late[day], math.log(path[-1] / path[0]), paid[0] - paid[1]))
        strike = 5.0 * math.ceil(path[90] / 5.0)
    third, others = np.array(found[1:]), np.array([not _third_friday(d) for d in moves.day])
    body = []
    for name, first, last in (
        ("1993–2002", 1993, 2002),
        ("2003–2009", 2003, 2009),
        ("2010–2024", 2010, 2024),
    ):
        _, real, ours, short = third[(third[:, 0] >= first) & (third[:, 0] <= last)].T
        usual = moves.late[(moves.year >= first) & (moves.year <= last) & others].mean()
        body.append(
            [
                name,
                str(real.size),
                f"{figure(1e4 * real.mean(), sign=True)} (± {1e4 * real.std() / math.sqrt(real.size):.0f})",
                figure(1e4 * float(ours.mean()), sign=True),
                figure(1e4 * float(usual), sign=True),
                figure(1200 * float(short.mean()), 2, sign=True),
            ]
        )
    head = ["open to close, bp", "third Fridays", "SPY", "model, same days", "SPY, other days"]
    return table([*head, "the month's call pays SPY over model, % a year"], body)


def _third_friday(day: str) -> bool:
    found = date.fromisoformat(day)
    return found.weekday() == 4 and 15 <= found.day <= 21


# -- own-day expiries --------------------------------------------------------------------------------

HOURS = tuple(range(10, 16))
EVENING = "2021-01-08"


def decay_table(smiles: Sequence[Smile]) -> str:
    """What is left of an own-day expiry's variance, over what the next expiry adds: 10:00 is 1."""
    real = {"2016-04-29": _left_2016(smiles), EVENING: _left_2021()}
    gone = session_elapsed(SESSION_MINUTES)
    body = []
    for hour in HOURS[1:]:
        at = 60 * hour - 570
        shown = [figure(left[hour] / left[10], 2) if hour in left else "–" for left in real.values()]
        even, ours = (SESSION_MINUTES - at) / 360, (SESSION_MINUTES - gone[at]) / (SESSION_MINUTES - gone[30])
        body.append([f"{hour}:00", *shown, figure(ours, 2), figure(even, 2)])
    return table(["time", *real, "the clock", "a clock without the U"], body)


def _left_2016(smiles: Sequence[Smile]) -> dict[int, float]:
    by_minute: dict[int, list[Smile]] = defaultdict(list)
    for s in smiles:
        if s.source == "SPXW 2016" and s.at.minute > minute_of("2016-04-29 09:30"):
            by_minute[s.at.minute].append(s)
    left = {}
    for minute, found in by_minute.items():
        today, after = sorted(found, key=lambda s: s.settled)[:2]
        if today.days < 0.35:
            w = [float(np.interp(s.forward, s.strike, s.vol)) ** 2 * s.years for s in (today, after)]
            left[(minute - minute_of("2016-04-29 00:00")) // 60] = w[0] / (w[1] - w[0])
    return left


def _left_2021() -> dict[int, float]:
    quoted = _quotes_2021(EVENING)
    left = {}
    for hour in HOURS:
        w = [_variance_2021(quoted, expiry, 3800.0, EVENING, hour)[1] for expiry in (EVENING, "2021-01-11")]
        left[hour] = w[0] / (w[1] - w[0])
    return left


Quoted = dict[tuple[str, float, int], dict[str, float]]
"""Mids by right, by expiry, strike and minute of the day."""


def _quotes_2021(day: str) -> Quoted:
    found: Quoted = defaultdict(dict)
    path = SHARED / f"lean/indexoption/usa/minute/spxw/{day.replace('-', '')}_quote_european.zip"
    with zipfile.ZipFile(path) as packed:
        for name in packed.namelist():
            *_, right, strike, expiry = name.removesuffix(".csv").split("_")
            for line in packed.read(name).decode().splitlines():
                cells = line.split(",")
                minute = int(cells[0]) // 60000
                if minute % 60 == 0 and cells[4] and cells[9]:
                    settles = f"{expiry[:4]}-{expiry[4:6]}-{expiry[6:]}"
                    mid = (float(cells[4]) + float(cells[9])) / 2e4
                    found[settles, int(strike) / 1e4, minute][right] = mid
    return found


def _variance_2021(quoted: Quoted, expiry: str, strike: float, day: str, hour: int) -> tuple[float, float]:
    """Forward and total variance of one strike's option out of the money; no interest over days."""
    pair = quoted[expiry, strike, 60 * hour]
    forward = strike + pair["call"] - pair["put"]
    side, name = (1.0, "call") if strike >= forward else (-1.0, "put")
    years = (elapsed(close_of(expiry)) - elapsed(minute_of(f"{day} {hour:02d}:00"))) / MINUTES_A_YEAR
    vol = implied_vol(
        price=pair[name], forward=forward, strike=strike, years=years, discount=1.0, right=side
    ).vol
    return forward, float(vol) ** 2 * years


OWN_DAYS_2021 = (("2021-01-06", 3700.0), ("2021-01-08", 3800.0))


def own_day_table(smiles: Sequence[Smile], record: VixRecord) -> str:
    """Straddle-like level of own-day expiries: volatilities and prices of the same option."""
    body = []
    for s in smiles:
        if s.source == "SPXW 2016" and s.days < 0.35:
            real = float(np.interp(s.forward, s.strike, s.vol))
            ours = float(vols(s, np.array([s.forward]))[0])
            left = round(s.days * 1440)
            clock = f"{16 - left // 60}:00" if left % 60 == 0 else f"{left} min left"
            body.append(_own_day("2016-04-29", clock, s.at.vix, s.forward, s.forward, (real, ours), s.years))
    opened = {row["date"]: float(row["open"]) for row in rows("daily/vix_ohlc_daily.csv.gz")}
    for day, strike in OWN_DAYS_2021:
        forward, w = _variance_2021(_quotes_2021(day), day, strike, day, 10)
        now, settled = minute_of(day + " 10:00"), close_of(day)
        years = (elapsed(settled) - elapsed(now)) / MINUTES_A_YEAR
        told = surface(record.at(day, now, opened[day]))
        theta = told.theta(settled)
        model = total_variance(math.log(strike / forward), theta, phi_of(theta, told.eta), rho_of(theta))
        both = math.sqrt(w / years), math.sqrt(model / years)
        body.append(_own_day(day, "10:00", opened[day], forward, strike, both, years))
    head = [
        "own-day expiry",
        "VIX",
        "strike over forward",
        "real volatility (clock)",
        "model",
        "price, real",
        "model",
    ]
    return table(head, body)


def _own_day(  # noqa: PLR0917
    day: str, clock: str, vix: float, forward: float, strike: float, vol: tuple[float, float], years: float
) -> list[str]:
    side = 1.0 if strike >= forward else -1.0
    price = [black_price(forward, strike, years, v, 1.0, side) for v in vol]
    return [
        f"{day} {clock}",
        figure(vix),
        f"{figure(100 * (strike / forward - 1), sign=True)} %",
        *(figure(100 * v) for v in vol),
        *(figure(p, 2) for p in price),
    ]
