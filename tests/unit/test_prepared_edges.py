"""Orders that wait for a person, where something is missing, ends or stands in the way: nothing is sent."""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from tests.preparedworld import CASH, FINE, Prepared, a_condor
from tests.worlds import FRIDAY, at, session_on

from tomking.adapters.consent import KEPT, Answer, ConsentFolder
from tomking.adapters.emergency import EmergencyLog, Reserve
from tomking.adapters.journal import Origin
from tomking.adapters.lease import installation
from tomking.adapters.livejournal import LiveJournal
from tomking.adapters.tastytrade.session import Environment
from tomking.app.exits import Exit
from tomking.app.prepare import approving, ladder
from tomking.app.prepare.candidates import State
from tomking.app.prepare.guards import PreparedRisk, PreparedStrategy
from tomking.app.prepare.ladder import Place
from tomking.app.prepare.preview import Preview, page, preview_of
from tomking.app.problems import Problems
from tomking.domain import events as ev
from tomking.domain.intent import Approved, Refused
from tomking.risk import rollout
from tomking.risk.ahead import Ahead, Moved, Shocked
from tomking.risk.settings import Settings
from tomking.risk.standing import Reading
from tomking.view import Own, View

YES = Answer(True, "anna: tomking approve")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def world(home: Path) -> Prepared:
    """An order that waits, where a run at the sandbox would have put it."""
    return Prepared(home / "live" / "sandbox-5WT00001").run("10:32")


def look(world: Prepared) -> View:
    return View(world.now, session_on(FRIDAY), world.sessions, world.market)


# ------------------------------------------------------------------------------ the folder


def test_an_offer_that_vanished_while_it_was_read_is_left_out(world: Prepared) -> None:
    hash_ = world.only()["hash"]
    (world.folder.path / "ffffffffffff.json").symlink_to("nowhere")
    assert [one["hash"] for one in world.folder.offers()] == [hash_]


def test_an_old_offer_without_a_hash_of_its_own_is_no_name_of_a_file(tmp_path: Path) -> None:
    folder = ConsentFolder(tmp_path)
    outside = tmp_path / "latch.json"
    outside.write_text("{}")
    for n in range(KEPT + 2):
        name = f"{n:012x}"
        folder.offer(name, {"hash": "../latch" if n == 0 else name, "state": "lapsed"})
        os.utime(folder.path / f"{name}.json", (n, n))
    folder.offer("eeeeeeeeeeee", {"hash": "eeeeeeeeeeee", "state": "lapsed"})
    assert outside.exists()
    assert (folder.path / f"{0:012x}.json").exists(), "what names nothing is left where it lies"
    assert not (folder.path / f"{1:012x}.json").exists()


# ------------------------------------------------------------------------------ the person's side


def test_what_is_shown_and_not_what_its_hash_stands_for_can_be_rejected_by_nobody(
    world: Prepared, home: Path
) -> None:
    hash_ = world.only()["hash"]
    file = world.folder.path / f"{hash_}.json"
    whole = json.loads(file.read_text())
    for damaged in ({**whole, "preview": None}, {**whole, "preview": {}}, _with_units(whole, 4)):
        file.write_text(json.dumps(damaged))
        (offer,) = approving.offers(home)
        assert offer.until is None
        with pytest.raises(Problems) as refusal:
            approving.answer(offer, accepts=True, by="anna", why="")
        assert [one.code for one in refusal.value.problems] == [Exit.APPROVAL]
        assert "not what its hash stands for" in refusal.value.problems[0].line
    assert world.folder.answer(hash_) is None


def _with_units(content: dict[str, dict[str, dict[str, object]]], units: int) -> dict[str, object]:
    changed = json.loads(json.dumps(content))
    changed["preview"]["intent"]["units"] = units
    return dict(changed)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (
            {"why": "the market has moved", "by": "anna"},
            "is lapsed: the market has moved; nothing was changed",
        ),
        ({"why": "", "by": "anna"}, "is lapsed: anna; nothing was changed"),
        ({}, "is lapsed; nothing was changed"),
    ],
)
def test_an_answer_that_comes_too_late_is_told_what_became_of_the_order(
    said: dict[str, str], words: str, world: Prepared, home: Path
) -> None:
    (offer,) = approving.offers(home)
    ended = replace(offer, content={"hash": offer.hash, "state": "lapsed", **said})
    with pytest.raises(Problems) as refusal:
        approving.answer(ended, accepts=True, by="anna", why="")
    assert refusal.value.problems[0].line.endswith(words)


def test_a_beginning_that_two_orders_have_names_neither(world: Prepared, home: Path) -> None:
    hash_ = world.only()["hash"]
    other = hash_[:6] + ("0" if hash_[6] != "0" else "1") + hash_[7:]
    world.folder.offer(other, {**world.only(), "hash": other})
    with pytest.raises(Problems) as refusal:
        approving.named(home, hash_[:6])
    (problem,) = refusal.value.problems
    assert problem.code == Exit.USAGE
    assert "begins 2 hashes; type more of it" in problem.line
    assert approving.named(home, hash_[:7]).hash == hash_


def test_an_engine_that_showed_itself_within_fifteen_seconds_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not approving.is_running(tmp_path)
    file = tmp_path / "now.json"
    file.write_text("{}")
    now = at("10:30")
    monkeypatch.setattr(approving, "wall_now", lambda: now)
    for seconds, runs in ((0, True), (14, True), (15, False)):
        os.utime(file, (now.timestamp() - seconds,) * 2)
        assert approving.is_running(tmp_path) is runs


# ------------------------------------------------------------------------------ around the kernel


def test_what_the_close_takes_back_is_told_with_the_close(world: Prepared) -> None:
    """A no that was given in the last second is journalled by the session's end."""
    hash_ = world.only()["hash"]
    world.approve(hash_, accepts=False, why="late")
    risk = PreparedRisk(world.trading.risk, world.preparation)
    snapshot, following = risk.end(world.trading.kernel.book, look(world), CASH)
    assert snapshot.day == FRIDAY
    assert any(isinstance(one, ev.Noted) and one.value.startswith(hash_) for one in following)
    assert world.shown() == []


def test_an_approval_that_the_strategy_passes_on_ends_with_its_reason(world: Prepared) -> None:
    hash_ = world.only()["hash"]
    world.approve(hash_)
    world.strategy.wishes = None
    world.run("10:36")
    assert world.wire.placed() == []
    (ended,) = [one for one in world.folder.offers() if one["hash"] == hash_]
    assert ended["why"] == "the strategy does not wish it now: PRICE: not worth it now"


def own_of(*, approved: bool, world: Prepared) -> tuple[PreparedStrategy, Own]:
    (one,) = world.preparation._open.values()
    one.state = State.APPROVED if approved else State.WAITING
    own = Own("friday_0dte", 4, CASH, "GREEN", (), (), {}, (), {})
    return PreparedStrategy(world.strategy, world.preparation), own


def test_an_approval_ends_with_the_window_of_its_entry(world: Prepared) -> None:
    asked, own = own_of(approved=True, world=world)
    hash_ = world.only()["hash"]
    late = replace(look(world), now=at("11:01"))
    assert asked.decide(late, own) == ()
    (ended,) = [one for one in world.folder.offers() if one["hash"] == hash_]
    assert ended["why"] == "the strategy does not wish it now: its window is over, or it has entered"


def test_guards_and_steps_of_a_strategy_are_never_held_back(world: Prepared) -> None:
    asked, own = own_of(approved=True, world=world)
    view = look(world)
    assert asked.guard(view, own) == world.strategy.guard(view, own)
    assert asked.steps(view, own) == world.strategy.steps(view, own)


# ------------------------------------------------------------------------------ what cannot be worked out


def approved(world: Prepared) -> tuple[Approved, View]:
    view = look(world)
    verdict = world.trading.risk.judge(a_condor(), world.trading.kernel.book, view, CASH)
    assert isinstance(verdict, Approved)
    return verdict, view


def test_nothing_is_prepared_without_a_quote_on_both_sides_or_a_known_account_after_it(
    world: Prepared,
) -> None:
    verdict, view = approved(world)
    book = world.trading.kernel.book
    tried = len(world.wire.dry_runs())
    world.market.vix_level = None
    blind = world.preparation._prepare(verdict, book, view, CASH)
    assert str(blind.breaches[0]) == "approval: the account after it cannot be worked out: no mid or no VIX"
    world.mids = {}
    unquoted = world.preparation._prepare(verdict, book, view, CASH)
    assert str(unquoted.breaches[0]) == f"approval: no two-sided quote of {a_condor().structure}"
    assert len(world.wire.dry_runs()) == tried


def test_an_approval_stands_while_its_legs_have_no_quote(world: Prepared) -> None:
    (one,) = world.preparation._open.values()
    one.state = State.APPROVED
    verdict, view = approved(world)
    world.mids = {}
    answer = world.preparation._send(one, verdict, view)
    assert isinstance(answer, Refused)
    assert answer.breaches[0].code == "LIQ"
    assert list(world.preparation.approved("friday_0dte")) == [one]
    assert world.preparation.granted() == []


def test_a_second_wish_for_what_is_approved_waits_for_the_first(world: Prepared) -> None:
    (one,) = world.preparation._open.values()
    kernel = world.trading.kernel

    def said(state: State) -> str:
        one.state = state
        answer = world.preparation.judge(world.trading.risk, a_condor(), kernel.book, look(world), CASH, ())
        assert isinstance(answer, Refused)
        return str(answer.breaches[0])

    assert said(State.CHECKING) == f"approval: {one.hash} is prepared; the broker is asked first"
    assert said(State.WAITING) == f"approval: {one.hash} waits for approval: tomking approve {one.hash}"
    assert said(State.APPROVED) == f"approval: {one.hash} is approved and goes out first"


# ------------------------------------------------------------------------------ what a person reads


def shown(world: Prepared, **changes: object) -> Preview:
    (one,) = world.preparation._open.values()
    verdict, view = approved(world)
    after = Ahead(Decimal(3000), Decimal(2000), Decimal(4), Decimal(4), Decimal(3000), (), ())
    made = preview_of(one.intent, verdict, view, after, venue="sandbox", account="5WT00001")
    return replace(made, **changes)  # type: ignore[arg-type]


def test_a_page_says_what_the_broker_has_not_said_yet_and_every_note(world: Prepared) -> None:
    silent = page(shown(world, effect=None, warnings=("look twice",)))
    assert "broker     has not answered yet" in silent
    assert "note       look twice" in silent
    assert "stressed" not in silent
    answered = page(shown(world, effect=FINE))
    assert "margin $3,000.00 more" in answered
    assert "it is Friday" in answered


def test_limits_are_told_in_their_own_units(world: Prepared) -> None:
    readings = (
        Reading("margin", 15_000.0, 100_000.0, "$", "A.3"),
        Reading("drawdown", 0.05, 0.2, "%", "C.4"),
        Reading("group A1 positions", 1.5, 2.0, "positions", "C.5"),
    )
    moved = tuple(Moved(one, before) for one, before in zip(readings, (12_000.0, 0.025, 1.0), strict=True))
    shocks = (Shocked("S-5", 100.0, 900.4), Shocked("S-10", 200.0, 1_800.6))
    plain = shown(world)
    after = replace(plain.ahead, limits=moved, shocks=shocks, max_loss=None)
    text = page(replace(plain, ahead=after))
    assert "limit      margin $12,000 -> $15,000 of $100,000 (A.3)" in text
    assert "limit      drawdown 2.5% -> 5.0% of 20.0% (C.4)" in text
    assert "limit      group A1 positions 1 -> 1.5 of 2 (C.5)" in text
    assert "stressed   S-10: $1,801 with all that is held, $200 without" in text
    assert "may lose   unbounded at expiry" in text


# ------------------------------------------------------------------------------ the ladder's step


def journal_of(place: Place, *events: ev.Event) -> None:
    """The account's journal, as an engine left it."""
    place.folder.mkdir(parents=True, exist_ok=True)
    log = EmergencyLog(place.folder / "emergency.log")
    origin = Origin(place.world, installation(place.world, place.account))
    journal = LiveJournal(
        place.journal, origin, reserve=Reserve(place.folder / "reserve", 0), log=log, on_failure=_never
    )
    for event in events:
        journal.append(event)
    journal.close()
    log.close()


def _never(words: str) -> None:
    raise AssertionError(words)


@pytest.fixture
def place(home: Path) -> Place:
    return Place(home, next(one for one in Environment if one.value == "sandbox"), "5WT00001")


STEP = ev.LevelChanged(at("16:00"), rollout.LEVEL, rollout.ONE_MICRO, rollout.NORMAL, "anna")


def refusal_of(act: Callable[[], object]) -> tuple[int, str]:
    with pytest.raises(Problems) as refusal:
        act()
    (problem,) = refusal.value.problems
    return problem.code, problem.line


def test_a_stage_that_changed_meanwhile_is_not_stepped_from(place: Place) -> None:
    now = ev.LevelChanged(at("09:30"), rollout.LEVEL, "", rollout.PAPER, "test")
    journal_of(place, now)
    code, words = refusal_of(lambda: ladder._write(place, STEP))
    assert code == Exit.UNAVAILABLE
    assert "the stage is paper now: look again and repeat it" in words


def test_a_step_is_written_after_the_stage_it_leaves(place: Place) -> None:
    first = replace(STEP, before=rollout.PAPER, after=rollout.ONE_MICRO)
    ladder._write(place, first)
    ladder._write(place, replace(STEP, at=STEP.at + timedelta(days=7)))
    code, _ = refusal_of(lambda: ladder._write(place, STEP))
    assert code == Exit.UNAVAILABLE


def test_a_step_that_is_not_written_is_said(place: Place) -> None:
    code, words = refusal_of(lambda: ladder._unwritten("disk full"))
    assert (code, "the step was not written: disk full" in words) == (Exit.DATA, True)
    place.folder.mkdir(parents=True)
    (place.folder / "journal.sqlite").write_bytes(b"no database at all" * 100)
    code, _ = refusal_of(lambda: ladder._write(place, STEP))
    assert code == Exit.DATA


def test_a_rehearsal_whose_journal_cannot_be_read_shows_nothing(place: Place) -> None:
    folder = place.state / "paper" / "sandbox-5WT00001"
    folder.mkdir(parents=True)
    (folder / ladder.JOURNAL).write_bytes(b"no database at all" * 100)
    assert ladder._rehearsed(place, Settings()) == frozenset()
