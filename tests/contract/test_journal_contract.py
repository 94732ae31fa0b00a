"""What every journal promises (ports.Journal), asked of each: numbered, so that a failure says which."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tomking.adapters.journal import GENESIS, MemoryJournal, SqliteJournal
from tomking.domain.events import CashMoved, Event, Noted, SessionBegan
from tomking.ports import Journal

AT = datetime(2031, 3, 7, 15, tzinfo=UTC)
EVENTS: list[Event] = [
    CashMoved(AT, Decimal("200000.00"), "start"),
    SessionBegan(AT, date(2031, 3, 7)),
    Noted(AT, "open", "5712.25"),
]

Make = Callable[[Path], Journal]
MAKERS: dict[str, Make] = {
    "memory": lambda _: MemoryJournal(),
    "file": lambda folder: SqliteJournal(folder / "journal.sqlite"),
    "file, not power safe": lambda folder: SqliteJournal(folder / "journal.sqlite", power_safe=False),
}


@pytest.fixture(params=MAKERS)
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Journal:
    return MAKERS[request.param](tmp_path)


def fill(journal: Journal, events: list[Event]) -> Journal:
    for event in events:
        journal.append(event)
    return journal


def test_1_an_empty_journal_reads_nothing_and_has_the_first_digest(journal: Journal) -> None:
    assert list(journal.read()) == []
    assert journal.head() == GENESIS


def test_2_events_are_read_in_the_order_they_were_appended(journal: Journal) -> None:
    assert list(fill(journal, EVENTS).read()) == EVENTS


def test_3_what_is_appended_can_be_read_before_it_is_committed(journal: Journal) -> None:
    fill(journal, EVENTS)
    assert len(list(journal.read())) == 3
    journal.commit()
    assert len(list(journal.read())) == 3


def test_4_each_event_moves_the_head(journal: Journal) -> None:
    heads = [journal.head()]
    for event in [*EVENTS, EVENTS[-1]]:
        journal.append(event)
        heads.append(journal.head())
    assert len(set(heads)) == 5


def test_5_commits_leave_no_trace_in_the_head(journal: Journal, tmp_path: Path) -> None:
    once = fill(MemoryJournal(), EVENTS)
    for event in EVENTS:
        journal.commit()
        journal.append(event)
        journal.commit()
        journal.commit()
    assert journal.head() == once.head()


def test_6_the_digest_of_these_three_events_never_changes(journal: Journal) -> None:
    # sha256 three times over; computed once by hand with sha256sum.  A change here breaks old journals.
    fill(journal, EVENTS)
    assert journal.head() == "ec5d4fb865c6e4f5e5b6ddca694de0d2df60b7b5886cfabfafc44b4d92226840"


def test_7_a_journal_may_be_read_twice_at_once_and_while_it_grows(journal: Journal) -> None:
    fill(journal, EVENTS)
    first, second = journal.read(), journal.read()
    assert next(first) == next(second) == EVENTS[0]
    journal.append(EVENTS[0])
    assert list(second) == [*EVENTS[1:], EVENTS[0]]
    assert list(first) == [*EVENTS[1:], EVENTS[0]]


def test_8_an_event_that_cannot_be_written_changes_nothing(journal: Journal) -> None:
    fill(journal, EVENTS)
    before = journal.head()
    with pytest.raises(AssertionError):
        journal.append(CashMoved(AT, Decimal("NaN"), "impossible"))
    assert journal.head() == before
    assert list(journal.read()) == EVENTS


@given(st.lists(st.tuples(st.text(), st.text()), max_size=30))
def test_9_memory_and_file_agree_on_the_digest(
    tmp_path_factory: pytest.TempPathFactory, notes: list[tuple[str, str]]
) -> None:
    events: list[Event] = [Noted(AT, key, value) for key, value in notes]
    with SqliteJournal(tmp_path_factory.mktemp("j") / "journal.sqlite", power_safe=False) as file:
        assert fill(file, events).head() == fill(MemoryJournal(), events).head()
        assert list(file.read()) == events
