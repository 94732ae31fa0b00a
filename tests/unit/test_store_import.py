"""Importing into the chain store: what stands on the disk afterwards, and what is said of it."""

import errno
import os
import zipfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from pyarrow import parquet
from tests.storeworlds import (
    OPEN,
    RawFiles,
    Split,
    accept,
    contents,
    put,
    quotes,
    raw_file,
    refuse_crossed,
    session,
)

from tomking.adapters.importers.lean import LEAN
from tomking.adapters.importers.raw import Source
from tomking.adapters.store import Store
from tomking.adapters.store.questions import scan
from tomking.adapters.store.reports import Progress
from tomking.domain.errors import BadData, OperatingError

FEB, MAR = "chains/SPXW/2031-02/quotes.parquet", "chains/SPXW/2031-03/quotes.parquet"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def test_a_month_is_one_file_with_a_row_group_a_session(store: Store, tmp_path: Path) -> None:
    rows = pl.concat([session(OPEN + timedelta(days=d)) for d in (2, 0, 1)])
    report = put(store, raw_file(tmp_path, "a", rows))
    file = parquet.ParquetFile(store.folder / MAR)
    assert file.num_row_groups == 3
    assert [(c.kind, c.name, c.month, c.added, c.rows) for c in report.months] == [
        ("quotes", "SPXW", "2031-03", 36, 36)
    ]
    column = file.metadata.row_group(0).column(file.schema.names.index("bid"))
    assert (column.compression, column.physical_type) == ("ZSTD", "INT32")
    assert "RLE_DICTIONARY" in column.encodings
    assert file.metadata.metadata[b"tomking.per_point"] == b"20"


def test_rows_are_sorted_whatever_the_order_of_the_file(store: Store, tmp_path: Path) -> None:
    rows = session()
    both = pl.concat([rows, rows.with_columns(pl.lit(1, pl.Int8).alias("right"))])
    put(store, raw_file(tmp_path, "a", both.sample(fraction=1, shuffle=True, seed=7)))
    stored = pl.read_parquet(store.folder / MAR)
    assert stored.equals(stored.sort("at", "expiry", "right", "strike"))
    assert stored["bid"].to_list()[:4] == [20, 21, 22, 23]  # 1.00, 1.05 ... in units of 0.05
    assert stored.columns[:6] == ["at", "expiry", "right", "strike", "bid", "ask"]


def test_months_are_those_of_the_new_york_session(store: Store, tmp_path: Path) -> None:
    # 22:59 UTC is 17:59 in New York, 23:00 is 18:00: the evening belongs to the next day.
    evening = datetime(2031, 2, 28, 22, 59, tzinfo=UTC)
    rows = quotes((evening, 5700, 1.0, 1.1), (evening + timedelta(minutes=1), 5700, 1.0, 1.1))
    put(store, raw_file(tmp_path, "a", rows))
    assert {m: r.rows for m, r in store.months("SPXW").items()} == {"2031-02": 1, "2031-03": 1}
    assert [s.day for s in store.months("SPXW")["2031-03"].sessions] == [date(2031, 3, 1)]


def test_a_month_takes_the_finer_unit_that_a_later_file_needs(store: Store, tmp_path: Path) -> None:
    put(store, raw_file(tmp_path, "a", quotes((OPEN, 5700, 1.05, 1.10))))
    assert store.months("SPXW")["2031-03"].per_point == 20
    put(store, raw_file(tmp_path, "b", quotes((OPEN + timedelta(minutes=1), 5700, 1.06, 1.125))))
    assert store.months("SPXW")["2031-03"].per_point == 1000
    assert scan(store, "SPXW").select("bid", "ask").collect().rows() == [(1.05, 1.10), (1.06, 1.125)]


def test_an_unknown_root_is_stored_in_cents_and_any_name_is_a_folder(store: Store, tmp_path: Path) -> None:
    put(store, raw_file(tmp_path, "a", quotes((OPEN, 34.5, 1.05, None), root="../BRK/B")))
    assert (store.folder / "chains/%2E.%2FBRK%2FB/2031-03/quotes.parquet").exists()
    assert store.months("../BRK/B")["2031-03"].per_point == 100
    assert scan(store, "../BRK/B").select("strike", "bid", "ask").collect().rows() == [(34.5, 1.05, None)]


def test_what_is_no_price_or_no_contract_is_quarantined_and_not_rounded(store: Store, tmp_path: Path) -> None:
    rows = quotes(
        (OPEN, 5700, 1 / 3, 1.0),
        (OPEN, 5705, float("nan"), 1.0),
        (OPEN, 5710, 1.0, float("inf")),
        (OPEN, 5715, 1.0, 1.1),
    )
    nameless = rows.tail(1).with_columns(
        pl.lit(None, pl.Date).alias("expiry"), pl.lit(9, pl.Int64).alias("line")
    )
    report = put(store, raw_file(tmp_path, "a", pl.concat([rows, nameless])))
    assert (report.totals.kept, report.totals.quarantined) == (1, 4)
    refused = pl.read_parquet(report.sources[0].quarantine[0]).sort("line")
    assert refused["line"].to_list() == [2, 3, 4, 9]
    assert refused["bid"][0] == 1 / 3
    assert refused["reason"][3] == "no expiry"
    assert dict(report.sources[0].reasons)["no expiry"] == 1


def test_what_the_check_refuses_is_kept_aside_with_file_line_and_reason(store: Store, tmp_path: Path) -> None:
    rows = quotes((OPEN, 5700, 1.0, 1.1), (OPEN, 5705, 2.0, 1.1))
    report = put(store, raw_file(tmp_path, "a", rows), check=refuse_crossed)
    (path,) = report.sources[0].quarantine
    assert path.parent == store.folder / "quarantine"
    refused = pl.read_parquet(path)
    assert refused.select("file", "line", "reason", "bid").rows() == [
        (str(tmp_path / "a.raw"), 3, "crossed", 2.0)
    ]
    assert report.sources[0].reasons == (("crossed", 1),)
    assert store.sources("SPXW")[0].quarantine == (f"quarantine/{path.name}",)


def test_a_file_of_refused_rows_only_is_known_the_next_time(store: Store, tmp_path: Path) -> None:
    file = raw_file(tmp_path, "a", quotes((OPEN, 5705, 2.0, 1.1)))
    assert put(store, file, check=refuse_crossed).changed
    again = put(store, file, check=refuse_crossed)
    assert (again.changed, again.sources[0].known, again.sources[0].quotes.quarantined) == (False, True, 1)


def test_a_strict_import_names_the_refused_rows_and_counts_the_rest(store: Store, tmp_path: Path) -> None:
    rows = quotes(*((OPEN, 5700 + 5 * k, 2.0, 1.1) for k in range(25)))
    with pytest.raises(BadData) as refused:
        put(store, raw_file(tmp_path, "a", rows), check=refuse_crossed, strict=True)
    named = refused.value.problems
    assert named[0] == f"{tmp_path / 'a.raw'}: line 2: crossed"
    assert named[20] == f"{tmp_path / 'a.raw'}: and 5 more rows (crossed: 25)"
    assert not store.folder.exists()


def test_a_check_that_loses_a_row_is_our_mistake(store: Store, tmp_path: Path) -> None:
    def losing(rows: pl.DataFrame, source: Source) -> Split:
        return accept(rows.head(1), source)

    with pytest.raises(AssertionError, match="was given 12 rows and returned 1 kept"):
        put(store, raw_file(tmp_path, "a", session()), check=losing)


def test_a_second_file_completes_what_the_first_did_not_say(store: Store, tmp_path: Path) -> None:
    put(store, raw_file(tmp_path, "a", quotes((OPEN, 5700, 1.0, 1.1), (OPEN, 5705, 1.2, 1.3), volume=7)))
    more = quotes((OPEN, 5700, 1.0, 1.1), (OPEN, 5705, 1.2, 1.3), open_interest=90)
    report = put(store, raw_file(tmp_path, "b", more))
    assert (report.totals.kept, report.totals.already) == (2, 0)
    assert scan(store, "SPXW").select("volume", "open_interest").collect().rows() == [(7, 90), (7, 90)]
    other = quotes((OPEN, 5700, 1.0, 1.1), open_interest=91)
    report = put(store, raw_file(tmp_path, "c", other))
    reason = pl.read_parquet(report.sources[0].quarantine[0])["reason"][0]
    assert reason == "contradicts the stored row: open_interest 90 is stored"


def test_an_empty_quote_contradicts_a_price(store: Store, tmp_path: Path) -> None:
    put(store, raw_file(tmp_path, "a", quotes((OPEN, 5700, None, 1.1))))
    report = put(store, raw_file(tmp_path, "b", quotes((OPEN, 5700, 1.0, 1.1))))
    reason = pl.read_parquet(report.sources[0].quarantine[0])["reason"][0]
    assert reason == "contradicts the stored row: bid empty is stored"


def test_of_three_rows_of_one_contract_the_first_stays(store: Store, tmp_path: Path) -> None:
    rows = quotes((OPEN, 5700, 1.0, 1.1), (OPEN, 5700, 1.0, 1.1), (OPEN, 5700, 1.05, 1.1))
    report = put(store, raw_file(tmp_path, "a", rows))
    assert (report.totals.kept, report.totals.already, report.totals.quarantined) == (1, 1, 1)
    assert scan(store, "SPXW").select("bid").collect().rows() == [(1.0,)]


def test_the_same_file_in_another_folder_changes_no_byte(store: Store, tmp_path: Path) -> None:
    rows = pl.concat([session(), quotes((OPEN, 5705, 2.0, 1.1))])
    first = put(store, raw_file(tmp_path, "a", rows), check=refuse_crossed)
    before = contents(store.folder)
    report = put(store, raw_file(tmp_path / "elsewhere", "a", rows), check=refuse_crossed)
    assert (report.changed, report.sources[0].known) == (False, True)
    assert report.sources[0].quarantine == first.sources[0].quarantine
    assert contents(store.folder) == before


def test_a_newer_importer_reads_the_file_again(store: Store, tmp_path: Path) -> None:
    file = raw_file(tmp_path, "a", session())
    put(store, file)
    importer = RawFiles(version="2")
    report = put(store, file, importer=importer)
    assert importer.read_paths == ["a.raw"]
    assert report.totals.already == 12
    assert [s.version for s in store.catalogue.sources.values()] == ["1", "2"]


def test_progress_counts_rows_over_all_sources(store: Store, tmp_path: Path) -> None:
    said: list[Progress] = []
    a, b = raw_file(tmp_path, "a", session()), raw_file(tmp_path, "b", session(OPEN + timedelta(days=1)))
    put(store, a, b, importer=RawFiles(batch=10), progress=said.append)
    assert [(p.source.name, p.number, p.count, p.rows) for p in said] == [
        ("a.raw", 1, 2, 10),
        ("a.raw", 1, 2, 12),
        ("b.raw", 2, 2, 22),
        ("b.raw", 2, 2, 24),
    ]
    assert said[-1].position == said[-1].size == b.stat().st_size


def test_a_file_that_changes_while_it_is_read_is_refused(store: Store, tmp_path: Path) -> None:
    file = raw_file(tmp_path, "a", session())

    def growing(rows: pl.DataFrame, source: Source) -> Split:
        with file.open("ab") as more:
            more.write(b"x")
        return accept(rows, source)

    with pytest.raises(BadData, match="changed while it was read"):
        put(store, file, check=growing)
    assert not store.folder.exists()


def test_one_content_under_two_names_is_read_once_and_reported_twice(store: Store, tmp_path: Path) -> None:
    a, b = (raw_file(tmp_path / side / "1/2/3/4", "a", session()) for side in "ab")
    importer = RawFiles()
    report = put(store, a, b, importer=importer)
    assert importer.read_paths == ["a.raw"]
    assert len(report.sources) == 2
    assert report.totals.kept == 12


def test_the_licence_and_the_origin_of_a_month_are_known(store: Store, tmp_path: Path) -> None:
    put(store, raw_file(tmp_path, "a", session()), licence="bought 2030, own use")
    (source,) = store.sources("SPXW")
    assert (source.path, source.importer, source.licence) == (
        str(tmp_path / "a.raw"),
        "raw",
        "bought 2030, own use",
    )
    assert source.quotes.kept == 12


def test_a_damaged_month_is_not_built_upon(store: Store, tmp_path: Path) -> None:
    put(store, raw_file(tmp_path, "a", session()))
    stored = bytearray((store.folder / MAR).read_bytes())
    stored[100] ^= 1
    (store.folder / MAR).write_bytes(stored)
    with pytest.raises(BadData, match=r"quotes\.parquet: damaged"):
        put(store, raw_file(tmp_path, "b", session(OPEN + timedelta(days=1))))
    assert [(d.path, d.why) for d in store.verify()] == [
        (store.folder / MAR, "damaged: its hash is not the catalogue's")
    ]


def test_verifying_finds_what_is_gone_and_what_is_strange(store: Store, tmp_path: Path) -> None:
    put(store, raw_file(tmp_path, "a", session()))
    assert store.verify() == ()
    (store.folder / FEB).parent.mkdir()
    (store.folder / MAR).rename(store.folder / FEB)
    assert [(d.path.parent.name, d.why) for d in store.verify()] == [
        ("2031-03", "in the catalogue, but gone"),
        ("2031-02", "not in the catalogue"),
    ]
    with pytest.raises(BadData, match="gone"):
        put(store, raw_file(tmp_path, "b", session(OPEN + timedelta(days=1))))


def test_a_damaged_catalogue_says_where_and_what_to_do(store: Store, tmp_path: Path) -> None:
    put(store, raw_file(tmp_path, "a", session()))
    (store.folder / "catalogue.json").write_text('{"format": 1, "sources": 7}')
    with pytest.raises(BadData, match=r"damaged at sources.*put it back from a backup"):
        Store(store.folder).overview()


def test_without_its_catalogue_an_import_recognises_stored_rows(store: Store, tmp_path: Path) -> None:
    file = raw_file(tmp_path, "a", session())
    put(store, file)
    (store.folder / "catalogue.json").unlink()
    report = put(store, file, raw_file(tmp_path, "b", session(OPEN + timedelta(days=1))))
    assert (report.totals.already, report.totals.kept) == (12, 12)
    assert store.months("SPXW")["2031-03"].rows == 24


def test_prices_of_every_size_come_back_exactly(store: Store, tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    prices = np.round(rng.uniform(0, 3000, 400), rng.integers(0, 6))
    rows = quotes(*((OPEN + timedelta(minutes=k), 5700, p, p + 1) for k, p in enumerate(prices.tolist())))
    put(store, raw_file(tmp_path, "a", rows))
    assert scan(store, "SPXW").select("bid").collect().to_series().to_list() == prices.tolist()


def test_trades_that_come_later_beside_imported_quotes_are_not_taken_for_known(
    store: Store, tmp_path: Path
) -> None:
    # LEAN reads a day's trades with the quotes beside them: what they say is part of the quote file.
    folder = tmp_path / "indexoption/usa/minute/spxw"
    folder.mkdir(parents=True)

    def zipped(sort: str, row: str) -> Path:
        path = folder / f"20310305_{sort}_european.zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(f"20310305_spxw_minute_{sort}_european_put_57000000_20310307.csv", row)
        return path

    quoted = zipped("quote", "34200000,10500,10500,10500,10500,1,11000,11000,11000,11000,1\n")
    put(store, quoted, importer=LEAN)
    assert put(store, quoted, importer=LEAN).sources[0].known
    zipped("trade", "34200000,10500,10500,10500,10500,12\n")
    again = put(store, quoted, importer=LEAN)
    assert not again.sources[0].known
    assert scan(store, "SPXW").select("bid", "volume").collect().rows() == [(1.05, 12)]
    assert put(store, quoted, importer=LEAN).sources[0].known


def test_a_file_whose_name_is_no_text_is_refused_before_it_is_read(store: Store, tmp_path: Path) -> None:
    path = raw_file(tmp_path, "a", session())
    strange = path.with_name(os.fsdecode(b"caf\xe9.raw"))
    path.rename(strange)
    with pytest.raises(BadData, match=r"caf.*name is not UTF-8.*rename it"):
        put(store, strange)
    assert not (store.folder / "catalogue.json").exists()


def test_a_full_disk_is_not_kept_full_by_a_source_that_was_half_read(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, half = (
        raw_file(tmp_path, "a", session()),
        raw_file(tmp_path, "b", session(OPEN + timedelta(days=1))),
    )

    def full(batch: str) -> None:
        if batch == "manifest" and len(list((store.folder / "staging").iterdir())) == 2:
            raise OSError(errno.ENOSPC, "Error writing bytes to file. Detail: [errno 28]")

    with pytest.raises(OperatingError, match="No space left on device; put that right"):
        put(store, whole, half, step=full)
    # The first source was read to its end: the next import does not read it again.
    assert [p.name for p in (store.folder / "staging").glob("*/read.json")] == ["read.json"]
    assert len(list((store.folder / "staging").iterdir())) == 1
