"""``tomking reconcile`` on a day whose futures options are all closed: the broker still shows the orders."""

from decimal import Decimal
from pathlib import Path

import pytest
from tests.venue.venueserver import ACCOUNT, REFRESH, SECRET, a_house, running

from tomking.adapters.tastytrade.session import Destination, Environment, Secrets
from tomking.app.live import comparing, first
from tomking.app.live.asked import Asked
from tomking.app.live.comparing import compare
from tomking.domain.book import Book
from tomking.domain.contract import Option
from tomking.domain.structure import Leg

pytestmark = [pytest.mark.enable_socket, pytest.mark.slow]


def test_orders_of_contracts_that_the_book_does_not_know_are_read_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparing, "PRODUCTS", ("MES",))
    monkeypatch.setattr(first, "ANSWERED_WITHIN", 3.0)
    house = a_house()
    put = (Leg(Option.parse("MES 2024-09-20 P5000"), 1),)
    for units, price in ((1, "50.00"), (-1, "50.00")):
        leg = (Leg(put[0].contract, units),)
        house.account.trade_by_hand(leg, 1, Decimal(price) * -units, house.clock.now())
    with running(house) as venue:
        to = Destination(Environment.SANDBOX, venue.port)
        asked = Asked(to, Secrets(SECRET, REFRESH), ACCOUNT, tmp_path, tmp_path, None, None, fresh=False)
        found = compare(asked, Book(cash=Decimal(200_000), deposits=Decimal(200_000)))
    assert found.positions == 0
    # The fees of both, which no order of ours explains.
    assert {one.sort.value for one in found.differences} == {"cash"}
