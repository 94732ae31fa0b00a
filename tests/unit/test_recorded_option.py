"""What ``--chains`` takes: a recording, files an importer knows, a store; and what it says of others."""

import csv
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pytest
from tests.scenarios.accounts import history, request
from tests.scenarios.realchains import sessions

from tomking.app.backtest import run
from tomking.app.chains import Kind, Opened, kind_of, opened, wanted_roots
from tomking.app.data import Asked, bring_in, choose
from tomking.app.problems import Problems
from tomking.app.request import Request, data_problems
from tomking.domain.calendar import UTC
from tomking.domain.errors import BadData
from tomking.strategies import butterfly_9b, ratio_spread

HEADER = (
    "quote_date,root,underlying_last,expiration,strike,type,last,bid,ask,volume,open_interest,implied_vol,"
    "delta,gamma,theta,vega,option_symbol"
)
TUESDAY, WEDNESDAY = date(2018, 1, 2), date(2018, 1, 3)


def end_of_day(path: Path, root: str = "SPXW", days: tuple[date, ...] = (TUESDAY, WEDNESDAY)) -> Path:
    """A few quotes a day, as historicaloptiondata.com writes them."""
    with path.open("w", newline="") as file:
        file.write(HEADER + "\n")
        table = csv.writer(file)
        for day in days:
            for strike in (2600, 2650, 2700, 2750, 2800):
                for right, worth in (("call", max(2700 - strike, 0)), ("put", max(strike - 2700, 0))):
                    symbol = f"{root}180131{right[0].upper()}{strike * 1000:08d}"
                    bid, ask = worth + 10.0, worth + 10.5
                    quote = (day, root, 2700.0, "2018-01-31", strike, right, 0, bid, ask, 0, 0)
                    table.writerow((*quote, 0, 0, 0, 0, 0, symbol))
    return path


def stored(folder: Path, *files: Path) -> Path:
    bring_in(
        folder, choose(Asked(paths=files)), now=datetime(2026, 1, 2, tzinfo=UTC), progress=lambda _: None
    )
    return folder


@pytest.fixture
def market(tmp_path: Path) -> Iterator[Opened]:
    with opening(end_of_day(tmp_path / "chains.csv")) as found:
        yield found


def opening(
    chains: Path, *wanted: str, first: date | None = None, last: date | None = None
) -> AbstractContextManager[Opened]:
    return opened(chains, wanted, span=(first, last), sessions=sessions(), history=history())


def asked(chains: Path, folder: Path, **changes: object) -> Request:
    whole = request("2018-01-02", "2018-01-03", strategies=("ratio_spread",), report=folder / "report.html")
    return replace(whole, chains=chains, start=None, end=None, **changes)  # type: ignore[arg-type]


def test_a_path_is_told_by_its_header_its_catalogue_or_its_name(tmp_path: Path) -> None:
    ours = tmp_path / "ours.csv"
    ours.write_text("quote_datetime,symbol,expiration,strike,option_type,spot_price,bid,ask\n")
    nobodys = tmp_path / "nobodys.csv"
    nobodys.write_text("a,b\n1,2\n")
    other = end_of_day(tmp_path / "other.csv")
    assert kind_of(ours) is Kind.RECORDING
    assert kind_of(nobodys) is Kind.RECORDING, "its reader says what is missing"
    assert kind_of(other) is Kind.FILES
    assert kind_of(stored(tmp_path / "data", other)) is Kind.STORE
    assert kind_of(Path("store")) is Kind.STORE


def test_files_of_an_importer_are_a_market_and_the_notes_say_what_was_read(market: Opened) -> None:
    assert market.market.products == ("SPXW",)
    assert market.market.days == (TUESDAY, WEDNESDAY)
    assert "imported for this run: 20 rows read, 20 kept" in market.market.notes


def test_a_file_and_the_store_it_was_imported_to_are_the_same_market(tmp_path: Path) -> None:
    file = end_of_day(tmp_path / "chains.csv")
    now = datetime(2018, 1, 2, 15, 0, tzinfo=UTC)
    with opening(file) as one, opening(stored(tmp_path / "data", file)) as two:
        a, b = (found.market.chain("SPXW", date(2018, 1, 31), now) for found in (one, two))
        assert a is not None
        assert b is not None
        assert (a.bid.tobytes(), a.iv.tobytes()) == (b.bid.tobytes(), b.iv.tobytes())
        assert one.digest == two.digest


def test_of_a_store_only_what_the_strategies_may_trade_is_read(tmp_path: Path) -> None:
    folder = stored(
        tmp_path / "data",
        end_of_day(tmp_path / "spxw.csv"),
        end_of_day(tmp_path / "aapl.csv", "AAPL"),
    )
    with opening(folder, "SPXW", "XSP") as found:
        assert found.market.products == ("SPXW",)
        assert "of the store also AAPL: not read" in found.market.notes
    with opening(folder, "TLT") as found:
        assert found.market.products == ("AAPL", "SPXW"), "nothing fits: they say why they stand still"


def test_the_roots_are_those_of_the_phases_and_of_the_settings() -> None:
    wanted = wanted_roots(
        ("butterfly_9b", "ratio_spread"),
        (butterfly_9b.Settings(), ratio_spread.Settings(products=("SPY", "TWX"))),
    )
    assert {"SPXW", "XSP", "SPY", "IWM", "TWX"} <= wanted
    assert "ES" not in wanted


def test_a_span_without_quotes_says_where_they_are(tmp_path: Path) -> None:
    folder = stored(tmp_path / "data", end_of_day(tmp_path / "chains.csv"))
    with (
        pytest.raises(BadData, match="there is SPXW from 2018-01-02 to 2018-01-03"),
        opening(folder, "SPXW", first=date(2019, 1, 1)),
    ):
        pass


def test_a_backtest_runs_on_them_and_names_the_source(tmp_path: Path) -> None:
    result = run(asked(end_of_day(tmp_path / "chains.csv"), tmp_path), lambda *_: None)
    notes = result.run["notes"]
    assert isinstance(notes, list)
    assert "imported for this run: 20 rows read, 20 kept" in notes
    assert any(note.startswith("end-of-day chains of SPXW") for note in notes)
    assert (result.run["start"], result.run["end"]) == ("2018-01-02", "2018-01-03")


def test_of_a_store_any_span_may_be_asked_for(tmp_path: Path) -> None:
    folder = stored(tmp_path / "data", end_of_day(tmp_path / "chains.csv"))
    wish = replace(asked(folder, tmp_path), start=date(2018, 1, 1), end=date(2018, 12, 31))
    result = run(wish, lambda *_: None)
    assert (result.run["start"], result.run["end"]) == ("2018-01-02", "2018-01-03")


def test_the_word_store_is_the_users_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOMKING_HOME", str(tmp_path))
    word = Path("store")
    (said,) = data_problems(None, None, word)
    assert "there is no store at" in said.line
    stored(tmp_path / "data", end_of_day(tmp_path / "chains.csv"))
    assert data_problems(None, None, word) == []
    with opening(word) as found:
        assert found.market.products == ("SPXW",)


def test_a_folder_that_nobody_reads_is_refused_before_anything_runs(tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    (said,) = data_problems(None, None, tmp_path / "notes")
    assert "is a directory that holds no chain store and nothing that an importer knows" in said.line


def test_what_only_an_import_can_be_told_is_said(tmp_path: Path) -> None:
    header = "month,entry_date,expiration,dte,strike,spot,bid,ask,iv,later_date,later_dte,later_spot,"
    row = "2018-01,2018-01-02,2018-02-16,45,250,268,1.0,1.1,0.1,2018-01-26,21,286,0.1,0.2,0.1"
    file = tmp_path / "puts.csv"
    file.write_text(f"{header}later_bid,later_ask,later_iv\n{row}\n")
    with pytest.raises(BadData) as caught, opening(file):
        pass
    (line,) = caught.value.problems
    assert "does not name the option root; give it with --product" in line
    assert line.endswith("an option of tomking data import: import it, then run with --chains store")


def test_a_broken_file_ends_the_run_with_all_that_is_wrong_and_leaves_nothing(tmp_path: Path) -> None:
    file = end_of_day(tmp_path / "chains.csv")
    file.write_text(file.read_text().replace(",10.0,", ",ten,", 2))
    out = tmp_path / "out"
    with pytest.raises(Problems) as caught:
        run(asked(file, out), lambda *_: None)
    assert "column bid: 'ten' is not a number" in str(caught.value)
    assert not out.exists()
