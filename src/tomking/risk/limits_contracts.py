"""Micro against full contracts: how many of each, and when full ones have been earned (methodology C.13)."""

from collections.abc import Iterator

from tomking.domain.book import Position
from tomking.domain.products import micro_of
from tomking.domain.record import Record
from tomking.risk.case import Allowance, Case, Limit, allowed, openings, refused
from tomking.risk.coordination import UNITS_MAX

FUTURES = ("friday_0dte", "lt112", "calendarized_112", "futures_strangle")
"""Strategies whose closed trades count as futures trades."""
TENTHS = {"SPXW": "XSP", "SPX": "XSP"}
"""Index options a tenth of which is listed: to a full-size contract they are twice an ES."""


def full_size_allows(case: Case) -> Allowance:
    """Full-size contracts wait until enough trades were closed, well enough, in a large enough account."""
    settings, product = case.settings, case.wish.product
    small = micro_of(product) or TENTHS.get(product)
    if settings.full_size != "earned" or small is None or case.is_budgeted:
        return allowed()
    said = list(_wanting(case))
    return refused(f"{product} is not earned yet ({'; '.join(said)}): trade {small}") if said else allowed()


def _wanting(case: Case) -> Iterator[str]:
    """What is missing to full-size contracts, in words."""
    settings, record = case.settings, futures_record(case)
    if case.net_liq <= settings.full_size_usd:
        yield f"net liq ${case.net_liq:,.0f}, more than ${settings.full_size_usd:,.0f} is needed"
    if case.phase < settings.full_size_phase:
        yield f"phase {case.phase}, {settings.full_size_phase} is needed"
    if record.trades <= settings.full_size_trades:
        yield f"{record.trades} closed futures trades, more than {settings.full_size_trades} are needed"
    rate = record.wins / record.trades if record.trades else 0.0
    if rate <= settings.full_size_wins:
        yield f"{rate:.0%} of them won, more than {settings.full_size_wins:.0%} are needed"


def futures_record(case: Case) -> Record:
    """Closed trades and wins of the strategies that trade options on futures."""
    mine = [one for key, one in case.book.records.items() if key.partition(":")[0] in FUTURES]
    return Record(sum(one.trades for one in mine), sum(one.wins for one in mine))


def contracts_allow(case: Case) -> Allowance:
    """Units in one product by phase, of all strategies that are counted in positions.

    0DTE and LT112 have ceilings of their own in ES-equivalents, which go before (A.4, ruling 13).
    """
    product = case.wish.product
    table = UNITS_MAX.get(product)
    if table is None or case.wish.joins or not _is_counted(case, case.wish.strategy):
        return allowed()
    most = getattr(case.settings, table)[case.phase]
    held = sum(
        _units(position)
        for position in case.book.positions.values()
        if position.product == product and _is_counted(case, position.strategy)
    )
    held += sum(
        left
        for working, left in openings(case.book)
        if working.order.structure.product == product and _is_counted(case, working.order.strategy)
    )
    return Allowance(max(0, most - held), f"{held} units in {product} held, phase {case.phase} allows {most}")


def _is_counted(case: Case, strategy: str) -> bool:
    place = case.places.get(strategy)
    return place is not None and place.most is not None


def _units(position: Position) -> int:
    return max((one.units for one in position.open_components), default=0)


CONTRACT_LIMITS = (
    Limit("full size", "PHASE", "C.13, ruling 5", full_size_allows),
    Limit("contracts", "CAP", "C.13", contracts_allow),
)
