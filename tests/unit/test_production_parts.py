"""What production rests on, each part by itself: the wall's clock, what may leave, which folder is which."""

import ssl
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx2
import numpy as np
import pytest
from tests.unit.test_limits import wish
from tests.worlds import FRIDAY, ScriptedMarket, at, weekdays

from tomking.adapters.journal import Origin, SqliteJournal
from tomking.adapters.tastytrade.session import Destination, Environment, ForbiddenHost, _tls
from tomking.app.exits import Exit
from tomking.app.live.around import surroundings
from tomking.app.live.asked import Asked, asked_again
from tomking.app.live.broker import check_broker
from tomking.app.live.clock import SandboxClock, WallClock
from tomking.app.live.feed import strange, uncovered
from tomking.app.live.flat import flattened
from tomking.app.live.simulated import simulated_account
from tomking.app.live.telling import Said, Teller, by_day
from tomking.app.locks import Mode
from tomking.app.problems import Problems
from tomking.domain.bars import Bars
from tomking.domain.book import Book
from tomking.domain.intent import Part, Urgency
from tomking.domain.order import Order, Working
from tomking.execution.wire import Status

# ------------------------------------------------------------------------------ the wall's clock


class Wall:
    """A clock that is set, and one that cannot be."""

    def __init__(self) -> None:
        self.said, self.steady = datetime(2031, 3, 7, 15, tzinfo=UTC), 100.0
        self.clock = WallClock(lambda: self.said, lambda: self.steady)

    def go(self, seconds: float, jump: float = 0.0) -> datetime:
        self.steady += seconds
        self.said += timedelta(seconds=seconds + jump)
        return self.clock.now()


def test_the_walls_clock_is_the_walls() -> None:
    wall = Wall()
    assert wall.go(5) == wall.said
    assert wall.clock.speed == 1.0
    assert wall.clock.seconds_until(wall.said + timedelta(seconds=9)) == 9
    assert wall.clock.seconds_until(wall.said - timedelta(seconds=9)) == 0


def test_a_clock_that_is_set_back_goes_on_and_does_not_stand() -> None:
    wall = Wall()
    before = wall.go(10)
    assert wall.go(5, jump=-3600) == before + timedelta(seconds=5)
    assert wall.go(7) == before + timedelta(seconds=12)
    assert wall.go(1, jump=3600) == wall.said == before + timedelta(seconds=13)


def test_nobody_leads_the_walls_clock() -> None:
    wall = Wall()
    with pytest.raises(AssertionError):
        wall.clock.run(60.0)
    with pytest.raises(AssertionError):
        wall.clock.move(wall.said)


# ------------------------------------------------------------------------------ where it is


def test_only_a_sandbox_has_a_time_and_a_market_of_our_own() -> None:
    sandbox, cert, live = (surroundings(one, 1) for one in Environment)
    assert isinstance(sandbox.clock(), SandboxClock)
    assert isinstance(live.clock(), WallClock)
    assert isinstance(cert.clock(), WallClock)
    assert [one.on_a_model for one in (sandbox, cert, live)] == [True, False, False]
    assert [one.is_checked for one in (sandbox, cert, live)] == [False, True, True]
    assert (cert.has_metrics, live.has_metrics) == (False, True)


# ------------------------------------------------------------------------------ what may leave


def let_through(to: Destination, method: str, path: str) -> bool:
    async def ask() -> None:
        await to.hook()(httpx2.Request(method, f"https://api.tastyworks.com{path}"))

    try:
        asyncio_run(ask())
    except ForbiddenHost:
        return False
    return True


def asyncio_run(work: Any) -> None:
    with pytest.raises(StopIteration):
        work.send(None)


QUOTES = Destination(Environment.LIVE, reads_only=True)


@pytest.mark.parametrize(
    ("method", "path", "passes"),
    [
        ("GET", "/option-chains/SPX/nested", True),
        ("GET", "/api-quote-tokens", True),
        ("POST", "/oauth/token", True),
        ("POST", "/accounts/5WX1/orders", False),
        ("POST", "/accounts/5WX1/orders/dry-run", False),
        ("PUT", "/accounts/5WX1/orders/1", False),
        ("PATCH", "/accounts/5WX1/orders/1", False),
        ("DELETE", "/accounts/5WX1/orders/1", False),
        ("PUT", "/oauth/token", False),
    ],
)
def test_paper_on_live_quotes_only_asks(method: str, path: str, passes: bool) -> None:
    assert let_through(QUOTES, method, path) is passes
    assert let_through(Destination(Environment.LIVE), method, path)


def test_paper_on_live_quotes_reaches_no_other_host() -> None:
    async def ask() -> None:
        await QUOTES.hook()(httpx2.Request("GET", "https://api.cert.tastyworks.com/x"))

    with pytest.raises(ForbiddenHost):
        ask().send(None)


def test_certificates_are_checked() -> None:
    assert _tls().verify_mode is ssl.CERT_REQUIRED
    assert _tls().check_hostname


def test_a_login_that_may_only_read_an_account_is_refused() -> None:
    rows = [{"account": {"account-number": "5WX1"}, "authority-level": "read-only"}]
    with pytest.raises(Problems) as refused:
        check_broker("5WX1", rows, {"options-level": "x"}, {"cash-balance": "1"}, lambda _s, _t: None)
    assert refused.value.code == Exit.SECRET
    rows[0]["authority-level"] = "owner"
    check_broker("5WX1", rows, {"options-level": "x"}, {"cash-balance": "1"}, lambda _s, _t: None)


# ------------------------------------------------------------------------------ held against others


def bars(close: float) -> Bars:
    day = np.array(["2031-03-06", "2031-03-07"], dtype="datetime64[D]")
    column = np.array([close, close])
    return Bars(day, column, column, column, column)


@pytest.mark.parametrize(("close", "fits"), [(5500.0, True), (5550.0, True), (5560.0, False), (550.0, False)])
def test_daily_bars_that_are_not_the_indexs_are_named(close: float, fits: bool) -> None:
    feed = SimpleNamespace(bars=lambda family: bars(close if family == "SPX" else 20.0))
    history = SimpleNamespace(spx=bars(5500.0), vix=bars(20.0))
    found = strange(cast("Any", feed), cast("Any", history))
    assert (found == []) is fits
    assert all("daily bars of SPX" in one for one in found)


def test_bars_without_a_common_day_prove_nothing() -> None:
    feed = SimpleNamespace(bars=lambda _: bars(5500.0))
    nothing = Bars(np.empty(0, dtype="datetime64[D]"), *(np.empty(0) for _ in range(4)))
    assert strange(cast("Any", feed), cast("Any", SimpleNamespace(spx=nothing, vix=nothing))) == []


def test_calendars_must_reach_ten_sessions() -> None:
    # The packaged calendars end with 2026: from 16 December it is 10 weekdays to the 30th, from the 18th 9.
    sessions = weekdays(date(2026, 12, 1), 60)
    assert uncovered(sessions, date(2026, 12, 16)) == []
    assert "2026-12-31" in uncovered(sessions, date(2026, 12, 21))[0]


# ------------------------------------------------------------------------------ at night


def test_what_a_line_says_at_night_is_for_the_log() -> None:
    heard: list[Said] = []
    sessions = weekdays(FRIDAY - timedelta(days=3), 5)
    for wall, level in (("02:00", "info"), ("08:59", "info"), ("09:00", "warning"), ("16:29", "warning")):
        now = at(wall)
        teller = Teller(None, lambda now=now: now, heard.append)  # type: ignore[misc]
        by_day(teller, sessions)("quotes: WebSocketDisconnect")
        assert heard[-1].level == level, wall


# ------------------------------------------------------------------------------ which folder is which

LIVE = {"TT_SECRET": "a-secret", "TT_REFRESH": "a-token", "TT_CERT_SECRET": "c", "TT_CERT_REFRESH": "d"}


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.setattr("keyring.get_password", lambda _service, _name: None)
    return {"TOMKING_HOME": str(tmp_path), **LIVE}


@pytest.mark.parametrize(
    ("mode", "name", "world"),
    [
        ("paper", "sandbox-5WT00001", "sandbox"),
        ("paper", "cert-5WX1", "cert"),
        ("paper", "simulated-SIM00001", "simulated"),
        ("live", "sandbox-5WT00001", "live-sandbox"),
        ("live", "cert-5WX1", "live-cert"),
        ("live", "live-5WX1", "live-live"),
    ],
)
def test_a_folder_says_whose_it_is(
    mode: str, name: str, world: str, tmp_path: Path, environment: dict[str, str]
) -> None:
    folder = tmp_path / "state" / mode / name
    found: Asked = asked_again(folder, 8700, environment)
    assert (found.world, found.folder, found.mode) == (world, folder, Mode(mode))
    assert found.to.reads_only is found.simulated is (world == "simulated")


@pytest.mark.parametrize("name", ["live-5WX1", "sandbox-5WT00001.1", "sandbox", "production-5WX1"])
def test_another_folder_is_nobodys(name: str, tmp_path: Path, environment: dict[str, str]) -> None:
    mode = "elsewhere" if name == "live-5WX1" else "paper"
    with pytest.raises(Problems) as refused:
        asked_again(tmp_path / "state" / mode / name, 8700, environment)
    assert refused.value.code == Exit.CONFIG


def held(path: Path, *, holds: bool) -> None:
    from tests.cli.test_prepare_command import _triggers

    path.parent.mkdir(parents=True)
    events = _triggers(FRIDAY)[6:9] if holds else _triggers(FRIDAY)[:2]
    with SqliteJournal(path, each_durable=True, origin=Origin("live-live", "0badcafe")) as journal:
        for event in events:
            journal.append(event)


def test_money_is_flattened_before_paper_that_was_traded_later(tmp_path: Path) -> None:
    held(tmp_path / "live" / "live-5WX1" / "journal.sqlite", holds=True)
    held(tmp_path / "paper" / "sandbox-5WT00001" / "journal.sqlite", holds=True)
    assert flattened(tmp_path).path.name == "live-5WX1"


def test_an_account_of_money_that_holds_nothing_does_not_hide_the_one_traded_last(tmp_path: Path) -> None:
    held(tmp_path / "live" / "live-5WX1" / "journal.sqlite", holds=False)
    held(tmp_path / "paper" / "sandbox-5WT00001" / "journal.sqlite", holds=True)
    assert flattened(tmp_path).path.name == "sandbox-5WT00001"


def test_an_account_of_money_whose_journal_cannot_be_read_comes_first(tmp_path: Path) -> None:
    file = tmp_path / "live" / "live-5WX1" / "journal.sqlite"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"not a journal" * 400)
    held(tmp_path / "paper" / "sandbox-5WT00001" / "journal.sqlite", holds=True)
    assert flattened(tmp_path).path.name == "live-5WX1"


# ------------------------------------------------------------------------------ a simulated account


@pytest.mark.parametrize(
    ("urgency", "works"), [(Urgency.TARGET, True), (Urgency.RULE, False)], ids=["a target", "an exit"]
)
def test_of_an_earlier_days_orders_only_targets_still_work(urgency: Urgency, works: bool) -> None:
    sessions, market = weekdays(FRIDAY - timedelta(days=30), 60), ScriptedMarket(lambda _c, _n: 1.0)
    part = wish("MES").parts[0]
    closing = Order(
        "20", "friday_0dte", "9", (Part(part.role, part.structure.inverse()),), 1, Decimal(-9), None, False,
        urgency, "", "target",
    )  # fmt: skip
    book = replace(
        Book(),
        cash=Decimal(1000),
        deposits=Decimal(1000),
        foreign={leg.contract: leg.ratio for leg in part.structure.legs},
        orders={"20": Working(closing, at("15:00", FRIDAY - timedelta(days=1)), Decimal(-9), attempt=3)},
    )
    account = simulated_account(market, sessions, at("09:00"), Decimal(5), book, "0badcafe", 7)
    assert account.positions(at("09:00")).cash == Decimal(1000)
    (shown,) = account.orders(at("09:00"))
    assert shown.tag == "0badcafe-7-20-3"
    assert (shown.status is Status.LIVE) is works
    if works:
        account.advance(at("09:30"))
        (shown,) = account.orders(at("09:31"))
        assert shown.status is not Status.REJECTED


def test_a_new_simulated_account_has_the_configured_cash() -> None:
    sessions, market = weekdays(FRIDAY - timedelta(days=30), 60), ScriptedMarket(lambda _c, _n: 1.0)
    account = simulated_account(market, sessions, at("09:00"), Decimal(5), Book(), "0badcafe", 7)
    assert (account.positions(at("09:00")).cash, account.orders(at("09:00"))) == (Decimal(5), ())
