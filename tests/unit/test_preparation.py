"""Real orders wait for a person: what is approved is what reaches the venue, and nothing else does."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from tests.preparedworld import CASH, FINE, Prepared, a_condor
from tests.worlds import FRIDAY, at, session_on

from tomking.adapters.consent import Answer
from tomking.domain import events as ev
from tomking.domain.intent import Approved, Refused
from tomking.domain.structure import Leg
from tomking.domain.trading import Latch
from tomking.domain.trading import Trading as State
from tomking.execution.wire import Cancel, DryRun, Outcome, Place, Replace, Reply
from tomking.risk import rollout
from tomking.view import View


@pytest.fixture
def world(tmp_path: Path) -> Prepared:
    return Prepared(tmp_path)


def test_an_opening_is_tried_out_and_shown_and_not_sent(world: Prepared) -> None:
    world.run("10:34")
    (tried,) = world.wire.dry_runs()
    shown = world.only()
    assert (tried.units, tried.limit) == (3, Decimal("10.00"))
    assert shown["preview"]["effect"]["margin"] == "3000"
    assert world.wire.placed() == []
    assert world.openings() == []
    assert any("tomking approve" in text for _, text in world.heard.said)


def test_what_is_approved_is_what_is_sent(world: Prepared) -> None:
    world.run("10:32")
    shown = world.only()
    world.approve(shown["hash"])
    world.run("10:34")
    (sent,) = world.wire.placed()
    intent = shown["preview"]["intent"]
    assert [str(leg) for leg in sent.legs] == intent["legs"]
    assert sent.units == intent["units"] == 3
    assert str(sent.limit) == intent["ladder"][0] == "10.00"
    limits = [Decimal(one) for one in intent["ladder"]]
    assert {one.limit for one in world.wire.replaced()} <= set(limits)
    (order,) = world.openings()
    assert order.order.floor == Decimal(intent["floor"])
    (approved,) = world.events(ev.EntryApproved)
    assert approved.warnings[-1] == f"intent {shown['hash']}, approved by anna: tomking approve"


def test_it_goes_out_within_seconds_of_the_answer(world: Prepared) -> None:
    world.run("10:32")
    world.approve(world.only()["hash"])
    answered = world.now
    world.run("10:33")
    assert world.openings()[0].at - answered <= timedelta(seconds=3)


def test_nobody_answers_and_nothing_is_sent(world: Prepared) -> None:
    world.run("11:10")
    assert world.wire.placed() == []
    ended = world.shown("lapsed")
    assert [one["why"] for one in ended][:1] == ["it expired, waiting"]
    assert world.shown() == []


def test_a_late_answer_sends_nothing(world: Prepared) -> None:
    world.run("10:32")
    shown = world.only()
    world.run("10:41")
    world.approve(shown["hash"])
    world.run("10:44")
    assert world.wire.placed() == []


def test_a_no_is_a_no_and_its_reason_is_journalled(world: Prepared) -> None:
    world.run("10:32")
    hash_ = world.only()["hash"]
    world.approve(hash_, accepts=False, why="before the announcement")
    world.run("10:34")
    assert world.wire.placed() == []
    assert f"{hash_}: rejected by anna: tomking approve (before the announcement)" in world.refusals("WAIT")


def test_after_a_no_the_entry_is_not_prepared_again_that_day_whoever_restarts(world: Prepared) -> None:
    world.run("10:32")
    world.approve(world.only()["hash"], accepts=False)
    world.run("10:40")
    world.start()
    world.run("10:59")
    assert len(world.wire.dry_runs()) == 1


def test_what_lapsed_is_prepared_anew_after_two_minutes_at_the_next_look(world: Prepared) -> None:
    world.run("10:46")  # expired at 10:40, which is a look too; the next one is 10:45
    first, second = world.wire.dry_runs()
    assert first.key != second.key
    assert world.only()["preview"]["intent"]["at"] == at("10:45").isoformat()


def test_an_armed_strategy_needs_nobody_but_a_clean_dry_run(tmp_path: Path) -> None:
    world = Prepared(tmp_path, armed=("friday_0dte",)).run("10:31")
    assert len(world.wire.dry_runs()) == 1
    assert len(world.wire.placed()) == 1
    assert world.events(ev.EntryApproved)[0].warnings[-1].endswith("by the configuration (live.armed)")


def test_arming_one_strategy_arms_no_other(tmp_path: Path) -> None:
    world = Prepared(tmp_path, armed=("lt112",)).run("10:34")
    assert world.wire.placed() == []


# ------------------------------------------------------------------------------ what has changed


def approved_then(world: Prepared) -> str:
    """Prepared at 10:30, approved at 10:32; what happens then is up to the test."""
    world.run("10:32")
    hash_ = str(world.only()["hash"])
    world.approve(hash_)
    return hash_


@pytest.mark.parametrize(
    ("credit", "words"), [(3.0, "approved down to 9.50"), (-3.0, "approved up to 10.50")]
)
def test_a_market_that_has_moved_either_way_is_refused(world: Prepared, credit: float, words: str) -> None:
    hash_ = approved_then(world)
    world.mids = {**world.mids, 5435: 5.0 + credit}  # the long put: what it gains the condor loses
    world.run("10:34")
    assert world.wire.placed() == []
    (line,) = [one for one in world.refusals("WAIT") if one.startswith(f"{hash_}: the market has moved")]
    assert words in line


def test_a_market_that_has_moved_a_little_is_sent_at_its_price_now(world: Prepared) -> None:
    approved_then(world)
    world.mids = {**world.mids, 5435: 5.2}  # 9.80, and approved down to 9.50
    world.run("10:34")
    (sent,) = world.wire.placed()
    assert sent.limit == Decimal("9.80")
    limits = [sent.limit, *(one.limit for one in world.wire.replaced())]
    assert min(limits) >= Decimal("9.50")


def test_a_limit_that_does_not_hold_any_more_is_said_and_nothing_is_sent(world: Prepared) -> None:
    hash_ = approved_then(world)
    world.record(ev.LevelChanged(world.now, "drawdown", "", "ORANGE", "test"))
    world.run("10:34")
    assert world.wire.placed() == []
    assert any(one.startswith(f"{hash_}: drawdown: level ORANGE") for one in world.refusals("WAIT"))


def test_fewer_units_than_approved_are_another_order(world: Prepared) -> None:
    hash_ = approved_then(world)
    world.record(ev.CashMoved(world.now, Decimal(-80_000), "a withdrawal"))  # 2 % of $120,000: two fit
    world.run("10:34")
    assert world.wire.placed() == []
    assert any(one.startswith(f"{hash_}: ") for one in world.refusals("WAIT"))


def test_more_units_than_approved_are_not_taken(world: Prepared) -> None:
    approved_then(world)
    world.record(ev.CashMoved(world.now, Decimal(200_000), "a deposit"))
    world.run("10:34")
    (sent,) = world.wire.placed()
    assert sent.units == 3


def test_a_strategy_that_does_not_wish_it_any_more_takes_it_back(world: Prepared) -> None:
    hash_ = approved_then(world)
    world.strategy.wishes = None
    world.run("10:34")
    assert world.wire.placed() == []
    line = f"{hash_}: the strategy does not wish it now: PRICE: not worth it now"
    assert line in world.refusals("WAIT")


def test_a_strategy_that_wishes_other_strikes_gets_those_that_were_approved(world: Prepared) -> None:
    approved_then(world)
    other = a_condor()
    part = other.parts[0]
    legs = tuple(Leg(leg.contract, leg.ratio) for leg in part.structure.legs[::-1])
    shifted = replace(part, structure=replace(part.structure, legs=legs))
    world.strategy.wishes = replace(other, parts=(shifted,))
    world.run("10:34")
    (sent,) = world.wire.placed()
    assert [str(leg) for leg in sent.legs] == world.shown("sent")[0]["preview"]["intent"]["legs"]


def test_an_answer_to_another_hash_approves_nothing(world: Prepared) -> None:
    world.run("10:32")
    world.folder.reply("0123456789ab", _yes())
    world.run("10:36")
    assert world.wire.placed() == []


def test_an_answer_copied_to_another_order_approves_nothing(world: Prepared) -> None:
    world.run("10:32")
    hash_ = world.only()["hash"]
    world.folder.reply("0123456789ab", _yes())
    path = world.folder.path
    (path / f"{hash_}.answer").write_bytes((path / "0123456789ab.answer").read_bytes())
    world.run("10:36")
    assert world.wire.placed() == []


def _yes() -> Answer:
    return Answer(True, "anna: tomking approve")


def test_quotes_that_are_missing_for_a_moment_do_not_end_an_approval(world: Prepared) -> None:
    approved_then(world)
    whole = world.mids
    world.mids = {}
    world.run("10:33")
    assert world.wire.placed() == []
    world.mids = whole
    world.run("10:35")
    assert len(world.wire.placed()) == 1


# ------------------------------------------------------------------------------ the broker's word


def test_a_refused_dry_run_is_final_for_that_order(world: Prepared) -> None:
    world.wire.answers = [Reply("", world.now, Outcome.REJECTED, code="margin", text="not enough margin")]
    world.run("10:50")
    assert len(world.wire.dry_runs()) == 1
    assert world.shown() == []
    assert world.wire.placed() == []
    assert any("dry run: not enough margin" in one for one in world.refusals("BROKER"))


def test_a_dry_run_that_leaves_no_buying_power_is_refused(world: Prepared) -> None:
    short = replace(FINE, left=Decimal("-12.50"))
    world.wire.answers = [Reply("", world.now, Outcome.ACCEPTED, effect=short)]
    world.run("10:34")
    assert world.shown() == []
    assert any("leaves $-12.50 of buying power" in one for one in world.refusals("WAIT"))


def test_silence_is_asked_again_and_then_it_is_over(world: Prepared) -> None:
    world.wire.answers = [None, None, None]
    world.run("10:34")
    assert len(world.wire.dry_runs()) == 3
    assert any("did not answer 3 dry runs" in one for one in world.refusals("WAIT"))


def test_an_unknown_answer_is_asked_again(world: Prepared) -> None:
    world.wire.answers = [Reply("", world.now, Outcome.UNKNOWN, code="502")]
    world.run("10:34")
    assert len(world.wire.dry_runs()) == 2
    assert len(world.shown()) == 1


def test_no_dry_run_is_answered_to_the_order_desk(world: Prepared) -> None:
    world.run("10:34")
    assert not any(isinstance(one, Reply) and one.effect for one in world.wire.told)
    assert not world.trading.kernel.book.orders


# ------------------------------------------------------------------------------ exits


def test_exits_and_targets_are_never_held_back(world: Prepared) -> None:
    approved_then(world)
    world.mids = {**world.mids, 5435: 5.2}
    world.run("10:40")
    closes = [one for one in world.events(ev.OrderSubmitted) if not one.order.opens]
    assert [one.order.trigger for one in closes] == ["target"]
    world.run("15:03")
    assert not world.trading.kernel.book.positions
    assert len(world.wire.dry_runs()) == 1


def test_a_halt_between_approval_and_sending_stops_it(world: Prepared) -> None:
    approved_then(world)
    world.latch = Latch(State.HALTED, world.now, "anna", "stop")
    world.run("10:45")
    assert world.wire.placed() == []


# ------------------------------------------------------------------------------ restarts


def test_an_approval_given_while_the_engine_is_down_is_sent_when_it_is_back(world: Prepared) -> None:
    world.run("10:32")
    shown = world.only()
    world.approve(shown["hash"])
    world.start()
    world.run("10:36")
    (sent,) = world.wire.placed()
    assert [str(leg) for leg in sent.legs] == shown["preview"]["intent"]["legs"]
    assert sent.units == 3


def test_what_was_approved_and_could_not_go_out_yet_survives_a_restart(world: Prepared) -> None:
    hash_ = approved_then(world)
    whole = world.mids
    world.mids = {}
    world.run("10:33")
    assert world.only("approved")["hash"] == hash_
    world.start()
    world.mids = whole
    world.run("10:35")
    assert len(world.wire.placed()) == 1
    assert world.events(ev.EntryApproved)[0].warnings[-1].endswith("approved by anna: tomking approve")


def test_nothing_is_sent_twice_by_a_restart(world: Prepared) -> None:
    approved_then(world)
    world.run("10:33")
    assert len(world.wire.placed()) == 1
    world.start()
    world.run("10:36")
    assert len(world.wire.placed()) == 1


def test_a_process_that_died_between_the_yes_and_the_order_does_not_send_it_again(world: Prepared) -> None:
    # The journal says "sent" before the order is in it; the folder still says "waiting".
    world.run("10:32")
    shown = world.only()
    world.approve(shown["hash"])
    world.record(ev.Noted(world.now, "friday_0dte.prepared condor", f"{shown['hash']} sent"))
    world.start()
    world.run("10:34")
    assert world.wire.placed() == []
    assert shown["hash"] in {one["hash"] for one in world.shown("lapsed")}


def test_what_was_prepared_and_is_too_old_at_the_restart_is_over(world: Prepared) -> None:
    world.run("10:32")
    hash_ = world.only()["hash"]
    world.approve(hash_)
    world.now = at("10:45")
    world.start()
    world.run("10:46")
    assert hash_ in {one["hash"] for one in world.shown("lapsed")}
    assert all(hash_ not in warning for one in world.events(ev.EntryApproved) for warning in one.warnings)


def test_an_offer_that_somebody_has_edited_is_not_taken_up(world: Prepared) -> None:
    world.run("10:32")
    shown = world.only()
    shown["preview"]["intent"]["units"] = 30
    world.folder.offer(shown["hash"], shown)
    world.approve(shown["hash"])
    world.start()
    world.run("10:34")
    assert world.wire.placed() == []


def test_ladder_steps_go_on_after_a_restart_and_not_below_what_was_approved(world: Prepared) -> None:
    approved_then(world)
    world.run("10:33")
    (order,) = world.openings()
    limits = [one.limit for one in world.wire.replaced()]
    assert all(limit >= (order.order.floor or 0) for limit in limits)


# ------------------------------------------------------------------------------ the wire's guard


def test_an_order_that_nobody_approved_never_reaches_the_venue(world: Prepared) -> None:
    world.run("10:34")
    condor = a_condor().structure
    guard = world.trading.orders._asking._wire
    tag = f"{world.preparation.instance}-1-99-1"
    guard.send(Place("k1", tag, condor.legs, 3, Decimal("10.00"), opens=True), world.now)
    guard.send(Replace("k2", tag, "V1", Decimal("9.00"), opens=True), world.now)
    told = guard.take(world.now)
    assert [(one.key, one.code) for one in told if isinstance(one, Reply) and one.code] == [
        ("k1", "unapproved"),
        ("k2", "unapproved"),
    ]
    assert world.wire.placed() == []
    assert world.wire.replaced() == []
    assert "critical" in {level for level, _ in world.heard.said}


def test_a_close_and_a_cancel_pass_the_guard(world: Prepared) -> None:
    world.run("10:34")
    guard = world.trading.orders._asking._wire
    before = len(world.wire.sent)
    legs = a_condor().structure.inverse().legs
    guard.send(Place("k1", "x-1-99-1", legs, 3, Decimal(-5), opens=False), world.now)
    guard.send(Cancel("k2", "V1"), world.now)
    guard.send(Replace("k3", "x-1-99-2", "V1", Decimal(-6)), world.now)
    assert len(world.wire.sent) == before + 3


# ------------------------------------------------------------------------------ the ladder


def test_without_a_stage_nothing_is_prepared(tmp_path: Path) -> None:
    world = Prepared(tmp_path, stage="").run("10:34")
    # The first session's begin puts it on the lowest stage.
    assert world.trading.kernel.book.levels[rollout.LEVEL] == rollout.PAPER
    assert world.wire.dry_runs() == []
    assert any("stage paper" in one for one in world.refusals("SYS"))


def test_a_book_without_a_stage_is_refused_whatever_the_gate_says(world: Prepared) -> None:
    view = View(world.now, session_on(FRIDAY), world.sessions, world.market)
    gate, book = world.trading.risk, replace(world.trading.kernel.book, levels={"phase": "4"})
    assert isinstance(gate.judge(a_condor(), book, view, CASH), Approved)
    answer = world.preparation.judge(gate, a_condor(), book, view, CASH, ())
    assert isinstance(answer, Refused)
    assert "no stage of the roll-out" in str(answer.breaches[0])


def test_what_cannot_be_shown_cannot_be_approved(world: Prepared) -> None:
    world.folder.path.parent.mkdir(parents=True, exist_ok=True)
    world.folder.path.write_text("in the way")
    world.run("10:45")
    assert world.wire.placed() == []
    assert any("is not shown" in text for _, text in world.heard.said)


def test_a_wish_without_a_vix_is_not_prepared(world: Prepared) -> None:
    world.market.vix_level = None
    world.run("10:34")
    assert world.wire.dry_runs() == []


def test_one_micro_does_not_prepare_a_full_contract(tmp_path: Path) -> None:
    world = Prepared(tmp_path, stage=rollout.ONE_MICRO).run("10:34")
    assert world.wire.dry_runs() == []
    assert any("MES or XSP, not ES" in one for one in world.refusals("SYS"))


def test_a_break_takes_one_stage_back_and_what_waits_is_not_sent(tmp_path: Path) -> None:
    world = Prepared(tmp_path, stage=rollout.NORMAL)
    approved_then(world)
    world.record(ev.Reconciled(world.now, ("cash: $5.00",)))
    world.run("10:34")
    assert world.trading.kernel.book.levels[rollout.LEVEL] == rollout.ONE_MICRO
    assert world.wire.placed() == []
    (step,) = [e for e in world.events(ev.LevelChanged) if e.name == rollout.LEVEL and e.before == "normal"]
    assert step.detail == "book and broker differed: cash: $5.00"


def test_the_dry_run_is_of_the_very_order(world: Prepared) -> None:
    world.run("10:34")
    (tried,) = world.wire.dry_runs()
    shown = world.only()["preview"]["intent"]
    assert isinstance(tried, DryRun)
    assert [str(leg) for leg in tried.legs] == shown["legs"]
    assert (tried.units, str(tried.limit)) == (shown["units"], shown["ladder"][0])
