"""What a broker tells beside fills and ends: whether it is new, and what a person must hear of it."""

from typing import assert_never

from tomking.domain import events as ev
from tomking.domain.book import REOPEN, Book, takes_late
from tomking.domain.trading import TRADING

RareNews = (
    ev.OrderUnknown
    | ev.OrderParked
    | ev.OrderRetried
    | ev.LegsUneven
    | ev.LegsUnwound
    | ev.LateFill
    | ev.AccountNews
)


def halted(book: Book) -> str | None:
    """Why the trading level lets nothing be opened; None: it does."""
    level = book.levels.get(TRADING, "")
    return None if level in {"", "ACTIVE"} else f"trading is {level}"


def is_new(book: Book, news: RareNews) -> bool:
    """Whether the book does not know it yet, and can take it."""
    match news:
        case ev.LateFill(_, fill):
            return takes_late(book, fill)
        case ev.OrderUnknown(_, order):
            return order in book.orders and book.orders[order].doubt is None
        case ev.OrderParked(_, order):
            return order in book.orders and not book.orders[order].parked
        case ev.OrderRetried(_, order, attempt):
            return order in book.orders and attempt > book.orders[order].attempt
        case ev.LegsUneven(_, order, action):
            return order in book.ended or (order in book.orders and action != REOPEN)
        case ev.LegsUnwound(_, order):
            return order in book.orders
        case ev.ForeignChanged(_, contract, quantity):
            return book.foreign.get(contract, 0) != quantity
        case ev.LevelChanged(_, name, before, after):
            return book.levels.get(name, "") == before != after
        case ev.Paid(_, position, role):
            held = book.positions.get(position)
            return held is not None and role in held.components and held.components[role].is_open
        case ev.Settled(_, position, role, gone):
            held = book.positions.get(position)
            one = held.components.get(role) if held is not None else None
            legs = one.structure.contracts if one is not None and one.is_open else ()
            return bool(gone) and set(gone) <= set(legs)
        case ev.Reconciled() | ev.CashMoved():
            return True
        case _:
            assert_never(news)


def alarm(news: RareNews) -> tuple[str, str] | None:
    """Level and words for the notifier; None where nobody needs to hear of it."""
    match news:
        case ev.OrderUnknown(_, order, attempt, why):
            return "warning", f"order {order}, attempt {attempt}: fate unknown ({why}); it is searched for"
        case ev.OrderParked(_, order, why):
            return "critical", f"order {order} is PARKED: {why}"
        case ev.LegsUneven(_, order, action, detail):
            return "critical", f"order {order} has uneven legs: {detail}; {action}"
        case ev.LegsUnwound(_, order, dollars, _, detail):
            return "warning", f"order {order}: odd legs traded back for ${dollars:,.2f} ({detail})"
        case ev.LateFill(_, fill):
            return "warning", f"order {fill.order} had ended and filled {fill.units} more (a late print)"
        case ev.ForeignChanged(_, contract, 0):
            return "warning", f"{contract} in the account, which belonged to no position here, is gone"
        case ev.ForeignChanged(_, contract, quantity):
            return "critical", f"{quantity:+d} {contract} in the account belong to no position here"
        case ev.Reconciled(_, differences):
            words = "; ".join(differences)
            return ("critical", f"book and broker differ: {words}") if differences else None
        case ev.LevelChanged(_, name, _, after, detail):
            return "critical", f"{name} is {after or 'released'}: {detail}"
        case ev.Settled(_, position, role, gone):
            return "warning", f"{position} {role}: {', '.join(map(str, gone))} ended by the broker's account"
        case ev.OrderRetried() | ev.CashMoved() | ev.Paid():
            return None
        case _:
            assert_never(news)
