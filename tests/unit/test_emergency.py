"""When the disk fails: nothing opens, a person is told, exits go on, and no event is lost."""

import os
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from rel.recover import closing, condor, fill
from rel.storage import Disk
from tests.worlds import at

from tomking.adapters.emergency import LOG_BYTES, MEGABYTE, RESERVE_BYTES, EmergencyLog, Reserve
from tomking.adapters.journal import GENESIS, Origin
from tomking.adapters.livejournal import UNSENT, LiveJournal
from tomking.adapters.witness import Head
from tomking.domain import events as ev
from tomking.domain.book import fold
from tomking.domain.errors import OperatingError
from tomking.domain.intent import Urgency
from tomking.domain.lifecycle import State
from tomking.domain.order import Order

NOW = at("15:20")
PAPER = Origin("paper", "ab12cd34")
HELD = condor("p1", 1)
EXIT: Order = closing(HELD, HELD.roles, "x1", Urgency.STOP)
OPENING = ev.OrderSubmitted(NOW, condor("o9", 2))
BEFORE: list[ev.Event] = [
    ev.CashMoved(NOW, Decimal(200_000), "start"),
    ev.SessionBegan(NOW, NOW.date()),
    ev.OrderSubmitted(NOW, HELD),
    ev.OrderAccepted(NOW, "p1"),
    ev.OrderFilled(NOW, fill(HELD, NOW)),
    ev.Transitioned(NOW, "p1", State.BUILDING, State.ACTIVE, "filled"),
]
LEAVING: list[ev.Event] = [
    ev.OrderSubmitted(NOW, EXIT),
    ev.OrderAccepted(NOW, "x1"),
    ev.OrderFilled(NOW, fill(EXIT, NOW)),
    ev.Transitioned(NOW, "p1", State.ACTIVE, State.CLOSED, "stop"),
]
SMALL = 16_384
"""Bytes of reserve and log in most tests here."""
FAULTY = Disk("faulty-emergency")


@pytest.fixture(autouse=True)
def sound() -> None:
    FAULTY.begin(None, "none", np.random.default_rng(0))


class Desk:
    """What the engine has of it: a journal, a reserve, a log, and what a person was told."""

    def __init__(self, folder: Path) -> None:
        self.told: list[str] = []
        self.reserve = Reserve(folder / "reserve", SMALL)
        self.reserve.hold()
        self.log = EmergencyLog(folder / "emergency.log", SMALL)
        self.journal = LiveJournal(
            folder / "journal.sqlite",
            PAPER,
            reserve=self.reserve,
            log=self.log,
            on_failure=self.told.append,
            vfs=FAULTY.name,
        )

    def close(self) -> None:
        self.journal.close()
        self.log.close()


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path)
    for event in BEFORE:
        desk.journal.append(event)
    return desk


def break_now(kind: str = "full", *, for_good: bool = True, after: int = 0) -> None:
    # Of the first ten seeds some draw "for good" and some "once"; the first that fits is taken.
    for seed in range(10):
        FAULTY.begin(after, kind, np.random.default_rng(seed))
        if FAULTY.is_lasting is for_good:
            return


def restarted(folder: Path) -> list[ev.Event]:
    FAULTY.begin(None, "none", np.random.default_rng(0))
    desk = Desk(folder)
    events = list(desk.journal.read())
    fold(iter(events))
    assert desk.log.read() is None
    desk.close()
    return events


def test_an_opening_that_cannot_be_written_is_refused_and_a_person_is_told(desk: Desk) -> None:
    break_now()
    with pytest.raises(OperatingError, match="database or disk is full"):
        desk.journal.append(OPENING)
    assert len(desk.told) == 1
    assert "cannot be written" in desk.told[0]
    assert desk.journal.failed == desk.told[0]
    # The disk may be well again: it stays halted until a person starts it anew.
    FAULTY.begin(None, "none", np.random.default_rng(0))
    with pytest.raises(OperatingError, match="halted since a write failed"):
        desk.journal.append(OPENING)
    assert len(desk.told) == 1


def test_a_full_disk_gives_the_reserve_back(desk: Desk, tmp_path: Path) -> None:
    break_now()
    assert (tmp_path / "reserve").stat().st_blocks * 512 >= SMALL
    with pytest.raises(OperatingError):
        desk.journal.append(OPENING)
    assert not (tmp_path / "reserve").exists()


def test_an_exit_goes_on_in_the_journal_when_the_fault_has_passed(desk: Desk, tmp_path: Path) -> None:
    break_now(for_good=False)
    for event in LEAVING:
        desk.journal.append(event)
    assert len(desk.told) == 1
    assert desk.log.read() is None
    desk.close()
    assert restarted(tmp_path) == BEFORE + LEAVING


def test_an_exit_goes_on_in_the_log_while_the_disk_is_full(desk: Desk, tmp_path: Path) -> None:
    break_now()
    for event in LEAVING:
        desk.journal.append(event)
    left = desk.log.read()
    assert left is not None
    assert len(left.texts) == 4
    assert len(desk.journal) == 10
    desk.close()
    assert restarted(tmp_path) == BEFORE + LEAVING
    assert restarted(tmp_path) == BEFORE + LEAVING


def test_what_is_read_and_the_head_go_on_through_the_emergency(desk: Desk) -> None:
    break_now()
    desk.journal.append(LEAVING[0])
    FAULTY.begin(None, "none", np.random.default_rng(0))
    assert list(desk.journal.read()) == [*BEFORE, LEAVING[0]]
    assert desk.journal.head() != GENESIS


@pytest.mark.parametrize("kind", ["full", "ioerr"])
@pytest.mark.parametrize("for_good", [False, True], ids=["once", "for good"])
def test_whatever_write_fails_no_acknowledged_event_is_lost(
    tmp_path: Path, kind: str, for_good: bool
) -> None:
    # An opening, then a whole exit; each operation on the disk fails in its turn.
    for number in range(60):
        folder = tmp_path / str(number)
        folder.mkdir()
        desk = Desk(folder)
        for event in BEFORE:
            desk.journal.append(event)
        break_now(kind, for_good=for_good, after=number)
        acknowledged = []
        for event in [OPENING, *LEAVING]:
            try:
                desk.journal.append(event)
                acknowledged.append(event)
            except OperatingError:
                assert event is OPENING
        fired = bool(FAULTY.fired)
        desk.close()
        found = restarted(folder)[len(BEFORE) :]
        unsent = [OPENING, ev.OrderRejected(NOW, "o9", UNSENT)]
        assert found in (acknowledged, [*unsent, *acknowledged], [OPENING, *acknowledged])
        assert bool(desk.told) or not fired or OPENING in acknowledged
        if not fired:
            return
    raise AssertionError("it never came to an end")


def test_an_intent_that_was_written_after_all_is_rejected_before_what_followed(tmp_path: Path) -> None:
    # The journal has the opening although its write was reported as failed; the log follows without it.
    desk = Desk(tmp_path)
    for event in BEFORE:
        desk.journal.append(event)
    before = Head(len(desk.journal), desk.journal.head())
    desk.journal.append(OPENING)
    desk.log.begin(before)
    for text in map(_text, LEAVING):
        desk.log.append(text)
    desk.close()
    wanted = [*BEFORE, OPENING, ev.OrderRejected(NOW, "o9", UNSENT), *LEAVING]
    assert restarted(tmp_path) == wanted


def _text(event: ev.Event) -> str:
    from tomking.adapters.codec import encode

    return encode(event)


def test_taking_over_may_be_interrupted_anywhere(tmp_path: Path) -> None:
    for number in range(80):
        folder = tmp_path / str(number)
        folder.mkdir()
        desk = Desk(folder)
        for event in BEFORE:
            desk.journal.append(event)
        desk.log.begin(Head(len(desk.journal), desk.journal.head()))
        for event in LEAVING:
            desk.log.append(_text(event))
        desk.close()
        FAULTY.begin(number, "kill", np.random.default_rng(0))
        with FAULTY.unheard():
            try:
                Desk(folder).close()
            except OperatingError:
                assert FAULTY.fired
        fired = bool(FAULTY.fired)
        assert restarted(folder) == BEFORE + LEAVING
        if not fired:
            return
    raise AssertionError("it never came to an end")


def test_the_log_of_another_journal_is_refused(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.log.begin(Head(3, "ab" * 32))
    desk.log.append(_text(OPENING))
    desk.close()
    with pytest.raises(OperatingError, match="is not the journal that the emergency log follows"):
        Desk(tmp_path)


# ---------------------------------------------------------------------------------- reserve and log


def test_the_reserve_is_really_on_the_disk_and_kept_once(tmp_path: Path) -> None:
    reserve = Reserve(tmp_path / "state" / "reserve", MEGABYTE)
    assert reserve.hold()
    first = (tmp_path / "state" / "reserve").stat()
    assert first.st_blocks * 512 >= MEGABYTE
    assert reserve.hold()
    assert (tmp_path / "state" / "reserve").stat().st_ino == first.st_ino
    assert reserve.free()
    assert not reserve.free()


def test_a_reserve_that_cannot_be_kept_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    assert not Reserve(tmp_path / "file" / "reserve", MEGABYTE).hold()


def test_the_log_overwrites_blocks_that_are_there(tmp_path: Path) -> None:
    log = EmergencyLog(tmp_path / "log", MEGABYTE)
    before = (tmp_path / "log").stat()
    log.begin(Head(7, "ab" * 32))
    log.append("one")
    after = (tmp_path / "log").stat()
    assert (before.st_size, before.st_blocks, before.st_ino) == (after.st_size, after.st_blocks, after.st_ino)
    log.close()


def test_an_older_use_of_the_log_is_not_mistaken_for_the_present_one(tmp_path: Path) -> None:
    log = EmergencyLog(tmp_path / "log", MEGABYTE)
    log.begin(Head(7, "ab" * 32))
    for number in range(20):
        log.append(f"old {number:03d}")
    log.clear()
    assert log.read() is None
    log.begin(Head(9, "cd" * 32))
    log.append("new 000")
    log.close()
    left = EmergencyLog(tmp_path / "log", MEGABYTE).read()
    assert left is not None
    assert (left.after, left.texts) == (Head(9, "cd" * 32), ("new 000",))


@pytest.mark.parametrize(
    "spoil",
    [lambda data: data[:150] + b"?" + data[151:], lambda data: data[:160] + bytes(len(data) - 160)],
    ids=["a byte", "the end"],
)
def test_what_is_torn_ends_the_log(tmp_path: Path, spoil: Callable[[bytes], bytes]) -> None:
    # "after 7 <64>" takes 73 bytes, the first line 69: the second one begins at 142.
    log = EmergencyLog(tmp_path / "log", MEGABYTE)
    log.begin(Head(7, "ab" * 32))
    for text in ("one!", "two!", "six!"):
        log.append(text)
    log.close()
    (tmp_path / "log").write_bytes(spoil((tmp_path / "log").read_bytes()))
    left = EmergencyLog(tmp_path / "log", MEGABYTE).read()
    assert left is not None
    assert left.texts == ("one!",)


def test_a_full_log_says_so(tmp_path: Path) -> None:
    log = EmergencyLog(tmp_path / "log", 512)
    log.begin(Head(7, "ab" * 32))
    for _ in range(3):
        log.append("x" * 50)
    with pytest.raises(OperatingError, match="the emergency log is full; nothing more is sent"):
        log.append("x" * 50)
    left = log.read()
    assert left is not None
    assert len(left.texts) == 3


def test_a_log_that_cannot_be_prepared_or_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(OperatingError, match="cannot be prepared"):
        EmergencyLog(tmp_path / "file" / "log", 512)
    log = EmergencyLog(tmp_path / "log", 512)
    os.close(log._file)
    with pytest.raises(OperatingError, match="cannot be written"):
        log.begin(Head(0, GENESIS))
    with pytest.raises(OperatingError, match="cannot be read"):
        log.read()


# ------------------------------------------------------------------------------ really on the disk


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of what was synced."""
    done: list[str] = []
    real = os.fsync

    def fsync(handle: int) -> None:
        done.append(Path(f"/proc/self/fd/{handle}").readlink().name)
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    return done


AFTER = Head(7, "d" * 64)
needs_proc = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="names of handles need /proc")


@needs_proc
def test_the_log_is_synced_when_it_is_made_at_each_event_and_when_it_is_cleared(
    tmp_path: Path, synced: list[str]
) -> None:
    log = EmergencyLog(tmp_path / "state" / "emergency.log", SMALL)
    assert synced == ["emergency.log.part", "state"]
    acts: list[Callable[[], None]] = [lambda: log.begin(AFTER), lambda: log.append("one"), log.clear]
    for act in acts:
        synced.clear()
        act()
        assert synced == ["emergency.log"]
    log.close()


def test_a_log_that_was_cleared_begins_at_its_first_byte_again(tmp_path: Path) -> None:
    path = tmp_path / "emergency.log"
    log = EmergencyLog(path, SMALL)
    for text in ("one", "two"):
        log.begin(AFTER)
        log.append(text)
        found = log.read()
        assert found is not None
        assert (found.after, found.texts) == (AFTER, (text,))
        log.clear()
        assert path.read_bytes()[:512] == bytes(512)
        assert path.stat().st_size == SMALL
        assert log.read() is None
    log.close()


def test_the_last_event_counts_when_only_the_end_of_its_line_was_torn_off(tmp_path: Path) -> None:
    path = tmp_path / "emergency.log"
    log = EmergencyLog(path, SMALL)
    log.begin(AFTER)
    log.append("one")
    log.append("two")
    log.close()
    content = path.read_bytes()
    end = content.index(b"\n\0")
    path.write_bytes(content[:end] + b"\0" + content[end + 1 :])
    found = EmergencyLog(path, SMALL).read()
    assert found is not None
    assert found.texts == ("one", "two")


def test_the_log_takes_events_to_its_last_byte(tmp_path: Path) -> None:
    log = EmergencyLog(tmp_path / "emergency.log", SMALL)
    log.begin(AFTER)
    begun = len(f"after 7 {AFTER.digest}\n")
    # A digest of 64, a space, the text, the end of the line, and the mark of the end.
    fits = SMALL - begun - 64 - 1 - 2
    with pytest.raises(OperatingError, match="the emergency log is full"):
        log.append("x" * (fits + 1))
    log.begin(AFTER)
    log.append("x" * fits)
    found = log.read()
    assert found is not None
    assert found.texts == ("x" * fits,)
    log.close()


def test_log_and_reserve_are_the_owners_alone_of_the_size_asked_for_and_nothing_is_left_beside(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "a" / "state"
    size = MEGABYTE + 4096
    assert Reserve(folder / "reserve", size).hold()
    log = EmergencyLog(folder / "log", size)
    log.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(log._file)
    assert folder.stat().st_mode & 0o777 == 0o700
    for name in ("reserve", "log"):
        assert (folder / name).stat().st_size == size
        assert (folder / name).stat().st_mode & 0o777 == 0o600
    assert sorted(p.name for p in folder.iterdir()) == ["log", "reserve"]


def test_a_reserve_that_is_too_small_is_removed_when_there_is_no_room_for_a_whole_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "reserve"
    path.write_bytes(b"x" * 100)

    def full(handle: int, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    assert not Reserve(path, SMALL).hold()
    assert list(tmp_path.iterdir()) == []
    assert not Reserve(path, SMALL).hold()
    assert not Reserve(path, SMALL).free()


def test_the_reserve_has_64_megabytes_and_the_log_4() -> None:
    assert (RESERVE_BYTES, LOG_BYTES, MEGABYTE) == (67_108_864, 4_194_304, 1_048_576)
