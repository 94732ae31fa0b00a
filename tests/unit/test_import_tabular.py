"""Tables of quotes into the raw form: each layout with a row worked by hand, and the engine's edges."""

import gzip
import re
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as papq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.broken_files import (
    BENTO_HEADER,
    BENTO_ROW,
    DX_HEADER,
    DX_ROW,
    HEADER,
    ORATS_HEADER,
    ORATS_ROW,
    frame,
    row,
)

from tomking.adapters.importers import tabular_text
from tomking.adapters.importers.databento import DATABENTO
from tomking.adapters.importers.datashop import DATASHOP
from tomking.adapters.importers.known import TABULAR, mapped
from tomking.adapters.importers.mapping import Expiry, Mapping, Multiplier, Quote, Right, Root, Strike
from tomking.adapters.importers.optiondata import OPTIONDATA
from tomking.adapters.importers.optionsdx import OPTIONSDX
from tomking.adapters.importers.orats import ORATS
from tomking.adapters.importers.raw import LEVELS, QUOTES, Source
from tomking.adapters.importers.tabular import Tabular
from tomking.adapters.importers.trades import TRADES
from tomking.adapters.importers.yahoo import YAHOO
from tomking.domain.errors import BadData

ROOT = Path(__file__).resolve().parents[2]
Rows = list[dict[str, Any]]

EOD_CALCS = (
    "underlying_symbol,quote_date,root,expiration,strike,option_type,open,high,low,close,trade_volume,"
    "bid_size_1545,bid_1545,ask_size_1545,ask_1545,underlying_bid_1545,underlying_ask_1545,"
    "implied_underlying_price_1545,active_underlying_price_1545,implied_volatility_1545,delta_1545,gamma_1545,"
    "theta_1545,vega_1545,rho_1545,bid_size_eod,bid_eod,ask_size_eod,ask_eod,underlying_bid_eod,"
    "underlying_ask_eod,vwap,open_interest,delivery_code\n"
)
EOD_ROW = (
    "^SPX,{day},SPXW,2020-12-31,3600.000,P,0,0,0,0,42,10,30.1,20,30.9,3625.0,3625.5,3624.1,3625.2,0.2,-0.4,0,"
    "0,0,0,11,31.0,21,31.8,3621.6,3621.7,0,777,\n"
)
INTERVAL = (
    "underlying_symbol,quote_datetime,root,expiration,strike,option_type,open,high,low,close,trade_volume,"
    "bid_size,bid,ask_size,ask,underlying_bid,underlying_ask\n"
)
INTERVAL_ROW = "^SPX,2019-06-03 09:45:00,SPX,2019-06-21,2750.000,C,0,0,0,0,3,15,30.6,22,31.2,2750.1,2750.5\n"


def read(importer: Tabular, path: Path, **said: Any) -> pl.DataFrame:
    batches = list(importer.read(Source(path, **said)))
    positions = [b.position for b in batches]
    assert positions == sorted(positions)
    assert positions[-1] == path.stat().st_size
    assert all(b.quotes.schema == QUOTES and b.levels.schema == LEVELS for b in batches)
    return pl.concat([b.quotes for b in batches])


def rows_of(importer: Tabular, folder: Path, content: str, name: str = "chain.csv", **said: Any) -> Rows:
    path = folder / name
    path.write_bytes(content.encode())
    return read(importer, path, **said).to_dicts()


# ------------------------------------------------------------------ each layout, one row by hand


def test_optionsdx_has_a_call_and_a_put_in_a_row(tmp_path: Path) -> None:
    call, put = rows_of(OPTIONSDX, tmp_path, DX_HEADER + DX_ROW, "spy_eod_202112.txt", root="SPY")
    # 16:00 New York in December is 21:00 UTC, which is also what UNIXTIME 1638392400 says.
    assert call["at"] == put["at"] == datetime.fromtimestamp(1638392400, UTC)
    assert (call["line"], put["line"]) == (2, 2)
    assert (call["root"], call["expiry"], call["strike"]) == ("SPY", date(2021, 12, 3), 31_000_000)
    assert (call["right"], call["bid"], call["ask"], call["bid_size"]) == (1, 139.61, 142.1, 300)
    assert (put["right"], put["bid"], put["ask"], put["ask_size"]) == (-1, 0.0, 0.01, 4522)
    assert (call["volume"], put["volume"], put["spot"]) == (None, 7, 450.44)


def test_datashop_end_of_day_has_two_moments(tmp_path: Path) -> None:
    early, close = rows_of(DATASHOP, tmp_path, EOD_CALCS + EOD_ROW.format(day="2020-12-23"))
    assert early["at"] == datetime(2020, 12, 23, 20, 45, tzinfo=UTC)
    assert close["at"] == datetime(2020, 12, 23, 21, 0, tzinfo=UTC)
    assert (early["root"], early["strike"], early["right"]) == ("SPXW", 360_000_000, -1)
    assert (early["bid"], early["ask"], early["bid_size"], early["ask_size"]) == (30.1, 30.9, 10, 20)
    assert (early["spot"], early["volume"]) == (3625.2, None)
    assert (close["bid"], close["ask_size"], close["volume"], close["open_interest"]) == (31.0, 21, 42, 777)
    assert close["spot"] == pytest.approx(3621.65)  # the middle of 3621.6 and 3621.7


@pytest.mark.parametrize(
    ("day", "early", "close"),
    [
        ("2020-12-24", (17, 45), (18, 0)),  # half day: 12:45 and 13:00 New York
        ("2019-12-24", (20, 45), (18, 0)),  # before 2020-02-05 the vendor kept 15:45
    ],
)
def test_stamps_of_the_close_know_half_days(
    day: str, early: tuple[int, int], close: tuple[int, int], tmp_path: Path
) -> None:
    found = rows_of(DATASHOP, tmp_path, EOD_CALCS + EOD_ROW.format(day=day))
    assert [(r["at"].hour, r["at"].minute) for r in found] == [early, close]


def test_datashop_without_calcs_takes_the_middle_of_the_underlying(tmp_path: Path) -> None:
    (one,) = rows_of(DATASHOP, tmp_path, INTERVAL + INTERVAL_ROW)
    assert one["at"] == datetime(2019, 6, 3, 13, 45, tzinfo=UTC)
    assert (one["root"], one["spot"], one["open_interest"], one["volume"]) == ("SPX", 2750.3, None, 3)


def test_a_missing_side_of_the_underlying_is_no_spot(tmp_path: Path) -> None:
    (one,) = rows_of(DATASHOP, tmp_path, INTERVAL + INTERVAL_ROW.replace("2750.1,", "0.0,"))
    assert one["spot"] is None


def test_databento_prices_are_fixed_point_and_stamps_nanoseconds(tmp_path: Path) -> None:
    none = "9223372036854775807"
    content = BENTO_HEADER + BENTO_ROW + BENTO_ROW.replace("1483600000000", none)
    one, two = rows_of(DATABENTO, tmp_path, content)
    assert one["at"] == datetime(2023, 7, 3, 13, 30, tzinfo=UTC)  # 1688391000
    assert (one["root"], one["expiry"], one["right"]) == ("SPXW", date(2023, 7, 21), 1)
    assert (one["strike"], one["bid"], one["ask"]) == (300_000_000, 1483.6, 1503.2)
    assert (one["bid_size"], one["ask_size"]) == (5, 7)
    assert (two["bid"], two["ask"]) == (None, 1503.2)


def test_databento_pretty_files_are_read_the_same(tmp_path: Path) -> None:
    plain = rows_of(DATABENTO, tmp_path, BENTO_HEADER + BENTO_ROW)
    pretty = BENTO_ROW.replace("1688391000000000000", "2023-07-03T13:30:00.000000000Z")
    pretty = pretty.replace("1483600000000", "1483.600000000").replace("1503200000000", "1503.200000000")
    assert rows_of(DATABENTO, tmp_path, BENTO_HEADER + pretty) == plain


def test_databento_options_on_futures_come_with_their_definition(tmp_path: Path) -> None:
    header = (
        "ts_recv,publisher_id,bid_px_00,ask_px_00,bid_sz_00,ask_sz_00,symbol,asset,expiration,strike_price,"
        "instrument_class,contract_multiplier\n"
    )
    line = (
        "1578321000000000000,1,12250000000,12750000000,40,38,ESH0 C3300,ES,1584711000000000000,"
        "3300000000000,C,50\n"
    )
    (one,) = rows_of(DATABENTO, tmp_path, header + line)
    assert (one["root"], one["expiry"], one["strike"]) == ("ES", date(2020, 3, 20), 330_000_000)
    assert (one["bid"], one["ask"], one["multiplier"]) == (12.25, 12.75, 50.0)


def test_orats_one_minute_rows_are_wide(tmp_path: Path) -> None:
    call, put = rows_of(ORATS, tmp_path, ORATS_HEADER + ORATS_ROW)
    assert call["at"] == datetime(2020, 8, 20, 15, 30, 1, tzinfo=UTC)
    assert (call["root"], call["expiry"], call["strike"]) == ("A", date(2020, 8, 21), 3_250_000)
    assert (call["bid"], call["ask"], call["bid_size"], call["ask_size"]) == (62.9, 67.5, 3, 31)
    assert (put["bid"], put["ask"], put["open_interest"], put["spot"]) == (0.0, 0.05, 10, 97.8)


def test_orats_near_end_of_day_is_fourteen_minutes_before_the_close(tmp_path: Path) -> None:
    header = (
        "ticker,stkPx,expirDate,yte,strike,cVolu,cOi,pVolu,pOi,cBidPx,cAskPx,pBidPx,pAskPx,spot_px,"
        "trade_date\n"
    )
    line = "AAPL,150.2,8/19/2022,0.1,150,1,2,3,4,5.1,5.2,4.9,5.0,150.1,7/1/2022\n"
    call, put = rows_of(ORATS, tmp_path, header + line)
    assert call["at"] == datetime(2022, 7, 1, 19, 46, tzinfo=UTC)
    assert (call["expiry"], call["spot"], put["bid"], put["open_interest"]) == (
        date(2022, 8, 19),
        150.1,
        4.9,
        4,
    )


def test_historicaloptiondata_takes_the_contract_from_its_symbol(tmp_path: Path) -> None:
    header = (
        "UnderlyingSymbol,UnderlyingPrice,Exchange,OptionSymbol,Blank,Type,Expiration,DataDate,Strike,Last,Bid,Ask,"
        "Volume,OpenInterest,IV,Delta,Gamma,Theta,Vega,Alias\n"
    )
    line = (
        "SPY,298.09,*,SPY191220C00300000,,call,12/20/2019,09/10/2019 16:00,300,7.99,7.96,8.06,514,74443,"
        "0,0,0,0,0,x\n"
    )
    (one,) = rows_of(OPTIONDATA, tmp_path, header + line)
    assert one["at"] == datetime(2019, 9, 10, 20, 0, tzinfo=UTC)
    assert (one["root"], one["expiry"], one["strike"], one["right"]) == (
        "SPY",
        date(2019, 12, 20),
        30_000_000,
        1,
    )
    assert (one["bid"], one["ask"], one["volume"], one["open_interest"]) == (7.96, 8.06, 514, 74443)


# ------------------------------------------------------------------ a moment that the file does not say

SPY = "contractSymbol,bid,ask,volume,openInterest\nSPY240920C00560000,1.2,1.3,5.0,17\n"


@pytest.mark.parametrize(
    ("name", "at"),
    [
        ("spy_20240917.csv", datetime(2024, 9, 17, 20, 0, tzinfo=UTC)),  # the close
        ("spy_20240703.csv", datetime(2024, 7, 3, 17, 0, tzinfo=UTC)),  # of a half day
        ("spy_2024-09-17T10:52.csv", datetime(2024, 9, 17, 14, 52, tzinfo=UTC)),
        ("spy_20240917_1052.csv", datetime(2024, 9, 17, 14, 52, tzinfo=UTC)),
    ],
)
def test_a_chain_named_for_its_moment_has_it(name: str, at: datetime, tmp_path: Path) -> None:
    (one,) = rows_of(YAHOO, tmp_path, SPY, name)
    assert (one["at"], one["strike"], one["volume"]) == (at, 56_000_000, 5)


def test_the_user_can_say_the_moment(tmp_path: Path) -> None:
    at = datetime(2024, 9, 17, 14, 52, tzinfo=UTC)
    (one,) = rows_of(YAHOO.at(at), tmp_path, SPY)
    assert one["at"] == at


def test_what_would_be_read_otherwise_is_another_version() -> None:
    noon, evening = (YAHOO.at(datetime(2024, 9, 17, hour, tzinfo=UTC)) for hour in (16, 22))
    assert len({YAHOO.version, noon.version, evening.version, DATASHOP.version}) == 4
    assert noon.version == YAHOO.at(datetime(2024, 9, 17, 16, tzinfo=UTC)).version


@pytest.mark.parametrize("root", ["4SPXW", "AAPL1", "BRK.B", "BRKB"])
def test_roots_of_flex_and_adjusted_contracts_are_roots(root: str, tmp_path: Path) -> None:
    (one,) = rows_of(DATASHOP, tmp_path, HEADER + row(root=root))
    (two,) = rows_of(DATABENTO, tmp_path, BENTO_HEADER + BENTO_ROW.replace("SPXW  ", root.ljust(6)))
    assert one["root"] == two["root"] == root


def test_a_contract_quoted_a_day_after_its_end_is_left_to_verification(tmp_path: Path) -> None:
    (one,) = rows_of(DATASHOP, tmp_path, HEADER + row(expiry="2016-04-28"))
    assert one["expiry"] == date(2016, 4, 28)


def test_a_moment_for_files_that_have_their_own_is_refused() -> None:
    assert not DATASHOP.needs_at
    with pytest.raises(BadData, match="their own stamps"):
        DATASHOP.at(datetime(2024, 9, 17, tzinfo=UTC))


def test_a_root_that_contradicts_the_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadData, match="row 2, column symbol: 'SPXW' is not XSP"):
        rows_of(DATASHOP, tmp_path, HEADER + row(), root="XSP")


def test_the_user_can_say_the_zone_of_naive_stamps(tmp_path: Path) -> None:
    (one,) = rows_of(DATASHOP, tmp_path, HEADER + row(), zone="America/Chicago")
    assert one["at"] == datetime(2016, 4, 29, 15, 0, tzinfo=UTC)
    with pytest.raises(BadData, match="not a time zone"):
        rows_of(DATASHOP, tmp_path, HEADER + row(), zone="Chicago")


def test_stamps_with_new_york_offsets_may_cross_a_clock_change(tmp_path: Path) -> None:
    lines = row(at="2016-03-11T10:00-05:00") + row(at="2016-03-14T10:00-04:00")
    found = rows_of(DATASHOP, tmp_path, HEADER + lines)
    assert [r["at"].hour for r in found] == [15, 14]


# ------------------------------------------------------------------ how a file comes


def _gzip(content: bytes, folder: Path) -> Path:
    path = folder / "chain.csv.gz"
    path.write_bytes(gzip.compress(content))
    return path


def _zstd(content: bytes, folder: Path) -> Path:
    path = folder / "chain.csv.zst"
    path.write_bytes(pa.compress(content, codec="zstd", asbytes=True))
    return path


def _zip(content: bytes, folder: Path) -> Path:
    path = folder / "chain.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("__MACOSX/._a.csv", b"\0")
        made.writestr("chain.csv", content)
    return path


def _marked(content: bytes, folder: Path) -> Path:
    path = folder / "chain.csv"
    path.write_bytes(b"\xef\xbb\xbf" + content.replace(b"\n", b"\r\n") + b"\r\n\r\n")
    return path


def _without_last_line_end(content: bytes, folder: Path) -> Path:
    path = folder / "chain.csv"
    path.write_bytes(content.rstrip(b"\n"))
    return path


def _quoted(content: bytes, folder: Path) -> Path:
    path = folder / "chain.csv"
    path.write_bytes(re.sub(rb"[^,\n]+", rb'"\g<0>"', content))
    return path


@pytest.mark.parametrize("pack", [_gzip, _zstd, _zip, _marked, _without_last_line_end, _quoted])
def test_packing_changes_nothing(pack: Callable[[bytes, Path], Path], tmp_path: Path) -> None:
    content = HEADER + row() + row(bid="", right="put", strike="2065")
    plain = tmp_path / "plain.csv"
    plain.write_text(content)
    packed = read(DATASHOP, pack(content.encode(), tmp_path)).drop("member")
    assert packed.to_dicts() == read(DATASHOP, plain).drop("member").to_dicts()
    assert packed["bid"].to_list() == [6.4, None]


def test_a_zip_of_several_tables_counts_rows_in_each(tmp_path: Path) -> None:
    path = tmp_path / "days.zip"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("2016-04-28.csv", HEADER + row(at="2016-04-28 10:00"))
        made.writestr("2016-04-29.csv", HEADER + row() + row(strike="2075"))
    found = read(DATASHOP, path)
    assert found["member"].to_list() == ["2016-04-28.csv", "2016-04-29.csv", "2016-04-29.csv"]
    assert found["line"].to_list() == [2, 2, 3]


def test_parquet_is_read_as_its_types_are(tmp_path: Path) -> None:
    stamp = pl.Series([datetime(2016, 4, 29, 14, 0, tzinfo=UTC)], dtype=pl.Datetime("ns", "UTC"))
    kinds = frame(
        quote_datetime=stamp,
        expiration=[date(2016, 4, 29)],
        option_type=pl.Series(["C"]).cast(pl.Categorical),
    )
    kinds.write_parquet(tmp_path / "typed.parquet")
    frame().write_parquet(tmp_path / "texts.parquet")
    typed, texts = (read(DATASHOP, tmp_path / f"{n}.parquet").to_dicts() for n in ("typed", "texts"))
    assert typed == texts
    assert (typed[0]["line"], typed[0]["strike"], typed[0]["volume"]) == (1, 207_000_000, 0)


@settings(max_examples=25)
@given(block=st.integers(200, 5000), count=st.integers(1, 150))
def test_the_size_of_a_block_changes_no_row(
    block: int, count: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("blocks") / "chain.csv"
    path.write_text(HEADER + "".join(row(strike=f"{1000 + k}", bid=f"{k / 100}") for k in range(count)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tabular_text, "BLOCK_BYTES", block)
        patch.setattr(tabular_text, "_PIECE_BYTES", 97)
        found = read(DATASHOP, path)
    assert found["line"].to_list() == list(range(2, count + 2))
    assert found["strike"].to_list() == [(1000 + k) * 100_000 for k in range(count)]
    assert found["bid"].to_list() == [k / 100 for k in range(count)]


@given(strike=st.decimals(min_value="0.00001", max_value="99999", places=5))
@settings(max_examples=50)
def test_a_strike_of_five_decimals_is_exact(strike: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("strikes") / "chain.csv"
    path.write_text(HEADER + row(strike=str(strike)))
    assert read(DATASHOP, path)["strike"].to_list() == [int(strike * 100_000)]


def test_every_layout_is_recognised_by_one_importer_only(tmp_path: Path) -> None:
    headers = {
        "optionsdx": DX_HEADER,
        "datashop": EOD_CALCS,
        "databento": BENTO_HEADER,
        "orats": ORATS_HEADER,
        "yahoo": SPY,
    }
    for name, header in headers.items():
        path = tmp_path / f"{name}.csv"
        path.write_text(header)
        assert [i.name for i in TABULAR if i.recognises(path)] == [name]


def test_a_folder_is_its_files_in_order(tmp_path: Path) -> None:
    for name in ("b.csv", "a.csv", "notes.md"):
        (tmp_path / name).write_text(HEADER + row())
    assert [p.name for p in DATASHOP.files(tmp_path)] == ["a.csv", "b.csv"]
    assert DATASHOP.recognises(tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadData, match=r"no \.csv"):
        DATASHOP.files(tmp_path / "empty")


# ------------------------------------------------------------------ the examples of the documentation


def _example(path: Path) -> str:
    """The sample rows in the comments of a mapping file."""
    return "".join(f"{line[4:]}\n" for line in path.read_text().splitlines() if line.startswith("#   "))


def test_the_complete_example_reads_its_rows(tmp_path: Path) -> None:
    path = ROOT / "docs/mappings/complete.toml"
    content = _example(path).replace("5.760,25", "5760,25")
    (one,) = rows_of(mapped(path), tmp_path, content)
    assert one["at"] == datetime(2024, 10, 31, 14, 30, tzinfo=UTC)
    assert (one["root"], one["expiry"], one["strike"], one["right"]) == (
        "SPX",
        date(2024, 11, 15),
        580_000_000,
        1,
    )
    assert (one["bid"], one["ask"], one["bid_size"], one["ask_size"]) == (61.3, 61.9, 12, 7)
    assert (one["open_interest"], one["spot"], one["multiplier"]) == (1520, 5760.25, 100.0)


def test_the_wide_example_reads_its_rows(tmp_path: Path) -> None:
    path = ROOT / "docs/mappings/wide.toml"
    call, put = rows_of(mapped(path), tmp_path, _example(path))
    assert call["at"] == datetime(2018, 1, 3, 21, 0, tzinfo=UTC)
    assert (call["root"], call["right"], call["bid"], put["right"], put["ask"]) == ("SPXW", 1, 35.1, -1, 22.9)


def test_the_symbols_example_reads_its_rows(tmp_path: Path) -> None:
    path = ROOT / "docs/mappings/symbols.toml"
    (one,) = rows_of(mapped(path), tmp_path, _example(path), "chain_20240930_1545.csv")
    assert one["at"] == datetime(2024, 9, 30, 19, 45, tzinfo=UTC)
    assert (one["root"], one["expiry"], one["strike"]) == ("SPXW", date(2024, 10, 4), 575_000_000)


def test_everything_wrong_with_a_mapping_is_said_at_once(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(
        'name = "mine"\nseperator = ";"\nstamp = { column = "t", formatt = "iso" }\n'
        'strike = { column = "k", scale = -1 }\n'
        'quotes = [{ bid = "b" }, { bidd = "b", side = "long" }]\n'
    )
    with pytest.raises(BadData) as raised:
        mapped(path)
    said = "\n".join(raised.value.problems)
    assert 'seperator: unknown key; did you mean "separator"?' in said
    assert 'stamp.formatt: unknown key; did you mean "format"?' in said
    assert 'quotes[2].bidd: unknown key; did you mean "bid"?' in said
    assert "strike.scale: " in said
    assert "quotes[2].side: " in said


@pytest.mark.parametrize(
    ("mapping", "words"),
    [
        ('name = "m"\nquotes = [{ bid = "b" }]', ("expiry is missing", "strike is missing", "right")),
        ('name = "m"\nsymbol = "s"\nstrike = "k"\nquotes = [{ bid = "b" }]', ("already says strike",)),
        ('name = "m"\nsymbol = "s"\nzone = "New York"\nquotes = [{ bid = "b" }]', ("not a time zone",)),
        ('name = "m"\nsymbol = "s"\nstamp = { }\nquotes = [{ bid = "b" }]', ("exactly one of",)),
        ('name = "m"\nsymbol = "s"\nquotes = [{ spot_bid = "b" }]', ("spot_ask",)),
        (
            'name = "m"\nsymbol = "s"\nstamp = { name_pattern = "(" }\nquotes = [{}]',
            ("no regular expression",),
        ),
        (
            'name = "m"\nsymbol = "s"\nstamp = { column = "t", format = "epoc-ns" }\nquotes = [{}]',
            ('"epoch-ns"',),
        ),
        ('name = "m"\n', ("quotes: is missing",)),
        ("name = m\n", ("not TOML",)),
    ],
)
def test_a_mapping_that_cannot_work_is_refused(mapping: str, words: tuple[str, ...], tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(mapping)
    with pytest.raises(BadData) as raised:
        mapped(path)
    assert all(word in str(raised.value) for word in (str(path), *words))


def test_a_mapping_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(BadData, match="no such file"):
        mapped(tmp_path / "mine.toml")


def test_the_page_shows_the_complete_example_as_it_is() -> None:
    page = (ROOT / "docs/importing.md").read_text()
    example = (ROOT / "docs/mappings/complete.toml").read_text()
    assert example.strip() in page


def test_a_bar_that_is_stamped_with_its_start_is_seen_at_its_end(tmp_path: Path) -> None:
    # The bar of 09:30 holds what happened until 09:35: who trades at 09:30 must not know it.
    header = "timestamp,type,strike,expiration,open,high,low,close,volume,underlying_mid,iv,delta\n"
    path = tmp_path / "trades.csv"
    path.write_text(header + "2023-01-03 09:30:00,P,3730,2023-02-17,1,1,1,1,3,3849.1594,0.2,-0.3\n")
    assert read(TRADES, path, root="SPX")["at"].to_list() == [datetime(2023, 1, 3, 14, 35, tzinfo=UTC)]


def test_the_complete_example_has_every_key() -> None:
    example = (ROOT / "docs/mappings/complete.toml").read_text()
    for model in (Mapping, Root, Expiry, Strike, Right, Multiplier, Quote):
        for key in set(model.model_fields) - {"symbol"}:
            assert re.search(rf"\b{key}\b", example), key


@pytest.mark.parametrize("kind", [pa.float32(), pa.float64()])
def test_prices_of_single_precision_are_the_decimals_they_stand_for(kind: Any, tmp_path: Path) -> None:
    # 2.35 in 32 bits is 2.3499999046325684: nobody quoted that.
    prices = [2.35, 1755.3, 0.05, 27.86, 5123.25]
    table = frame().slice(0, 1)
    path = tmp_path / "chain.parquet"
    columns = {c: [table[c][0]] * len(prices) for c in table.columns} | {
        "strike": pa.array(prices, pa.float64()).cast(kind),
        "bid": pa.array(prices, pa.float64()).cast(kind),
        "ask": pa.array(prices, pa.float64()).cast(kind),
    }
    papq.write_table(pa.table(columns), path)
    quotes = read(DATASHOP, path)
    assert quotes["bid"].to_list() == quotes["ask"].to_list() == prices
    assert quotes["strike"].to_list() == [235_000, 175_530_000, 5_000, 2_786_000, 512_325_000]


@pytest.mark.parametrize(
    ("listed", "last"),
    [
        ("2014-06-21", date(2014, 6, 20)),  # a Saturday: the Friday before
        ("2014-04-19", date(2014, 4, 17)),  # the Saturday after Good Friday
        ("2014-06-20", date(2014, 6, 20)),
    ],
)
def test_a_listed_saturday_is_the_session_before_it(listed: str, last: date, tmp_path: Path) -> None:
    path = tmp_path / "chain.csv"
    path.write_text(HEADER + row(at="2014-04-01 10:00", expiry=listed))
    assert read(DATASHOP, path)["expiry"].to_list() == [last]


def test_a_listed_saturday_in_a_symbol_is_the_session_before_it(tmp_path: Path) -> None:
    path = tmp_path / "spy_20140401_1030.csv"
    path.write_text("contractSymbol,bid,ask,volume,openInterest\nSPY140621P00170000,1.2,1.3,5,10\n")
    assert read(YAHOO, path)["expiry"].to_list() == [date(2014, 6, 20)]


@pytest.mark.parametrize(
    ("name", "assumed"),
    [("spy_20240917.csv", True), ("spy_20240917_1052.csv", False), ("spy.csv", False)],
)
def test_a_name_with_a_day_and_no_time_is_known_to_be_an_assumption(name: str, assumed: bool) -> None:
    assert YAHOO.assumes_close(Path(name)) is assumed
    assert not YAHOO.at(datetime(2024, 9, 17, 15, tzinfo=UTC)).assumes_close(Path(name))
    assert not DATASHOP.assumes_close(Path(name))
