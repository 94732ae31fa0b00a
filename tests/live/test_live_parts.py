"""The parts of a live run that need no venue: words, latches, the watchdog, checks, bars."""

import threading
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from tomking.adapters.calendars import load_sessions
from tomking.adapters.history import load_history
from tomking.adapters.latch import LatchFile
from tomking.app.cli.live_reading import _not_traded
from tomking.app.exits import Exit
from tomking.app.live.answers import Counted
from tomking.app.live.broker import check_broker
from tomking.app.live.feed import BARS_NEEDED, gaps_of, rate_on
from tomking.app.live.latch import arm, tightest
from tomking.app.live.picture import passed
from tomking.app.live.telling import QUIET, Said, Teller, words
from tomking.app.live.watchdog import Watchdog
from tomking.app.problems import Problems
from tomking.app.wiring import paper_risk
from tomking.domain import events as ev
from tomking.domain.bars import Bars
from tomking.domain.book import Book
from tomking.domain.trading import Latch, Trading
from tomking.execution.wire import FindOrders, Outcome, Reply, Request, Told
from tomking.risk.settings import Settings

NOW = datetime(2031, 3, 7, 15, 20, tzinfo=UTC)
FINE = {"is-closed": False, "options-level": "No Restrictions"}
MINE = [{"account": {"account-number": "5WT00001"}, "authority-level": "owner"}]


def unsaid(_stage: str, _text: str) -> None:
    return


def test_each_kind_of_event_has_words_or_is_quiet() -> None:
    source = Path(words.__code__.co_filename).read_text(encoding="utf-8")
    silent = [
        kind.__name__
        for kind in get_args(ev.Event)
        if f"case ev.{kind.__name__}(" not in source and kind not in QUIET
    ]
    assert silent == []


def test_a_refusal_is_told_with_its_code_and_its_numbers() -> None:
    said = words(Book(), ev.Declined(NOW, "lt112", "1-1-2", "TECH", ("EMA8 below EMA21",)))
    assert said == "lt112 1-1-2: not taken, TECH: EMA8 below EMA21"


def test_a_log_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    heard: list[Said] = []
    teller = Teller(tmp_path / "no folder" / "engine.jsonl", lambda: NOW, heard.append)
    teller.warn("the quotes are gone")
    teller.warn("they are back")
    assert [one.text for one in heard] == ["the quotes are gone", "they are back"]


# ------------------------------------------------------------------------------ latches


def test_a_new_folder_is_armed_by_paper_and_an_old_one_never(tmp_path: Path) -> None:
    own = LatchFile(tmp_path)
    assert not own.read().opens
    assert arm(own, is_new=False).endswith("begin anew with --fresh")
    assert not own.read().opens
    assert arm(own, is_new=True) == "armed for paper"
    assert own.read().opens


def test_a_halt_stays_through_a_restart(tmp_path: Path) -> None:
    own = LatchFile(tmp_path)
    arm(own, is_new=True)
    own.halt("anna", "looks wrong", NOW)
    assert "HALTED" in arm(own, is_new=False)
    assert own.read().state is Trading.HALTED


def test_whoever_halts_halts_paper_too(tmp_path: Path) -> None:
    own, control = LatchFile(tmp_path / "paper"), LatchFile(tmp_path)
    arm(own, is_new=True)
    assert tightest(own, control).opens, "nobody has ever set the other one"
    control.halt("anna", "", NOW, alone_until=NOW + timedelta(seconds=30))
    assert tightest(own, control).state is Trading.HALTED
    assert not tightest(own, control).yields(NOW), "exits of paper go on while another account is flattened"


@pytest.mark.parametrize(
    ("by", "state"), [("anna: tomking flatten", Trading.HALTED), ("tomking paper", Trading.REDUCING)]
)
def test_what_stopped_paper_alone_ends_with_the_next_resume_and_not_with_an_earlier_one(
    tmp_path: Path, by: str, state: Trading
) -> None:
    own, control = LatchFile(tmp_path / "paper"), LatchFile(tmp_path)
    arm(own, is_new=True)
    control.exchange(
        control.read(), Latch(Trading.ACTIVE, NOW - timedelta(minutes=1), "anna", "an hour before")
    )
    own.exchange(own.read(), Latch(state, NOW, by, "stopped"))
    assert tightest(own, control).state is state
    control.halt("anna", "as flatten does first", NOW)
    control.exchange(control.read(), Latch(Trading.ACTIVE, NOW + timedelta(minutes=1), "anna", "resumed"))
    assert tightest(own, control).opens
    own.halt("anna: tomking flatten", "again", NOW + timedelta(minutes=2))
    assert tightest(own, control).state is Trading.HALTED


# ------------------------------------------------------------------------------ the watchdog


def test_a_loop_that_stands_is_noticed_once_and_its_stacks_are_kept(tmp_path: Path) -> None:
    heard = threading.Event()
    told: list[float] = []

    def blocked(seconds: float) -> None:
        told.append(seconds)
        heard.set()

    dog = Watchdog(tmp_path / "stacks.txt", blocked, after=0.05)
    dog.start()
    assert heard.wait(5)
    dog.close()
    assert len(told) == 1
    assert "test_live_parts" in (tmp_path / "stacks.txt").read_text()


# ------------------------------------------------------------------------------ checks of a start


def test_an_account_that_may_trade_says_its_cash() -> None:
    assert check_broker("5WT00001", MINE, FINE, {"cash-balance": "44450.00"}, unsaid) == Decimal(44450)


@pytest.mark.parametrize(
    ("flag", "words_"),
    [
        ("is-closed", "closed"),
        ("is-frozen", "frozen"),
        ("is-closing-only", "only close"),
        ("is-in-margin-call", "call"),
    ],
)
def test_an_account_that_may_not_open_ends_the_start(flag: str, words_: str) -> None:
    with pytest.raises(Problems, match=words_) as refused:
        check_broker("5WT00001", MINE, {**FINE, flag: True}, {"cash-balance": "1"}, unsaid)
    assert refused.value.code == Exit.UNAVAILABLE


def test_another_logins_account_is_a_matter_of_configuration() -> None:
    with pytest.raises(Problems, match="not one of this login's accounts") as refused:
        check_broker("5WT00002", MINE, FINE, {"cash-balance": "1"}, unsaid)
    assert refused.value.code == Exit.CONFIG


def test_bars_are_asked_for_sixty_sessions_back_and_gaps_are_named() -> None:
    today, sessions = date(2022, 9, 16), load_sessions(date(2021, 1, 4), date(2023, 1, 4))
    spx = load_history().spx.before(today)
    assert gaps_of(spx, today, sessions) == []
    kept = spx.day != np.datetime64("2022-09-13")
    holed = Bars(*(column[kept] for column in (spx.day, spx.open, spx.high, spx.low, spx.close)))
    assert gaps_of(holed, today, sessions) == [date(2022, 9, 13)]
    nothing = spx.before(date(1990, 1, 2))
    assert len(gaps_of(nothing, today, sessions)) == BARS_NEEDED


def test_the_short_rate_is_that_of_the_session_before() -> None:
    history = load_history()
    row = int(np.searchsorted(history.spx.day, np.datetime64("2022-09-16")))
    assert rate_on(history, date(2022, 9, 16)) == history.rate[row - 1]
    assert rate_on(history, date(2035, 1, 2)) == history.rate[-1], "after its end the last one known"


def test_progress_is_the_share_of_the_session_that_has_passed() -> None:
    session = load_sessions(date(2022, 9, 12), date(2022, 9, 16)).on(date(2022, 9, 16))
    assert session is not None
    assert passed(session, session.open + timedelta(minutes=195)) == 0.5  # 195 of 390
    assert passed(session, session.close + timedelta(hours=1)) == 1.0
    assert passed(None, NOW) == 0.0


def test_full_sizes_are_earned_but_on_the_modelled_market() -> None:
    settings = Settings()
    assert settings.phase_gating == "value"
    assert paper_risk(settings, on_a_model=True).phase_gating == "value"
    assert paper_risk(settings, on_a_model=False).phase_gating == "full_size"
    assert not paper_risk(settings, on_a_model=True).restart_after_red


class Mute:
    """A wire that answers when it is told to."""

    def __init__(self) -> None:
        self.told: list[Told] = []

    def send(self, request: Request, now: datetime) -> None:
        return

    def take(self, now: datetime) -> list[Told]:
        told, self.told = self.told, []
        return told


def test_a_question_is_open_until_it_is_answered() -> None:
    wire = Mute()
    counted = Counted(wire)
    waited = [counted.waits]
    for key in ("a", "b"):
        counted.send(FindOrders(key), NOW)
    waited.append(counted.waits)
    for key in ("a", "b"):
        wire.told = [Reply(key, NOW, Outcome.UNKNOWN)]
        assert counted.take(NOW) == [Reply(key, NOW, Outcome.UNKNOWN)]
        waited.append(counted.waits)
    assert waited == [False, True, True, False]


# ------------------------------------------------------------------------------ what is asked


def test_a_strategy_that_was_not_traded_is_told_apart_from_a_typing_error() -> None:
    traded = {"friday_0dte", "futures_strangle"}
    assert _not_traded("LT112", "lt112", traded) == (
        "LT112: not traded in this journal; traded were friday_0dte, futures_strangle"
    )
    assert 'did you mean "friday_0dte"?' in _not_traded("friday", "friday", traded)
