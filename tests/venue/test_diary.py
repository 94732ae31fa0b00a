"""A venue that is opened again with its file is the venue that was closed."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from tests.venue.venueserver import a_house

from tomking.domain.errors import BadData
from tomking.venue.complexes import AskedComplex, asked_complex
from tomking.venue.diary import Diary
from tomking.venue.house import House
from tomking.venue.orders import Asked, asked

OPENED = {"seed": "1"}
SHORT, LONG = "SPXW  240607P05320000", "SPXW  240607P05300000"


def body(price: str, *legs: tuple[str, str], effect: str = "Credit") -> dict[str, object]:
    return {
        "time-in-force": "Day",
        "order-type": "Limit",
        "price": price,
        "price-effect": effect,
        "legs": [{"symbol": symbol, "action": action, "quantity": 2} for symbol, action in legs],
    }


SPREAD = (SHORT, "Sell to Open"), (LONG, "Buy to Open")


def order(house: House, one: dict[str, object]) -> str:
    understood = asked(one, house.directory)
    assert isinstance(understood, Asked)
    return house.place(understood).orders[0].id


def pass_time(house: House, seconds: float) -> None:
    house.clock.move(house.clock.now() + timedelta(seconds=seconds))
    house.now()


def live_through(house: House) -> None:
    """Orders of all kinds, one of them on a future."""
    order(house, body("2.00", *SPREAD))
    pass_time(house, 5)
    far = order(house, body("15.00", *SPREAD))
    pass_time(house, 1)
    house.replace(far, "again", Decimal("14.00"))
    pass_time(house, 2)
    chain = house.futures_chain("MES")["option-chains"]
    assert isinstance(chain, list)
    symbol = chain[0]["expirations"][0]["strikes"][0]["put"]
    future = order(house, body("90.00", (symbol, "Sell to Open")))
    pass_time(house, 1)
    house.cancel(future)
    closing = body("0.05", (SHORT, "Buy to Close"), effect="Debit")
    stop = {**closing, "order-type": "Stop", "stop-trigger": "80"}
    oco = {"type": "OCO", "orders": [closing, stop]}

    def read(one: object, *, stops: bool) -> Asked | tuple[object, ...]:
        return asked(one, house.directory, stops=stops)  # type: ignore[arg-type]

    understood = asked_complex(oco, read)  # type: ignore[arg-type]
    assert isinstance(understood, AskedComplex)
    house.place_complex(understood, oco)
    pass_time(house, 90)


def picture(house: House) -> object:
    tickets = house.account.tickets.values()
    return (
        [house.shown(ticket.shown.last) for ticket in tickets],
        house.positions(),
        house.balances(),
        house.transactions(),
        [house.shown_complex(one) for one in house.complexes.all.values()],
    )


def test_orders_positions_and_money_are_as_they_were(tmp_path: Path) -> None:
    first, diary = a_house(), Diary(tmp_path / "state", OPENED)
    diary.replay(first)
    diary.note(first)
    live_through(first)
    diary.stopped(first.clock.now())
    second = a_house()
    assert Diary(tmp_path / "state", OPENED).replay(second) == first.clock.now()
    assert picture(second) == picture(first)
    assert list(second.reports()) == []  # nobody is told again
    assert len(first.account.tickets) == 6
    # And both go on alike.
    for house in (first, second):
        pass_time(house, 3_600)
    assert picture(second) == picture(first)


def test_the_file_of_another_venue_is_refused(tmp_path: Path) -> None:
    Diary(tmp_path / "state", OPENED).replay(a_house())
    with pytest.raises(BadData, match="belongs to another sandbox"):
        Diary(tmp_path / "state", {"seed": "2"}).replay(a_house())


@pytest.mark.parametrize("line", ["{", '{"at": "noon"}', '{"at": "2024-06-07T14:31:00+00:00", "place": "t"}'])
def test_a_broken_line_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "state"
    Diary(path, OPENED).replay(a_house())
    path.write_text(path.read_text() + line + "\n")
    with pytest.raises(BadData) as bad:
        Diary(path, OPENED).replay(a_house())
    assert str(path) in bad.value.problems[0]
