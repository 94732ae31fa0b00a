"""What a comparison shows: a line a session, what differs below it, and all of it as JSON."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict

from tomking.app.parity.run import Compared, Comparison

MOST = 12
"""Differences of one session that are printed; JSON has all."""
BOOK = "closing book"


def as_lines(one: Compared) -> Iterator[str]:
    """A session."""
    counts = ", ".join(f"{n} {kind}" for kind, n in one.counts.items() if kind != BOOK)
    ours = one.facts[0][BOOK]
    end = f"{len(one.differences)} differences" if one.differences else "identical"
    yield f"{one.day}  {counts}; {one.instants} instants; {ours[0]}, {len(ours) - 1} contracts: {end}"
    for difference in one.differences[:MOST]:
        for line in difference.backtest:
            yield f"  {difference.kind}, backtest only: {line}"
        for line in difference.live:
            yield f"  {difference.kind}, live only:     {line}"
    if len(one.differences) > MOST:
        yield f"  and {len(one.differences) - MOST} more (--json shows all)"


def summary(found: Comparison) -> str:
    """All sessions in one line."""
    totals = Counter[str]()
    for one in found.sessions:
        totals.update({kind: n for kind, n in one.counts.items() if kind != BOOK})
    counts = ", ".join(f"{n:,} {kind}" for kind, n in totals.items())
    return f"{len(found.sessions)} sessions, {counts}: {found.differences} differences"


def as_facts(found: Comparison) -> dict[str, object]:
    """As JSON."""
    return {
        "sessions": len(found.sessions),
        "differences": found.differences,
        "days": [
            {
                "day": one.day.isoformat(),
                "counts": one.counts,
                "instants": one.instants,
                "differences": [asdict(each) for each in one.differences],
                "backtest": one.facts[0],
            }
            for one in found.sessions
        ],
    }
