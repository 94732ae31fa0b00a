"""Strategies on real end-of-day and minute chains: each fill held against the sample, read here by hand.

``pytest -rP tests/scenarios/test_real_chains.py`` prints the trades with what was bid and asked.  Where no
default rule trades what a sample holds, the test says which rule it puts aside.
"""

import csv
import gzip
import io
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from tests.scenarios.accounts import history, request
from tests.scenarios.realchains import SHARED, Played, imported, market, on_any_day, play, sessions

from tomking.adapters.recorded import RecordedChains
from tomking.adapters.recorded_rows import Rows
from tomking.adapters.recorded_store import StoredRecording
from tomking.app.backtest import run
from tomking.domain import events as ev
from tomking.domain.calendar import UTC, new_york, wall_instant
from tomking.domain.contract import Contract, Option, Right
from tomking.risk import availability
from tomking.risk.settings import Settings as Risk
from tomking.rules.strategy import Strategy
from tomking.strategies import futures_strangle, ipmcc, lt112, ratio_spread, vix_spike_puts

SPXW = "chains/spxw_eod_exp20180131.csv.gz"
SPY = "chains/spy_puts_monthly_2010_2018.csv.gz"
AAPL = "chains/aapl_eod_20141230_20150107.csv.gz"
ES = "lean/futureoption/cme/minute/es"
ES_FUTURE = "lean/future/cme/minute/es"
TWX = "lean/option/usa/minute/twx"
TWX_SHARE = "lean/equity/usa/minute/twx"

pytestmark = pytest.mark.skipif(not (SHARED / ES).exists(), reason="needs ../shared/data, no part of this")

Market = tuple[Decimal, Decimal]


def may_trade(patch: pytest.MonkeyPatch, strategy: str, *products: str) -> None:
    """Lets a strategy sell what methodology A.4 does not list for it."""
    place = availability.PLACES[strategy]
    patch.setitem(availability.PLACES, strategy, replace(place, products=(frozenset(products),) * 5))


def rows(sample: str) -> Iterator[dict[str, str]]:
    with gzip.open(SHARED / sample, "rt", newline="") as file:
        yield from csv.DictReader(file)


def assert_inside(played: Played, quoted: Callable[[Option, datetime], Market]) -> int:
    """Every leg was filled between the bid and the ask of the file, none better than its mid; the legs.

    A fill gives up a tick of the structure at least (D.7): where a market is narrower, that lies a tick
    outside.
    """
    legs = 0
    for order, filled in played.fills():
        for leg, price in zip(order.structure.legs, filled.fill.leg_prices, strict=True):
            assert isinstance(leg.contract, Option)
            bid, ask = quoted(leg.contract, filled.at)
            tick = leg.contract.tick
            assert bid - tick <= price <= ask + tick, f"{leg} filled at {price} in {bid} to {ask}"
            legs += 1
        fair, got = (order.structure.net(p) for p in (filled.fill.leg_mids, filled.fill.leg_prices))
        assert got < fair, f"{order.structure} filled at {got}, no worse than its mid {fair}"
    return legs


class Kept:
    """A recording of some of another's days."""

    def __init__(self, whole: StoredRecording, days: set[date]) -> None:
        self._whole = whole
        stamps = [new_york(datetime.fromtimestamp(60 * m, tz=UTC)).date() for m in whole.minutes]
        self._numbers = [n for n, day in enumerate(stamps) if day in days]
        self.product, self.notes = whole.product, whole.notes
        self.minutes = [whole.minutes[n] for n in self._numbers]
        self.spots = [whole.spots[n] for n in self._numbers]

    def rows(self, number: int) -> Rows:
        return self._whole.rows(self._numbers[number])


def show(lines: Iterable[str]) -> None:
    print()  # noqa: T201 - what -rP shows
    for line in lines:
        print(line)  # noqa: T201


# ------------------------------------------------------------------- SPXW, January 2018, end of day


def spxw_quote(option: Option, at: datetime) -> Market:
    right = "put" if option.right is Right.PUT else "call"
    (row,) = (
        r
        for r in rows(SPXW)
        if (r["quote_date"], r["type"]) == (f"{new_york(at).date()}", right)
        and Decimal(r["strike"]) == option.strike
    )
    return Decimal(row["bid"]), Decimal(row["ask"])


def test_a_ratio_of_puts_on_the_january_2018_spxw_chain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No strategy sells SPXW puts at 29 days: the ratio spread stands in for SPY, at 29 instead of 45 days,
    for $60 of credit instead of $75, in an account that its margin fits.
    """
    may_trade(monkeypatch, "ratio_spread", "SPXW")
    ratio = ratio_spread.strategy(
        ratio_spread.Settings(
            products=("SPXW",), entry_dte=29, dte_tolerance=5, credit_min_usd=Decimal(60), units_max=1
        )
    )
    played = play(market(imported(tmp_path / "store", SPXW), "SPXW"), [ratio], capital=2_000_000)
    show(played.in_words())
    (opened, filled), *closings = played.fills()
    assert [leg.ratio for leg in opened.structure.legs] == [1, -1, -1]
    assert new_york(filled.at).date() == date(2018, 1, 2)
    assert closings, "closed by its own rules before the data end"
    assert all(new_york(each.at).date() <= date(2018, 1, 10) for _, each in closings)
    assert assert_inside(played, spxw_quote) >= 6
    assert played.unresolved() == ()


def test_the_days_one_snapshot_stands_for_the_day(tmp_path: Path) -> None:
    chains = market(imported(tmp_path / "store", SPXW), "SPXW")
    day, expiry = date(2018, 1, 17), date(2018, 1, 31)
    morning, close = (wall_instant(day, datetime.min.time().replace(hour=h)) for h in (10, 16))
    assert chains.grid_minutes == 390
    assert chains.spot("SPX", morning) == chains.spot("SPX", close) == 2802.57
    early, late = (chains.chain("SPXW", expiry, now) for now in (morning, close))
    assert early is not None
    assert late is not None
    assert (early.bid.tobytes(), early.ask.tobytes()) == (late.bid.tobytes(), late.ask.tobytes())
    session = sessions().on(day)
    assert session is not None
    assert early.as_of == session.open
    # Parity against the file's own underlying: below a point (its README).
    assert abs(early.forward - 2802.57) < 1.5
    # On its last day the chain is seen at the close, when it has ended: nothing trades.
    assert chains.expiries("SPXW", wall_instant(expiry, datetime.min.time().replace(hour=10))) == ()


# --------------------------------------------------------------- SPY puts, monthly extract 2010-2018


def spy_quote(option: Option, at: datetime) -> Market:
    day = f"{new_york(at).date()}"
    for row in rows(SPY):
        if row["expiration"] == f"{option.expiry}" and Decimal(row["strike"]) == option.strike:
            for when, side in (("entry_date", ""), ("later_date", "later_")):
                if row[when] == day:
                    return Decimal(row[f"{side}bid"]), Decimal(row[f"{side}ask"])
    raise AssertionError(f"{option} is not in the file on {day}")


@pytest.fixture(scope="module")
def spy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("spy") / "store"
    imported(folder, SPY, product="SPY")
    return folder


def test_ratio_spreads_on_spy_puts(spy: Path) -> None:
    """Its own rules, but for the gate's wish for calls: the extract has none (chain_side_strikes_min)."""
    ratio = ratio_spread.strategy(ratio_spread.Settings(products=("SPY",)))
    on = market(imported(spy), "SPY", first=date(2015, 12, 1), last=date(2016, 4, 30))
    played = play(on, [ratio], chain_side_strikes_min=0)
    show(played.in_words())
    opened = [new_york(f.at).date() for order, f in played.fills() if order.opens]
    assert opened[:2] == [date(2015, 12, 1), date(2016, 3, 1)]
    assert assert_inside(played, spy_quote) >= 12


def test_with_the_gates_own_limit_a_chain_without_calls_is_refused(spy: Path) -> None:
    on = market(imported(spy), "SPY", first=date(2015, 12, 1), last=date(2015, 12, 31))
    played = play(on, [ratio_spread.strategy(ratio_spread.Settings(products=("SPY",)))])
    assert list(played.fills()) == []
    (said,) = played.declined()
    assert said.code == "DATA"
    assert "valid strikes below the forward and 0 above" in " ".join(said.details)


def test_put_spreads_on_spy_after_a_spike_of_the_vix(spy: Path) -> None:
    """Off by default (methodology B.13), and without the gate's wish for calls, as above."""
    on = market(imported(spy), "SPY", first=date(2011, 11, 1), last=date(2011, 12, 31))
    played = play(on, [vix_spike_puts.strategy(vix_spike_puts.Settings())], chain_side_strikes_min=0)
    show(played.in_words())
    (opened, _), *closings = played.fills()
    assert [leg.ratio for leg in opened.structure.legs] == [-1, 1]
    assert closings
    assert assert_inside(played, spy_quote) >= 4


def test_the_report_lists_what_the_end_of_the_data_leaves_open(spy: Path, tmp_path: Path) -> None:
    """The same put spread, in a run that ends on the day it was sold."""
    asked = request(
        "2011-12-01", "2011-12-23", strategies=("vix_spike_puts",), report=tmp_path / "report.html"
    )
    risk = replace(asked.config.section("risk", Risk), chain_side_strikes_min=0)
    unlimited = replace(asked.config, values={**asked.config.values, "risk": risk})
    result = run(replace(asked, chains=spy, config=unlimited), lambda *_: None)
    notes = result.run["notes"]
    assert isinstance(notes, list)
    (line,) = (note for note in notes if note.startswith("unresolved: "))
    assert "SPY 2012-01-20 P114 (1.77 to 1.79)" in line
    assert line.endswith("on 2011-12-01, the last session; the data end on 2011-12-01")
    assert line in result.summary
    assert line.split(",")[0] in result.report.read_text()


def test_what_expires_in_a_hole_of_the_data_never_settles(spy: Path) -> None:
    """Sold on 2011-12-01 to 2012-01-20, while the extract's second look is left out: its next day is in
    another year, and nothing says where SPY stood on the expiry day.
    """
    whole = market(imported(spy), "SPY", first=date(2011, 12, 1), last=date(2012, 2, 28))
    days = [day for day in whole.days if day not in {date(2011, 12, 30), date(2012, 1, 3)}]
    assert days == [date(2011, 12, 1), date(2012, 1, 27), date(2012, 2, 1), date(2012, 2, 24)]
    keep = {date(2011, 12, 1), date(2012, 2, 24)}
    (recording,) = (Kept(StoredRecording(imported(spy), "SPY", sessions()), keep),)
    on = RecordedChains([recording], notes=(), sessions=sessions(), history=history())
    played = play(on, [vix_spike_puts.strategy(vix_spike_puts.Settings())], chain_side_strikes_min=0)
    show(played.in_words())
    assert not any(isinstance(e, ev.Settled) for e in played.events)
    (left,) = played.unresolved()
    assert left.why == "expired on 2012-01-20, of which the data have no settlement price"
    assert left.marked == date(2011, 12, 1)
    assert left.sessions_old == 57


# ---------------------------------------------------------- ES future options, minutes of 2020-01-06


def es_quote(option: Option, at: datetime) -> Market:
    """The last bar that was over: it is stamped with its start, in milliseconds of the UTC day."""
    right = "put" if option.right is Right.PUT else "call"
    month = f"{option.expiry:%Y%m}"
    member = (
        f"20200106_es_minute_quote_american_{right}_{option.strike * 10_000:.0f}_{option.expiry:%Y%m%d}.csv"
    )
    with zipfile.ZipFile(SHARED / ES / month / "20200106_quote_american.zip") as archive:
        bars = list(csv.reader(io.StringIO(archive.read(member).decode())))
    midnight = datetime(2020, 1, 6, tzinfo=UTC)
    over = [b for b in bars if midnight + timedelta(milliseconds=int(b[0])) + timedelta(minutes=1) <= at]
    return Decimal(over[-1][4]), Decimal(over[-1][9])


@pytest.fixture(scope="module")
def es(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("es") / "store"
    imported(folder, ES, ES_FUTURE)
    return folder


@pytest.mark.parametrize("days", [74, 165])
def test_a_1_1_2_on_es_future_options(es: Path, days: int) -> None:
    """A Monday instead of a Wednesday; 74 and 165 days instead of 120; deltas of 35 and 19 instead of 25 and
    5, because the sample has no lower strikes than 3000 and 2900.  Its margin wants a larger account.
    """
    settings = lt112.Settings(
        entry_dte=days,
        long_delta=0.35,
        long_delta_min=0.30,
        long_delta_max=0.40,
        np_delta=0.19,
        np_delta_min=0.17,
        np_delta_max=0.20,
        np_otm_share=0.06,
        np_delta_close=0.30,
    )
    played = play(market(imported(es), "ES"), [on_any_day(lt112.strategy(settings))], capital=2_000_000)
    show(played.in_words())
    (opened, filled), *_ = played.fills()
    assert [leg.ratio for leg in opened.structure.legs] == [1, -1, -2]
    assert {(leg.contract.expiry - date(2020, 1, 6)).days for leg in opened.structure.legs} == {days}
    assert f"{new_york(filled.at):%H:%M}" == "10:00"
    assert assert_inside(played, es_quote) >= 3
    (left,) = played.unresolved()
    assert (left.marked, left.sessions_old) == (date(2020, 1, 6), 0)
    assert left.why == "the data end on 2020-01-06"


def test_a_strangle_on_es_future_options(es: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Monday instead of the second Tuesday, ES instead of the futures of A.4, 74 days instead of 90, and a
    19-delta put instead of one of 6.
    """
    may_trade(monkeypatch, "futures_strangle", "ES")
    settings = futures_strangle.Settings(
        underlyings=("ES",), entry_dte=74, put_delta=0.19, put_delta_min=0.17, put_delta_max=0.20
    )
    played = play(market(imported(es), "ES"), [on_any_day(futures_strangle.strategy(settings))])
    show(played.in_words())
    (opened, _), *_ = played.fills()
    assert [leg.ratio for leg in opened.structure.legs] == [-1, -1]
    assert assert_inside(played, es_quote) == 2
    (left,) = played.unresolved()
    assert left.value is not None
    assert left.value < 0, "what is owed for two short options"


def test_a_forward_is_the_market_of_its_future_and_parity_agrees(es: Path) -> None:
    now = wall_instant(date(2020, 1, 6), datetime.min.time().replace(hour=10))
    chains = market(imported(es), "ES")
    chain = chains.chain("ES", date(2020, 3, 20), now)
    assert chain is not None
    # ESH20 stood at 3225.50 to 3225.75 when 10:00 came.
    assert chain.forward == 3225.625
    mids = dict(zip(zip(chain.right.tolist(), chain.strikes.tolist(), strict=True), chain.mids, strict=True))
    parity = 3200 + (mids[1, 3200.0] - mids[-1, 3200.0]) / chain.discount
    assert parity == pytest.approx(3225.6, abs=0.4)


# ------------------------------------------------------------------ AAPL and TWX, covered calls (PMCC)


def aapl_quote(option: Option, at: datetime) -> Market:
    (row,) = (
        r
        for r in rows(AAPL)
        if (r["quote_date"], r["expiration"], r["option_type"])
        == (f"{new_york(at).date()}", f"{option.expiry}", option.right.letter)
        and Decimal(r["strike"]) == option.strike
    )
    return Decimal(row["bid"]), Decimal(row["ask"])


def covered_calls(known: int) -> Strategy:
    """The strategy with averages and highs as long as the few days that the sample has."""
    return ipmcc.strategy(
        ipmcc.Settings(
            products=("AAPL",),
            ema_fast=known,
            ema_slow=known,
            ema_trend=known,
            high_sessions=known,
            band_sessions=known,
        )
    )


def test_a_covered_call_on_aapl_and_what_the_data_leave_open(tmp_path: Path) -> None:
    """The trend is read off two daily bars instead of 252, because the sample begins on 2014-12-30."""
    played = play(
        market(imported(tmp_path / "store", AAPL), "AAPL"),
        [covered_calls(2)],
        daily_bars_min=2,
    )
    show(played.in_words())
    (opened, filled), *closings = played.fills()
    assert new_york(filled.at).date() == date(2015, 1, 2), "a Friday"
    leap, weekly = opened.structure.contracts
    assert isinstance(leap, Option)
    assert isinstance(weekly, Option)
    assert (leap.expiry, weekly.expiry) == (date(2016, 1, 15), date(2015, 1, 9))
    ((bought_back, at),) = closings
    assert bought_back.structure.contracts == (weekly,)
    assert new_york(at.at).date() == date(2015, 1, 6)
    assert assert_inside(played, aapl_quote) == 3
    (left,) = played.unresolved()
    bid, ask = aapl_quote(leap, wall_instant(date(2015, 1, 7), datetime.min.time().replace(hour=16)))
    assert left.value == 100 * (bid + ask) / 2
    assert (left.marked, left.why) == (date(2015, 1, 7), "the data end on 2015-01-07")
    assert not any(isinstance(e, ev.Settled) for e in played.events)


def test_without_daily_bars_the_covered_call_stands_still_and_says_so(tmp_path: Path) -> None:
    strategy = ipmcc.strategy(ipmcc.Settings(products=("AAPL",)))
    played = play(market(imported(tmp_path / "store", AAPL), "AAPL"), [strategy])
    assert list(played.fills()) == []
    (said,) = played.declined()
    assert said.code in {"DATA", "TECH"}
    assert "2 daily bars of AAPL, 252 are needed" in " ".join(said.details)


def test_quote_bars_of_twx_are_composed_to_chains(tmp_path: Path) -> None:
    """A minute shows 73 of 184 contracts in the middle; the chain has nearly all, each as last said."""
    chains = market(imported(tmp_path / "store", TWX, TWX_SHARE), "TWX")
    now = wall_instant(date(2014, 6, 6), datetime.min.time().replace(hour=11))
    listed = sum(
        len(chain.strike)
        for expiry in chains.expiries("TWX", now)
        if (chain := chains.chain("TWX", expiry, now)) is not None
    )
    assert listed > 150
    # The share's own market is its family's level, and parity of the nearest expiry agrees within a dime.
    level = chains.spot("TWX", now)
    near = chains.chain("TWX", chains.expiries("TWX", now)[0], now)
    assert level is not None
    assert near is not None
    assert near.forward == pytest.approx(level, abs=0.1)
    held: Contract = near.option(0)
    (quote,) = chains.quotes([held], now)
    assert quote is not None
    assert quote.as_of <= now
