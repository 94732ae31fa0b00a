"""The kill latch: whatever is unclear halts, a halt is never lost, and nothing that opens passes."""

import errno
import hashlib
import json
import os
import stat
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tomking.adapters.latch import Changed, Latched, LatchFile
from tomking.domain.book import Book, apply
from tomking.domain.errors import BadData
from tomking.domain.events import LevelChanged
from tomking.domain.structure import Leg, Structure
from tomking.domain.trading import Latch, Trading
from tomking.execution.wire import (
    BrokerOrder,
    Cancel,
    FindOrders,
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
from tomking.risk.latched import SEEN, heed

NOW = datetime(2031, 3, 7, 20, 20, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)
NOBODY = Latch(Trading.HALTED, None, "", "")
LEGS: tuple[Leg, ...] = Structure.parse("put", "-1 SPXW 2031-03-07 P5700").legs


def armed(folder: Path) -> LatchFile:
    latch = LatchFile(folder)
    latch.exchange(latch.read(), Latch(Trading.ACTIVE, NOW, "anna", "start"))
    return latch


class Killed(BaseException):
    """The process ends here."""


def failing(at: str, error: BaseException) -> Callable[[str], None]:
    def step(action: str) -> None:
        if action == at:
            raise error

    return step


def full_disk(*actions: str) -> Callable[[str], None]:
    def step(action: str) -> None:
        if action in actions:
            raise OSError(errno.ENOSPC, "No space left on device")

    return step


# ------------------------------------------------------------------------------ reading


def test_a_missing_latch_is_halted_and_says_that_nobody_armed_it(tmp_path: Path) -> None:
    latch = LatchFile(tmp_path).read()
    assert (latch.state, latch.since) == (Trading.HALTED, None)
    assert "nobody has armed trading here" in latch.why
    assert str(tmp_path / "latch.json") in latch.why


def test_what_was_set_is_read_with_who_when_and_why(tmp_path: Path) -> None:
    LatchFile(tmp_path).halt("anna: tomking halt", "quotes look wrong", NOW)
    found = LatchFile(tmp_path).read()
    assert found == Latch(Trading.HALTED, NOW, "anna: tomking halt", "quotes look wrong")
    assert (
        found.words == "HALTED since 2031-03-07 15:20:00 New York by anna: tomking halt (quotes look wrong)"
    )


def test_words_leave_out_what_is_not_known() -> None:
    assert NOBODY.words == "HALTED"
    assert replace(NOBODY, why="damaged").words == "HALTED (damaged)"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"HALTED",
        b"ACTIVE",
        b"[]",
        b"null",
        b'"ACTIVE"',
        b'{"state": "ACTIVE"}',
        b"\xff\xfe",
        b"[" * 100_000,
    ],
)
def test_unknown_content_is_halted(tmp_path: Path, content: bytes) -> None:
    latch = armed(tmp_path)
    latch.path.write_bytes(content)
    assert latch.read().state is Trading.HALTED
    assert latch.read().since is None
    assert "damaged" in latch.read().why


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("state", "PAUSED"),
        ("state", "active"),
        ("format", 2),
        ("since", "yesterday"),
        ("since", "2031-03-07T20:20:00"),
        ("since", 7),
        ("alone_until", "2031-03-07T20:20:00"),
        ("alone_until", "soon"),
    ],
)
def test_a_word_that_is_not_known_is_halted_even_with_a_right_check(
    tmp_path: Path, key: str, value: object
) -> None:
    latch = armed(tmp_path)
    plain: dict[str, Any] = json.loads(latch.path.read_bytes())
    del plain["check"]
    plain[key] = value
    text = json.dumps(plain, sort_keys=True).encode()
    check = hashlib.sha256(text).hexdigest()
    latch.path.write_text(json.dumps({**plain, "check": check}))
    assert latch.read().state is Trading.HALTED


def test_an_edit_by_hand_is_halted(tmp_path: Path) -> None:
    latch = LatchFile(tmp_path)
    latch.halt("anna", "", NOW)
    latch.path.write_text(latch.path.read_text().replace("HALTED", "ACTIVE"))
    assert latch.read().state is Trading.HALTED


@settings(max_examples=40)
@given(st.data())
def test_no_flipped_byte_makes_a_halt_active(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    latch = LatchFile(tmp_path_factory.mktemp("latch"))
    latch.halt("anna", "why", NOW)
    content = bytearray(latch.path.read_bytes())
    where = data.draw(st.integers(0, len(content) - 1))
    content[where] ^= data.draw(st.integers(1, 255))
    latch.path.write_bytes(bytes(content))
    assert latch.read().state is Trading.HALTED


def test_a_latch_that_cannot_be_read_is_halted(tmp_path: Path) -> None:
    latch = LatchFile(tmp_path)
    latch.path.mkdir()
    assert latch.read().state is Trading.HALTED
    assert "cannot be read: Is a directory" in latch.read().why


def test_only_active_lets_orders_open() -> None:
    assert [replace(NOBODY, state=s).opens for s in Trading] == [True, False, False]


# ------------------------------------------------------------------------------ setting


def test_the_file_is_the_owners_alone_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    latch = armed(folder)
    latch.halt("anna", "", NOW)
    assert stat.S_IMODE(latch.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [p.name for p in folder.iterdir()] == ["latch.json"]


def test_file_and_folder_are_synced_in_this_order(tmp_path: Path) -> None:
    said: list[str] = []
    LatchFile(tmp_path, said.append).halt("anna", "", NOW)
    assert said == ["write", "sync", "replace", "sync folder"]


def test_a_halt_is_seen_by_another_process_at_once(tmp_path: Path) -> None:
    ours, theirs = armed(tmp_path), LatchFile(tmp_path)
    assert theirs.read().opens
    ours.halt("anna", "", LATER)
    assert not theirs.read().opens


def test_reducing_tightens_and_never_loosens(tmp_path: Path) -> None:
    latch = armed(tmp_path)
    assert latch.tighten(Trading.REDUCING, "anna", "", LATER).state is Trading.REDUCING
    assert latch.tighten(Trading.HALTED, "ben", "", LATER).state is Trading.HALTED
    # A halt stays one: the second word of the same person does not undo the first.
    assert latch.tighten(Trading.REDUCING, "anna", "", LATER).by == "ben"
    assert latch.read().state is Trading.HALTED


def test_reducing_again_is_said_by_the_last_one(tmp_path: Path) -> None:
    latch = armed(tmp_path)
    latch.tighten(Trading.REDUCING, "anna", "", NOW)
    assert latch.tighten(Trading.REDUCING, "ben", "", LATER).by == "ben"
    assert latch.read().by == "ben"


def test_resuming_needs_what_was_shown_to_be_there_still(tmp_path: Path) -> None:
    latch = LatchFile(tmp_path)
    shown = latch.halt("anna", "first", NOW)
    latch.halt("ben", "second", LATER)
    with pytest.raises(Changed, match=r"HALTED since 2031-03-07 15:25:00.*ben"):
        latch.exchange(shown, Latch(Trading.ACTIVE, LATER, "anna", ""))
    assert latch.read().why == "second"
    assert [p.name for p in tmp_path.iterdir()] == ["latch.json"]


def test_a_damaged_latch_is_replaced_only_while_it_is_damaged(tmp_path: Path) -> None:
    latch = LatchFile(tmp_path)
    latch.path.write_text("nonsense")
    shown = latch.read()
    assert latch.exchange(shown, Latch(Trading.ACTIVE, NOW, "anna", "")).opens
    with pytest.raises(Changed):
        latch.exchange(shown, Latch(Trading.ACTIVE, LATER, "ben", ""))
    assert latch.read().by == "anna"


def test_a_latch_that_vanished_was_not_what_was_shown(tmp_path: Path) -> None:
    latch = LatchFile(tmp_path)
    shown = latch.halt("anna", "", NOW)
    latch.path.unlink()
    with pytest.raises(Changed):
        latch.exchange(shown, Latch(Trading.ACTIVE, NOW, "anna", ""))
    assert latch.read().state is Trading.HALTED


@pytest.mark.parametrize("action", ["take away", "link"])
def test_a_halt_in_the_middle_of_a_resume_stands(tmp_path: Path, action: str) -> None:
    def halted_meanwhile(said: str) -> None:
        if said == action:
            LatchFile(tmp_path).halt("ben", "no!", LATER)

    shown = LatchFile(tmp_path).halt("anna", "", NOW)
    with pytest.raises(Changed, match="ben"):
        LatchFile(tmp_path, halted_meanwhile).exchange(shown, Latch(Trading.ACTIVE, NOW, "anna", ""))
    assert LatchFile(tmp_path).read().by == "ben"


def test_of_three_at_once_the_newest_halt_stands(tmp_path: Path) -> None:
    """What was taken away was not what was shown, and is not put back over a halt that is newer still."""
    shown = LatchFile(tmp_path).halt("anna", "", NOW)
    LatchFile(tmp_path).halt("ben", "", NOW)

    class Third(LatchFile):
        def read(self) -> Latch:
            return super().read()

        def _take_away(self, shown: Latch, aside: Path) -> None:
            link = os.link

            def after(source: object, target: object) -> None:
                LatchFile(tmp_path).halt("carl", "", LATER)
                link(source, target)  # type: ignore[arg-type]

            os.link = after  # type: ignore[assignment]
            try:
                super()._take_away(shown, aside)
            finally:
                os.link = link

    with pytest.raises(Changed, match="carl"):
        Third(tmp_path).exchange(shown, Latch(Trading.ACTIVE, NOW, "anna", ""))
    assert LatchFile(tmp_path).read().by == "carl"


@pytest.mark.parametrize("action", ["write", "sync", "take away", "link", "sync folder"])
def test_a_resume_that_dies_midway_never_leaves_less_than_a_halt_unless_it_was_done(
    tmp_path: Path, action: str
) -> None:
    shown = LatchFile(tmp_path).halt("anna", "", NOW)
    with pytest.raises(Killed):
        LatchFile(tmp_path, failing(action, Killed())).exchange(shown, Latch(Trading.ACTIVE, NOW, "x", ""))
    assert LatchFile(tmp_path).read().opens == (action == "sync folder")


@pytest.mark.parametrize("action", ["write", "sync", "replace", "sync folder"])
def test_a_halt_that_dies_midway_leaves_the_old_latch_or_the_new_one(tmp_path: Path, action: str) -> None:
    armed(tmp_path)
    with pytest.raises(Killed):
        LatchFile(tmp_path, failing(action, Killed())).halt("ben", "", LATER)
    assert LatchFile(tmp_path).read().opens == (action != "sync folder")


@pytest.mark.parametrize("action", ["write", "sync", "replace"])
def test_a_full_disk_is_halted_by_removing_the_latch(tmp_path: Path, action: str) -> None:
    armed(tmp_path)
    found = LatchFile(tmp_path, full_disk(action)).halt("ben", "", LATER)
    assert found.state is Trading.HALTED
    assert found.why == "No space left on device: the latch was removed instead, which halts as well"
    assert LatchFile(tmp_path).read().state is Trading.HALTED
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_refuses_everything_is_said_plainly(tmp_path: Path) -> None:
    armed(tmp_path)
    with pytest.raises(BadData, match="TRADING IS NOT HALTED; end the program"):
        LatchFile(tmp_path, full_disk("write", "remove")).halt("ben", "", LATER)
    assert LatchFile(tmp_path).read().opens


def test_a_disk_that_refuses_everything_but_was_halted_is_halted(tmp_path: Path) -> None:
    before = LatchFile(tmp_path).halt("anna", "", NOW)
    assert LatchFile(tmp_path, full_disk("write", "remove")).halt("ben", "", LATER) == before


@pytest.mark.parametrize("action", ["write", "sync", "take away", "link"])
def test_a_resume_on_a_full_disk_loosens_nothing(tmp_path: Path, action: str) -> None:
    shown = LatchFile(tmp_path).halt("anna", "", NOW)
    with pytest.raises(BadData, match=r"No space left on device; nothing was loosened"):
        LatchFile(tmp_path, full_disk(action)).exchange(shown, Latch(Trading.ACTIVE, NOW, "x", ""))
    assert not LatchFile(tmp_path).read().opens


def test_an_error_without_words_is_still_said(tmp_path: Path) -> None:
    armed(tmp_path)
    found = LatchFile(tmp_path, failing("write", OSError("odd"))).halt("ben", "", LATER)
    assert found.why.startswith("odd: ")


# ------------------------------------------------------------------------------ before the first byte


class Recorded:
    """The ``Wire`` port: remembers what passed, says what it is told to."""

    def __init__(self) -> None:
        self.sent: list[Request] = []
        self.told: list[Told] = []

    def send(self, request: Request, now: datetime) -> None:
        self.sent.append(request)

    def take(self, now: datetime) -> list[Told]:
        told, self.told = self.told, []
        return told


def place(key: str, *, opens: bool, tag: str = "") -> Place:
    return Place(key, tag or f"aaaaaaaa-1-{key}-1", LEGS, 1, Decimal("3.00"), opens)


def shown(id_: str, tag: str, replaces: str | None = None) -> BrokerOrder:
    return BrokerOrder(id_, tag, Status.LIVE, LEGS, 1, Decimal("3.00"), replaces=replaces)


@pytest.mark.parametrize("state", [Trading.REDUCING, Trading.HALTED])
def test_opening_orders_never_leave_while_the_latch_forbids_them(state: Trading) -> None:
    wire = Recorded()
    latched = Latched(wire, lambda: Latch(state, NOW, "anna", "enough"))
    close, cancel, look = place("2", opens=False), Cancel("3", "B1"), FindOrders("4")
    for request in (place("1", opens=True), close, cancel, look):
        latched.send(request, LATER)
    assert wire.sent == [close, cancel, look]
    (told,) = latched.take(LATER)
    words = f"{state} since 2031-03-07 15:20:00 New York by anna (enough)"
    assert told == Reply("1", LATER, Outcome.REJECTED, code="latched", text=words)
    assert latched.take(LATER) == []


def test_while_another_process_flattens_only_cancels_and_looks_pass_and_that_ends_by_itself(
    tmp_path: Path,
) -> None:
    latch = LatchFile(tmp_path)
    set_ = latch.halt("anna: tomking flatten", "", NOW, alone_until=LATER)
    assert latch.read() == set_
    wire = Recorded()
    latched = Latched(wire, latch.read)
    requests: list[Request] = [
        place("1", opens=False),
        Replace("2", "t", "B1", Decimal(3)),
        Cancel("3", "B1"),
    ]
    for request in (*requests, FindOrders("4")):
        latched.send(request, LATER - timedelta(seconds=1))
    assert [r.key for r in wire.sent] == ["3", "4"]
    for request in requests:
        latched.send(request, LATER)
    assert [r.key for r in wire.sent] == ["3", "4", "1", "2", "3"]


def test_everything_passes_while_it_is_active() -> None:
    wire = Recorded()
    latched = Latched(wire, lambda: Latch(Trading.ACTIVE, NOW, "anna", ""))
    requests: list[Request] = [place("1", opens=True), Replace("2", "t", "B1", Decimal(3)), Cancel("3", "B1")]
    for request in requests:
        latched.send(request, NOW)
    assert wire.sent == requests
    wire.told = [Line(NOW, up=False)]
    assert latched.take(NOW) == [Line(NOW, up=False)]


def test_the_latch_is_asked_before_every_order() -> None:
    states = [Trading.ACTIVE, Trading.HALTED]
    wire = Recorded()
    latched = Latched(wire, lambda: Latch(states.pop(0), NOW, "anna", ""))
    latched.send(place("1", opens=True), NOW)
    latched.send(place("2", opens=True), NOW)
    assert [r.key for r in wire.sent] == ["1"]
    assert states == []


def test_the_replacement_of_an_opening_order_does_not_pass_that_of_a_close_does() -> None:
    wire = Recorded()
    state = [Trading.ACTIVE]
    latched = Latched(wire, lambda: Latch(state[0], NOW, "anna", ""))
    latched.send(place("1", opens=True, tag="open"), NOW)
    latched.send(place("2", opens=False, tag="close"), NOW)
    answer = Reply("1", NOW, Outcome.ACCEPTED, orders=(shown("B1", "open"), shown("B2", "close")))
    # B3 is what an earlier replacement of B1 became; a stream shows it.
    wire.told = [answer, Report(NOW, shown("B3", "open-2", replaces="B1"))]
    latched.take(NOW)
    state[0] = Trading.HALTED
    wire.sent.clear()
    for n, order in enumerate(("B1", "B3", "B2", "unseen")):
        latched.send(Replace(str(n), "t", order, Decimal(3)), LATER)
    # Of one that was sent before a restart only the sender knows what it is.
    latched.send(Replace("4", "t", "older", Decimal(3), opens=True), LATER)
    assert [r.order for r in wire.sent if isinstance(r, Replace)] == ["B2", "unseen"]
    assert [t.key for t in latched.take(LATER) if isinstance(t, Reply)] == ["0", "1", "4"]


# ------------------------------------------------------------------------------ the book's levels


def heeded(book: Book, latch: Latch) -> Book:
    for event in heed(book, latch, LATER):
        book = apply(book, event)
    assert heed(book, latch, LATER) == ()
    return book


def test_a_halt_becomes_the_level_halt_with_who_did_it() -> None:
    book = heeded(Book(), Latch(Trading.HALTED, NOW, "anna", "enough"))
    assert book.levels["halt"] == "anna"
    (level, note) = heed(Book(), Latch(Trading.HALTED, NOW, "anna", "enough"), LATER)
    assert isinstance(level, LevelChanged)
    assert (level.before, level.after) == ("", "anna")
    assert level.detail == "HALTED since 2031-03-07 15:20:00 New York by anna (enough)"
    assert note is not level


def test_an_unreadable_latch_halts_and_is_not_taken_for_a_persons_act() -> None:
    book = heeded(Book(), NOBODY)
    assert book.levels["halt"] == "latch"
    assert SEEN not in book.notes


def test_active_releases_what_the_latch_had_set() -> None:
    book = heeded(Book(), Latch(Trading.HALTED, NOW, "anna", ""))
    book = heeded(book, Latch(Trading.ACTIVE, LATER, "anna", ""))
    assert not book.levels.get("halt")
    assert not book.levels.get("manual")


def test_reducing_is_closing_only_until_somebody_resumes() -> None:
    book = heeded(Book(), Latch(Trading.HALTED, NOW, "anna", ""))
    reducing = Latch(Trading.REDUCING, LATER, "ben", "")
    book = heeded(book, reducing)
    assert (book.levels.get("halt"), book.levels["manual"]) == ("", "ben")
    assert not heeded(book, Latch(Trading.ACTIVE, LATER + timedelta(1), "ben", "")).levels.get("manual")


def test_reducing_is_set_again_when_the_level_was_lost() -> None:
    reducing = Latch(Trading.REDUCING, LATER, "ben", "")
    book = heeded(Book(), reducing)
    book = apply(book, LevelChanged(LATER, "manual", "ben", "", "somehow"))
    assert heeded(book, reducing).levels["manual"] == "ben"


def test_the_closing_only_of_a_vix_of_80_ends_with_a_persons_act_and_not_before() -> None:
    active = Latch(Trading.ACTIVE, NOW, "anna", "")
    book = heeded(Book(), active)
    book = apply(book, LevelChanged(LATER, "manual", "", "VIX", "VIX 82.00"))
    # The latch has been ACTIVE all the while: nobody has said anything since.
    assert heed(book, active, LATER) == ()
    assert not heeded(book, Latch(Trading.ACTIVE, LATER, "anna", "")).levels.get("manual")


def test_a_persons_resume_ends_what_the_order_desk_has_stopped_and_nothing_else_does() -> None:
    active = Latch(Trading.ACTIVE, NOW, "anna", "")
    book = heeded(Book(), active)
    book = apply(book, LevelChanged(LATER, "trading", "", "HALTED", "uneven legs"))
    book = apply(book, LevelChanged(LATER, "stale", "", "the broker has 0badcafe-4-7-1", "x"))
    assert heed(book, active, LATER) == ()
    book = heeded(book, Latch(Trading.ACTIVE, LATER, "anna", "looked"))
    assert (book.levels["trading"], book.levels["stale"]) == ("ACTIVE", "")


def test_reducing_that_was_heeded_does_not_rename_the_vixs_closing_only() -> None:
    reducing = Latch(Trading.REDUCING, NOW, "ben", "")
    book = heeded(Book(), reducing)
    book = apply(book, LevelChanged(LATER, "manual", "ben", "VIX", "VIX 82.00"))
    assert heed(book, reducing, LATER) == ()


# ------------------------------------------------------------------------------ really on the disk


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bool]]:
    """What was synced, by name, and whether it held anything at that moment."""
    done: list[tuple[str, bool]] = []
    real = os.fsync

    def fsync(handle: int) -> None:
        path = Path(f"/proc/self/fd/{handle}").readlink()
        done.append((path.name, path.is_dir() or path.stat().st_size > 0))
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    return done


needs_proc = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="names of handles need /proc")


@needs_proc
def test_a_halt_is_flushed_and_synced_and_so_is_its_folder(
    tmp_path: Path, synced: list[tuple[str, bool]]
) -> None:
    folder = tmp_path / "one" / "two"
    LatchFile(folder).halt("anna", "", NOW)
    (file, held), last = synced
    assert file.endswith(".halt")
    assert (held, last) == (True, ("two", True))


@needs_proc
def test_a_resume_and_what_is_put_back_are_synced_too(tmp_path: Path, synced: list[tuple[str, bool]]) -> None:
    latch = LatchFile(tmp_path)
    shown = latch.halt("anna", "", NOW)
    synced.clear()
    latch.exchange(shown, Latch(Trading.ACTIVE, NOW, "anna", ""))
    assert [name == tmp_path.name for name, _ in synced] == [False, True]
    synced.clear()
    with pytest.raises(Changed):
        latch.exchange(shown, Latch(Trading.ACTIVE, LATER, "ben", ""))
    assert [name == tmp_path.name for name, _ in synced] == [False, True]


@needs_proc
def test_a_latch_that_is_removed_on_a_full_disk_is_gone_for_good(
    tmp_path: Path, synced: list[tuple[str, bool]]
) -> None:
    armed(tmp_path)
    synced.clear()
    assert LatchFile(tmp_path, full_disk("write")).halt("anna", "", NOW).state is Trading.HALTED
    assert [name for name, _ in synced] == [tmp_path.name]


def test_a_full_disk_without_a_latch_leaves_nothing_behind(tmp_path: Path) -> None:
    assert LatchFile(tmp_path, full_disk("sync")).halt("anna", "", NOW).state is Trading.HALTED
    assert list(tmp_path.iterdir()) == []
