"""The IPMCC on the real AAPL chain of Friday 2015-01-02, end of day: every price held against the file.

The file has no history of the share, so its daily bars are made up (a quiet pullback) and say only that the
LEAP may be bought and the call is at the money.  There is no calendar of earnings either: by default nothing
is traded, which is shown; then the filter is off, as in research.
"""

import csv
import gzip
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.strategies.world import Desk, closes, passes, rising_bars
from tests.worlds import at

from tomking.adapters import recorded_snapshots
from tomking.adapters.calendars import load_sessions
from tomking.adapters.history import load_history
from tomking.adapters.recorded import RecordedChains, load_recorded
from tomking.domain.bars import Bars
from tomking.domain.intent import Alternatives, Open
from tomking.strategies import build
from tomking.strategies.ipmcc import Settings

CHAIN = Path(__file__).resolve().parents[2] / "../shared/data/chains/aapl_eod_20141230_20150107.csv.gz"
FRIDAY, WEEKLY, YEAR = date(2015, 1, 2), date(2015, 1, 9), date(2016, 1, 15)
pytestmark = pytest.mark.skipif(
    not CHAIN.exists(), reason="needs ../shared/data/chains, which is no part of this"
)

Quoted = dict[tuple[str, str, str, Decimal], tuple[Decimal, Decimal]]


@dataclass
class WithBars:
    """The recorded market with daily bars of the share that somebody made up."""

    chains: RecordedChains

    def __getattr__(self, name: str) -> Any:
        return getattr(self.chains, name)

    def bars(self, family: str, now: datetime) -> Bars:
        return rising_bars(now.date(), 111.0, daily=0.0, spread=5.0)


@pytest.fixture(scope="module")
def quoted() -> Quoted:
    """Bid and ask by day, expiry, right and strike, read with ``csv`` alone."""
    with gzip.open(CHAIN, "rt", newline="") as file:
        return {
            (r["quote_date"], r["expiration"], r["option_type"], Decimal(r["strike"])): (
                Decimal(r["bid"]),
                Decimal(r["ask"]),
            )
            for r in csv.DictReader(file)
        }


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> WithBars:
    """The file as a recording of one snapshot a day, at 15:45."""
    with gzip.open(CHAIN, "rt") as file:
        header, *rows = file.read().splitlines()
    stamped = tmp_path_factory.mktemp("apple") / "apple.csv"
    lines = [header.replace("quote_date", "quote_datetime"), *(f"{r[:10]} 15:45{r[10:]}" for r in rows)]
    stamped.write_text("\n".join(lines), encoding="utf-8")
    sessions = load_sessions(date(2013, 1, 2), date(2018, 12, 31))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recorded_snapshots, "READ", (*recorded_snapshots.READ, "AAPL"))
        return WithBars(load_recorded(stamped, sessions=sessions, history=load_history()))


def desk(market: WithBars, **settings: Any) -> Desk:
    sessions = load_sessions(date(2013, 1, 2), date(2018, 12, 31))
    strategy = build("ipmcc", Settings(products=("AAPL",), **settings))
    return Desk(strategy, market, sessions)  # type: ignore[arg-type]


def test_without_a_calendar_of_earnings_apple_is_left_alone(market: WithBars) -> None:
    said = passes(desk(market).decide(at("15:45", FRIDAY)))
    assert said == ["EVT: no calendar of AAPL earnings for 2015-01-02: AAPL is blocked"]


def test_a_leap_and_a_weekly_call_at_the_prices_of_the_day(market: WithBars, quoted: Quoted) -> None:
    one = desk(market, earnings_uncovered="ignore")
    (pair,) = [w for w in one.step(at("15:45", FRIDAY)) if isinstance(w, Alternatives)]
    leap, sold = pair.choices[0].parts
    for part in (leap, sold):
        print(f"{part.structure}: bid {bid_ask(quoted, part)[0]}, ask {bid_ask(quoted, part)[1]}")  # noqa: T201
    # The share stood at 109.33: the first strike at or above it is 110, out of the money.
    assert str(sold.structure) == f"-1 AAPL {WEEKLY} C110"
    assert leap.structure.contracts[0].expiry == YEAR
    (position,) = one.positions.values()
    for part in (leap, sold):
        bid, ask = bid_ask(quoted, part)
        assert abs(position.components[part.role].entry_net) == (bid + ask) / 2
        assert 0 < bid < ask


def test_the_week_after_the_call_is_won_at_the_quotes_of_that_day(market: WithBars, quoted: Quoted) -> None:
    # By Tuesday the share is at 106.26: of the call's time value less than a fifth is left with three days.
    one = desk(market, earnings_uncovered="ignore")
    one.step(at("15:45", FRIDAY))
    said = []
    for day in (date(2015, 1, 5), date(2015, 1, 6), date(2015, 1, 7)):
        said += [(day, c.trigger, c.roles) for c in closes(one.step(at("15:46", day)))]
    assert said[0][1:] == ("weekly target", (f"weekly {WEEKLY}",))
    day = said[0][0]
    bid, ask = quoted[f"{day}", f"{WEEKLY}", "C", Decimal(110)]
    sold = quoted[f"{FRIDAY}", f"{WEEKLY}", "C", Decimal(110)]
    print(f"sold at {sum(sold) / 2}, bought back on {day} at {bid} to {ask}")  # noqa: T201
    assert (bid + ask) / 2 <= Decimal("0.2") * sum(sold) / 2


def bid_ask(quoted: Quoted, part: object) -> tuple[Decimal, Decimal]:
    (contract,) = part.structure.contracts  # type: ignore[attr-defined]
    return quoted[f"{FRIDAY}", f"{contract.expiry}", contract.right.letter, contract.strike]


def test_nothing_is_bought_that_the_file_does_not_quote(market: WithBars) -> None:
    one = desk(market, earnings_uncovered="ignore")
    assert not any(isinstance(w, Open) for w in one.decide(at("15:45", date(2015, 1, 5))))
