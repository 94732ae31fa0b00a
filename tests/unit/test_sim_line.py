"""The line in front of the venue: what is late, lost, repeated, garbled or silent, and what is told of it."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.venueworlds import CONDOR, Venue, schedule
from tests.worlds import at

from tomking.execution.wire import (
    BrokerOrder,
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
    Request,
    Status,
    Told,
)
from tomking.sim.faults import Faults, Schedule
from tomking.sim.line import SimLine


@dataclass
class Wired:
    """Someone at our end who hears everything."""

    faults: Faults = field(default_factory=schedule)
    seed: int = 5
    heard: list[tuple[datetime, Told]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.venue = Venue(self.faults, now=at("09:30"))
        chance = np.random.Generator(np.random.PCG64(self.seed))
        self.line = SimLine(self.venue.account, self.faults, chance, at("09:30"))
        self.now = at("09:30")

    def send(self, request: Request) -> None:
        self.line.send(request, self.now)

    def sell(self, key: str = "k1", tag: str = "tag", limit: str = "8.00") -> None:
        self.send(Place(key, tag, CONDOR.legs, 1, Decimal(limit), opens=True))

    def wait(self, seconds: float) -> None:
        """As a driver does it: from one thing that happens to the next."""
        end = self.now + timedelta(seconds=seconds)
        while (ahead := self.line.next_event()) is not None and ahead <= end:
            self.now = max(self.now, ahead)
            self._hear()
        self.now = end
        self._hear()

    def _hear(self) -> None:
        self.heard += [(self.now, one) for one in self.line.take(self.now)]

    def replies(self, key: str = "k1") -> list[Reply]:
        return [one for _, one in self.heard if isinstance(one, Reply) and one.key == key]

    def reports(self) -> list[BrokerOrder]:
        return [one.order for _, one in self.heard if isinstance(one, Report)]

    def found(self, key: str) -> tuple[BrokerOrder, ...]:
        self.send(FindOrders(key))
        self.wait(1)
        return self.replies(key)[0].orders

    def stream(self) -> list[tuple[datetime, bool]]:
        return [(one.at, one.up) for _, one in self.heard if isinstance(one, Line)]


def outcomes(wired: Wired, key: str = "k1") -> list[tuple[Outcome, str]]:
    return [(one.outcome, one.code) for one in wired.replies(key)]


def test_on_a_quiet_line_everything_is_answered_once_and_told_in_order() -> None:
    wired = Wired()
    wired.sell()
    wired.wait(2)
    assert outcomes(wired) == [(Outcome.ACCEPTED, "")]
    assert [one.status for one in wired.reports()][:2] == [Status.RECEIVED, Status.LIVE]
    counts = [len(one.executions) for one in wired.reports()]
    assert counts == sorted(counts)
    assert counts[-1] == 4
    assert wired.stream() == [(at("09:30"), True)]
    assert not wired.faults.fired


def test_a_lost_answer_is_unknown_after_five_seconds_though_the_order_lives() -> None:
    """F9, T16."""
    wired = Wired(schedule("F9 lost answer place#0"))
    wired.sell()
    wired.wait(4.9)
    assert outcomes(wired) == []
    wired.wait(0.2)
    assert outcomes(wired) == [(Outcome.UNKNOWN, "timeout")]
    assert len(wired.line.account.tickets) == 1


@pytest.mark.parametrize(("fault", "code"), [("502 answer", "502"), ("garbled answer", "garbled")])
def test_a_spoiled_answer_is_unknown_though_the_order_lives(fault: str, code: str) -> None:
    """F9, F12."""
    wired = Wired(schedule(f"F9 {fault} place#0"))
    wired.sell()
    wired.wait(10)
    assert outcomes(wired) == [(Outcome.UNKNOWN, code)]
    assert len(wired.line.account.tickets) == 1


def test_a_lost_request_is_the_same_to_us_and_nothing_lives() -> None:
    """F10."""
    wired = Wired(schedule("F10 lost request place#0"))
    wired.sell()
    wired.wait(10)
    assert outcomes(wired) == [(Outcome.UNKNOWN, "timeout")]
    assert not wired.line.account.tickets


def test_an_accepted_order_may_be_missing_from_searches_for_two_minutes() -> None:
    """F11: and the stream may tell of it all the same."""
    wired = Wired(schedule("F11 invisible place#0 110s"))
    wired.sell(limit="20.00")
    wired.wait(100)
    assert wired.found("f1") == ()
    wired.wait(12)
    assert [one.tag for one in wired.found("f2")] == ["tag"]


def test_an_answer_may_come_after_the_timeout() -> None:
    """F14: first UNKNOWN, then the proof."""
    wired = Wired(schedule("F14 late answer place#0 20s"))
    wired.sell()
    wired.wait(30)
    assert outcomes(wired) == [(Outcome.UNKNOWN, "timeout"), (Outcome.ACCEPTED, "")]


def test_a_request_may_arrive_after_its_timeout() -> None:
    """F14, T16: whoever searched before and found nothing was wrong to give it up."""
    wired = Wired(schedule("F14 late arrival place#0 40s"))
    wired.sell(limit="20.00")
    wired.wait(30)
    assert outcomes(wired) == [(Outcome.UNKNOWN, "timeout")]
    assert wired.found("f1") == ()
    wired.wait(15)
    assert [one.tag for one in wired.found("f2")] == ["tag"]


def test_an_answer_may_never_come() -> None:
    """F15."""
    wired = Wired(schedule("F15 no answer place#0"))
    wired.sell()
    wired.wait(60)
    assert outcomes(wired) == []
    assert len(wired.line.account.tickets) == 1


def test_a_replacement_may_be_lost_on_the_way_or_on_the_way_back() -> None:
    """F21."""
    wired = Wired(schedule("F21 replace lost replace#0", "F21 replace answer lost replace#1"))
    wired.sell(limit="20.00")
    wired.wait(1)
    (order,) = wired.line.account.tickets
    wired.send(Replace("r1", "tag2", order, Decimal(19)))
    wired.wait(10)
    assert len(wired.line.account.tickets) == 1
    wired.send(Replace("r2", "tag3", order, Decimal(18)))
    wired.wait(10)
    assert [one.tag for one in wired.line.account.tickets.values()] == ["tag", "tag3"]
    assert outcomes(wired, "r1") == outcomes(wired, "r2") == [(Outcome.UNKNOWN, "timeout")]


def test_a_cancel_whose_answer_is_lost_has_cancelled() -> None:
    """F20; the second one is told so by a 422 (T4)."""
    wired = Wired(schedule("F20 cancel answer lost cancel#0"))
    wired.sell(limit="20.00")
    wired.wait(1)
    (order,) = wired.line.account.tickets
    wired.send(Cancel("c1", order))
    wired.wait(10)
    wired.send(Cancel("c2", order))
    wired.wait(10)
    assert outcomes(wired, "c1") == [(Outcome.UNKNOWN, "timeout")]
    assert outcomes(wired, "c2") == [(Outcome.REJECTED, "cannot_update_order")]


def test_what_cannot_be_handed_over_is_answered_at_once() -> None:
    """F61."""
    wired = Wired(schedule("F61 no connection request#0"))
    wired.sell()
    wired.wait(0)
    assert outcomes(wired) == [(Outcome.UNKNOWN, "tls")]
    wired.wait(10)
    assert len(wired.replies()) == 1
    assert not wired.line.account.tickets


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("F56 maintenance @60 600s", "503"),
        ("F57 too many @60 600s", "429"),
        ("F58 5xx @60 600s", "502"),
        ("F59 token refused @60 600s", "401"),
    ],
)
def test_while_the_service_is_away_nothing_is_taken_in(fault: str, code: str) -> None:
    wired = Wired(schedule(fault))
    wired.wait(61)
    wired.sell()
    wired.wait(1)
    assert outcomes(wired) == [(Outcome.UNKNOWN, code)]
    assert not wired.line.account.tickets
    wired.wait(600)
    wired.sell("k2")
    wired.wait(1)
    assert outcomes(wired, "k2") == [(Outcome.ACCEPTED, "")]


def test_frames_are_repeated_delayed_and_lost() -> None:
    """F23, F24, F29: frame 0 RECEIVED twice, frame 1 LIVE after the fills, the last leg never."""
    wired = Wired(
        schedule("F23 frame repeated report#0 1s x1", "F24 frame late report#1 9s", "F29 frame lost report#5")
    )
    wired.sell()
    wired.wait(20)
    told = [(one.status, len(one.executions)) for one in wired.reports()]
    assert told == [
        (Status.RECEIVED, 0),
        (Status.FILLED, 1),
        (Status.FILLED, 2),
        (Status.FILLED, 3),
        (Status.RECEIVED, 0),
        (Status.LIVE, 0),
    ]
    assert len(wired.found("f")[0].executions) == 4


def test_a_cut_stream_is_told_and_its_frames_are_gone() -> None:
    """F27."""
    wired = Wired(schedule("F27 disconnect @60 300s"))
    wired.wait(61)
    wired.sell()
    wired.wait(300)
    assert wired.reports() == []
    assert outcomes(wired) == [(Outcome.ACCEPTED, "")]
    assert wired.stream()[1:] == [
        (at("09:30") + timedelta(seconds=60), False),
        (at("09:30") + timedelta(seconds=360), True),
    ]


def test_silence_is_noticed_after_thirty_seconds() -> None:
    """F28."""
    wired = Wired(schedule("F28 silence @60 300s", "F28 silence @600 20s"))
    wired.wait(61)
    wired.sell()
    wired.wait(900)
    assert wired.reports() == []
    assert wired.stream()[1:] == [
        (at("09:30") + timedelta(seconds=90), False),
        (at("09:30") + timedelta(seconds=360), True),
    ]


def test_a_burst_repeats_everything() -> None:
    """F33."""
    wired = Wired(schedule("F33 burst @0 60s x9"))
    wired.sell()
    wired.wait(5)
    assert len(wired.reports()) == 10 * 6


def test_a_search_may_show_an_old_picture() -> None:
    """F24: cancelled a moment ago, and still alive in the snapshot."""
    wired = Wired(schedule("F24 stale snapshot find#0 30s"))
    wired.sell(limit="20.00")
    wired.wait(60)
    (order,) = wired.line.account.tickets
    wired.send(Cancel("c1", order))
    wired.wait(10)
    assert wired.found("f1")[0].status is Status.LIVE
    assert wired.found("f2")[0].status is Status.CANCELLED


def test_positions_may_be_an_old_picture_too() -> None:
    wired = Wired(schedule("F24 stale snapshot find#0 30s"))
    wired.wait(60)
    wired.sell()
    wired.wait(10)
    for key in ("p1", "p2"):
        wired.send(FindPositions(key))
    wired.wait(1)
    counts = {key: wired.replies(key)[0].positions for key in ("p1", "p2")}
    assert [len(one.held) for one in counts.values() if one] == [0, 4]


def test_no_old_picture_is_taken_between_the_legs_of_a_fill() -> None:
    """Nobody could tell it from legs that traded apart."""
    wired = Wired(schedule("F17 slow legs fill#0 2s", "F24 stale snapshot find#0 6s"))
    wired.sell()
    wired.wait(8)
    assert len(wired.found("f1")[0].executions) == 4


def test_a_new_process_hears_nothing_of_the_old_ones_business() -> None:
    """F8: what was sent arrives, what is answered is lost."""
    wired = Wired()
    wired.sell()
    wired.line.restart(wired.now)
    wired.wait(10)
    assert wired.replies() == []
    assert len(wired.line.account.tickets) == 1
    assert wired.stream() == [(at("09:30"), True)]


def test_transactions_come_over_the_line() -> None:
    wired = Wired()
    wired.line.account.pay(Decimal(5), "interest", wired.now)
    wired.send(FindTransactions("t"))
    wired.wait(1)
    assert [one.dollars for one in wired.replies("t")[0].transactions] == [Decimal(5)]


def test_everything_that_was_sent_is_on_record() -> None:
    wired = Wired()
    wired.sell()
    assert [(when, request.key) for when, request in wired.line.sent] == [(at("09:30"), "k1")]


def _played(seed: int) -> list[tuple[datetime, Told]]:
    """A session of twelve condors and some doubts, under the schedule of the seed."""
    wired = Wired(Faults(Schedule.of(seed), at("09:30")), seed)
    for n in range(12):
        wired.sell(f"k{n}", f"tag{n}", limit="8.00" if n % 2 else "8.80")
        wired.wait(20)
        works = [one.id for one in wired.line.account.tickets.values() if not one.is_over]
        if works:
            wired.send(
                Cancel(f"c{n}", works[-1]) if n % 3 else Replace(f"r{n}", f"t{n}", works[-1], Decimal(8))
            )
        wired.send(FindOrders(f"f{n}"))
        wired.send(FindPositions(f"p{n}"))
        wired.wait(1_700)
    wired.wait(3_600)
    return wired.heard


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 100_000))
def test_a_seed_is_played_the_same_twice(seed: int) -> None:
    """I20."""
    assert _played(seed) == _played(seed)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 100_000))
def test_whatever_goes_wrong_an_answer_is_single_in_its_kind_and_time_never_runs_back(seed: int) -> None:
    heard = _played(seed)
    times = [when for when, _ in heard]
    assert times == sorted(times)
    answers = [(one.key, one.outcome) for _, one in heard if isinstance(one, Reply)]
    assert len(answers) == len(set(answers))
    proved = [key for key, outcome in answers if outcome is not Outcome.UNKNOWN]
    assert len(proved) == len(set(proved))
