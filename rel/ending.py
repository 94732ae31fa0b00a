"""What must hold when the faults have stopped and a minute has passed, and whenever a process starts."""

from collections.abc import Collection
from datetime import datetime, timedelta

from rel.check import Checker
from rel.holdings import order_of
from rel.tap import Ledger
from rel.world import SESSION
from tomking.domain.book import Book, fold
from tomking.domain.contract import Contract
from tomking.domain.intent import Urgency
from tomking.domain.money import ZERO, cents

SETTLED = timedelta(seconds=60)
"""After the last fault until all is in order (I23)."""


def at_start(check: Checker, book: Book, folded: Book, now: datetime) -> None:
    """I19: a process's book is the fold of the journal, from its first event, and of nothing else."""
    if folded != book:
        check.broken("I19", now, "the book is not the fold of the journal")


def at_end(check: Checker, ledger: Ledger, book: Book, now: datetime) -> None:
    """Everything of the session's end."""
    at_start(check, book, fold(ledger.read()), now)
    i4_book_is_broker(check, book, now)
    i8_even(check, now)
    i10_money(check, now)
    i11_owners(check, book, now)
    i23_all_over(check, book, now)


def held_by(book: Book) -> dict[Contract, int]:
    """Every contract that the book says the account holds, its own and others'."""
    held: dict[Contract, int] = dict(book.foreign)
    for position in book.positions.values():
        for leg, units in position.legs():
            held[leg.contract] = held.get(leg.contract, 0) + leg.ratio * units
    return {contract: n for contract, n in held.items() if n}


def differences(check: Checker, book: Book, without: Collection[Contract] = ()) -> list[str]:
    """Contracts and cash of the book that are not the broker's.

    without  contracts that cannot agree yet, and their cash with them
    """
    ours, theirs = held_by(book), check.account.true.held
    found = [
        f"{contract}: book {ours.get(contract, 0):+d}, broker {theirs.get(contract, 0):+d}"
        for contract in sorted({*ours, *theirs}, key=str)
        if ours.get(contract, 0) != theirs.get(contract, 0) and contract not in without
    ]
    cash = cents(check.account.true.cash)
    return found if book.cash == cash or without else [*found, f"cash: book {book.cash}, broker {cash}"]


def i4_book_is_broker(check: Checker, book: Book, now: datetime) -> None:
    for one in differences(check, book)[:1]:
        check.broken("I4", now, one)
    working = {t.tag for t in check.account.tickets.values() if not t.is_over and t.tag}
    if sorted(order_of(tag) for tag in working) != sorted(book.orders):
        text = f"working: book {sorted(book.orders)}, broker {sorted(working)}"
        check.broken("I4", now, text)


def i8_even(check: Checker, now: datetime) -> None:
    for id_, order in check.holdings.orders.items():
        if check.holdings.uneven(id_) and id_ not in check.uneven_told:
            contracts = set(order.structure.contracts)
            if contracts & check.tampered:
                continue
            check.broken("I8", now, f"the legs of order {id_} filled unevenly and no event says so")


def i10_money(check: Checker, now: datetime) -> None:
    """The venue's cash is what was there, what trades and transactions brought, less fees."""
    account = check.account
    traded = sum((-x.quantity * x.price * x.contract.multiplier for x in account.executions), ZERO)
    moved = sum((x.dollars - x.fees for x in account.all_transactions), ZERO)
    if check.cash_before + traded - account.fees + moved != account.true.cash:
        check.broken("I10", now, f"{account.true.cash} of cash is not what came and went")


def i11_owners(check: Checker, book: Book, now: datetime) -> None:
    """Every lot of ours has one owner, and together they are what the account book says was traded.

    Odd legs that an event gave up are foreign, and no position's: I4 holds them against the broker.
    """
    for lot in check.holdings.lots.values():
        position = book.positions.get(lot.id)
        if position is None or check.tampered & lot.opened.keys():
            continue
        mine: dict[Contract, int] = {}
        for leg, units in position.legs():
            mine[leg.contract] = mine.get(leg.contract, 0) + leg.ratio * units
        for contract, count in check.left_over(lot.id).items():
            mine[contract] = mine.get(contract, 0) + count
        held = {c: n for c, n in lot.held().items() if c.expiry > SESSION.date}
        if {c: n for c, n in mine.items() if n and c.expiry > SESSION.date} != held:
            check.broken("I11", now, f"position {lot.id} is {mine}, its orders brought {held}")


def i23_all_over(check: Checker, book: Book, now: datetime) -> None:
    """Nothing is left in doubt: every order has ended, or rests as it is meant to over the night."""
    for id_, working in book.orders.items():
        if working.order.urgency is not Urgency.TARGET:
            check.broken("I23", now, f"order {id_} is still open {now - SESSION.close} after the close")
