"""Fills that are worked out here: the simulated account behind the ``Wire``, on the quotes of a real market.

The same model of order life, fees and settlement as the sandbox's (``sim.account``), without a socket.  The
account lives as long as its engine; a restart makes it anew of the journal's book (``seed``).
"""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

from tomking.adapters.tastytrade.live import LiveMarket
from tomking.domain.bars import Bars
from tomking.domain.book import Book
from tomking.domain.calendar import Sessions, new_york
from tomking.domain.contract import Contract
from tomking.domain.intent import Urgency
from tomking.domain.money import ZERO
from tomking.domain.order import Working
from tomking.domain.products import PRODUCTS
from tomking.execution.protocol.tags import Tag
from tomking.execution.wire import Line, Request, Status, Told
from tomking.ports import MarketData
from tomking.sim.account import SimAccount
from tomking.sim.venue import Ticket, order_of


class SettlingMarket(LiveMarket):
    """A live market that also says what has settled, as no broker is there to say it.

    At the close the index's last level is the official one; what settles at the open does so at the day's
    first level, which stands for the opening prices of its members.
    """

    def settlement(self, contract: Contract, now: datetime) -> float | None:
        product = PRODUCTS[contract.product]
        session = self._sessions.on(contract.expiry) or self._sessions.before(contract.expiry)
        assert session is not None, f"{contract.expiry} lies within the calendar"
        if now < (session.open if product.settles_at_open else session.close):
            return None
        is_today = session.date == new_york(now).date()
        if is_today and not product.settles_at_open:
            level = self.spot(product.family, now)
        else:
            level = _level(self._bars(product.family), session.date, at_open=product.settles_at_open)
        return None if level is None else level * float(product.index_ratio)


def _level(bars: Bars, day: object, *, at_open: bool) -> float | None:
    rows = [i for i, one in enumerate(bars.day.tolist()) if one == day]
    if not rows:
        return None
    return float((bars.open if at_open else bars.close)[rows[-1]])


class SimulatedLine:
    """The ``Wire`` of a simulated account: what is asked is answered when it is next listened to."""

    def __init__(self, account: SimAccount, now: datetime, wake: Callable[[], None]) -> None:
        self.account = account
        self._wake = wake
        self._told: list[Told] = [Line(now, up=True)]

    def send(self, request: Request, now: datetime) -> None:
        self._told.append(self.account.handle(request, now))
        self._wake()

    def take(self, now: datetime) -> list[Told]:
        self.account.advance(now)
        told, self._told = [*self._told, *self.account.reports()], []
        return told

    def start(self) -> None:
        """There is nothing to connect."""

    def close(self) -> None:
        """There is nothing to end."""

    def abreast(self, patience: float) -> bool:  # noqa: ARG002 - as the broker's line has it
        """Whatever there is to tell has been told."""
        return True


def simulated_account(  # noqa: PLR0917 - what it is made of
    market: MarketData,
    sessions: Sessions,
    now: datetime,
    cash: Decimal,
    book: Book,
    instance: str,
    epoch: int,
) -> SimAccount:
    """A new account with that cash; of a journal with a past the one that its book describes."""
    if not book.deposits:
        return SimAccount(market, sessions, now, cash)
    account = SimAccount(market, sessions, now, book.cash)
    held: dict[Contract, int] = dict(book.foreign)
    for position in book.positions.values():
        for leg, count in position.legs():
            held[leg.contract] = held.get(leg.contract, 0) + leg.ratio * count
    changes = [(contract, count) for contract, count in held.items() if count]
    for holdings in (account.ledger.true, account.ledger.shown):
        holdings.move(ZERO, changes, now)
    today = sessions.on(new_york(now).date())
    ahead = today if today is not None and now < today.open else sessions.after(new_york(now).date())
    opens = now if ahead is None else ahead.open
    for working in book.orders.values():
        _enter(account, working, f"{Tag(instance, epoch, working.order.id, working.attempt)}", now, opens)
    account.settle(now)  # what has expired meanwhile
    return account


def _enter(account: SimAccount, working: Working, tag: str, now: datetime, opens: datetime) -> None:
    """An order that worked when the engine ended: targets rest until they are cancelled, as the order desk
    sends them; any other goes on today, and has expired on a later day.
    """
    order, floor = working.order, account.floor
    left, today = order.units - working.filled, new_york(now).date()
    if left < 1:
        return
    legs = order.structure.legs
    ticket = Ticket(
        order_of(floor.name("V"), legs, left, working.limit, opens=order.opens),
        tag,
        order.opens,
        rests_overnight=order.urgency is Urgency.TARGET,
        entered=now,
    )
    floor.enter(ticket, now)
    is_gone = any(leg.contract.expiry < today for leg in legs)
    is_todays = floor.is_open(now) and new_york(working.since).date() == today
    if ticket.rests_overnight and not is_gone and not floor.is_open(now):
        ticket.status = Status.LIVE
        floor.show(ticket, now)
        floor.agenda.add(opens, lambda at: _open(account, ticket, at))
    elif (ticket.rests_overnight and not is_gone) or is_todays:
        floor.route(ticket, now)
    else:
        floor.end(ticket, Status.EXPIRED, now)


def _open(account: SimAccount, ticket: Ticket, now: datetime) -> None:
    """It has rested over night: from the open on the market is looked at again."""
    account.floor.new_day(now)
    account.floor.route(ticket, now)
