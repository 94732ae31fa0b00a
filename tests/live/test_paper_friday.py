"""A Friday over real sockets: the condor is opened, managed and closed, and the book is the venue's."""

import sys
from collections.abc import Iterator
from datetime import date, time
from decimal import Decimal

import pytest
from numba.core.dispatcher import Dispatcher
from tests.live.papers import Paper, paper

from tomking.app.live import picture as pictures
from tomking.app.live.folder import Folder
from tomking.app.live.reading import read, reasons
from tomking.app.live.stages import STAGES
from tomking.domain import events as ev
from tomking.domain.calendar import new_york
from tomking.venue import sockets

FRIDAY = date(2022, 9, 16)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Paper]:
    """The whole Friday until a little after the strategy's last hour."""
    home = tmp_path_factory.mktemp("paper")
    sockets.TICK = 0.01
    with paper(home, FRIDAY, time(9, 30), ("friday_0dte",)) as run:
        COMPILED.append(compiled())
        run.play(until=time(15, 2))
        COMPILED.append(compiled())
        yield run


COMPILED: list[set[str]] = []


def compiled() -> set[str]:
    """Every kernel of the program that is compiled or loaded, by its types."""
    modules = [module for name, module in list(sys.modules.items()) if name.startswith("tomking.")]
    found = {one for module in modules for one in vars(module).values() if isinstance(one, Dispatcher)}
    return {f"{one.py_func.__name__}{types}" for one in found for types in one.signatures}


def events_of(run: Paper) -> list[ev.Event]:
    return list(run.ready.journal.read())


pytestmark = [pytest.mark.enable_socket, pytest.mark.slow]


def test_the_five_stages_pass_in_their_order(played: Paper) -> None:
    assert [name for name, _ in played.stages] == list(STAGES)
    assert "a new book: 0 contracts held, cash $200,000.00" in played.stages[-1][1]


def test_the_condor_is_opened_at_half_past_ten_with_its_reason(played: Paper) -> None:
    opened = [e for e in events_of(played) if isinstance(e, ev.OrderSubmitted) and e.order.opens]
    first = new_york(opened[0].at)
    assert (first.hour, first.minute) == (10, 30)
    assert len(opened[0].order.structure.legs) == 4
    assert "condor" in opened[0].order.reason


def test_nothing_is_held_after_three(played: Paper) -> None:
    fills = [e for e in events_of(played) if isinstance(e, ev.OrderFilled)]
    assert len(fills) >= 2, "opened and closed"
    assert new_york(fills[-1].at).time() < time(15, 2)
    assert not played.ready.trading.kernel.book.positions


def test_the_book_is_the_venues_at_the_end(played: Paper) -> None:
    book, house = played.ready.trading.kernel.book, played.venue.house
    shown = house.account.positions(house.clock.now())
    assert shown.held == ()
    assert shown.cash == book.cash != Decimal(200_000)
    assert not played.ready.trading.comparer.answer.differences


def test_nothing_was_in_doubt_for_good(played: Paper) -> None:
    book = played.ready.trading.kernel.book
    assert not book.orders
    assert not any(isinstance(e, ev.OrderParked | ev.Quarantined | ev.LegsUneven) for e in events_of(played))


def test_a_reader_beside_it_sees_the_same(played: Paper) -> None:
    folder = Folder(played.ready.asked.folder)
    found = read(folder.journal, {"TOMKING_HOME": str(played.ready.asked.control.parent)})
    assert found.book == played.ready.trading.kernel.book
    why = reasons(found, FRIDAY, "friday_0dte")
    assert any("opens friday_0dte" in one.text for one in why)
    shown = pictures.read(folder.picture)
    assert shown is not None
    assert Decimal(shown["cash"]) == found.book.cash


def test_every_kernel_is_there_before_the_market_needs_it(played: Paper) -> None:
    # A compilation takes seconds, in which nothing is managed.
    assert played.engine.steps > 100
    before, after = COMPILED
    assert after - before == set()
