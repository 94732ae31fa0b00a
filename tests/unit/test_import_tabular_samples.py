"""Every real chain in the shared folder: recognised, counted, and one quote of each checked by hand."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tomking.adapters.importers.known import importers, mapped, named, recognised
from tomking.adapters.importers.raw import QUOTES, STRIKE_DIGITS, Source
from tomking.domain.errors import BadData

CHAINS = Path(__file__).resolve().parents[2] / "../shared/data/chains"
here = pytest.mark.skipif(not CHAINS.is_dir(), reason="the shared chains are not here")


@dataclass(frozen=True)
class Sample:
    """A file, what is asked for it, how many quotes it has, and one row as it stands in it."""

    file: str
    importer: str
    quotes: int
    line: int
    cells: dict[str, Any]
    root: str | None = None


SAMPLES = (
    # 2014-12-30,AAPL,70.0,2015-01-02,C,112.52,42.45,42.65,...,0,0,0.6078
    Sample(
        "aapl_eod_20141230_20150107.csv.gz",
        "optiondata",
        8988,
        2,
        {
            "root": "AAPL",
            "at": datetime(2014, 12, 30, 21, 0, tzinfo=UTC),
            "expiry": date(2015, 1, 2),
            "right": 1,
            "strike": 7_000_000,
            "bid": 42.45,
            "ask": 42.65,
            "volume": 0,
            "open_interest": 0,
            "spot": 112.52,
        },
    ),
    # 2016-04-28 16:15,SPXW,2017-03-31,2700.0,P,2075.8101,634.2,654.7,...,0,0
    Sample(
        "spxw_15min_20160428.csv.gz",
        "datashop",
        128_844,
        128_845,
        {
            "root": "SPXW",
            "at": datetime(2016, 4, 28, 20, 15, tzinfo=UTC),
            "expiry": date(2017, 3, 31),
            "right": -1,
            "strike": 270_000_000,
            "bid": 634.2,
            "ask": 654.7,
            "spot": 2075.8101,
        },
    ),
    # 2016-04-29 09:45,SPXW,2016-04-29,300.0,P,2070.51,0.0,0.05,...,113,0
    Sample(
        "spxw_15min_20160429_0dte.csv.gz",
        "datashop",
        128_844,
        3,
        {
            "at": datetime(2016, 4, 29, 13, 45, tzinfo=UTC),
            "expiry": date(2016, 4, 29),
            "right": -1,
            "strike": 30_000_000,
            "bid": 0.0,
            "ask": 0.05,
            "open_interest": 113,
            "spot": 2070.51,
        },
    ),
    # 2018-01-02,SPXW,2695.79,2018-01-31,1200,call,1395.46,1483.6,1503.2,0,6007,...,SPXW180131C01200000
    Sample(
        "spxw_eod_exp20180131.csv.gz",
        "optiondata",
        7588,
        2,
        {
            "root": "SPXW",
            "at": datetime(2018, 1, 2, 21, 0, tzinfo=UTC),
            "expiry": date(2018, 1, 31),
            "right": 1,
            "strike": 120_000_000,
            "bid": 1483.6,
            "ask": 1503.2,
            "open_interest": 6007,
            "spot": 2695.79,
        },
    ),
    # SPY260925C00595000,2026-09-25,595.0,c,165.43,168.24,165.39,...,1.0,3.0,0.7993
    Sample(
        "spy_chain_yahoo_20260917.csv.gz",
        "yahoo",
        1107,
        2,
        {
            "root": "SPY",
            "at": datetime(2026, 9, 17, 20, 0, tzinfo=UTC),
            "expiry": date(2026, 9, 25),
            "right": 1,
            "strike": 59_500_000,
            "bid": 165.43,
            "ask": 168.24,
            "volume": 1,
            "open_interest": 3,
            "spot": None,
        },
    ),
    # 2031-12-19,P,20000.0,0.0,0.0,58.0,1.0
    Sample(
        "spx_chain_yahoo_20260731.csv.gz",
        "yahoo",
        17_193,
        17_194,
        {
            "root": "SPXW",
            "at": datetime(2026, 7, 31, 20, 0, tzinfo=UTC),
            "expiry": date(2031, 12, 19),
            "right": -1,
            "strike": 2_000_000_000,
            "bid": 0.0,
            "ask": 0.0,
            "volume": 1,
            "open_interest": 58,
        },
        root="SPXW",
    ),
    # 2023-01-03 01:35:00,P,3730.0,2023-02-17,70.74,...,3,3849.1594,...: traded, nobody's quote
    Sample(
        "spx_option_trades_5min_20230103_09.csv.gz",
        "trades",
        47_931,
        2,
        {
            "root": "SPX",
            "at": datetime(2023, 1, 3, 6, 40, tzinfo=UTC),
            "expiry": date(2023, 2, 17),
            "right": -1,
            "strike": 373_000_000,
            "bid": None,
            "ask": None,
            "volume": 3,
            "spot": 3849.1594,
        },
        root="SPX",
    ),
    # 2018-12,2018-12-03,2019-01-18,46,279.0,279.22,5.91,5.95,...,2018-12-28,21,247.8,31.15,31.41
    Sample(
        "spy_puts_monthly_2010_2018.csv.gz",
        "optionsdx",
        9674,
        4838,
        {
            "root": "SPY",
            "at": datetime(2018, 12, 3, 21, 0, tzinfo=UTC),
            "expiry": date(2019, 1, 18),
            "right": -1,
            "strike": 27_900_000,
            "bid": 5.91,
            "ask": 5.95,
            "spot": 279.22,
        },
        root="SPY",
    ),
)


def quotes(sample: Sample) -> pl.DataFrame:
    path = CHAINS / sample.file
    batches = list(named(sample.importer).read(Source(path, root=sample.root)))
    assert batches[-1].position == path.stat().st_size
    return pl.concat([batch.quotes for batch in batches])


@here
@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.file)
def test_a_real_chain_is_read_whole_and_right(sample: Sample) -> None:
    found = quotes(sample)
    assert found.schema == QUOTES
    assert found.height == sample.quotes
    first = found.filter(pl.col("line") == sample.line).to_dicts()[0]
    assert {name: first[name] for name in sample.cells} == sample.cells


@here
@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.file)
def test_a_real_chain_is_recognised(sample: Sample) -> None:
    assert recognised(CHAINS / sample.file) is named(sample.importer)


@here
def test_every_chain_file_is_among_the_samples() -> None:
    assert {p.name for p in CHAINS.iterdir()} == {sample.file for sample in SAMPLES}


@here
def test_a_row_with_two_moments_gives_two_quotes() -> None:
    monthly = next(s for s in SAMPLES if s.file.startswith("spy_puts"))
    first, later = quotes(monthly).filter(pl.col("line") == 4838).to_dicts()
    assert first["at"] == datetime(2018, 12, 3, 21, 0, tzinfo=UTC)
    assert later["at"] == datetime(2018, 12, 28, 21, 0, tzinfo=UTC)
    assert (later["bid"], later["ask"], later["spot"]) == (31.15, 31.41, 247.8)


@here
def test_every_cell_of_a_real_chain_is_as_another_reader_has_it() -> None:
    path = CHAINS / "spxw_15min_20160429_0dte.csv.gz"
    found = pl.concat([b.quotes for b in named("datashop").read(Source(path))])
    plain = pl.read_csv(path, try_parse_dates=True)
    for ours, theirs in (("bid", "bid"), ("ask", "ask"), ("spot", "spot_price"), ("expiry", "expiration")):
        assert found[ours].equals(plain[theirs].alias(ours)), ours
    for ours, theirs in (("volume", "volume"), ("open_interest", "open_interest")):
        assert found[ours].equals(plain[theirs].alias(ours)), ours
    assert (found["strike"] == (plain["strike"] * STRIKE_DIGITS).round().cast(pl.Int64)).all()
    assert (found["right"] == plain["option_type"].replace_strict({"C": 1, "P": -1})).all()
    wall = found["at"].dt.convert_time_zone("America/New_York").dt.strftime("%Y-%m-%d %H:%M")
    assert (wall == pl.read_csv(path, infer_schema=False)["quote_datetime"]).all()


@here
def test_chains_that_do_not_name_their_root_ask_for_it() -> None:
    for sample in (s for s in SAMPLES if s.root is not None):
        with pytest.raises(BadData, match="--product"):
            list(named(sample.importer).read(Source(CHAINS / sample.file)))


# ------------------------------------------------------------------ importers by name


def test_importers_are_found_by_name() -> None:
    assert list(importers()) == [
        "lean",
        "optionsdx",
        "datashop",
        "optiondata",
        "databento",
        "orats",
        "trades",
        "yahoo",
    ]
    assert named("orats").name == "orats"


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(BadData, match='did you mean "datashop"'):
        named("datashp")


def test_a_file_of_no_known_layout_is_refused_with_what_can_be_done(tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    path.write_text("date,close\n2016-04-29,2065.3\n")
    with pytest.raises(BadData, match=r"row 1 is 'date,close': no known layout .*mapping"):
        recognised(path)
    path.write_text("<!doctype html><p>404")
    with pytest.raises(BadData, match="row 1: is a web page"):
        recognised(path)
    with pytest.raises(BadData, match="no such file"):
        recognised(tmp_path / "nothing")


def test_a_mapping_is_an_importer_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('name = "mine"\nsymbol = "s"\nstamp = "t"\nquotes = [{ bid = "b", ask = "a" }]\n')
    data = tmp_path / "mine.csv"
    data.write_text("t,s,b,a\n2024-09-30T15:45-04:00,SPXW  241004C05750000,21.4,21.7\n")
    importer = mapped(path)
    assert importer.name == "mine"
    assert importer.recognises(data)
    (batch,) = importer.read(Source(data))
    assert batch.quotes["ask"].to_list() == [21.7]
