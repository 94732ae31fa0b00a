"""How far at-the-money volatility lies below VIX, and how usual the chains' skew is."""

import math
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
from scripts.fidelity import figure, table
from scripts.fidelity_model import vols
from scripts.fidelity_quotes import SAMPLES, Smile, VixRecord, rows

from tomking.sim.surface import YEAR_MINUTES

MONTH = (20.0, 52.0)
"""Calendar days: both of VIX's expiries, and those of the SPY puts."""
BUCKETS = ((0, 13), (13, 16), (16, 20), (20, 60))


def level_table(smiles: Sequence[Smile]) -> str:
    """At-the-money volatility per calendar year less VIX, real and modelled, by chain and VIX."""
    cells: dict[tuple[str, str, int], list[tuple[float, float, float]]] = defaultdict(list)
    for s in smiles:
        if MONTH[0] <= s.days <= MONTH[1] and s.strike[0] < s.forward < s.strike[-1]:
            calendar = 100 * math.sqrt(s.years * YEAR_MINUTES / (s.settled - s.at.minute))
            real = calendar * float(np.interp(s.forward, s.strike, s.vol))
            ours = calendar * float(vols(s, np.array([s.forward]))[0])
            bucket = next(i for i, (low, high) in enumerate(BUCKETS) if low <= s.at.vix < high)
            cells[s.source, s.sample, bucket].append((s.at.vix, real - s.at.vix, ours - s.at.vix))
    body = []
    order = list(dict.fromkeys(s.source for s in smiles))
    for source, sample, bucket in sorted(cells, key=lambda c: (SAMPLES.index(c[1]), order.index(c[0]), c[2])):
        found = cells[source, sample, bucket]
        vix, real, ours = np.mean(found, axis=0)
        body.append(
            [
                f"{source}, {sample}",
                str(len(found)),
                figure(vix),
                figure(real, sign=True),
                figure(ours, sign=True),
                figure(ours - real, sign=True),
            ]
        )
    return table(["chain", "smiles", "VIX", "real − VIX", "model − VIX", "model − real"], body)


def skew_table(smiles: Sequence[Smile], record: VixRecord) -> str:
    """Cboe's SKEW on the chains' days beside what is usual at that VIX."""
    skew = {row["date"]: float(row["close"]) for row in rows("daily/skew_daily.csv.gz")}
    days: dict[str, set[str]] = defaultdict(set)
    for s in smiles:
        days[s.source].add(datetime.fromtimestamp(s.at.minute * 60, UTC).date().isoformat())
    vix = dict(zip(record.day, record.close.tolist(), strict=True))
    body = []
    groups = [(name, sorted(of)) for name, of in days.items()]
    groups += [(f"every day of {a}–{b}", _days_of(vix, a, b)) for a, b in ERAS]
    for name, of in groups:
        known = [d for d in of if d in skew and d in vix]
        if known:
            told, real = np.mean([vix[d] for d in known]), np.mean([skew[d] for d in known])
            usual = np.mean([usual_skew(vix[d]) for d in known])
            body.append(
                [name, str(len(known)), figure(float(told)), figure(float(real)), figure(float(usual))]
            )
    return table(["days", "how many", "VIX", "SKEW", "the model's usual"], body)


ERAS = ((1990, 1999), (2000, 2009), (2010, 2014), (2015, 2019), (2020, 2025))


def _days_of(vix: dict[str, float], first: int, last: int) -> list[str]:
    return [day for day in vix if first <= int(day[:4]) <= last]


def usual_skew(vix: float) -> float:
    """Least squares of SKEW on ln VIX, even years 2010 to 2025 (``sim.surface``)."""
    return 130.6 - 10.2 * math.log(vix / 17.0)
