"""The line over real sockets against the venue: lost answers, dead streams, and money to the cent."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from functools import partial

import pytest
from tests.adapters_tastytrade.brokers import CUT, HANG, Heard, Heeded, command, line_to, reply, scripted
from tests.venue.venueserver import FRIDAY, Running, a_house, running, sessions

from tomking.adapters.clock import wait
from tomking.adapters.tastytrade import line as lines
from tomking.adapters.tastytrade import session as session_module
from tomking.adapters.tastytrade.symbols import Directory
from tomking.domain.structure import Structure
from tomking.execution.wire import (
    Cancel,
    FindOrders,
    FindPositions,
    FindTransactions,
    Line,
    Outcome,
    Place,
    Replace,
    Reply,
    Report,
    Status,
    Told,
)
from tomking.sim.faults import Fault, Faults, Schedule
from tomking.venue.alerts import AlertLink

pytestmark = pytest.mark.enable_socket
SPREAD = Structure.parse("spread", "-1 SPXW 2024-06-07 P5320 / +1 SPXW 2024-06-07 P5300")
SOLD = Place("sold", "abcd1234-1-7-1", SPREAD.legs, 2, Decimal("2.2"), opens=True)
"""At a limit that the market takes at once."""
RESTS = Place("rests", "abcd1234-1-8-1", SPREAD.legs, 2, Decimal("9.5"), opens=True)


@pytest.fixture
def venue(monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    monkeypatch.setattr(lines, "FIRST_BACKOFF", 0.02)
    with running() as one:
        yield one


@pytest.fixture
def heeded(venue: Running) -> Iterator[Heeded]:
    with line_to(venue.port, venue.house.clock.now) as one:
        one.wait(lambda told: any(isinstance(t, Line) and t.up for t in told))
        yield one


def pass_time(venue: Running, seconds: float) -> None:
    venue.house.clock.move(venue.house.clock.now() + timedelta(seconds=seconds))


def filled(told: list[Told]) -> bool:
    """Whether the stream has shown both legs of two units."""
    reports = [one.order for one in told if isinstance(one, Report)]
    return any(len(order.executions) == 2 for order in reports)


# ---------------------------------------------------------------------------------- orders


def test_an_order_is_placed_filled_and_found_in_positions(venue: Running, heeded: Heeded) -> None:
    assert heeded.ask(SOLD).orders[0].status is Status.RECEIVED
    pass_time(venue, 61)
    heeded.wait(filled)
    (shown,) = heeded.ask(FindOrders("f")).orders
    assert (shown.tag, shown.status, shown.units) == (SOLD.tag, Status.FILLED, 2)
    held = heeded.ask(FindPositions("p")).positions
    assert held is not None
    assert dict(held.held) == {leg.contract: 2 * leg.ratio for leg in SPREAD.legs}


@pytest.mark.parametrize("fault", ["lost ack", "garbled", "after 502"])
def test_an_order_whose_answer_is_lost_is_unknown_and_found_by_its_tag(
    venue: Running, heeded: Heeded, fault: str
) -> None:
    command(venue, fault=fault, method="POST", path="/orders")
    assert heeded.ask(SOLD).outcome is Outcome.UNKNOWN
    assert [one.tag for one in heeded.ask(FindOrders("f")).orders] == [SOLD.tag]
    assert len(venue.house.account.tickets) == 1


def test_an_order_that_is_answered_too_late_is_unknown_and_found_by_its_tag(
    venue: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_module, "TIMEOUT", 0.6)
    with line_to(venue.port, venue.house.clock.now) as heeded:
        command(venue, fault="late ack", method="POST", path="/orders", seconds=1.2)
        late = heeded.ask(SOLD)
        assert (late.outcome, late.code) == (Outcome.UNKNOWN, "timeout")
        assert [one.tag for one in heeded.ask(FindOrders("f")).orders] == [SOLD.tag]


@pytest.mark.parametrize("fault", ["429", "500", "503", "html401"])
def test_a_front_that_refuses_before_the_order_system_proves_nothing(
    venue: Running, heeded: Heeded, fault: str
) -> None:
    command(venue, fault=fault, method="POST", path="/orders")
    assert heeded.ask(SOLD).outcome is Outcome.UNKNOWN
    assert heeded.ask(FindOrders("f")).orders == ()


def test_an_expired_token_costs_a_question_nothing(venue: Running, heeded: Heeded) -> None:
    command(venue, expire=True)
    assert heeded.ask(FindOrders("f")).outcome is Outcome.ACCEPTED


def test_a_replacement_has_another_id_and_names_what_it_replaces(venue: Running, heeded: Heeded) -> None:
    (first,) = heeded.ask(RESTS).orders
    pass_time(venue, 1)
    again = heeded.ask(Replace("again", "abcd1234-1-8-2", first.id, Decimal("9.4")))
    assert [(one.replaces, one.tag, one.limit) for one in again.orders] == [
        (first.id, "abcd1234-1-8-2", Decimal("9.4"))
    ]


def test_a_cancel_is_a_request_until_the_venue_shows_its_end(venue: Running, heeded: Heeded) -> None:
    (order,) = heeded.ask(RESTS).orders
    pass_time(venue, 1)
    assert heeded.ask(Cancel("c", order.id)).orders[0].status is Status.CANCEL_REQUESTED
    pass_time(venue, 1)
    ended = [Status.CANCELLED]
    heeded.wait(lambda _: [r.order.status for r in heeded.of(Report)][-1:] == ended)


# ---------------------------------------------------------------------------------- lanes


def test_a_cancel_is_not_held_up_by_openings_that_nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_module, "TIMEOUT", 20.0)
    body = {"error": {"code": "cannot_update_order", "message": ""}}

    def answer(heard: Heard) -> bytes:
        return reply(422, body) if heard.method == "DELETE" else HANG if heard.method == "POST" else CUT

    monkeypatch.setattr(lines, "PATIENCE", 0.05)
    with scripted(answer) as broker, line_to(broker.port, a_minute) as heeded:
        heeded.send(*(Place(f"o{n}", f"t{n}", SPREAD.legs, 1, Decimal(2), opens=True) for n in range(9)))
        assert heeded.reply_within(Cancel("c", "7"), seconds=10).code == "cannot_update_order"


def test_cancels_go_before_closes_and_closes_before_openings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "KEPT_FREE", 1)
    body = {"error": {"code": "no", "message": ""}}
    with scripted(lambda _: reply(422, body)) as broker, line_to(broker.port, a_minute) as heeded:
        closing = [Place(f"c{n}", f"c{n}", SPREAD.inverse().legs, 1, Decimal(-2), opens=False) for n in "ab"]
        heeded.send(*closing, Cancel("x", "7"))
        for key in ("ca", "cb", "x"):
            heeded.reply(key)
        methods = [one.method for one in broker.asked(path="/orders")]
        assert methods in (["DELETE", "POST", "POST"], ["POST", "DELETE", "POST"]), "one may be under way"


def a_minute() -> object:
    session = sessions().on(FRIDAY)
    assert session is not None
    return session.open


# ---------------------------------------------------------------------------------- the stream


def test_a_cut_stream_is_told_and_comes_back(venue: Running, heeded: Heeded) -> None:
    command(venue, fault="cut alerts")
    heeded.wait(lambda _: [one.up for one in heeded.of(Line)] == [True, False, True])
    heeded.ask(SOLD)
    pass_time(venue, 61)
    heeded.wait(filled)


def test_a_stream_that_answers_no_heartbeat_is_dead(venue: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "BEAT", 0.05)
    monkeypatch.setattr(lines, "ANSWERED_WITHIN", 0.1)
    with line_to(venue.port, venue.house.clock.now) as heeded:
        heeded.wait(lambda told: any(isinstance(one, Line) for one in told))
        # From here on the socket is open and silent (F28).
        monkeypatch.setattr(AlertLink, "receive", lambda *_: [])
        heeded.wait(lambda _: False in [one.up for one in heeded.of(Line)])
    assert "account stream: TimeoutError" in heeded.said


def test_the_first_stream_that_is_refused_is_told_as_down(venue: Running) -> None:
    venue.tokens.revoked = True
    with line_to(venue.port, venue.house.clock.now) as heeded:
        heeded.wait(lambda _: [one.up for one in heeded.of(Line)][:1] == [False])
        assert "account stream: LoginFailed" in heeded.said[0]


def test_frames_that_are_lost_are_repaired_by_a_search(venue: Running, heeded: Heeded) -> None:
    command(venue, fault="stall alerts", times=-1)
    heeded.ask(SOLD)
    pass_time(venue, 61)
    (shown,) = heeded.ask(FindOrders("f")).orders
    assert len(shown.executions) == 2
    assert not heeded.of(Report)


# ---------------------------------------------------------------------------------- ends


def test_what_is_under_way_at_the_end_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "PATIENCE", 0.05)
    hanging = scripted(lambda heard: HANG if heard.method == "POST" else CUT)
    with hanging as broker, line_to(broker.port, a_minute) as heeded:
        waiting = [Place(f"o{n}", f"t{n}", SPREAD.legs, 1, Decimal(2), opens=True) for n in range(5)]
        heeded.send(*waiting)
        while not broker.asked("POST", "/orders"):
            wait(0.005)
        heeded.line.close()
        heeded.send(Cancel("late", "7"))
        replies = [one for one in heeded.line.take(heeded.line.now()) if isinstance(one, Reply)]
    assert sorted(one.key for one in replies) == ["late", "o0", "o1", "o2", "o3", "o4"]
    assert {one.outcome for one in replies} == {Outcome.UNKNOWN}


def test_a_line_that_cannot_begin_says_so_and_answers_unknown() -> None:
    said: list[str] = []

    def broken() -> None:
        raise KeyError("TT_SECRET")

    line = lines.TastytradeLine(broken, "5WT00001", Directory(), a_minute, said.append)  # type: ignore[arg-type]
    line.start()
    line.send(FindOrders("f"), line.now())
    assert [one.key for one in line.take(line.now()) if isinstance(one, Reply)] == ["f"]
    assert said == ["the line has ended: KeyError"]
    line.close()


def test_every_piece_of_news_wakes_whoever_waits() -> None:
    woken: list[bool] = []
    wake = partial(woken.append, True)
    with scripted(lambda _: CUT) as broker, line_to(broker.port, a_minute, wake=wake) as heeded:
        heeded.ask(FindOrders("f"))
    assert woken


# ---------------------------------------------------------------------------------- money


@pytest.mark.parametrize(
    "faults",
    [(), ("F16 partial offer#0 60.0s x1",), ("F17 slow legs fill#0 1.5s", "F17 split fill#0")],
    ids=["whole", "partial", "slow and split"],
)
def test_book_and_venue_agree_to_the_cent_on_fees(faults: tuple[str, ...]) -> None:
    # Three spreads in one fill and as 1 + 2: each fill is rounded to the cent by itself.
    house = a_house()
    opened = house.clock.now()
    schedule = Schedule(1, tuple(Fault.parse(one) for one in faults))
    played = Faults(schedule, opened)
    house.account._faults = house.account.floor._faults = played
    sold = Place("sold", "abcd1234-1-7-1", SPREAD.legs, 3, Decimal("0.5"), opens=True)
    with running(house) as venue, line_to(venue.port, house.clock.now) as heeded:
        heeded.ask(sold)
        for _ in range(5):
            pass_time(venue, 61)
            heeded.ask(FindOrders("f"))
            heeded.told.clear()
        (shown,) = heeded.ask(FindOrders("g")).orders
        held = heeded.ask(FindPositions("p")).positions
        assert held is not None
        traded = sum((-x.quantity * x.price * 100 for x in shown.executions), Decimal(0))
        assert sum(abs(x.quantity) for x in shown.executions) == 6
        assert shown.fees == house.account.fees > 0
        assert held.cash == Decimal(200_000) + traded - shown.fees
        assert sum(played.fired.values()) == len(faults)


def test_money_that_moved_is_a_transaction_of_the_last_days(venue: Running, heeded: Heeded) -> None:
    command(venue, pay="125.50")
    (moved,) = heeded.ask(FindTransactions("t")).transactions
    assert moved.dollars == Decimal("125.50")
