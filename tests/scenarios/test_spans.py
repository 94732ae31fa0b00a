"""Spans that are short, odd, at an edge of the data, or empty: each ends as it should."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from tests.scenarios.accounts import calendar, history, played, request
from tests.scenarios.ledger import Ledger, exact_cents

from tomking.app.backtest import SMALL_CAPITAL, run
from tomking.app.exits import Exit
from tomking.app.problems import Problems
from tomking.domain import events as ev

ANY_VIX = ("friday_0dte.vix_gate=off", "friday_0dte.vix_max=100")
HALF_FRIDAYS = ("1993-11-26", "1999-11-26", "2002-11-29", "2007-11-23", "2018-11-23", "2023-11-24")
"""Days after Thanksgiving: Fridays that end at 13:00."""


@pytest.mark.parametrize("day", ["1990-01-02", "2024-12-30", "2024-12-24", "2018-11-23", "2001-09-17"])
def test_a_single_session_is_played_from_open_to_close(day: str) -> None:
    one = played(request(day, day, *ANY_VIX))
    session = calendar().on(date.fromisoformat(day))
    assert session is not None
    events = list(one.journal.read())
    ended = [e for e in events if isinstance(e, ev.SessionEnded)]
    assert [(e.day, e.at) for e in ended] == [(session.date, session.close)]
    assert ended[0].spot == history().spx.close[history().spx.day == session.date][0]
    assert all(session.open <= e.at <= session.close for e in events)
    assert Ledger().read(events).cash == exact_cents(one.kernel.book.cash)


@pytest.mark.parametrize("day", HALF_FRIDAYS)
def test_nothing_is_sold_on_a_half_friday_and_the_calendar_is_the_reason(day: str) -> None:
    session = calendar().on(date.fromisoformat(day))
    assert session is not None
    assert session.is_half_day
    one = played(request(day, day, *ANY_VIX, strategies=("friday_0dte",)))
    events = list(one.journal.read())
    assert not any(isinstance(e, ev.OrderSubmitted) for e in events)
    assert [e.code for e in events if isinstance(e, ev.Declined)] == ["CAL"]


def test_the_days_around_christmas_close_when_the_exchange_does() -> None:
    one = played(request("2024-12-20", "2024-12-30", *ANY_VIX))
    closes = [(e.day.isoformat(), e.at) for e in one.journal.read() if isinstance(e, ev.SessionEnded)]
    assert [day for day, _ in closes] == [
        "2024-12-20",
        "2024-12-23",
        "2024-12-24",
        "2024-12-26",
        "2024-12-27",
        "2024-12-30",
    ]
    # New York is five hours behind in winter: 13:00 is 18:00 UTC, 16:00 is 21:00.
    assert [f"{at:%H:%M}" for _, at in closes] == ["21:00", "21:00", "18:00", "21:00", "21:00", "21:00"]


@pytest.mark.parametrize(
    ("start", "end"),
    [("2001-09-11", "2001-09-14"), ("2024-12-28", "2024-12-29"), ("2023-12-25", "2023-12-25")],
)
def test_a_span_without_a_session_is_refused_and_leaves_nothing(start: str, end: str, tmp_path: Path) -> None:
    report = tmp_path / "new" / "report.html"
    with pytest.raises(Problems) as refused:
        run(request(start, end, report=report), lambda *_: None)
    (line,) = refused.value.lines
    assert refused.value.code is Exit.DATA
    assert "no session in that span" in line
    assert list(tmp_path.iterdir()) == []


def test_an_account_too_small_to_trade_gets_its_reasons_gate_by_gate(tmp_path: Path) -> None:
    report = tmp_path / "report.html"
    result = run(request("2020-08-03", "2020-09-30", capital=SMALL_CAPITAL, report=report), lambda *_: None)
    account = result.run["account"]
    assert isinstance(account, dict)
    assert Decimal(account["capital"]) == SMALL_CAPITAL
    page = report.read_text()
    assert "Strategies that closed few trades" in page
    for name in ("friday_0dte", "lt112"):
        mine = [r for r in account["declined"] if r["strategy"] == name]
        assert mine
        assert all(r["code"] in page and r["example"] for r in mine)
