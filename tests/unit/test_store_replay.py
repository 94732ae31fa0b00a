"""Replay: snapshots are slices of mapped columns, and say what the Parquet file says."""

import errno
import shutil
import tracemalloc
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.storeworlds import OPEN, levels, put, quotes, raw_file, session

from tomking.adapters.importers.raw import STRIKE_DIGITS
from tomking.adapters.recorded_snapshots import Snapshots
from tomking.adapters.store import Store, cache
from tomking.adapters.store.columns import read_columns
from tomking.adapters.store.questions import scan
from tomking.adapters.store.replay import Month, open_month
from tomking.domain.chain import NO_QUOTE
from tomking.domain.contract import Right
from tomking.domain.errors import BadData, OperatingError

FRIDAY, NEXT = date(2031, 3, 7), date(2031, 3, 14)


def made(sessions: int = 3, seed: int = 5) -> pl.DataFrame:
    """Sessions of random chains: two expiries, strikes that come and go, empty sides, a level a snapshot."""
    rng = np.random.default_rng(seed)
    parts = []
    for day in range(sessions):
        for n in range(4):
            at = OPEN + timedelta(days=day, minutes=30 * (n + 1))
            for expiry in (FRIDAY, NEXT):
                for right in (1, -1):
                    strikes = np.sort(rng.choice(np.arange(5600, 5800, 5), 12, replace=False))
                    bids = rng.integers(0, 400, 12)
                    rows = [
                        (at, int(k), None if b < 20 else b / 20, (b + 3) / 20)
                        for k, b in zip(strikes, bids, strict=True)
                    ]
                    parts.append(quotes(*rows, expiry=expiry, right=right, spot=5700.25 + day + n / 4))
    return pl.concat(parts)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "store")
    put(store, raw_file(tmp_path, "a", made()))
    return store


@pytest.fixture
def month(store: Store) -> Month:
    return open_month(store, "SPXW", "2031-03")


def test_a_snapshot_says_what_the_parquet_file_says(store: Store, month: Month) -> None:
    stored = scan(store, "SPXW").collect()
    assert len(month) == stored["at"].n_unique()
    for number in range(len(month)):
        rows = stored.filter(pl.col("at") == month.at(number))
        one = month.snapshot(number)
        assert one.strike.size == rows.height
        assert (one.strike * float(month.strike_unit) == rows["strike"].to_numpy()).all()
        assert (one.right == rows["right"].to_numpy()).all()
        assert (one.expiry == rows["expiry"].cast(pl.Int32).to_numpy()).all()
        bid = np.where(one.bid == NO_QUOTE, np.nan, one.bid / month.per_point)
        np.testing.assert_array_equal(bid, rows["bid"].to_numpy())
        np.testing.assert_array_equal(one.ask / month.per_point, rows["ask"].to_numpy())
        assert one.spot == rows["spot"][0]
    assert (month.price_unit, month.strike_unit) == (Decimal("0.05"), Decimal(5))


def test_a_snapshot_is_slices_of_the_mapped_month_and_copies_nothing(month: Month) -> None:
    one = month.snapshot(5)
    for name in ("expiry", "right", "strike", "bid", "ask"):
        column, whole = getattr(one, name), month.rows[name]
        assert np.shares_memory(column, whole)
        assert not column.flags.writeable
        assert column.base is not None
    tracemalloc.start()
    month.snapshot(6)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 2_000  # the views' heads; a snapshot's columns would be 48 rows x 17 bytes more, each


def test_one_expiry_of_a_snapshot_is_a_slice_with_its_puts_first(month: Month) -> None:
    one = month.expiry(3, NEXT)
    assert one is not None
    assert np.shares_memory(one.bid, month.rows["bid"])
    assert set(one.expiry.tolist()) == {(NEXT - date(1970, 1, 1)).days}
    assert one.right.tolist() == [-1] * 12 + [1] * 12
    assert month.expiries(3) == (FRIDAY, NEXT)
    assert month.expiry(3, date(2031, 3, 10)) is None
    assert month.expiry(3, date(2031, 4, 10)) is None


def test_the_latest_snapshot_is_the_one_at_or_before_now(month: Month) -> None:
    first = month.at(0)
    assert month.latest(first - timedelta(microseconds=1)) is None
    assert month.latest(first) == 0
    assert month.latest(first + timedelta(minutes=29, seconds=59)) == 0
    assert month.latest(first + timedelta(minutes=30)) == 1
    assert month.latest(first + timedelta(days=300)) == len(month) - 1


def test_one_contracts_month_is_its_rows_of_the_parquet_file(store: Store, month: Month) -> None:
    stored = scan(store, "SPXW").collect()
    for right in Right:
        for strike in (5600, 5645, 5700, 5795, 5597, 9000):
            rows = stored.filter(expiry=FRIDAY, right=int(right), strike=float(strike))
            life = month.contract(FRIDAY, right, Decimal(strike))
            assert life.at.tolist() == rows["at"].cast(pl.Int64).to_list()
            np.testing.assert_array_equal(life.ask / month.per_point, rows["ask"].to_numpy())
    assert month.contract(date(2031, 4, 4), Right.PUT, Decimal(5700)).at.size == 0


def test_the_cache_is_built_once_and_again_when_the_month_changes(store: Store, tmp_path: Path) -> None:
    folder = store.folder / "cache" / "SPXW"
    open_month(store, "SPXW", "2031-03")
    (built,) = folder.iterdir()
    stamp = (built / "rows.arrow").stat().st_mtime_ns
    open_month(Store(store.folder), "SPXW", "2031-03")
    assert (built / "rows.arrow").stat().st_mtime_ns == stamp
    old = open_month(store, "SPXW", "2031-03")
    put(store, raw_file(tmp_path, "b", session(OPEN + timedelta(days=8))))
    new = open_month(store, "SPXW", "2031-03")
    assert len(new) == len(old) + 3
    assert [p.name for p in folder.iterdir()] != [built.name]
    assert len(list(folder.iterdir())) == 1
    # What was mapped before stays as it was.
    assert old.snapshot(0).bid.tolist() == new.snapshot(0).bid.tolist()


@pytest.mark.parametrize("damage", ["truncate", "remove one", "remove all"])
def test_a_damaged_cache_is_built_again(store: Store, damage: str) -> None:
    expected = open_month(store, "SPXW", "2031-03").snapshot(2).bid.tolist()
    (built,) = (store.folder / "cache" / "SPXW").iterdir()
    match damage:
        case "truncate":
            whole = (built / "rows.arrow").read_bytes()
            (built / "rows.arrow").unlink()
            (built / "rows.arrow").write_bytes(whole[: len(whole) // 2])
        case "remove one":
            (built / "blocks.arrow").unlink()
        case _:
            shutil.rmtree(store.folder / "cache")
    assert open_month(Store(store.folder), "SPXW", "2031-03").snapshot(2).bid.tolist() == expected


def test_a_month_that_is_not_the_catalogues_is_not_replayed(store: Store) -> None:
    path = store.folder / store.months("SPXW")["2031-03"].file
    stored = bytearray(path.read_bytes())
    stored[200] ^= 1
    path.write_bytes(stored)
    with pytest.raises(BadData, match=r"quotes\.parquet: not the file that the catalogue has"):
        open_month(store, "SPXW", "2031-03")
    path.unlink()
    with pytest.raises(BadData, match=r"quotes\.parquet: cannot be read: No such file"):
        open_month(store, "SPXW", "2031-03")


def test_a_month_that_is_not_there_is_named_with_those_that_are(store: Store) -> None:
    with pytest.raises(BadData, match="no 2031-04 of SPXW; there is 2031-03"):
        open_month(store, "SPXW", "2031-04")
    with pytest.raises(BadData, match="no quotes of ES; there is SPXW"):
        open_month(store, "ES", "2031-03")


def test_the_columns_of_a_span_are_those_of_a_recorded_market(store: Store) -> None:
    columns = read_columns(store, "SPXW", date(2031, 3, 4), date(2031, 3, 5))
    names = [n for n in Snapshots.__slots__ if n not in ("product", "strike_unit")]
    market = Snapshots("SPXW", columns.strike_unit, **{n: getattr(columns, n) for n in names})
    stored = scan(store, "SPXW", date(2031, 3, 4), date(2031, 3, 5)).collect()
    assert market.minute.size == stored.height == 2 * 4 * 48
    assert (market.minute * 60_000_000 == stored["at"].cast(pl.Int64).to_numpy()).all()
    assert date.fromordinal(int(market.expiry[0])) == FRIDAY
    assert (market.strike * float(market.strike_unit) == stored["strike"].to_numpy()).all()
    assert market.seen.tolist() == sorted(set(market.minute.tolist()))
    assert market.spot.tolist() == [5701.25 + n / 4 for n in range(4)] + [5702.25 + n / 4 for n in range(4)]
    for column in (market.minute, market.expiry, market.right, market.strike, market.bid, market.ask):
        assert column.dtype == np.int64


def test_a_spot_that_the_rows_lack_comes_from_the_levels_of_its_session(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    at = [OPEN + timedelta(minutes=m) for m in (0, 30, 60)] + [OPEN + timedelta(days=1)]
    put(store, raw_file(tmp_path, "a", quotes(*((t, 5700, 1.0, 1.1) for t in at))))
    printed = levels(
        (at[0] + timedelta(seconds=1), 5701.0), (at[1], 5702.0), (at[1] + timedelta(minutes=1), 5703.0)
    )
    quoted = (
        levels((at[2], 0.0))
        .with_columns(last=None, bid=5704.0, ask=5705.0)
        .cast(dict(printed.schema.items()))
    )
    put(store, raw_file(tmp_path, "b", printed), raw_file(tmp_path, "c", quoted))
    bare = read_columns(store, "SPXW", date(2031, 3, 3), date(2031, 3, 4))
    assert np.isnan(bare.spot).all()
    columns = read_columns(store, "SPXW", date(2031, 3, 3), date(2031, 3, 4), level="SPX")
    # Nothing was printed at 9:30 yet, 5,703 was overtaken by a quote, and Monday's level is not Tuesday's.
    np.testing.assert_array_equal(columns.spot, [np.nan, 5702.0, 5704.5, np.nan])


def test_months_of_other_units_join_in_the_finer_one(store: Store, tmp_path: Path) -> None:
    april = datetime(2031, 4, 1, 14, 0, tzinfo=OPEN.tzinfo)
    put(store, raw_file(tmp_path, "b", quotes((april, "5702.5", 1.06, None), spot=5699.0)))
    columns = read_columns(store, "SPXW", date(2031, 3, 3), date(2031, 4, 30))
    assert (columns.price_unit, columns.strike_unit) == (Decimal("0.01"), Decimal("2.5"))
    assert (columns.bid[-1], columns.ask[-1], columns.strike[-1]) == (106, NO_QUOTE, 2281)
    march = open_month(store, "SPXW", "2031-03")
    assert columns.ask[0] == 5 * march.rows["ask"][0]
    assert (columns.bid == NO_QUOTE).sum() == (march.rows["bid"] == NO_QUOTE).sum()


def test_a_quote_between_two_minutes_belongs_to_the_next(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    late = [OPEN + timedelta(seconds=s) for s in (30, 45, 60, 61)]
    put(store, raw_file(tmp_path, "a", quotes(*((at, 5700, 1.0 + n / 20, 2.0) for n, at in enumerate(late)))))
    columns = read_columns(store, "SPXW", OPEN.date(), OPEN.date())
    minute = int(OPEN.timestamp()) // 60
    assert columns.minute.tolist() == [minute + 1, minute + 2]
    # The last of what was seen by then: 1.10 at the full minute, 1.15 a second later.
    assert columns.bid.tolist() == [22, 23]


def test_a_span_without_quotes_is_said(store: Store) -> None:
    with pytest.raises(BadData, match="no quotes of SPXW from 2031-03-08 to 2031-03-09"):
        read_columns(store, "SPXW", date(2031, 3, 8), date(2031, 3, 9))


def test_a_price_below_nothing_is_no_quote_in_replay(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    put(store, raw_file(tmp_path, "a", quotes((OPEN, 5700, -0.5, 0.05))))
    assert scan(store, "SPXW").select("bid").collect().item() == -0.5
    assert open_month(store, "SPXW", "2031-03").snapshot(0).bid.tolist() == [NO_QUOTE]


def test_strikes_of_currencies_are_exact(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    rows = quotes((OPEN, "1.0525", 0.0125, 0.013), (OPEN, "1.055", 0.01, 0.011), root="EUU", spot=1.06)
    put(store, raw_file(tmp_path, "a", rows))
    month = open_month(store, "EUU", "2031-03")
    assert month.strike_unit == Decimal("0.0025")
    assert month.contract(FRIDAY, Right.PUT, Decimal("1.0525")).bid.tolist() == [125]
    assert month.price_unit == Decimal("0.0001")
    assert STRIKE_DIGITS * month.strike_unit == 250


def test_a_scan_reads_only_the_sessions_asked_for(store: Store) -> None:
    assert scan(store, "SPXW", date(2031, 3, 4), date(2031, 3, 4)).collect().height == 4 * 48
    assert scan(store, "SPXW", first=date(2031, 3, 5)).collect().height == 4 * 48
    assert scan(store, "SPXW", first=date(2040, 1, 1)).collect().height == 0
    best = scan(store, "SPXW").group_by("expiry").agg(pl.col("bid").max()).sort("expiry").collect()
    assert best["expiry"].to_list() == [FRIDAY, NEXT]


def test_of_two_levels_in_a_minute_the_last_is_the_spot(tmp_path: Path) -> None:
    # Second bars: 600 levels in ten minutes.  A minute's spot is its last second's, never another one's.
    store = Store(tmp_path / "store")
    start = OPEN + timedelta(seconds=1)
    printed = levels(*((start + timedelta(seconds=n), 5000.0 + n) for n in range(600)))
    put(store, raw_file(tmp_path, "levels", printed.sample(fraction=1, shuffle=True, seed=3)))
    rows = quotes(*((OPEN + timedelta(minutes=n), 5700, 1.0, 1.1) for n in range(1, 11)))
    put(store, raw_file(tmp_path, "quotes", rows))
    columns = read_columns(store, "SPXW", OPEN.date(), OPEN.date(), level="SPX")
    assert columns.spot.tolist() == [5059.0 + 60 * n for n in range(10)]


def test_a_store_that_cannot_be_written_to_is_replayed_all_the_same(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_only(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(cache, "_build", read_only)
    month = open_month(store, "SPXW", "2031-03")
    assert len(month) == 12
    assert month.snapshot(0).bid.size == 48
    assert not (store.folder / "cache").exists()


def test_when_there_is_no_room_for_a_cache_anywhere_that_is_said(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(cache, "_fill", full)
    with pytest.raises(OperatingError, match=r"2031-03 of SPXW cannot be mapped: No space left .*cache"):
        open_month(store, "SPXW", "2031-03")


def test_the_columns_of_a_cache_have_their_room_before_they_are_written(tmp_path: Path) -> None:
    # A sparse file that meets a full disk ends the process with a bus error instead of a message.
    column = cache._column(tmp_path / "bid.bin", np.int32, 100_000)
    assert column.shape == (100_000,)
    assert (tmp_path / "bid.bin").stat().st_blocks * 512 >= 400_000
