"""What is known of a request after everything a network and a broker can do to it (facts T1, T16)."""

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from traceback import format_exception
from typing import Any

import pytest
from tests.adapters_tastytrade.brokers import (
    CUT,
    HANG,
    Answerer,
    Heard,
    Heeded,
    Scripted,
    line_to,
    reply,
    scripted,
)
from tests.venue.venueserver import ACCOUNT

from tomking.adapters.tastytrade import session as sessions
from tomking.adapters.tastytrade.rest import Answered, ask, ask_all
from tomking.adapters.tastytrade.session import LoginFailed, Scope
from tomking.domain.structure import Structure
from tomking.execution.wire import Cancel, FindOrders, FindPositions, Outcome, Place, Replace, Status

pytestmark = pytest.mark.enable_socket
NOW = datetime(2024, 6, 7, 14, 30, tzinfo=UTC)
SPREAD = Structure.parse("spread", "-1 SPXW 2024-06-07 P5320 / +1 SPXW 2024-06-07 P5300")
PLACE = Place("k", "abcd1234-1-7-1", SPREAD.legs, 2, Decimal("2.2"), opens=True)
ORDER: dict[str, Any] = {
    "id": 7,
    "account-number": ACCOUNT,
    "status": "Routed",
    "price": "2.2",
    "price-effect": "Credit",
    "external-identifier": PLACE.tag,
    "legs": [
        {"symbol": "SPXW  240607P05320000", "action": "Sell to Open", "quantity": 2, "fills": []},
        {"symbol": "SPXW  240607P05300000", "action": "Buy to Open", "quantity": 2, "fills": []},
    ],
}


def taken(**changes: object) -> bytes:
    return reply(201, {"data": {"order": {**ORDER, **changes}}})


def refused(*codes: str) -> dict[str, object]:
    inner = [{"code": code, "message": f"because of {code}"} for code in codes]
    return {"error": {"code": "preflight_check_failure", "message": "failed", "errors": inner}}


def without(field: str) -> bytes:
    return reply(201, {"data": {"order": {k: v for k, v in ORDER.items() if k != field}}})


KNOWN: list[tuple[str, bytes, Outcome, str]] = [
    ("201", taken(), Outcome.ACCEPTED, ""),
    ("422 with inner codes", reply(422, refused("no_margin", "b")), Outcome.REJECTED, "no_margin"),
    ("422 with a code nobody knows", reply(422, refused("brand_new")), Outcome.REJECTED, "brand_new"),
    ("400", reply(400, {"error": {"code": "bad", "message": "no"}}), Outcome.REJECTED, "bad"),
    ("422 without any code", reply(422, {}), Outcome.UNKNOWN, "422"),
    ("429 in HTML", reply(429, b"<html>"), Outcome.UNKNOWN, "429"),
    ("429 with a code", reply(429, {"error": {"code": "slow", "message": ""}}), Outcome.UNKNOWN, "429"),
    ("500 with a support id", reply(500, {"error": {"code": "e", "message": "9"}}), Outcome.UNKNOWN, "500"),
    ("502 in HTML", reply(502, b"<html>nginx</html>"), Outcome.UNKNOWN, "502"),
    ("401 in HTML", reply(401, b"<html>nginx</html>"), Outcome.UNKNOWN, "401"),
    ("401 with a code", reply(401, {"error": {"code": "token_invalid"}}), Outcome.UNKNOWN, "401"),
    ("a redirect", reply(302, b"", "Location: https://api.tastyworks.com/x"), Outcome.UNKNOWN, "302"),
    ("half a body", reply(201, b'{"data": {"ord'), Outcome.UNKNOWN, "201"),
    ("a 201 with nothing", reply(201, b""), Outcome.UNKNOWN, "201"),
    ("a 201 without an id", without("id"), Outcome.UNKNOWN, "201"),
    ("a status nobody knows", taken(status="Marinated"), Outcome.UNKNOWN, "unreadable"),
    ("no legs", without("legs"), Outcome.UNKNOWN, "unreadable"),
    ("another account's order", taken(**{"account-number": "5WT99999"}), Outcome.UNKNOWN, "unreadable"),
    ("less than it promised", taken()[:-10], Outcome.UNKNOWN, "reset"),
    ("no HTTP at all", b"HELLO\r\n\r\n", Outcome.UNKNOWN, "reset"),
    ("a cut connection", CUT, Outcome.UNKNOWN, "reset"),
    ("silence", HANG, Outcome.UNKNOWN, "timeout"),
]  # fmt: skip


@pytest.mark.parametrize(("answer", "outcome", "code"), [k[1:] for k in KNOWN], ids=[k[0] for k in KNOWN])
def test_an_order_is_accepted_or_rejected_only_when_the_answer_proves_it(
    answer: bytes, outcome: Outcome, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if answer == HANG:
        monkeypatch.setattr(sessions, "TIMEOUT", 0.2)
    once = Once(answer)
    with scripted(once) as broker, line_to(broker.port, lambda: NOW) as heeded:
        found = heeded.ask(PLACE)
        assert (found.outcome, found.code) == (outcome, code)
        assert len(broker.asked("POST", "/orders")) == 1, "what moves orders is sent once, whatever happens"


@contextmanager
def line_to_one(answer: Answerer) -> Iterator[Heeded]:
    """A line to a broker that says one thing."""
    with scripted(answer) as broker, line_to(broker.port, lambda: NOW) as heeded:
        yield heeded


class Once:
    """Says its bytes, and cuts the connection where they are not a whole answer."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer

    def __call__(self, heard: Heard) -> bytes:
        return self.answer if "/orders" in heard.path else CUT


def test_the_words_of_every_reason_reach_the_person() -> None:
    with line_to_one(lambda _: reply(422, refused("a", "b"))) as heeded:
        assert heeded.ask(PLACE).text == "because of a; because of b"


def test_a_close_is_strict_and_an_order_carries_its_tag() -> None:
    closing = Place("c", "tag-2", SPREAD.inverse().legs, 2, Decimal(-1), opens=False)
    with scripted(lambda _: taken()) as broker, line_to(broker.port, lambda: NOW) as heeded:
        heeded.ask(PLACE)
        heeded.ask(closing)
        opened, closed = (json.loads(one.body) for one in broker.asked("POST", "/orders"))
        assert opened["external-identifier"] == PLACE.tag
        assert closed["advanced-instructions"] == {"strict-position-effect-validation": True}


def test_a_refused_cancel_of_what_has_ended_is_no_error_of_ours() -> None:
    body = {"error": {"code": "cannot_update_order", "message": "filled"}}
    with scripted(lambda _: reply(422, body)) as broker, line_to(broker.port, lambda: NOW) as heeded:
        assert heeded.ask(Cancel("k", "7")).code == "cannot_update_order"


def test_what_was_never_seen_is_not_replaced() -> None:
    with scripted(lambda _: taken()) as broker, line_to(broker.port, lambda: NOW) as heeded:
        assert heeded.ask(Replace("k", "t", "99", Decimal(2))).outcome is Outcome.REJECTED
        assert not broker.asked("PUT")


# ---------------------------------------------------------------------------------- questions


def test_a_search_with_an_unreadable_order_of_ours_proves_nothing() -> None:
    items = [{**ORDER, "status": "Marinated"}]
    with line_to_one(lambda _: reply(200, {"data": {"items": items}})) as heeded:
        assert heeded.ask(FindOrders("k")).code == "unreadable"
        assert any("Marinated" in words for words in heeded.said)


def test_an_order_that_works_since_yesterday_is_found_and_replaced_as_what_it_is() -> None:
    # The list of today does not have it; after a restart nobody here remembers that it lasts.
    old = {**ORDER, "id": 5, "status": "Live", "time-in-force": "GTC"}

    def answer(heard: Heard) -> bytes:
        if heard.method == "PUT":
            return reply(200, {"data": {**old, "id": 6, "replaces-order-id": 5}})
        items = [ORDER] if "/orders/live" in heard.path else [{**ORDER, "status": "Live"}, old]
        return reply(200, {"data": {"items": items}})

    with scripted(answer) as broker, line_to(broker.port, lambda: NOW) as heeded:
        found = {one.id: one.status for one in heeded.ask(FindOrders("k")).orders}
        assert found == {"7": Status.LIVE, "5": Status.LIVE}, "and of what is in both the newer word"
        heeded.ask(Replace("r", "tag-2", "5", Decimal(2)))
        (put,) = broker.asked("PUT")
        assert json.loads(put.body)["time-in-force"] == "GTC"


def test_older_orders_are_asked_for_once_a_day_while_none_of_ours_lasts() -> None:
    items = reply(200, {"data": {"items": [ORDER]}})
    with scripted(lambda _: items) as broker, line_to(broker.port, lambda: NOW) as heeded:
        for key in "abc":
            assert len(heeded.ask(FindOrders(key)).orders) == 1
        lists = [one.path.partition("?")[0].rpartition("/")[2] for one in broker.asked("GET", "/orders")]
        assert lists == ["live", "orders", "live", "live"]


def test_a_search_reads_every_page() -> None:
    def page(heard: Heard) -> bytes:
        n = int(heard.path.partition("page-offset=")[2][:1] or 0)
        pages = {"page-offset": n, "total-pages": 3, "total-items": 3}
        return reply(200, {"data": {"items": [{**ORDER, "id": n + 1}]}, "pagination": pages})

    with scripted(page) as broker, line_to(broker.port, lambda: NOW) as heeded:
        assert [one.id for one in heeded.ask(FindOrders("k")).orders] == ["1", "2", "3"]


def test_a_list_that_changes_between_its_pages_proves_nothing() -> None:
    totals = iter((2, 3))

    def page(_: Heard) -> bytes:
        pages = {"total-pages": 2, "total-items": next(totals, 9)}
        return reply(200, {"data": {"items": [ORDER]}, "pagination": pages})

    with scripted(page) as broker:
        assert alone(broker, lambda s: ask_all(s, "/accounts/1/orders/live")).code == "moving"


def test_positions_are_read_again_until_the_cash_stands_still() -> None:
    cash = iter(("100", "90", "90", "90"))
    broker = account_of(lambda: next(cash))
    with scripted(broker) as server, line_to(server.port, lambda: NOW) as heeded:
        found = heeded.ask(FindPositions("k")).positions
        assert found is not None
        assert found.cash == 90
        assert len(server.asked("GET", "/positions")) == 2


def test_positions_that_never_stand_still_are_unknown() -> None:
    cash = iter(range(100))
    with scripted(account_of(lambda: str(next(cash)))) as server, line_to(server.port, lambda: NOW) as heeded:
        assert heeded.ask(FindPositions("k")).code == "moving"


def test_another_accounts_positions_are_dropped() -> None:
    with line_to_one(account_of(lambda: "1", number="5WT99999")) as heeded:
        assert heeded.ask(FindPositions("k")).code == "unreadable"
        assert not any("5WT99999" in words for words in heeded.said)


def account_of(cash: Callable[[], str], number: str = ACCOUNT) -> Callable[[Heard], bytes]:
    def answer(heard: Heard) -> bytes:
        if "/balances" in heard.path:
            return reply(200, {"data": {"account-number": number, "cash-balance": cash()}})
        return reply(200, {"data": {"items": []}}) if "/positions" in heard.path else CUT

    return answer


# ---------------------------------------------------------------------------------- logins


def alone(broker: Scripted, work: Callable[..., Any], **more: Any) -> Any:
    """Runs one piece of work in a session of its own."""

    async def run() -> Any:
        async with broker.session(**more) as one:
            return await work(one)

    return asyncio.run(run())


def login_refused(code: str) -> Callable[[Heard], bytes]:
    return lambda _: reply(400, {"error_code": code, "error_description": "canary-description"})


def test_a_read_with_a_dead_token_is_asked_again_with_a_new_one() -> None:
    answers = iter((reply(401, {"error": {"code": "token_invalid"}}), reply(200, {"data": {}})))
    with scripted(lambda _: next(answers)) as broker:
        found: Answered = alone(broker, lambda s: ask(s, "GET", "/x", about_an_order=False))
        assert found.outcome is Outcome.ACCEPTED
        assert len(broker.asked("POST", "/oauth/token")) == 2


def test_three_refused_logins_are_enough_for_a_quarter_of_an_hour() -> None:
    clock = Clock()
    with scripted(lambda _: CUT, login=login_refused("invalid_grant")) as broker:

        async def work(one: Any) -> None:
            for _ in range(5):
                await ask(one, "GET", "/x", about_an_order=False)
            assert len(broker.asked("POST")) == 3
            clock.now += 901
            await ask(one, "GET", "/x", about_an_order=False)

        alone(broker, work, elapsed=clock)
        assert len(broker.asked("POST")) == 4
        assert not broker.asked("GET")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize("code", ["invalid_grant", "invalid_client", "invalid_scope"])
def test_a_refused_login_names_the_fix_and_nothing_of_the_answer(code: str) -> None:
    with (
        scripted(lambda _: CUT, login=login_refused(code)) as broker,
        pytest.raises(LoginFailed, match="tomking secrets set") as failed,
    ):
        alone(broker, lambda s: s.refresh())
    assert "canary" not in "".join(format_exception(failed.value))


def test_a_token_is_renewed_at_half_its_life_and_a_failure_then_is_not_noticed() -> None:
    clock, logins = Clock(), iter((reply(200, {"access_token": "a", "expires_in": 900}), reply(503, b"")))
    with scripted(lambda _: reply(200, {"data": {}}), login=lambda _: next(logins)) as broker:

        async def work(one: Any) -> None:
            for clock.now in (0.0, 449.0, 451.0, 452.0):
                found = await ask(one, "GET", "/x", about_an_order=False)
                assert found.outcome is Outcome.ACCEPTED

        alone(broker, work, elapsed=clock)
        assert len(broker.asked("POST", "/oauth")) == 2


def test_the_scope_is_no_wider_than_asked_for() -> None:
    with scripted(lambda _: CUT) as broker:
        alone(broker, lambda s: s.refresh(), scope=Scope.READ)
        assert json.loads(broker.heard[0].body)["scope"] == "read"


def test_every_request_has_the_agent_and_no_redirect_is_followed() -> None:
    away = reply(302, b"", "Location: https://api.tastyworks.com/elsewhere")
    with scripted(lambda _: away) as broker:
        alone(broker, lambda s: ask(s, "GET", "/x", about_an_order=False))
        assert [one.headers["user-agent"] for one in broker.heard] == ["tomking/1"] * 2


def test_a_session_is_never_written_down() -> None:
    with scripted(lambda _: CUT) as broker, pytest.raises(TypeError, match="secrets"):
        broker.session().serialize()
