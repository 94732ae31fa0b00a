"""What the least answer of the limits is multiplied by: drawdown, VIX, ramps, warnings, runs, records."""

from collections.abc import Iterator
from decimal import Decimal

from tomking.risk import breakers, emergency
from tomking.risk.case import Case
from tomking.risk.drawdown import size_multiplier
from tomking.risk.limits_breakers import size_of_month, size_of_record

ONE = Decimal(1)


def shrink(case: Case) -> tuple[Decimal, str]:
    """A factor from 0 to 1, and the reasons beyond drawdown, VIX and ramp in words."""
    factor = size_multiplier(case.book, case.view.vix, case.settings)
    said: list[str] = []
    for share, why in _further(case):
        if share < ONE:
            factor *= share
            said.append(f"{share:.2f} {why}")
    return factor, "; ".join(said)


def _further(case: Case) -> Iterator[tuple[Decimal, str]]:
    book, settings = case.book, case.settings
    if breakers.level_of(book) == breakers.WARNS:
        yield settings.warned_size_share, "while a breaker warns"
    yield breakers.ramp_share(book, settings), "after a breaker"
    yield emergency.ramp_share(book, settings), "after an emergency level"
    if book.losing_run >= settings.losing_run_half:
        yield settings.losing_run_size_share, f"after {book.losing_run} losing closes in a row"
    yield size_of_record(case)
    yield size_of_month(case)
