"""A Friday through the backtest driver and through the live stack: the same decisions, orders and fills."""

from datetime import date
from decimal import Decimal

import pytest

from tomking.app.live.stages import configure
from tomking.app.parity.run import Compared, Comparison, Wanted, compare
from tomking.app.parity.text import as_facts, as_lines, summary

FRIDAY = date(2022, 9, 16)
pytestmark = [pytest.mark.enable_socket, pytest.mark.slow]


@pytest.fixture(scope="module")
def found() -> tuple[Comparison, list[Compared]]:
    told: list[Compared] = []
    wanted = Wanted(configure(None, [], ("friday_0dte",)), FRIDAY, 1, Decimal(200_000), 1)
    return compare(wanted, told.append), told


def test_a_friday_is_traded_and_nothing_differs(found: tuple[Comparison, list[Compared]]) -> None:
    (day,) = found[0].sessions
    assert day.differences == ()
    assert day.counts["fills"] == 2, "opened and closed"
    assert day.facts[0] == day.facts[1]


def test_it_is_said_in_a_line_and_as_facts(found: tuple[Comparison, list[Compared]]) -> None:
    comparison, told = found
    (line,) = as_lines(told[0])
    assert line.startswith("2022-09-16")
    assert line.endswith("identical")
    assert summary(comparison).endswith("2 fills, 0 settlements: 0 differences")
    assert as_facts(comparison)["differences"] == 0
