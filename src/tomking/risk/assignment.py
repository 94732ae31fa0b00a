"""The last guard against delivery: short options in the money on their last day are closed (D.4, S2).

Strategies see to it by their own rules, earlier.  This one stands behind them: from half an hour before the
close, whatever a short option would turn into, shares or a future, it is closed by the component.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from tomking.domain.book import Book, Component, Position
from tomking.domain.contract import Option
from tomking.domain.events import Event, Noted
from tomking.domain.products import PRODUCTS, Settlement
from tomking.risk.settings import Settings
from tomking.view import View

NOTE = "risk.delivery"
"""Note: the components that must not be delivered, as position|role; until the session ends."""
BEFORE_CLOSE = timedelta(minutes=30)


def delivery_events(book: Book, view: View, settings: Settings) -> Iterator[Event]:
    """Names what is in the money and expires today, from half an hour before the close."""
    if view.now < view.session.close - BEFORE_CLOSE or not settings.closes_before_delivery:
        return
    known = named(book)
    found = [
        f"{position.id}|{one.role}"
        for position in book.positions.values()
        for one in position.open_components
        if one.expiry <= view.today and _delivers(one, view)
    ]
    wanted = (*known, *(key for key in found if key not in known))
    if wanted != known:
        yield Noted(view.now, NOTE, ";".join(wanted))


def _delivers(one: Component, view: View) -> bool:
    return any(
        leg.is_short
        and isinstance(leg.contract, Option)
        and leg.contract.expiry <= view.today
        and PRODUCTS[leg.contract.product].settlement is not Settlement.CASH
        and _in_the_money(leg.contract, view)
        for leg in one.structure.legs
    )


def _in_the_money(option: Option, view: View) -> bool:
    """By the forward of its own expiry; without a level it counts as in the money."""
    level = view.forward(option.product, option.expiry)
    return level is None or int(option.right) * (level - float(option.strike)) > 0


def named(book: Book) -> tuple[str, ...]:
    text = book.notes.get(NOTE)
    return tuple(text.split(";")) if text else ()


def threatened(book: Book, position: Position) -> Sequence[Component]:
    """The position's components that are named."""
    keys = named(book)
    return [one for one in position.open_components if f"{position.id}|{one.role}" in keys] if keys else []


def close_events(book: Book, view: View) -> Iterator[Event]:
    if NOTE in book.notes:
        yield Noted(view.now, NOTE, "")
