"""``tomking reconcile``: the book of a journal against the account as it is, changing neither."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial

from tomking.adapters.clock import wait
from tomking.adapters.lease import installation
from tomking.adapters.tastytrade.line import TastytradeLine
from tomking.adapters.tastytrade.session import Scope, session
from tomking.adapters.tastytrade.symbols import Directory
from tomking.app.exits import Exit
from tomking.app.live.around import surroundings
from tomking.app.live.asked import Asked
from tomking.app.live.first import look
from tomking.app.live.listings import load_listings
from tomking.app.problems import Problems, problem
from tomking.domain.book import Book
from tomking.domain.products import PRODUCTS
from tomking.execution.differences import Difference
from tomking.execution.reconcile import reconcile

ANY_EPOCH = 10**9
"""We send nothing: whoever holds the lease now is not in our way."""


@dataclass(frozen=True, slots=True)
class Compared:
    """What a look at both has shown."""

    at: datetime
    positions: int
    """Contracts that the account holds, by kind."""
    orders: int
    """That the broker shows of today."""
    differences: tuple[Difference, ...]


def compare(asked: Asked, book: Book) -> Compared:
    """Both, side by side.  ``Problems`` (4, 5) when the account is not shown."""
    if asked.simulated:
        said = "a simulated account lives in its engine, which compares it all the while"
        raise problem(Exit.UNAVAILABLE, said)
    clock = surroundings(asked.to.environment, asked.to.port).clock()
    clock.connect()
    reading = partial(session, asked.to, asked.secrets, Scope.READ)
    contracts = [*book.held(), *book.foreign]
    todays = [*book.orders.values(), *book.ended.values()]
    contracts += [leg.contract for w in todays for leg in w.order.structure.legs]
    directory = Directory()
    directory.learn(load_listings(reading, {one.product for one in contracts}).listed)
    line = TastytradeLine(reading, asked.account, directory, clock.now, lambda _: None)
    line.start()
    try:
        try:
            shown = look(line, clock.now, wait)
        except Problems:
            # Something of today is in no chain that the book knows: of another program, or of a person.
            directory.learn(load_listings(reading, PRODUCTS).listed)
            shown = look(line, clock.now, wait)
    finally:
        line.close()
        clock.close()
    instance = installation(asked.world, asked.account)
    found = reconcile(book, shown, clock.now(), instance=instance, epoch=ANY_EPOCH)
    return Compared(clock.now(), len(shown.positions.held), len(shown.orders), found.differences)
