"""The LEAN importer on the published samples: counts, and quotes read off the files by hand."""

from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from tomking.adapters.importers.lean import Lean
from tomking.adapters.importers.raw import LEVELS, QUOTES, Source

LEAN = Path(__file__).resolve().parents[2] / "../shared/data/lean"
pytestmark = pytest.mark.skipif(not LEAN.exists(), reason="the published LEAN samples are not here")


def read(path: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """All of one sample: quotes and levels."""
    batches = list(Lean().read(Source(LEAN / path)))
    positions = [batch.position for batch in batches]
    assert positions == sorted(positions)
    assert positions[-1] == (LEAN / path).stat().st_size
    quotes, levels = pl.concat(b.quotes for b in batches), pl.concat(b.levels for b in batches)
    assert (quotes.schema, levels.schema) == (QUOTES, LEVELS)
    return quotes, levels


def row(frame: pl.DataFrame, **wanted: object) -> dict[str, object]:
    """The only row with these values."""
    found = frame.filter([pl.col(name).eq(pl.lit(value)) for name, value in wanted.items()])
    assert found.height == 1, found
    return found.row(0, named=True)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type,misc]


def test_an_spxw_minute_is_stamped_with_its_end_in_new_york_time() -> None:
    quotes, levels = read("indexoption/usa/minute/spxw/20210106_quote_european.zip")
    # 6305 bars of quotes and 65 of trades in minutes without one
    assert (quotes.height, quotes["line"].count(), levels.height) == (6370, 6370, 0)
    assert quotes.filter(pl.col("member").str.contains("_trade_")).height == 65
    # 34200000,103000,106000,38000,85000,1,112000,150000,84000,89000,18 and 67 traded:
    # 09:30 to 09:31 in January's New York is 14:31 UTC
    put = row(quotes, at=utc(2021, 1, 6, 14, 31), expiry=date(2021, 1, 6), right=-1, strike=370_000_000)
    assert (put["bid"], put["ask"], put["bid_size"], put["ask_size"]) == (8.5, 8.9, 1, 18)
    assert (put["volume"], put["open_interest"], put["root"], put["line"]) == (67, None, "SPXW", 1)
    assert put["member"] == "20210106_spxw_minute_quote_european_put_37000000_20210106.csv"


def test_crossed_bars_are_left_for_verification() -> None:
    quotes, _ = read("indexoption/usa/minute/spxw/20210106_quote_european.zip")
    assert quotes.filter(pl.col("bid") > pl.col("ask")).height == 7  # as the samples' README counts
    quotes, _ = read("indexoption/usa/minute/spxw/20210108_quote_european.zip")
    assert quotes.filter(pl.col("bid") > pl.col("ask")).height == 48


def test_spx_and_spxw_are_told_apart_by_their_folders() -> None:
    quotes, _ = read("indexoption/usa/minute/spx/20210104_quote_european.zip")
    assert quotes.height == 2428
    assert quotes["root"].unique().to_list() == ["SPX"]
    # 34200000,5649000,...,5641000,115,5708000,...,5691000,115; 11755 open at 06:30
    call = row(quotes, at=utc(2021, 1, 4, 14, 31), right=1, strike=320_000_000)
    assert (call["bid"], call["ask"], call["open_interest"]) == (564.1, 569.1, 11755)
    assert call["expiry"] == date(2021, 1, 15)  # the settlement day of the third Friday's AM series
    # the last bar begins at 16:14
    assert quotes["at"].max() == utc(2021, 1, 4, 21, 15)


def test_future_options_are_in_utc_and_in_points() -> None:
    quotes, _ = read("futureoption/cme/minute/es/202003/20200106_quote_american.zip")
    assert quotes.filter(pl.col("member").str.contains("_quote_")).height == 111_789
    # 52260000 (14:31 UTC): 140.5,142.5,127.25,142.5,1, 141.5,156.75,141.25,143.25,2; one traded
    call = row(quotes, at=utc(2020, 1, 6, 14, 32), right=1, strike=313_000_000)
    assert (call["bid"], call["ask"], call["volume"]) == (142.5, 143.25, 1)
    assert (call["line"], call["root"], call["expiry"]) == (782, "ES", date(2020, 3, 20))
    assert quotes["at"].max() == utc(2020, 1, 7)  # the minute that ends at midnight


def test_a_side_without_a_quote_is_null() -> None:
    quotes, _ = read("futureoption/cme/minute/es/202003/20200105_quote_american.zip")
    # 82500000,,,,,0,264.75,264.75,264.75,264.75,1
    call = row(quotes, at=utc(2020, 1, 5, 22, 56), right=1, strike=300_000_000)
    assert (call["bid"], call["ask"], call["bid_size"]) == (None, 264.75, 0)


def test_saturday_expiries_of_2014_become_the_friday_before() -> None:
    quotes, _ = read("option/usa/minute/twx/20140605_quote_american.zip")
    assert quotes.filter(pl.col("member").str.contains("_quote_")).height == 30_468
    # Listed: 2014-06-21, 07-19, 10-18, 2015-01-17 (Saturdays), 2016-01-15 (a Friday)
    expiries = ["2014-06-20", "2014-07-18", "2014-10-17", "2015-01-16", "2016-01-15"]
    assert quotes["expiry"].unique().sort().to_list() == [date.fromisoformat(day) for day in expiries]
    # 34200000,13200,13200,12800,13000,116,14600,15100,14600,14700,323; 4871 open at 06:32; New York's summer
    call = row(quotes, at=utc(2014, 6, 5, 13, 31), expiry=date(2014, 6, 20), right=1, strike=7_000_000)
    assert (call["bid"], call["ask"], call["open_interest"], call["volume"]) == (1.3, 1.47, 4871, None)
    assert str(call["member"]).endswith("_20140621.csv")  # the listed date can be read off


def test_spy_options_of_2023() -> None:
    quotes, _ = read("option/usa/minute/spy/20230803_quote_american.zip")
    assert quotes.height == 1620
    # 34200000,...,201900,221200,20,...,228600,231800,66
    call = row(quotes, at=utc(2023, 8, 3, 13, 31), expiry=date(2023, 9, 1), right=1, strike=43_000_000)
    assert (call["bid"], call["ask"]) == (22.12, 23.18)


def test_the_index_is_in_chicago_time() -> None:
    quotes, levels = read("index/usa/minute/spx/20210104_trade.zip")
    assert (quotes.height, levels.height) == (0, 411)
    # 30600000,3764.61,3769.99,3764.61,3766.63,59: 08:30 Chicago, the open
    first = row(levels, at=utc(2021, 1, 4, 14, 31))
    assert (first["key"], first["last"], first["expiry"], first["bid"]) == ("SPX", 3766.63, None, None)


def test_futures_have_their_last_trading_day() -> None:
    _, levels = read("future/cme/minute/es/20200106_quote.zip")
    # 1617 bars of trades all have a quote in their minute
    assert levels.height == 5241
    days = [(2020, 3, 20), (2020, 6, 19), (2020, 9, 18), (2020, 12, 18), (2021, 3, 19)]
    assert levels["expiry"].unique().sort().to_list() == [date(*day) for day in days]
    # 0,3223.5,3224,3222.75,3223,20,3223.75,3224.25,3223,3223.25,20; last 3223
    first = row(levels, at=utc(2020, 1, 6, 0, 1), expiry=date(2020, 3, 20))
    assert (first["key"], first["bid"], first["ask"], first["last"]) == ("ES", 3223.0, 3223.25, 3223.0)


def test_a_share_has_bid_ask_and_last_in_one_row() -> None:
    _, levels = read("equity/usa/minute/twx/20140605_quote.zip")
    assert levels.height == 478  # 475 quotes, and 3 minutes with a trade only
    # 34200000: bid close 705100, ask close 705600, last 705600
    first = row(levels, at=utc(2014, 6, 5, 13, 31))
    assert (first["key"], first["bid"], first["ask"], first["last"]) == ("TWX", 70.51, 70.56, 70.56)


def test_daily_bars_are_seen_when_their_session_is_over() -> None:
    _, spy = read("equity/usa/daily/spy.zip")
    assert spy.height == 5849
    assert row(spy, at=utc(2021, 3, 31, 20, 0, 1))["last"] == 396.33  # 16:00 in summer
    assert row(spy, at=utc(2013, 11, 29, 18, 0, 1))["last"] is not None  # 13:00 on the day after Thanksgiving
    quotes, _ = read("option/usa/daily/twx_2014_quote_american.zip")
    # 20140605 00:00,275000,276000,256000,271000,23,286000,305500,285000,291000,45
    call = row(quotes, at=utc(2014, 6, 5, 20, 15, 1), expiry=date(2014, 6, 20), right=1, strike=4_250_000)
    assert (call["bid"], call["ask"], call["bid_size"]) == (27.1, 29.1, 23)
    _, index = read("index/usa/daily/spx.zip")
    assert row(index, at=utc(2021, 1, 4, 21, 20, 1))["last"] == 3700.65


def test_daily_trades_of_future_options_are_rows_without_a_quote() -> None:
    quotes, levels = read("futureoption/cme/daily/es/202003/es_2020_trade_american.zip")
    assert (quotes.height, levels.height) == (225, 0)
    # 20200103 00:00,18.75,19.75,18.5,19.75,571
    put = row(quotes, at=utc(2020, 1, 3, 22, 0, 1), right=-1, strike=293_000_000)
    assert (put["bid"], put["ask"], put["volume"]) == (None, None, 571)


def test_universes_bring_contracts_and_an_underlying_but_no_quotes() -> None:
    quotes, levels = read("option/usa/universes/twx/20140605.csv")
    assert (quotes.height, levels.height) == (184, 1)
    assert quotes["bid"].null_count() == quotes["ask"].null_count() == 184
    call = row(quotes, expiry=date(2014, 6, 20), right=1, strike=4_250_000)
    assert (call["at"], call["volume"], call["line"], call["member"]) == (
        utc(2014, 6, 5, 20, 15, 2),
        0,
        3,
        "",
    )
    # 71.22 is no price of 5 June, which ended at 70.88, but of the 6th: not known before that one's end
    assert levels.row(0, named=True)["last"] == 71.22
    assert levels.row(0, named=True)["at"] == utc(2014, 6, 6, 20, 15, 2)
    spx, none = read("indexoption/usa/universes/spx/20151222.csv")
    assert (spx.height, none.height) == (233, 0)
    assert row(spx, expiry=date(2016, 1, 15), right=1, strike=112_500_000)["open_interest"] == 4


def test_a_universe_of_future_options_is_known_a_session_later() -> None:
    quotes, levels = read("futureoption/cme/universes/es/202003/20200106.csv")
    assert (quotes.height, levels.height) == (104, 1)
    # The row of the future, 3239.5 to 3233, is the daily bar of 2020-01-07.
    future = levels.row(0, named=True)
    assert (future["last"], future["at"], future["expiry"]) == (
        3233.0,
        utc(2020, 1, 7, 22, 0, 2),
        date(2020, 3, 20),
    )
    assert quotes["at"].unique().to_list() == [utc(2020, 1, 7, 22, 0, 2)]


def test_a_folder_names_each_quote_file_once_with_what_is_read_beside_it() -> None:
    lean = Lean()
    assert lean.recognises(LEAN)
    assert lean.recognises(LEAN / "option/usa")
    names = [file.relative_to(LEAN).as_posix() for file in lean.files(LEAN)]
    assert names == sorted(names)
    assert len(names) == 42
    assert "option/usa/minute/twx/20140605_quote_american.zip" in names
    assert "option/usa/minute/twx/20140605_trade_american.zip" not in names
    assert "index/usa/minute/spx/20210104_trade.zip" in names
    assert "future/cme/daily/es_quote.zip" in names
    assert not any(word in name for name in names for word in ("openinterest", "margins", "map_files"))


def test_every_sample_can_be_read() -> None:
    rows = 0
    for file in Lean().files(LEAN):
        for batch in Lean().read(Source(file)):
            assert max(batch.quotes.height, batch.levels.height) <= 250_000
            rows += batch.quotes.height + batch.levels.height
    assert rows == 353_441
