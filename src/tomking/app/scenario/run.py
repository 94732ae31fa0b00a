"""Runs scenarios by name."""

from collections.abc import Callable, Iterable, Iterator
from time import perf_counter

from tomking.app.scenario import (
    play_august,
    play_crude,
    play_days,
    play_expiry,
    play_hours,
    play_levels,
    play_lt112,
    play_market,
    play_others,
    play_phases,
    play_restart,
    play_streaks,
    play_thresholds,
    play_zero_dte,
)
from tomking.app.scenario.outcome import Outcome, Result
from tomking.app.scenario.table import BY_NAME, ROWS

PLAYS: dict[str, Callable[[], Outcome]] = {
    **play_levels.PLAYS,
    **play_expiry.PLAYS,
    **play_market.PLAYS,
    **play_phases.PLAYS,
    **play_thresholds.PLAYS,
    **play_hours.PLAYS,
    **play_restart.PLAYS,
    **play_streaks.PLAYS,
    **play_days.PLAYS,
    **play_august.PLAYS,
    **play_zero_dte.PLAYS,
    **play_lt112.PLAYS,
    **play_others.PLAYS,
    **play_crude.PLAYS,
}
NAMES = tuple(row.name for row in ROWS)


def run(names: Iterable[str]) -> Iterator[Result]:
    """One after the other."""
    for name in names:
        since = perf_counter()
        outcome = PLAYS[name]()
        yield Result(BY_NAME[name], outcome, perf_counter() - since)
