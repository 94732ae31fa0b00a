"""A 0DTE condor on the real SPXW quotes of Friday 2016-04-29, every fill held against the file by hand.

The VIX stood at 15 that day, so the gate at 22 is switched off, which marks the report as research.
The file is read here with ``csv`` alone: nothing of the program's reader is trusted.
"""

import csv
import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from tests.scenarios.accounts import request
from tests.scenarios.ledger import Ledger, exact_cents
from tests.scenarios.realchains import imported

from tomking.adapters.codec import encode
from tomking.adapters.journal import SqliteJournal
from tomking.app.backtest import run
from tomking.domain import events as ev
from tomking.domain.contract import Option
from tomking.domain.order import Order

CHAIN = Path(__file__).resolve().parents[2] / "../shared/data/chains/spxw_15min_20160429_0dte.csv.gz"
DAY = date(2016, 4, 29)
NEW_YORK = ZoneInfo("America/New_York")

pytestmark = [
    pytest.mark.skipif(not CHAIN.exists(), reason="needs ../shared/data/chains, which is no part of this"),
]

Quotes = dict[tuple[str, Decimal], tuple[Decimal, Decimal]]


@dataclass(frozen=True)
class Traded:
    """What the run left, and what was quoted."""

    events: list[ev.Event]
    facts: dict[str, object]
    page: str
    snapshots: dict[datetime, Quotes]

    def fills(self) -> Iterator[tuple[Order, ev.OrderFilled]]:
        orders = {e.order.id: e.order for e in self.events if isinstance(e, ev.OrderSubmitted)}
        for event in self.events:
            if isinstance(event, ev.OrderFilled):
                yield orders[event.fill.order], event

    def seen_at(self, now: datetime) -> tuple[datetime, Quotes]:
        """The latest snapshot at or before ``now``."""
        latest = max(moment for moment in self.snapshots if moment <= now)
        return latest, self.snapshots[latest]


def snapshots(chain: Path = CHAIN) -> dict[datetime, Quotes]:
    found: dict[datetime, Quotes] = {}
    with gzip.open(chain, "rt", newline="") as file:
        for row in csv.DictReader(file):
            if row["expiration"] == f"{DAY}" and row["bid"]:
                moment = datetime.fromisoformat(row["quote_datetime"]).replace(tzinfo=NEW_YORK)
                quote = Decimal(row["bid"]), Decimal(row["ask"])
                found.setdefault(moment, {})[row["option_type"], Decimal(row["strike"])] = quote
    return found


@pytest.fixture(scope="module")
def traded(tmp_path_factory: pytest.TempPathFactory) -> Traded:
    return played(CHAIN, tmp_path_factory.mktemp("real"))


def played(chain: Path, folder: Path) -> Traded:
    report = folder / "report.html"
    asked = request(f"{DAY}", f"{DAY}", "friday_0dte.vix_gate=off", report=report)
    run(replace(asked, chains=chain), lambda *_: None)
    with SqliteJournal(report.with_name("journal.sqlite")) as journal:
        events = list(journal.read())
    facts = json.loads(report.with_name("run.json").read_text())
    quoted = snapshots(chain if chain.is_file() else CHAIN)
    return Traded(events, facts, report.read_text(), quoted)


def test_a_condor_is_opened_and_closed_by_1500(traded: Traded) -> None:
    opened, *closings = [(order, filled) for order, filled in traded.fills()]
    order, filled = opened
    assert order.opens
    assert order.roles == ("put side", "call side")
    assert [leg.ratio for leg in order.structure.legs] == [-1, 1, -1, 1]
    assert {leg.contract.expiry for leg in order.structure.legs} == {DAY}
    assert "10:30" <= wall(filled) <= "11:00"
    assert closings
    assert all(not order.opens and wall(filled) <= "15:01" for order, filled in closings)
    closed = sum(filled.fill.units * len(order.parts) for order, filled in closings)
    assert closed == 2 * opened[1].fill.units, "both sides, all units"
    states = [e.after.value for e in traded.events if isinstance(e, ev.Transitioned)]
    assert (states[0], states[-1]) == ("active", "closed")


def test_every_leg_fills_inside_the_recorded_market_and_never_better_than_its_mid(traded: Traded) -> None:
    checked = 0
    for order, filled in traded.fills():
        _, quotes = traded.seen_at(filled.at)
        for leg, price, mid in zip(
            order.structure.legs, filled.fill.leg_prices, filled.fill.leg_mids, strict=True
        ):
            assert isinstance(leg.contract, Option)
            bid, ask = quotes[leg.contract.right.letter, leg.contract.strike]
            assert bid <= price <= ask, f"{leg} filled at {price} in {bid} to {ask}"
            assert mid == (bid + ask) / 2
            assert (price - mid) * leg.ratio >= 0, f"{leg} bought below or sold above the mid {mid}"
            checked += 1
    assert checked >= 8


def test_a_fill_gives_up_a_quarter_of_the_half_spread_at_least(traded: Traded) -> None:
    """VIX 15: k = 0.25 of the legs' half-spreads, at least a tick of 0.05, whatever the ladder asked."""
    for order, filled in traded.fills():
        if order.urgency.value == "target":
            continue
        _, quotes = traded.seen_at(filled.at)
        half = Decimal(0)
        for leg in order.structure.legs:
            assert isinstance(leg.contract, Option)
            bid, ask = quotes[leg.contract.right.letter, leg.contract.strike]
            half += abs(leg.ratio) * (ask - bid) / 2
        fair = order.structure.net(filled.fill.leg_mids)
        got = order.structure.net(filled.fill.leg_prices)
        assert fair - half <= got <= fair - max(half / 4, Decimal("0.05")), f"{got} of {fair}, half {half}"


def test_the_money_reconciles_to_the_cent(traded: Traded) -> None:
    ledger = Ledger().read(traded.events)
    account = traded.facts["account"]
    assert isinstance(account, dict)
    assert ledger.holdings() == {}
    assert ledger.cash == exact_cents(Decimal(account["final_net_liq"]))
    assert ledger.cash == 20_000_000 + exact_cents(Decimal(account["net_profit"]))
    assert account["trades"]["trades"] == 1
    assert traded.facts["prices"] == "recorded quotes"


def test_the_report_says_recorded_quotes_names_the_grid_and_the_switch(traded: Traded) -> None:
    assert "Fills are simulated between recorded bid and ask" in traded.page
    assert "recorded quotes every 15 minutes" in traded.page
    assert traded.facts["research_switches"] == ["strategies.friday_0dte.vix_gate"]
    assert "friday_0dte.vix_gate" in traded.page
    assert "MODELLED" not in traded.page


def test_strikes_that_nobody_quotes_are_not_traded_and_the_report_says_how_many(
    traded: Traded, tmp_path: Path
) -> None:
    # The strikes that the whole recording trades lose their quotes at every minute.
    used = {
        leg.contract.strike
        for order, _ in traded.fills()
        for leg in order.structure.legs
        if isinstance(leg.contract, Option)
    }
    holed = tmp_path / "holed.csv.gz"
    blanked = 0
    with gzip.open(CHAIN, "rt", newline="") as file, gzip.open(holed, "wt", 1, newline="") as out:
        rows = csv.DictReader(file)
        kept = csv.DictWriter(out, rows.fieldnames or ())
        kept.writeheader()
        for row in rows:
            gone = row["expiration"] == f"{DAY}" and Decimal(row["strike"]) in used
            kept.writerow(row | {"bid": "", "ask": ""} if gone else row)
            blanked += gone and "09:30" <= row["quote_datetime"][-5:] < "16:00"
    other = played(holed, tmp_path)
    # What the strikes next to them pay for the wings there are is too little.
    (declined,) = (e for e in other.events if isinstance(e, ev.Declined))
    assert (declined.code, declined.details[0][:12]) == ("PRICE", "SPXW: credit")
    assert list(other.fills()) == []
    (note,) = (line for line in other.page.splitlines() if "not quoted on both sides" in line)
    assert f"{blanked:,} of " in note


def test_where_the_recording_stops_nothing_is_closed_at_its_old_quotes(tmp_path: Path) -> None:
    """A file that ends at noon: the exit of 15:00 finds no market, and the condor settles at the index's
    official close, which the history knows.
    """
    stopped = played(until_noon(tmp_path), tmp_path)
    fills = [filled for _, filled in stopped.fills()]
    # The last snapshot stands for two of its steps.
    assert fills
    assert all(wall(filled) <= "12:30" for filled in fills)
    unpriced = [e for e in stopped.events if isinstance(e, ev.Declined) and e.entry.startswith("exit: ")]
    assert any(wall(e) == "15:00" for e in unpriced)
    settled = [e for e in stopped.events if isinstance(e, ev.Settled)]
    assert {e.price for e in settled} == {Decimal("2065.30")}
    notes = stopped.facts["notes"]
    assert isinstance(notes, list)
    assert not any(note.startswith("unresolved") for note in notes)


def test_what_was_recorded_after_noon_changed_nothing_before_it(traded: Traded, tmp_path: Path) -> None:
    noon = datetime(2016, 4, 29, 12, 0, tzinfo=NEW_YORK)
    stopped = played(until_noon(tmp_path), tmp_path)
    before = [
        [encode(e) for e in run_.events if e.at <= noon and not isinstance(e, ev.RunStarted)]
        for run_ in (traded, stopped)
    ]
    assert before[0] == before[1]
    assert len(before[0]) > 10


def test_the_store_that_the_file_is_imported_to_trades_the_same(traded: Traded, tmp_path: Path) -> None:
    imported(tmp_path / "data", f"chains/{CHAIN.name}")
    stored = played(tmp_path / "data", tmp_path)
    for (order, one), (again, other) in zip(traded.fills(), stored.fills(), strict=True):
        assert order.structure == again.structure
        assert (one.at, one.fill.leg_prices) == (other.at, other.fill.leg_prices)


def until_noon(folder: Path) -> Path:
    short = folder / "noon.csv.gz"
    with gzip.open(CHAIN, "rt", newline="") as file, gzip.open(short, "wt", 1, newline="") as out:
        rows = csv.DictReader(file)
        kept = csv.DictWriter(out, rows.fieldnames or ())
        kept.writeheader()
        kept.writerows(row for row in rows if row["quote_datetime"][-5:] <= "12:00")
    return short


def wall(event: ev.Event) -> str:
    return f"{event.at.astimezone(NEW_YORK):%H:%M}"
