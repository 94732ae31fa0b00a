"""Real minutes, hours and opens against the model's paths; for scripts/fidelity.py."""

import math
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scripts.fidelity import figure, table
from scripts.fidelity_model import Drawn
from scripts.fidelity_quotes import rows

Floats = NDArray[np.float64]


def real_sessions() -> dict[str, Floats]:
    """Minute closes of regular hours by day: 26 SPX sessions of 2026 and 21 ES sessions of 2020."""
    found: dict[str, list[float]] = defaultdict(list)
    for row in rows("intraday/spx_1min_20260717_20260821.csv.gz"):
        found[row["date"]].append(float(row["close"]))
    for row in rows("intraday/es_h20_1min_20200123_20200224.csv.gz"):
        stamp = row["timestamp_utc"]
        if "14:30" <= stamp[11:16] < "21:00":
            found[stamp[:10]].append(float(row["close"]))
    return {day: np.array(levels[:390]) for day, levels in found.items() if len(levels) >= 380}


def walk_figures(days: Sequence[Floats]) -> list[float]:
    """Of days of minute levels; see ``minute_table``."""
    steps = [np.diff(np.log(levels)) for levels in days]
    scaled = [(s / s.std())[:379] for s in steps]
    spans = [np.log(v.max() / v.min()) for v in days]
    squares = np.mean([s**2 for s in scaled], axis=0)
    gk = [
        0.5 * g**2 - (2 * math.log(2) - 1) * math.log(v[-1] / v[0]) ** 2
        for g, v in zip(spans, days, strict=True)
    ]
    half = [[np.log(np.ptp(v[a : a + 31]) / v[a] + 1) for a in range(0, 360, 30)] for v in days]
    return [
        float(np.median([np.sum(s**2) / g for s, g in zip(steps, gk, strict=True)])),
        float(np.median([np.mean(h) / g for h, g in zip(half, spans, strict=True)])),
        float(np.median([np.max(h) / g for h, g in zip(half, spans, strict=True)])),
        float(squares[:30].mean()),
        float(squares[165:225].mean()),
        float(squares[-30:].mean()),
        float(np.median([np.corrcoef(np.abs(s[1:]), np.abs(s[:-1]))[0, 1] for s in scaled])),
        float(np.median([np.mean(s[1:] * s[:-1]) for s in scaled])),
        float(np.median([np.mean(s**4) for s in scaled])),
        float(np.mean([min(v.argmax(), v.argmin()) < 60 for v in days])),
    ]


WALK = (
    "realised variance of minutes over Garman-Klass",
    "mean range of a half hour over the day's",
    "widest half hour over the day's range",
    "variance of the first half hour (day's mean 1)",
    "of noon to one o'clock",
    "of the last half hour",
    "correlation of neighbouring minutes' sizes",
    "correlation of neighbouring minutes",
    "kurtosis of minutes",
    "days with high or low in the first hour",
)


def minute_table(drawn: Drawn, real: dict[str, Floats]) -> str:
    recent = drawn.day[-2500:]
    ours = walk_figures([drawn.path(day).spx[:390] for day in recent])
    columns = [
        walk_figures([v for day, v in real.items() if day < "2021"]),
        walk_figures([v for day, v in real.items() if day > "2021"]),
        ours,
    ]
    body = [[name, *(figure(c[i], 2) for c in columns)] for i, name in enumerate(WALK)]
    return table(["", "ES, 21 days of 2020", "SPX, 26 days of 2026", "model, 2,500 days"], body)


def hour_table(drawn: Drawn) -> str:
    """Same days on both sides: held-out sessions of SPX hours, 2023-09-15 to 2024-12-30."""
    hours: dict[str, list[tuple[float, ...]]] = defaultdict(list)
    for row in rows("intraday/spx_1hour_2023_2026.csv.gz"):
        if row["date"] in drawn.row:
            hours[row["date"]].append(tuple(float(row[c]) for c in ("open", "high", "low", "close")))
    # The first of each two calibrated the shape of the day.
    days = {day: np.array(hours[day]) for day in [d for d in sorted(hours) if len(hours[d]) == 7][1::2]}
    real = np.array([np.log(h[:, 1] / h[:, 2]) for h in days.values()])
    paths = [drawn.path(day).spx for day in days]
    ours = np.array(
        [[math.log(p[a : a + 61].max() / p[a : a + 61].min()) for a in range(0, 390, 60)] for p in paths]
    )
    tops = np.array([h[:, 1].argmax() for h in days.values()])
    ours_tops = np.array([min(int(p.argmax()), 389) // 60 for p in paths])
    body = []
    for i in range(7):
        name = f"{9 + i}:30" + (" (half an hour)" if i == 6 else "")
        body.append(
            [
                name,
                figure(1e4 * float(real[:, i].mean())),
                figure(1e4 * float(ours[:, i].mean())),
                figure(float(np.corrcoef(real[:, i], ours[:, i])[0, 1]), 2),
                f"{100 * float(np.mean(tops == i)):.0f} %",
                f"{100 * float(np.mean(ours_tops == i)):.0f} %",
            ]
        )
    head = ["hour from", "real range, bp", "model", "correlation", "holds the high: real", "model"]
    return f"{len(days)} held-out sessions of September 2023 to December 2024.\n\n" + table(head, body)


def gap_table(drawn: Drawn) -> str:
    spy = {row["date"]: row for row in rows("daily/spy_ohlcv_daily.csv.gz")}
    body = []
    for name, first, last in (
        ("1993–2004", "1993", "2005"),
        ("2005–2014", "2005", "2015"),
        ("2015–2024", "2015", "2025"),
    ):
        ours, real = [], []
        for before, day in zip(drawn.day[:-1], drawn.day[1:], strict=True):
            if first <= day < last and day in spy and before in spy:
                real.append(math.log(float(spy[day]["open"]) / float(spy[before]["close"])))
                ours.append(math.log(drawn.path(day).spx[0] / drawn.close[drawn.row[before]]))
        both = np.array([real, ours])
        for what, of in (
            ("mean size, %", np.mean(np.abs(both), axis=1)),
            ("standard deviation, %", np.std(both, axis=1)),
            ("95 % within, %", np.quantile(np.abs(both), 0.95, axis=1)),
            ("largest fall, %", np.min(both, axis=1)),
        ):
            body.append([f"{name}: {what}", *(figure(100 * float(v), 2) for v in of)])
        body.append([f"{name}: correlation day by day", "", figure(float(np.corrcoef(both)[0, 1]), 2)])
    return table(["gap from close to 09:30", "SPY", "model"], body)
