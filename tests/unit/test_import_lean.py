"""The LEAN importer on small archives made here: what it reads, and what it says of broken ones."""

import struct
import zipfile
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tomking.adapters.importers import lean as module
from tomking.adapters.importers.lean import LEAN
from tomking.adapters.importers.lean_futures import last_trading_day
from tomking.adapters.importers.listed import last_day
from tomking.adapters.importers.raw import Batch, Source
from tomking.domain.errors import BadData

DAY = "20210106"
FOLDER = "indexoption/usa/minute/spxw"
QUOTES = f"{FOLDER}/{DAY}_quote_european.zip"
MEMBER = f"{DAY}_spxw_minute_quote_european_put_37000000_{DAY}.csv"
CALL = f"{DAY}_spxw_minute_quote_european_call_38000000_{DAY}.csv"
ROW = "34200000,103000,106000,38000,85000,1,112000,150000,84000,89000,18"
NEXT = "34260000,85000,110000,40000,100000,94,89000,142000,85000,106000,7"


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type,misc]


def write(folder: Path, name: str, members: Mapping[str, str | bytes]) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, text in members.items():
            archive.writestr(member, text)
    return path


def read(path: Path, **said: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    batches = list(LEAN.read(Source(path, **said)))
    return pl.concat(b.quotes for b in batches), pl.concat(b.levels for b in batches)


def refusal(path: Path, **said: str) -> tuple[str, ...]:
    """What is said of a file that cannot be read; each problem names the file first."""
    with pytest.raises(BadData) as raised:
        read(path, **said)
    for problem in raised.value.problems:
        assert problem.startswith(str(path.parent)), problem
    return raised.value.problems


# ------------------------------------------------------------------ what is read


def test_a_quote_has_its_bars_close_at_the_bars_end(tmp_path: Path) -> None:
    quotes, levels = read(write(tmp_path, QUOTES, {MEMBER: f"{ROW}\n{NEXT}\n", CALL: ROW.replace("\n", "")}))
    assert levels.is_empty()
    assert quotes["at"].to_list() == [
        utc(2021, 1, 6, 14, 31),
        utc(2021, 1, 6, 14, 32),
        utc(2021, 1, 6, 14, 31),
    ]
    assert quotes["bid"].to_list() == [8.5, 10.0, 8.5]
    assert quotes["ask"].to_list() == [8.9, 10.6, 8.9]
    assert quotes["right"].to_list() == [-1, -1, 1]
    assert quotes["strike"].to_list() == [370_000_000, 370_000_000, 380_000_000]
    assert quotes["line"].to_list() == [1, 2, 1]
    assert quotes["member"].to_list() == [MEMBER, MEMBER, CALL]
    assert quotes["spot"].null_count() == quotes["multiplier"].null_count() == 3


def test_an_empty_side_is_null_and_windows_line_ends_do_no_harm(tmp_path: Path) -> None:
    path = write(
        tmp_path, QUOTES, {MEMBER: "34200000,,,,,0,100,100,100,100,5\r\n34260000,1,1,1,1,2,,,,,0\r\n"}
    )
    quotes, _ = read(path)
    assert quotes["bid"].to_list() == [None, 0.0001]
    assert quotes["ask"].to_list() == [0.01, None]
    assert quotes["bid_size"].to_list() == [0, 2]


def test_trades_and_open_interest_beside_the_quotes_are_read_with_them(tmp_path: Path) -> None:
    def beside(sort: str, text: str) -> None:
        write(tmp_path, QUOTES.replace("quote", sort), {MEMBER.replace("quote", sort): text})

    # A trade in the second minute, one at 10:00 without a quote; interest of 06:30, and one of 09:31:30
    beside("trade", "34260000,105000,105000,105000,105000,3\n36000000,1,1,1,1,9\n")
    beside("openinterest", "23400000,500\n34290000,600\n")
    path = write(tmp_path, QUOTES, {MEMBER: f"{ROW}\n{NEXT}\n"})
    quotes, _ = read(path)
    assert quotes["volume"].to_list() == [None, 3, 9]
    # seen at 09:31, before the second figure; at 09:32 and 10:01, after it
    assert quotes["open_interest"].to_list() == [500, 600, 600]
    assert quotes["bid"].to_list() == [8.5, 10.0, None]
    assert quotes["member"].to_list() == [MEMBER, MEMBER, MEMBER.replace("quote", "trade")]
    assert LEAN.files(tmp_path) == (path,)
    others = (path.with_name(path.name.replace("quote", sort)) for sort in ("trade", "openinterest"))
    assert LEAN.beside(path) == tuple(others)


def test_trades_alone_are_rows_with_a_volume_and_no_quote(tmp_path: Path) -> None:
    path = write(
        tmp_path, QUOTES.replace("quote", "trade"), {MEMBER.replace("quote", "trade"): "34200000,1,1,1,1,7\n"}
    )
    quotes, _ = read(path)
    assert quotes.select("bid", "ask", "volume").rows() == [(None, None, 7)]
    assert LEAN.files(tmp_path) == (path,)


def test_each_kind_has_its_own_clock_and_scale(tmp_path: Path) -> None:
    equity = write(
        tmp_path,
        "equity/usa/minute/spy/20210106_trade.zip",
        {f"{DAY}_spy_minute_trade.csv": "34200000,1,1,1,3700000,5\n"},
    )
    index = write(
        tmp_path,
        "index/usa/minute/spx/20210106_trade.zip",
        {f"{DAY}_spx_minute_trade.csv": "30600000,1,1,1,3700.25,5\n"},
    )
    future = write(
        tmp_path,
        "future/cme/minute/es/20210106_trade.zip",
        {f"{DAY}_es_minute_trade_202103.csv": "52200000,1,1,1,3700.25,5\n"},
    )
    rows = [read(path)[1].row(0, named=True) for path in (equity, index, future)]
    # 09:30 New York, 08:30 Chicago and 14:30 UTC are one minute.
    assert {row["at"] for row in rows} == {utc(2021, 1, 6, 14, 31)}
    assert [row["last"] for row in rows] == [370.0, 3700.25, 3700.25]
    assert [row["expiry"] for row in rows] == [None, None, date(2021, 3, 19)]
    assert [row["key"] for row in rows] == ["SPY", "SPX", "ES"]


def test_a_bar_on_the_other_side_of_a_clock_change_moves_in_utc(tmp_path: Path) -> None:
    # New York sprang forward on Sunday 2021-03-14: Friday's open is 14:30 UTC, Monday's 13:30.
    for day, hour in (("20210312", 14), ("20210315", 13)):
        path = write(tmp_path, f"{FOLDER}/{day}_quote_european.zip", {MEMBER.replace(DAY, day): ROW})
        assert read(path)[0]["at"].to_list() == [utc(2021, 3, int(day[-2:]), hour, 31)]


def test_newer_futures_name_their_last_day(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "future/cme/daily/xyz_trade.zip",
        {"xyz_trade_202103_20210317.csv": "20210106 00:00,1,1,1,2.5,5"},
    )
    assert read(path)[1].select("expiry", "last").rows() == [(date(2021, 3, 17), 2.5)]


def test_hour_bars_end_an_hour_later(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "equity/usa/hour/spy.zip",
        {"spy.csv": "20210106 09:00,1,1,1,10000,5\n20210106 10:00,1,1,1,10000,5\n"},
    )
    assert read(path)[1]["at"].to_list() == [utc(2021, 1, 6, 15), utc(2021, 1, 6, 16)]


def test_a_zone_that_is_said_takes_the_place_of_the_layouts(tmp_path: Path) -> None:
    path = write(tmp_path, QUOTES, {MEMBER: ROW})
    assert read(path, zone="UTC")[0]["at"].to_list() == [utc(2021, 1, 6, 9, 31)]
    assert read(path, root="spxw")[0].height == 1


def test_blocks_are_a_matter_of_memory_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    strikes = range(30_000_000, 31_000_000, 50_000)
    members = {MEMBER.replace("37000000", str(strike)): f"{ROW}\n{NEXT}\n" for strike in strikes}
    write(
        tmp_path,
        QUOTES.replace("quote", "trade"),
        {name.replace("quote", "trade"): "34260000,1,1,1,1,2" for name in members},
    )
    path = write(tmp_path, QUOTES, members)
    whole, _ = read(path)
    monkeypatch.setattr(module, "BLOCK_BYTES", 400)
    batches = list(LEAN.read(Source(path)))
    assert len(batches) > 5
    assert pl.concat(b.quotes for b in batches).equals(whole)
    positions = [b.position for b in batches]
    assert positions == sorted(positions)
    assert positions[-1] == path.stat().st_size


QUOTED = st.tuples(*[st.one_of(st.none(), st.integers(0, 99_999_999))] * 2)


@settings(max_examples=40, deadline=None)
@given(rows=st.dictionaries(st.integers(0, 1438), QUOTED, min_size=1, max_size=20))
def test_what_is_written_is_read_back_to_the_ten_thousandth(
    tmp_path_factory: pytest.TempPathFactory, rows: dict[int, tuple[int | None, int | None]]
) -> None:
    def side(price: int | None) -> str:
        return ",,,,0" if price is None else f"{price},{price},{price},{price},1"

    text = "\n".join(f"{m * 60_000},{side(b)},{side(a)}" for m, (b, a) in sorted(rows.items()))
    quotes, _ = read(write(tmp_path_factory.mktemp("lean"), QUOTES, {MEMBER: text}))
    expected = [tuple(None if p is None else p / 10_000 for p in pair) for _, pair in sorted(rows.items())]
    assert quotes.select("bid", "ask").rows() == expected


# ------------------------------------------------------------------ dates


@pytest.mark.parametrize(
    ("listed", "last"),
    [
        ("2014-06-21", "2014-06-20"),  # Saturday: the Friday before
        ("2014-04-19", "2014-04-17"),  # the Saturday after Good Friday: Thursday
        ("2021-01-15", "2021-01-15"),  # a Friday is itself
    ],
)
def test_a_saturday_expiry_is_the_session_before_it(listed: str, last: str) -> None:
    assert last_day(date.fromisoformat(listed)) == date.fromisoformat(last)


@pytest.mark.parametrize(
    ("root", "month", "last"),
    [
        ("ES", "202003", "2020-03-20"),
        ("ES", "200803", "2008-03-20"),  # the third Friday was Good Friday
        ("VX", "202001", "2020-01-22"),  # 30 days before 2020-02-21
        ("CL", "202005", "2020-04-21"),  # the one that closed below zero on the day before
        ("NG", "202001", "2019-12-27"),
        ("GC", "202002", "2020-02-26"),
        ("ZN", "202003", "2020-03-20"),
        ("ZT", "202003", "2020-03-31"),
        ("6E", "202003", "2020-03-16"),
    ],
)
def test_futures_end_by_their_exchanges_rules(root: str, month: str, last: str) -> None:
    assert last_trading_day(root, month) == date.fromisoformat(last)


# ------------------------------------------------------------------ broken archives


def broken(tmp_path: Path, damage: Callable[[bytes], bytes]) -> Path:
    """A good archive, damaged."""
    path = write(tmp_path, QUOTES, {MEMBER: f"{ROW}\n{NEXT}\n"})
    path.write_bytes(damage(path.read_bytes()))
    return path


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda data: data[:-40], "cut short"),
        (lambda data: data[:30], "cut short"),
        (lambda _: b"<html>504 Gateway Time-out</html>", "no zip archive"),
        (lambda _: b"", "no zip archive"),
        (lambda data: data[:105] + bytes(12) + data[117:], "damaged here"),
    ],
    ids=["without its end", "beginning only", "a web page", "nothing", "bytes lost inside"],
)
def test_damaged_archives_are_to_be_fetched_again(
    tmp_path: Path, damage: Callable[[bytes], bytes], words: str
) -> None:
    (problem,) = refusal(broken(tmp_path, damage))
    assert QUOTES in problem
    assert words in problem
    assert "download it again" in problem


def test_a_directory_that_lost_a_member_is_not_taken_for_a_smaller_one(tmp_path: Path) -> None:
    path = write(tmp_path, QUOTES, {MEMBER: ROW, CALL: ROW})
    data = bytearray(path.read_bytes())
    # The first entry's comment is said to be as long as the second entry, which so disappears in it.
    first = data.index(b"PK\x01\x02")
    second = data.index(b"PK\x01\x02", first + 1)
    struct.pack_into("<H", data, first + 32, data.index(b"PK\x05\x06") - second)
    path.write_bytes(data)
    assert "2 members promised, 1 found" in refusal(path)[0]


def test_an_empty_archive(tmp_path: Path) -> None:
    (problem,) = refusal(write(tmp_path, QUOTES, {}))
    assert "the archive is empty" in problem


def test_an_encrypted_archive(tmp_path: Path) -> None:
    path = write(tmp_path, QUOTES, {MEMBER: ROW})
    data = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        struct.pack_into("<H", data, data.index(signature) + offset, 0x1)
    path.write_bytes(data)
    (problem,) = refusal(path)
    assert MEMBER in problem
    assert "encrypted" in problem


def test_a_flag_that_nobody_can_read(tmp_path: Path) -> None:
    data = bytearray(write(tmp_path, QUOTES, {MEMBER: ROW}).read_bytes())
    data[data.index(b"PK\x03\x04") + 6] |= 0x20  # "compressed patched data"
    data[data.index(b"PK\x01\x02") + 8] |= 0x20
    (tmp_path / QUOTES).write_bytes(data)
    assert "the archive is damaged here" in refusal(tmp_path / QUOTES)[0]


def test_another_compression(tmp_path: Path) -> None:
    path = tmp_path / QUOTES
    path.parent.mkdir(parents=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr(MEMBER, ROW)
    assert "zip it with deflate" in refusal(path)[0]


def test_a_member_too_large_for_a_day_is_not_unpacked(tmp_path: Path) -> None:
    (problem,) = refusal(write(tmp_path, QUOTES, {MEMBER: bytes(50_000_000)}))
    assert MEMBER in problem
    assert "50,000,000 bytes" in problem


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_member_given_twice(tmp_path: Path) -> None:
    path = write(tmp_path, QUOTES, {MEMBER: ROW})
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(MEMBER, NEXT)
    assert f"{MEMBER}: is in the archive twice" in refusal(path)[0]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("notes.txt", "no member name of LEAN's"),
        ("__MACOSX/._" + MEMBER, "no member name of LEAN's"),
        (MEMBER.replace("_put_", "_"), "no member name of LEAN's"),
        (MEMBER.replace(DAY + "_spxw", "20210107_spxw"), "date 20210107, the file's path 20210106"),
        (MEMBER.replace("spxw", "spx"), "root SPX, the file's path SPXW"),
        (MEMBER.replace("minute", "second"), "resolution second, the file's path minute"),
        (MEMBER.replace("quote", "trade"), "bars of trade, the file's path quote"),
        (MEMBER.replace("european", "american"), "style american, the file's path european"),
        (MEMBER.replace(f"_{DAY}.csv", "_20210230.csv"), "20210230 is no date"),
        ("spxw_quote_european_put_37000000_20210106.csv", "date nothing, the file's path 20210106"),
    ],
)
def test_a_member_that_does_not_belong_is_named(tmp_path: Path, name: str, words: str) -> None:
    (problem,) = refusal(write(tmp_path, QUOTES, {MEMBER: ROW, name: ROW}))
    assert problem.startswith(f"{tmp_path / QUOTES}: {name}: ")
    assert words in problem


# ------------------------------------------------------------------ broken rows


@pytest.mark.parametrize(
    ("second", "words"),
    [
        (NEXT.rpartition(",")[0], "row 2, column ask close: 10 cells where 11 belong (cut short)"),
        (NEXT.replace("85000,", "8,5,"), "cells where 11 belong (commas as decimal signs"),
        (NEXT.replace(",40000,", ",4o000,"), "row 2, column bid low: '4o000' is no number"),
        (NEXT.replace(",100000,", ",nan,"), "row 2, column bid close: 'nan' is no finite number"),
        (NEXT.replace(",100000,", ",1e999,"), "row 2, column bid close: '1e999' is no finite number"),
        (NEXT.replace(",94,", ",9.4,"), "row 2, column bid size: '9.4' is no whole number"),
        (NEXT.replace("34260000", "86400000"), "row 2, column time: '86400000' is outside the day"),
        (NEXT.replace("34260000", "1609943460000"), "is it in seconds, or since 1970?"),
        (NEXT.replace("34260000", "-60000"), "row 2, column time: '-60000' is outside the day"),
        (NEXT.replace("34260000", "09:31"), "row 2, column time: '09:31' is no number of milliseconds"),
        (NEXT.replace("34260000", ""), "row 2, column time: '' is no number of milliseconds"),
        (NEXT.replace("34260000", "34200000"), "row 2, column time: '34200000' is not after the row before"),
        (NEXT.replace("34260000", "34140000"), "row 2, column time: '34140000' is not after the row before"),
        ("", "row 2 is empty"),
        ("time,bid,ask,1,1,1,1,1,1,1,1", "row 2, column time: 'time' is no number"),
        ("\ufeff" + NEXT, "row 2, column time:"),
        ("\x00\xff\x00", "row 2, column time: 1 cells where 11 belong"),
        ("9" * 390_000, "row 2, column time: 1 cells where 11 belong"),
    ],
)
def test_a_broken_row_is_named_with_its_member_and_column(tmp_path: Path, second: str, words: str) -> None:
    third = ROW.replace("34200000", "34320000")
    problems = refusal(write(tmp_path, QUOTES, {CALL: ROW, MEMBER: f"{ROW}\n{second}\n{third}\n"}))
    assert problems[0].startswith(f"{tmp_path / QUOTES}: {MEMBER}: row 2")
    assert words in problems[0]
    assert all(len(problem) < 700 for problem in problems)


def test_all_problems_are_told_at_once_and_nothing_is_read_after_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BLOCK_BYTES", 1)  # each member a block of its own
    path = write(tmp_path, QUOTES, {CALL: "x" + ROW, MEMBER: f"{ROW}\n{ROW}\n", "other.csv": ""})
    found: list[Batch] = []
    with pytest.raises(BadData) as raised:
        found.extend(LEAN.read(Source(path)))
    assert found == []
    places = [problem.removeprefix(f"{path}: ").split(":")[0] for problem in raised.value.problems]
    assert places == ["other.csv", CALL, MEMBER]


def test_endless_problems_are_counted(tmp_path: Path) -> None:
    text = "\n".join(f"{i},x,1,1,1,1,1,1,1,1,1" for i in range(1000))
    problems = refusal(write(tmp_path, QUOTES, {MEMBER: text}))
    assert len(problems) == module.PROBLEMS_MAX + 1
    assert problems[-1].endswith("and 800 more problems")


def test_a_broken_file_beside_the_quotes_is_named(tmp_path: Path) -> None:
    beside = tmp_path / QUOTES.replace("quote", "trade")
    path = write(tmp_path, QUOTES, {MEMBER: ROW})
    beside.write_bytes(b"nothing of the sort")
    (problem,) = refusal(path)
    assert problem.startswith(f"{beside}: is no zip archive")


def test_a_daily_file_of_another_year(tmp_path: Path) -> None:
    name = "indexoption/usa/daily/spxw_2021_quote_european.zip"
    member = "spxw_quote_european_put_37000000_20210106.csv"
    rest = ROW.partition(",")[2]
    path = write(tmp_path, name, {member: f"20201231 00:00,{rest}\n2021-01-06,{rest}\n"})
    first, second = refusal(path)
    assert "row 1, column time: '20201231 00:00' is not of 2021" in first
    assert "row 2, column time: '2021-01-06' is no stamp: should be like 20140605 00:00" in second


# ------------------------------------------------------------------ what is said of paths and wishes


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (f"{DAY}_quote_european.zip", "put it back to where it was"),
        (f"{FOLDER}/spxw.zip", "should be like spy/20230803_quote_american.zip"),
        (f"{FOLDER}/20210230_quote_european.zip", "no name of LEAN's"),
        (f"{FOLDER}/{DAY}_quote.zip", "no name of LEAN's"),
        (f"indexoption/usa/minute/{DAY}_quote_european.zip", "no name of LEAN's"),
        ("futureoption/cme/minute/es/2020xx/20200106_quote_american.zip", "no name of LEAN's"),
        (f"indexoption/usa/tick/spxw/{DAY}_quote_european.zip", "ticks are not imported"),
        (f"future/eurex/minute/fesx/{DAY}_quote.zip", "give it (--zone"),
    ],
)
def test_a_path_that_says_too_little(tmp_path: Path, name: str, words: str) -> None:
    path = write(tmp_path, name, {MEMBER: ROW})
    assert words in refusal(path)[0]
    assert LEAN.recognises(path)


def test_another_market_is_read_by_the_zone_that_is_said(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "future/eurex/daily/fesx_trade.zip",
        {"fesx_trade_202103_20210319.csv": "20210106 00:00,1,1,1,2,5"},
    )
    assert read(path, zone="UTC")[1]["last"].to_list() == [2.0]


def test_wishes_that_cannot_be(tmp_path: Path) -> None:
    path = write(tmp_path, QUOTES, {MEMBER: ROW})
    assert "is of SPXW, not ES" in refusal(path, root="ES")[0]
    assert "no time zone is called 'EST5'" in refusal(path, zone="EST5")[0]
    assert "there is no such file" in refusal(path.with_name("20210107_quote_european.zip"))[0]


def test_a_future_whose_last_day_is_not_known(tmp_path: Path) -> None:
    path = write(
        tmp_path, "future/cme/daily/xyz_trade.zip", {"xyz_trade_202103.csv": "20210106 00:00,1,1,1,2,5"}
    )
    assert "XYZ 202103 expires is not known here" in refusal(path)[0]


def test_minutes_that_the_clocks_skipped(tmp_path: Path) -> None:
    member = "20210314_spy_minute_trade.csv"
    path = write(tmp_path, "equity/usa/minute/spy/20210314_trade.zip", {member: "9000000,1,1,1,1,1"})  # 02:30
    assert "the clocks of America/New_York skipped" in refusal(path)[0]


def test_a_bar_that_ends_at_a_clock_change_ends_a_minute_after_it_began(tmp_path: Path) -> None:
    # 2021-03-14, 01:59 New York: the bar's end is 07:00 UTC, which New York calls 03:00.
    path = write(
        tmp_path,
        "indexoption/usa/minute/spxw/20210314_quote_european.zip",
        {
            "20210314_spxw_minute_quote_european_put_37000000_20210319.csv": ROW.replace(
                "34200000", str(119 * 60_000)
            )
        },
    )
    assert read(path)[0]["at"].to_list() == [utc(2021, 3, 14, 7, 0)]


def test_minutes_that_the_clocks_showed_twice_are_not_guessed(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "indexoption/usa/minute/spxw/20211107_quote_european.zip",
        {
            "20211107_spxw_minute_quote_european_put_37000000_20211119.csv": ROW.replace(
                "34200000", str(90 * 60_000)
            )
        },
    )
    (problem,) = refusal(path)
    assert "America/New_York skipped some of these times on that day, or showed them twice" in problem


def test_only_files_of_the_layout_are_recognised(tmp_path: Path) -> None:
    other = tmp_path / "option/usa/prices.csv"
    other.parent.mkdir(parents=True)
    other.write_text("date,price\n")
    assert not LEAN.recognises(other)
    assert not LEAN.recognises(tmp_path)
    write(tmp_path, "equity/usa/tick/spy/20210106_trade.zip", {})
    assert LEAN.files(tmp_path) == ()
    path = write(tmp_path, QUOTES, {MEMBER: ROW})
    assert LEAN.recognises(tmp_path / "indexoption")
    assert LEAN.files(path) == (path,)


# ------------------------------------------------------------------ universes

HEADER = "#expiry,strike,right,open,high,low,close,volume,open_interest,implied_volatility"
LISTED = "20210115,3700,C,1,1,1,1,10,20,0.2"


def universe(tmp_path: Path, *rows: str, header: str = HEADER, day: str = DAY) -> Path:
    path = tmp_path / f"indexoption/usa/universes/spxw/{day}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join((header, *rows)) + "\n")
    return path


def test_a_universe_is_a_list_of_contracts(tmp_path: Path) -> None:
    quotes, levels = read(universe(tmp_path, ",,,3700,3710,3690,3705.5,0,,", LISTED))
    row = quotes.row(0, named=True)
    assert (row["at"], row["volume"], row["open_interest"], row["bid"]) == (
        utc(2021, 1, 6, 21, 15, 2),
        10,
        20,
        None,
    )
    assert levels.select("last", "at").rows() == [(3705.5, utc(2021, 1, 7, 21, 15, 2))]
    assert LEAN.files(tmp_path) == (tmp_path / f"indexoption/usa/universes/spxw/{DAY}.csv",)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (LISTED + ",1", "row 3, column implied_volatility: 11 cells where the header has 10"),
        (LISTED.replace("20210115", "20211315"), "row 3, column expiry: '20211315' is no date"),
        (LISTED.replace("3700", "37oo"), "row 3, column strike: '37oo' is no number"),
        (LISTED.replace(",C,", ",X,"), "row 3, column right: 'X' is neither C nor P"),
        (LISTED.replace(",10,", ",1.5,"), "row 3, column volume: '1.5' is no whole number"),
        (LISTED.replace("20210115", ""), "row 3, column expiry: expiry, strike and right are all needed"),
    ],
)
def test_a_broken_row_of_a_universe(tmp_path: Path, row: str, words: str) -> None:
    problems = refusal(universe(tmp_path, LISTED, row))
    assert words in problems[0]


def test_universes_of_other_layouts(tmp_path: Path) -> None:
    old = universe(tmp_path, header="#symbol_id,symbol_value,open,high,low,close")
    assert "row 1 is '#symbol_id,symbol_value" in refusal(old)[0]
    old.write_text("")
    assert "row 1 is 'nothing'" in refusal(old)[0]


def test_a_list_of_futures_is_levels(tmp_path: Path) -> None:
    path = tmp_path / "future/cme/universes/es/20210106.csv"
    path.parent.mkdir(parents=True)
    path.write_text(
        "#expiry,open,high,low,close,volume,open_interest\n202103,1,1,1,3700.5,5,9\n202106,1,1,1,3690,5,9\n"
    )
    quotes, levels = read(path)
    assert quotes.is_empty()
    assert levels.select("expiry", "last").rows() == [
        (date(2021, 3, 19), 3700.5),
        (date(2021, 6, 18), 3690.0),
    ]
