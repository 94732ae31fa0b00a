"""What the store promises for quotes and for levels alike: numbered, so that a failure says which."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.storeworlds import OPEN, RawFiles, contents, levels, put, quotes, raw_file

from tomking.adapters.store import Store
from tomking.adapters.store.questions import scan, scan_levels
from tomking.domain.errors import BadData


@dataclass(frozen=True, slots=True)
class Case:
    """Rows of a kind from (minute, value), and the store's answer as the same pairs."""

    kind: str
    name: str
    make: Callable[[list[tuple[int, float]]], pl.DataFrame]
    stored: Callable[[Store], list[tuple[int, float]]]


def _pairs(frame: pl.LazyFrame, column: str) -> list[tuple[int, float]]:
    rows = frame.select("at", column).collect().iter_rows()
    return [(round((at - OPEN).total_seconds()) // 60, value) for at, value in rows]


CASES = [
    Case(
        "quotes",
        "SPXW",
        lambda rows: quotes(*((OPEN + timedelta(minutes=m), 5700, v, v + 1) for m, v in rows)),
        lambda store: _pairs(scan(store, "SPXW"), "bid"),
    ),
    Case(
        "levels",
        "SPX",
        lambda rows: levels(*((OPEN + timedelta(minutes=m), v) for m, v in rows)),
        lambda store: _pairs(scan_levels(store, "SPX"), "last"),
    ),
]

MINUTES = st.integers(0, 60 * 24 * 40).map(lambda m: m - m % 240)
ROWS = st.lists(st.tuples(MINUTES, st.integers(0, 9).map(float)), min_size=1, max_size=12)


@pytest.fixture(params=CASES, ids=lambda c: c.kind)
def case(request: pytest.FixtureRequest) -> Case:
    found: Case = request.param
    return found


def test_1_what_was_imported_is_read_back_in_order(case: Case, tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    put(store, raw_file(tmp_path, "a", case.make([(60, 2.0), (30, 1.5), (90, 2.5)])))
    assert case.stored(store) == [(30, 1.5), (60, 2.0), (90, 2.5)]


def test_2_the_same_file_again_changes_no_byte_and_says_so(case: Case, tmp_path: Path) -> None:
    store, file = Store(tmp_path / "store"), raw_file(tmp_path, "a", case.make([(30, 1.5), (60, 2.0)]))
    first = put(store, file)
    before = contents(store.folder)
    second = put(store, file)
    assert first.changed
    assert not second.changed
    assert second.sources[0].known
    assert contents(store.folder) == before


def test_3_equal_rows_of_another_file_are_already_there(case: Case, tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    put(store, raw_file(tmp_path, "a", case.make([(30, 1.5), (60, 2.0)])))
    report = put(store, raw_file(tmp_path, "b", case.make([(60, 2.0), (90, 2.5)])))
    assert (report.totals.read, report.totals.kept, report.totals.already) == (2, 1, 1)
    assert case.stored(store) == [(30, 1.5), (60, 2.0), (90, 2.5)]


def test_4_a_contradicting_row_is_quarantined_and_the_stored_one_stays(case: Case, tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    put(store, raw_file(tmp_path, "a", case.make([(30, 1.5)])))
    report = put(store, raw_file(tmp_path, "b", case.make([(30, 1.75), (60, 2.0)])))
    assert (report.totals.kept, report.totals.quarantined) == (1, 1)
    assert case.stored(store) == [(30, 1.5), (60, 2.0)]
    refused = pl.read_parquet(report.sources[0].quarantine[0])
    assert refused["line"].to_list() == [2]
    assert refused["file"].to_list() == [str(tmp_path / "b.raw")]
    assert "contradicts the stored row" in refused["reason"][0]
    assert "1.5 is stored" in refused["reason"][0]


def test_5_one_file_that_cannot_be_used_leaves_the_store_untouched(case: Case, tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    put(store, raw_file(tmp_path, "a", case.make([(30, 1.5)])))
    before = contents(store.folder)
    good, bad = raw_file(tmp_path, "b", case.make([(60, 2.0)])), raw_file(tmp_path, "c", None)
    with pytest.raises(BadData, match=r"c\.raw: row 3, column bid") as refused:
        put(store, good, bad, raw_file(tmp_path, "d", None))
    assert len(refused.value.problems) == 1 + 1
    assert contents(store.folder) == before


def test_6_a_strict_import_refuses_naming_the_rows(case: Case, tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    put(store, raw_file(tmp_path, "a", case.make([(30, 1.5)])))
    before = contents(store.folder)
    with pytest.raises(BadData, match=r"b\.raw: line 2: contradicts the stored row"):
        put(store, raw_file(tmp_path, "b", case.make([(30, 1.75), (60, 2.0)])), strict=True)
    assert contents(store.folder) == before


def test_7_two_files_at_once_or_one_after_the_other_give_the_same_months(case: Case, tmp_path: Path) -> None:
    a = raw_file(tmp_path, "a", case.make([(30, 1.5), (90, 2.5)]))
    b = raw_file(tmp_path, "b", case.make([(60, 2.0), (90, 9.0)]))
    together, apart = Store(tmp_path / "together"), Store(tmp_path / "apart")
    put(together, a, b)
    put(apart, a)
    put(apart, b)
    assert contents(together.folder) == contents(apart.folder)


@settings(max_examples=6)
@given(first=ROWS, second=ROWS, batch=st.integers(1, 20))
def test_8_every_row_is_kept_there_already_or_quarantined(
    first: list[tuple[int, float]], second: list[tuple[int, float]], batch: int
) -> None:
    for case in CASES:
        with TemporaryDirectory() as folder:
            store = Store(Path(folder, "store"))
            said: dict[int, float] = {}
            quarantined = 0
            for name, rows in (("a", first), ("b", second)):
                report = put(store, raw_file(Path(folder), name, case.make(rows)), importer=RawFiles(batch))
                counts = report.sources[0].quotes + report.sources[0].levels
                for minute, value in rows:
                    said.setdefault(minute, value)
                assert counts.read == len(rows) == counts.kept + counts.already + counts.quarantined
                assert counts.quarantined == sum(said[m] != v for m, v in rows)
                quarantined += 0 if report.sources[0].known else counts.quarantined
            assert case.stored(store) == sorted(said.items())
            kept_aside = [pl.read_parquet(p).height for p in Path(folder).glob("store/quarantine/*.parquet")]
            assert sum(kept_aside) == quarantined
            assert store.verify() == ()


def test_9_a_store_that_was_never_written_to_is_empty(case: Case, tmp_path: Path) -> None:
    store = Store(tmp_path / "nowhere")
    assert store.overview() == ()
    assert store.verify() == ()
    with pytest.raises(BadData, match="there is nothing"):
        store.months(case.name, case.kind)
    with pytest.raises(BadData, match="cannot be read"):
        put(store, tmp_path / "absent.raw")
    assert not store.folder.exists()
    assert date(2031, 3, 3) == OPEN.date()
