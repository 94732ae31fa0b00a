"""The real chains of ../shared/data as smiles, each with its sample; for scripts/fidelity.py."""

import math
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np
from scripts.fidelity_quotes import (
    SAMPLES,
    SHARED,
    STATED,
    Floats,
    Instant,
    Rows,
    Smile,
    VixRecord,
    close_of,
    elapsed,
    minute_of,
    open_of,
    rows,
    smile_of,
    vix_of,
)

from tomking.adapters.history import load_history
from tomking.pricing.clock import MINUTES_A_YEAR
from tomking.pricing.implied import implied_vol
from tomking.sim.surface import YEAR_MINUTES


def all_smiles(vix: VixRecord) -> list[Smile]:
    """Every smile with its sample; what is held out is said in docs/fidelity.md."""
    return [
        *_spxw_2016(vix),
        *_spxw_2018(vix),
        *_spx_2026(vix),
        *_spy_2026(vix),
        *_spy_puts(vix),
        *_spx_trades(vix),
    ]


def _together(found: list[Smile | None], source: str, sample: str, day: str, vix: VixRecord) -> list[Smile]:
    smiles = [s for s in found if s is not None]
    level = vix_of(smiles)
    if not smiles:
        return []
    return [s.of(source, sample, vix.at(day, s.at.minute, level)) for s in smiles]


def _by_expiry(
    table: Rows, expiry: str, right: str
) -> dict[str, tuple[dict[float, tuple[float, float]], dict[float, tuple[float, float]]]]:
    out: dict[str, tuple[dict[float, tuple[float, float]], dict[float, tuple[float, float]]]]
    out = defaultdict(lambda: ({}, {}))
    for row in table:
        side = 0 if row[right].upper().startswith("C") else 1
        out[row[expiry]][side][float(row["strike"])] = (float(row["bid"] or 0), float(row["ask"] or 0))
    return out


def _spxw_2016(vix: VixRecord) -> Iterator[Smile]:
    """The hours of both days: the 28th calibrates, the 29th (with its own-day expiry) is held out."""
    hours = ("10:00", "11:00", "12:00", "13:00", "14:00", "15:00", "15:45")
    for name, sample in (("20160428", "calibration"), ("20160429_0dte", "hold-out")):
        snapshots: dict[str, Rows] = defaultdict(list)
        for row in rows(f"chains/spxw_15min_{name}.csv.gz"):
            if row["quote_datetime"][11:] in hours:
                snapshots[row["quote_datetime"]].append(row)
        for stamp, table in snapshots.items():
            found = [
                smile_of(*sides, minute_of(stamp), close_of(expiry), 0.003)
                for expiry, sides in _by_expiry(table, "expiration", "option_type").items()
            ]
            yield from _together(found, "SPXW 2016", sample, stamp[:10], vix)


def _spxw_2018(vix: VixRecord) -> Iterator[Smile]:
    """One expiry on 21 evenings, alternate ones held out."""
    table = rows("chains/spxw_eod_exp20180131.csv.gz")
    days = sorted({row["quote_date"] for row in table})[:-1]
    for n, day in enumerate(days):
        sides = _by_expiry([r for r in table if r["quote_date"] == day], "expiration", "type")["2018-01-31"]
        smile = smile_of(*sides, close_of(day), close_of("2018-01-31"), 0.014)
        if smile is not None:
            yield smile.of("SPXW January 2018", SAMPLES[n % 2], vix.at(day, close_of(day)))


def _spx_2026(vix: VixRecord) -> Iterator[Smile]:
    """Quotes of the evening of 2026-07-31; alternate expiries held out."""
    day, found = "2026-07-31", []
    for expiry, sides in _by_expiry(
        rows("chains/spx_chain_yahoo_20260731.csv.gz"), "expiration", "type"
    ).items():
        if expiry < "2027-09":
            found.append(smile_of(*sides, close_of(day), close_of(expiry), 0.037))
    smiles = _together(found, "SPX July 2026", "", day, vix)
    for n, smile in enumerate(smiles):
        yield smile.of(smile.source, SAMPLES[n % 2], smile.at)


def _spy_2026(vix: VixRecord) -> list[Smile]:
    """In session; all held out for volatility (its spreads calibrate)."""
    day = "2026-09-17"
    found = [
        smile_of(*sides, minute_of(day + " 10:52"), close_of(expiry), 0.037)
        for expiry, sides in _by_expiry(
            rows("chains/spy_chain_yahoo_20260917.csv.gz"), "expiry_date", "cp"
        ).items()
    ]
    return _together(found, "SPY September 2026", "hold-out", day, vix)


def _spy_puts(vix: VixRecord) -> Iterator[Smile]:
    """42 to 51 days and about 21, 2010 to 2018; even years calibrate.

    Volatilities are implied from the quotes here: the file's own leave SPY's dividends out of the
    forward, which is worth up to two points at the money.
    """
    history, paid_out = load_history(), spy_dividends()
    days = history.spx.day.astype(str)
    snapshots: dict[tuple[str, str], list[tuple[float, ...]]] = defaultdict(list)
    for row in rows("chains/spy_puts_monthly_2010_2018.csv.gz"):
        for first, head in ((row["entry_date"], ""), (row["later_date"], "later_")):
            if first and row[head + "bid"] and row[head + "iv"]:
                values = tuple(float(row[c]) for c in ("strike", head + "spot", head + "bid", head + "ask"))
                snapshots[first, row["expiration"]].append(values)
    for (day, expiry), quoted in sorted(snapshots.items()):
        strike, spot, bid, ask = np.array(sorted(quoted)).T
        now, settled = close_of(day), close_of(expiry)
        rate = float(history.rate[int(np.searchsorted(days, day))])
        discount = math.exp(-rate * (settled - now) / YEAR_MINUTES)
        dividends = sum(paid for on, paid in paid_out if day < on <= expiry)
        forward = (float(spot[0]) - dividends) / discount
        good = (bid > 0) & (ask > bid) & (strike < SPY_NEAR * forward)
        if good.sum() >= 5:
            smile = _puts(strike[good], bid[good], ask[good], now, settled, forward, discount)
            yield smile.of("SPY puts 2010-2018", SAMPLES[int(day[:4]) % 2], vix.at(day, now))


SPY_NEAR = 1.01
"""Puts up to a hundredth in the money are taken, so that the at-the-money volatility is inside."""


def _puts(  # noqa: PLR0917
    strike: Floats, bid: Floats, ask: Floats, now: int, settled: int, forward: float, discount: float
) -> Smile:
    years = (elapsed(settled) - elapsed(now)) / MINUTES_A_YEAR
    mid, right = 0.5 * (bid + ask), np.full(strike.size, -1.0)
    vol = implied_vol(
        price=mid, forward=forward, strike=strike, years=years, discount=discount, right=right
    ).vol
    at = Instant(now, math.nan, (math.nan, math.nan))
    return Smile("", "", at, settled, forward, discount, strike, right, mid, 0.5 * (ask - bid), vol)


def spy_dividends() -> list[tuple[str, float]]:
    """Ex-dates and dollars a share, from what the adjusted close says of the day before."""
    table = rows("daily/spy_ohlcv_daily.csv.gz")
    close, adjusted = (np.array([float(row[c]) for row in table]) for c in ("close", "adjusted_close"))
    paid = close[:-1] * (1.0 - (adjusted[:-1] / close[:-1]) / (adjusted[1:] / close[1:]))
    return [(row["date"], p) for row, p in zip(table[1:], paid.tolist(), strict=True) if p > 0.05]


def _spx_trades(vix: VixRecord) -> Iterator[Smile]:
    """Trades of the last hour, 2023-01-03 to 09, settled at the open; alternate days held out."""
    groups: dict[tuple[str, str], list[tuple[float, float, float]]] = defaultdict(list)
    for row in rows("chains/spx_option_trades_5min_20230103_09.csv.gz"):
        if "15:00" <= row["timestamp"][11:16] <= "16:00" and "2023-01" < row["expiration"] < "2024-02":
            side = 1.0 if row["type"] == "C" else -1.0
            spot, strike = float(row["underlying_mid"]), float(row["strike"])
            if row["iv"] and (strike - spot) * side > 0:
                groups[row["timestamp"][:10], row["expiration"]].append(
                    (math.log(strike / spot), side, float(row["iv"]))
                )
    order = sorted({day for day, _ in groups})
    for (day, expiry), found in sorted(groups.items()):
        now, settled = minute_of(day + " 15:30"), open_of(expiry)
        paid = (settled - now) / YEAR_MINUTES
        years = (elapsed(settled) - elapsed(now)) / MINUTES_A_YEAR
        k, side, vol = np.array(sorted(found)).T
        spot = 3850.0
        missing = np.full(k.size, math.nan)
        yield Smile(
            "SPX trades 2023",
            SAMPLES[order.index(day) % 2],
            vix.at(day, now),
            settled,
            spot * math.exp((0.046 - 0.017) * paid),
            math.exp(-0.046 * paid),
            spot * np.exp(k),
            side,
            missing,
            missing,
            vol * math.sqrt(paid / years),
        )


def lean_halves() -> Iterator[tuple[str, str, float, float, float, float]]:
    """Half-spreads of minute bars in session: source, sample, days, VIX, price and half at 5,500 points.

    SPXW and SPX of January 2021 (6 days; alternate ones held out) and ES of 2020-01-06 (the March contract
    calibrates, June is held out); options out of the money, every fifth minute.
    """
    root = SHARED / "lean"
    for path in sorted(root.glob("indexoption/usa/minute/spx*/*_quote_european.zip")):
        yield from _lean_file(path, "SPXW 2021", *LEAN_DAYS[path.name[:8]], 1e4, (575, 960))
    for path in sorted(root.glob("futureoption/cme/minute/es/*/20200106_quote_american.zip")):
        sample = SAMPLES[0] if path.parent.name == "202003" else SAMPLES[1]
        yield from _lean_file(path, "ES 2020", sample, 3240.0, 13.85, 1.0, (870, 1260))


LEAN_DAYS = {
    "20210104": (SAMPLES[0], 3700.0, 26.97),
    "20210105": (SAMPLES[0], 3727.0, 25.34),
    "20210106": (SAMPLES[1], 3748.0, 25.07),
    "20210107": (SAMPLES[0], 3804.0, 22.37),
    "20210108": (SAMPLES[1], 3825.0, 21.56),
    "20210114": (SAMPLES[1], 3796.0, 23.25),
}
"""Sample, index close and VIX close."""


def _lean_file(  # noqa: PLR0917
    path: Path, source: str, sample: str, level: float, vix: float, unit: float, hours: tuple[int, int]
) -> Iterator[tuple[str, str, float, float, float, float]]:
    day = date.fromisoformat(path.name[:8])
    with zipfile.ZipFile(path) as packed:
        for name in packed.namelist():
            *_, right, strike, expiry = name.removesuffix(".csv").split("_")
            away = (int(strike) / 1e4 - level) * (1 if right == "call" else -1)
            days = (date.fromisoformat(expiry) - day).days + 0.3
            if away < 0:
                continue
            for line in packed.read(name).decode().splitlines()[::5]:
                cells = line.split(",")
                if hours[0] < int(cells[0]) / 60000 < hours[1] and cells[4] and cells[9]:
                    bid, ask = float(cells[4]) / unit, float(cells[9]) / unit
                    if 0 < bid < ask:
                        scale = STATED / level
                        yield source, sample, days, vix, 0.5 * (bid + ask) * scale, 0.5 * (ask - bid) * scale
