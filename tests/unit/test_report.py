"""The report, from a journal of three sessions in which one condor is won and LT112 is refused."""

import csv
import io
import json
import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from tomking.app.report import findings, tables, words
from tomking.app.report.figures import figures, page_data
from tomking.app.report.files import run_facts, trades_csv, write_report
from tomking.app.report.findings import Findings, cap_at, find
from tomking.app.report.page import render
from tomking.app.report.rundata import Claim, History, Identity, RunData, Shown, gather, slippage
from tomking.app.report.terminal import WIDTH, summary
from tomking.domain import events as ev
from tomking.domain.errors import OperatingError
from tomking.domain.intent import Part, Urgency
from tomking.domain.lifecycle import State
from tomking.domain.order import Fill, Order
from tomking.domain.structure import Structure

SPREAD = Structure.parse("put spread", "-1 SPXW 2031-03-07 P5700 / +1 SPXW 2031-03-07 P5670")
DAYS = (date(2031, 3, 6), date(2031, 3, 7), date(2031, 4, 1))


def at(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)


def order(name: str, *, opens: bool, limit: str) -> Order:
    structure = SPREAD if opens else SPREAD.inverse()
    return Order(
        id=name,
        strategy="friday_0dte",
        position="o1",
        parts=(Part("spread", structure),),
        units=2,
        limit=Decimal(limit),
        floor=None,
        opens=opens,
        urgency=Urgency.ENTRY if opens else Urgency.TARGET,
        reason="",
        trigger="condor" if opens else "target",
    )


def fill(name: str, prices: tuple[str, str], mids: tuple[str, str], when: datetime) -> Fill:
    return Fill(
        f"f-{name}",
        name,
        when,
        2,
        tuple(Decimal(p) for p in prices),
        Decimal("5.20"),
        tuple(Decimal(m) for m in mids),
    )


def session(day: date, net_liq: str, *events: ev.Event, vix: float | None = 23.5) -> list[ev.Event]:
    began, ended = at(day, 14, 30), at(day, 21)
    capital = Decimal(0)
    close = ev.SessionEnded(ended, day, Decimal(net_liq), capital, capital, vix, 5700.0)
    return [ev.SessionBegan(began, day), *events, close]


def three_sessions() -> list[ev.Event]:
    # Sold at 6.00 - 1.00 = 5.00 where the mids said 5.10: 0.10 x 2 x $100 = $20 given up; bought back at
    # 2.50 where they said 2.45: $10.  Gross (5.00 - 2.50) x 2 x 100 = $500, fees 2 x 5.20.
    thursday, friday, april = DAYS
    noon = at(friday, 17)
    return [
        ev.RunStarted(at(thursday, 14), 7, "c" * 64, "d" * 64, ("friday_0dte", "lt112")),
        ev.CashMoved(at(thursday, 14), Decimal(100_000), "start"),
        *session(
            thursday,
            "100000.00",
            ev.Declined(at(thursday, 15), "lt112", "LT112", "SIZE", ("2 % at the stop: <0 units>",)),
            ev.DeclinedAgain(at(thursday, 21), "lt112", "LT112", "SIZE", 9),
        ),
        *session(
            friday,
            "100489.60",
            ev.OrderSubmitted(noon, order("o1", opens=True, limit="5.00")),
            ev.OrderFilled(noon, fill("o1", ("6.00", "1.00"), ("6.05", "0.95"), noon)),
            ev.Transitioned(noon, "o1", State.BUILDING, State.ACTIVE, "filled"),
            ev.OrderSubmitted(noon, order("o2", opens=False, limit="-2.50")),
            ev.OrderFilled(at(friday, 18), fill("o2", ("3.00", "0.50"), ("2.95", "0.50"), at(friday, 18))),
            ev.Transitioned(at(friday, 18), "o1", State.ACTIVE, State.CLOSED, "target"),
            ev.OrderSubmitted(noon, replace(order("o3", opens=True, limit="5"), position="o3")),
            ev.OrderCancelled(noon, "o3"),
        ),
        ev.CashMoved(at(april, 13), Decimal(10_000), "deposit"),
        *session(
            april,
            "109000.00",
            ev.Declined(at(april, 15), "lt112", "LT112", "SIZE", ("2 % at the stop: one loses $4,000",)),
            ev.Declined(at(april, 16), "lt112", "LT112", "VIX", ("36.0 is not below 35",)),
            vix=None,
        ),
    ]


@pytest.fixture(scope="module")
def history() -> History:
    return gather(three_sessions())


def run_data(history: History) -> RunData:
    return RunData(
        label="Default account",
        start=DAYS[0],
        end=DAYS[-1],
        seed=7,
        capital=Decimal(100_000),
        strategies=("friday_0dte", "lt112"),
        modelled=True,
        notes=("The 09:30 level is drawn from a <gap> model.",),
        history=history,
        risk_free=(0.0,) * len(history.days),
        bp_caps=((0.0, 0.45), (13.0, 0.65), (18.0, 0.75), (25.0, 0.50)),
        settings=(Shown("risk.loss_share_max", "0.02", "default", "C.2", "At the stop."),),
        research=(),
        identity=Identity("0.1.0", "abc1234", "c" * 64, "d" * 64, "e" * 64),
        command="tomking backtest --seed 7",
    )


@pytest.fixture(scope="module")
def main(history: History) -> Findings:
    return find(run_data(history))


@pytest.fixture(scope="module")
def small(main: Findings) -> Findings:
    return find(replace(main.run, label="Small account", capital=Decimal(44_450)))


# ------------------------------------------------------------------------------------------ history
def test_a_deposit_belongs_to_the_session_after_it(history: History) -> None:
    assert [day.deposits for day in history.days] == [Decimal(100_000), Decimal(0), Decimal(10_000)]
    assert [day.date for day in history.days] == list(DAYS)
    assert history.days[0].vix == 23.5


def test_trades_come_from_the_book(history: History) -> None:
    (trade,) = history.trades
    assert (trade.gross, trade.fees, trade.net) == (Decimal(500), Decimal("10.40"), Decimal("489.60"))
    assert trade.trigger == "target"
    assert history.open_positions == 0


def test_slippage_is_what_fills_gave_up_against_the_mids(history: History) -> None:
    assert history.slippage == {"friday_0dte": Decimal(30)}


def test_without_mids_slippage_is_not_known_and_not_counted() -> None:
    seen = fill("o1", ("6.00", "1.00"), ("6.05", "0.95"), at(DAYS[0], 15))
    assert slippage(order("o1", opens=True, limit="5"), replace(seen, leg_mids=())) == 0


def test_refusals_are_counted_by_session_and_in_all(history: History) -> None:
    size, vix = history.refusals
    assert (size.code, size.sessions, size.times) == ("SIZE", 2, 11)  # 1 + 9 repeats, then 1
    assert size.example == ("2 % at the stop: one loses $4,000",)
    assert size.example_day == DAYS[-1]
    assert (vix.code, vix.sessions, vix.times) == ("VIX", 1, 1)


def test_every_event_is_counted(history: History) -> None:
    assert history.events == len(three_sessions())


# ------------------------------------------------------------------------------------------ findings
def test_profit_leaves_deposits_out(main: Findings) -> None:
    # 109,000.00 less 110,000 paid in
    assert main.net_profit == Decimal(-1_000)
    # 1.004896 x 109,000 / 110,489.60 - 1
    assert main.performance.total_return == pytest.approx(1.004896 * 109_000 / 110_489.6 - 1)


def test_a_strategy_without_a_trade_is_shown_with_none(main: Findings) -> None:
    assert main.by_strategy["lt112"].trades == 0
    assert main.sparse == ("friday_0dte", "lt112")
    assert main.in_market_by_strategy == {"friday_0dte": pytest.approx(1 / 3), "lt112": 0.0}


@pytest.mark.parametrize(
    ("low", "high", "verdict"), [(0.1, 0.15, "below"), (0.1, 0.25, "inside"), (0.88, 0.88, "inside")]
)
def test_a_claim_is_judged_by_the_interval(main: Findings, low: float, high: float, verdict: str) -> None:
    # One win of one: Wilson 20.7 % to 100 %.
    claim = Claim("friday_0dte", low, high, "J", "", 175)
    (measured,) = find(replace(main.run, claims=(claim,))).measured
    assert measured.verdict == verdict
    assert "(1 closed, 175 are asked for)" in measured.words


def test_a_claim_above_the_interval_is_not_met(main: Findings) -> None:
    (won,) = main.run.history.trades
    lost = replace(won, gross=Decimal(-300))
    trades = (*[won] * 80, *[lost] * 120)  # 40 %: Wilson 33 % to 47 %
    (measured, nothing) = find(replace(main.run, history=replace(main.run.history, trades=trades))).measured
    assert measured.words == "not met: the claim lies above the interval"
    assert nothing.words == "no closed trade: nothing was measured"


def test_a_claim_counts_only_the_entries_it_speaks_of(main: Findings) -> None:
    (won,) = main.run.history.trades
    lt112 = replace(won, strategy="lt112", kind="1-1-2")
    trades = (lt112, *[replace(lt112, kind="weekly", gross=Decimal(-300))] * 5)
    (_, measured) = find(replace(main.run, history=replace(main.run.history, trades=trades))).measured
    assert (measured.stats.trades, measured.stats.wins) == (1, 1)
    assert measured.words.endswith("counting the 1-1-2 entries")


def test_claims_about_the_account_are_compared(main: Findings) -> None:
    *first, last = main.run.history.days
    days = (*first, replace(last, date=date(2032, 4, 1)))
    years = find(replace(main.run, history=replace(main.run.history, days=days)))
    assert [(c.source, c.met) for c in years.compared] == [
        ("J, H9", True), ("J, H9", False), ("J, H8", False),
    ]  # fmt: skip


def test_a_single_session_is_a_point_on_a_day_not_an_invisible_line(main: Findings) -> None:
    history = replace(main.run.history, days=main.run.history.days[:1], trades=())
    page = page_data(find(replace(main.run, history=history, risk_free=(0.0,))), None)
    drawn = page["figures"]
    assert isinstance(drawn, dict)
    assert drawn["equity"]["data"][0]["mode"] == "lines+markers"
    assert drawn["equity"]["layout"]["xaxis"]["type"] == "category"
    assert page["scale"] == "linear"


def test_a_claim_about_years_is_not_judged_on_weeks(main: Findings) -> None:
    assert [c.met for c in main.compared] == [None, None, None]
    assert "Claim of greatest drawdown below 20%: not judged on so short a run" in summary(main)


@pytest.mark.parametrize(("vix", "cap"), [(12.99, 0.45), (13.0, 0.65), (40.0, 0.50), (None, None)])
def test_the_cap_is_the_regimes(main: Findings, vix: float | None, cap: float | None) -> None:
    assert cap_at(main.run, vix) == cap


def test_without_a_table_there_is_no_cap(main: Findings) -> None:
    assert cap_at(replace(main.run, bp_caps=()), 20.0) is None


# ------------------------------------------------------------------------------------------ words
def test_gains_have_sign_and_arrow() -> None:
    amounts = [Decimal("1234.6"), Decimal("-0.6"), Decimal("-0.4"), Decimal(0), None]
    assert [words.gain(a) for a in amounts] == ["▲ +$1,235", "▼ −$1", "$0", "$0", "–"]
    assert [words.signed_percent(s) for s in (0.1234, -0.1234, 0.0001, -0.0001, None)] == [
        "+12.3%", "−12.3%", "0.0%", "0.0%", "–",
    ]  # fmt: skip


def test_sparse_strategies_are_explained_gate_by_gate(main: Findings) -> None:
    friday, lt112 = tables.sparse(main)
    assert friday.sentence.startswith("Friday 0DTE closed 1 trade in 3 sessions, fewer than 50.")
    assert "No gate refused anything" in friday.sentence
    assert "was SIZE: not one unit fits" in lt112.sentence
    assert "by gate: SIZE 2 (LT112), VIX 1 (LT112)." in lt112.sentence
    assert [g.code for g in lt112.gates] == ["SIZE", "VIX"]


# ------------------------------------------------------------------------------------------ files
def test_trades_are_exact_and_one_row_each(main: Findings) -> None:
    (row,) = csv.DictReader(io.StringIO(trades_csv(main.run.history.trades)))
    assert row["net_usd"] == "489.60"
    assert row["legs"] == "-1 SPXW 2031-03-07 P5700 / +1 SPXW 2031-03-07 P5670"
    assert (row["opened"], row["closed"]) == ("2031-03-07T17:00:00Z", "2031-03-07T18:00:00Z")
    assert Decimal(row["entry_net_points"]) == 5
    assert row["parts_usd"] == "spread 489.60"


def test_run_json_says_what_makes_the_run_repeatable(main: Findings) -> None:
    facts = run_facts(main)
    assert facts["prices"] == "modelled on real underlying history"
    wanted = ("version", "git_commit", "seed", "config_hash", "data_hash", "journal_digest")
    assert [facts[k] for k in wanted] == ["0.1.0", "abc1234", 7, "c" * 64, "d" * 64, "e" * 64]
    assert facts["account"]["net_profit"] == "-1000.00"
    assert facts["account"]["by_strategy"]["friday_0dte"]["net"] == "489.60"
    assert facts["account"]["by_exit"]["friday_0dte"]["target"]["trades"] == 1
    assert facts["account"]["declined"][0]["times"] == 11
    assert facts["small_account"] is None
    assert json.loads(json.dumps(facts, allow_nan=False)) == facts


def test_two_reports_of_one_run_are_the_same_bytes(main: Findings, small: Findings, tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_report(tmp_path / name / "report.html", main, small)
    for file in ("report.html", "trades.csv", "run.json"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_all_files_lie_beside_the_report_and_nothing_else(main: Findings, tmp_path: Path) -> None:
    journal = tmp_path / "working.sqlite"
    journal.write_bytes(b"journal")
    folder = tmp_path / "new" / "deeper"
    facts = write_report(folder / "mine.html", main, journal=journal)
    assert sorted(p.name for p in folder.iterdir()) == [
        "journal.sqlite",
        "mine.html",
        "run.json",
        "trades.csv",
    ]
    assert (folder / "journal.sqlite").read_bytes() == b"journal"
    assert json.loads((folder / "run.json").read_text()) == facts
    assert not journal.exists()


def test_a_report_that_cannot_be_written_leaves_nothing(main: Findings, tmp_path: Path) -> None:
    with pytest.raises(OperatingError, match="cannot be written"):
        write_report(tmp_path / "new" / "report.html", main, journal=tmp_path / "nowhere.sqlite")
    assert list(tmp_path.iterdir()) == []


# ------------------------------------------------------------------------------------------ page
def ours(page: str) -> str:
    """The page without Plotly's own script, which is the library's."""
    first = page.index("<script>")
    return page[:first] + page[page.index("</script>", first) :]


def test_the_page_says_that_prices_are_modelled(main: Findings) -> None:
    page = render(main, None)
    assert page.count("MODELLED") == 1
    assert "modelled option prices on real S&amp;P 500 history</title>" in page
    charts = figures(main, None)
    assert all("modelled" in chart["layout"]["title"]["text"] for chart in charts.values())


def test_a_run_on_recorded_quotes_does_not(main: Findings) -> None:
    recorded = find(replace(main.run, modelled=False))
    page = ours(render(recorded, None))
    assert "MODELLED" not in page
    assert "are recorded quotes" in page
    assert "MODELLED" not in summary(recorded)


def test_the_page_needs_no_network(main: Findings, small: Findings) -> None:
    page = ours(render(main, small))
    assert not re.search(r"https?://|//[a-z]+\.[a-z]|@import|\burl\(|<link[^>]*stylesheet", page)
    assert "default-src 'none'" in page
    assert page.count("<script") == 2  # the data and the drawing; Plotly's was taken out


def test_what_a_run_says_cannot_become_markup(main: Findings) -> None:
    page = render(main, None)
    assert "&lt;gap&gt; model" in page
    assert "<gap>" not in page


def test_thirty_four_years_on_two_accounts_stay_under_6_mb(main: Findings) -> None:
    last = main.run.history.days[1]
    days = tuple(
        replace(last, date=DAYS[0] + timedelta(days=i), net_liq=Decimal(1_234_567 + i), spot=5700.25 + i)
        for i in range(8_800)
    )
    history = replace(main.run.history, days=days, trades=main.run.history.trades * 2_000)
    long = find(replace(main.run, history=history, risk_free=(0.0001,) * len(days)))
    assert len(render(long, long).encode()) < 6_000_000


def test_the_page_shows_both_accounts_and_the_digests(main: Findings, small: Findings) -> None:
    page = ours(render(main, small))
    assert "The two accounts" in page
    for text in (
        "$100,000",
        "$44,450",
        "e" * 64,
        "c" * 64,
        "abc1234",
        "tomking backtest --seed 7",
        "risk.loss_share_max",
    ):
        assert text in page, text


def test_research_switches_mark_page_and_summary(main: Findings) -> None:
    marked = find(replace(main.run, research=("kelly.gate",)))
    assert "Research switches are on" in render(marked, None)
    assert "kelly.gate" in summary(marked)


def test_charts_are_valid_plotly(main: Findings, small: Findings) -> None:
    graph_objects = pytest.importorskip("plotly.graph_objects")
    colours = {"@one": "blue", "@two": "red", "@three": "green", "@four": "grey"}
    text = json.dumps(page_data(main, small)["figures"])
    for name in set(re.findall(r'"(@\w+)"', text)) - {"@days"}:
        text = text.replace(f'"{name}"', f'"{colours.get(name, "black")}"')
    text = text.replace('"@days"', json.dumps([d.isoformat() for d in DAYS]))
    for figure in json.loads(text).values():
        graph_objects.Figure(figure)


def test_an_empty_run_still_has_a_page(main: Findings) -> None:
    quiet = replace(main.run.history, trades=(), refusals=(), slippage={})
    page = render(find(replace(main.run, history=quiet, bp_caps=())), None)
    assert "No trade was closed." in page
    assert "not met" not in page
    assert "Nothing was refused." in page


# ------------------------------------------------------------------------------------------ terminal
def test_the_summary_is_plain_and_fits(main: Findings, small: Findings) -> None:
    text = summary(main, small)
    assert "Option prices are MODELLED" in text
    assert max(map(len, text.splitlines())) <= WIDTH
    assert "\x1b" not in text
    for part in ("Friday 0DTE", "LT112", "$44,450", "not judged", "e" * 64):
        assert part in text


def test_fifty_trades_are_enough() -> None:
    assert findings.ENOUGH_TRADES == 50


# ------------------------------------------------------------------------- entries, idle accounts
def with_weekly_calls(main: Findings) -> Findings:
    # The condor as two LT112 entries: 1-1-2 won 489.60, a weekly lost 100; 30 and 5 dollars of slippage.
    (won,) = main.run.history.trades
    entry = replace(won, strategy="lt112", kind="1-1-2", slippage=Decimal(30))
    weekly = replace(entry, id="w", kind="weekly", gross=Decimal(-90), fees=Decimal(10), slippage=Decimal(5))
    return find(
        replace(main.run, history=replace(main.run.history, trades=(won, entry, weekly), refusals=()))
    )


def test_a_strategy_of_two_entries_has_a_row_for_each_and_one_for_all(main: Findings) -> None:
    rows = tables.strategies(with_weekly_calls(main))
    assert [(r[0].text, r[1].text) for r in rows] == [
        ("Friday 0DTE", "1"),
        ("LT112 1-1-2", "1"),
        ("LT112 weekly", "1"),
        ("LT112 in all", "2"),
    ]
    # The claim stands beside the entry it speaks of, and nowhere else.
    assert [r[4].text for r in rows] == ["88%", "73–75%", "–", "–"]
    assert [r[11].text for r in rows[1:]] == ["$30", "$5", "$35"]


def test_an_entry_that_was_only_refused_has_its_row_too(main: Findings) -> None:
    refused = replace(main.run.history.refusals[0], strategy="friday_0dte", entry="late")
    run = replace(main.run, history=replace(main.run.history, refusals=(refused,)))
    names = [tables.line_name(line) for line in find(run).lines if line.strategy == "friday_0dte"]
    assert names == ["Friday 0DTE condor", "Friday 0DTE late", "Friday 0DTE in all"]


def test_an_account_that_hardly_trades_gets_no_ratios(main: Findings) -> None:
    # One position in 30 sessions is 3.3 %: under the 5 % from which a ratio says something.
    days = main.run.history.days
    more = tuple(replace(days[-1], date=date(2031, 5, d), deposits=Decimal(0)) for d in range(1, 28))
    history = replace(main.run.history, days=(*days, *more))
    idle = find(replace(main.run, history=history, risk_free=(0.0001,) * 30))
    assert idle.idle
    assert (idle.performance.sharpe, idle.performance.sortino, idle.performance.calmar) == (None, None, None)
    assert idle.compared == ()
    assert "Positions in 3.3% of the sessions" in summary(idle)
    assert "not meaningful: positions in 3.3% of the sessions" in render(idle, None)


def test_profit_of_open_positions_is_shown_apart(main: Findings) -> None:
    # 109,000 - 110,000 paid in = -1,000; the closed trade made 489.60, so -1,489.60 is in what is open.
    assert main.open_profit == Decimal("-1489.60")
    rows = dict(tables.accounts([main]))
    assert rows["Of that, in positions still open"][0].text == "▼ −$1,490"


def test_trades_csv_says_what_the_fills_gave_away(main: Findings) -> None:
    (row,) = csv.DictReader(io.StringIO(trades_csv(main.run.history.trades)))
    assert Decimal(row["slippage_usd"]) == Decimal(30)
    assert Decimal(row["gross_usd"]) - Decimal(row["fees_usd"]) == Decimal(row["net_usd"])


def test_what_seldom_happens_is_not_shown_as_never() -> None:
    assert words.small_share(2 / 8816) == "under 0.1%"


def test_a_file_that_cannot_take_its_place_takes_the_others_with_it(main: Findings, tmp_path: Path) -> None:
    (tmp_path / "run.json").mkdir()
    journal = tmp_path / "elsewhere.sqlite"
    journal.write_bytes(b"journal")
    with pytest.raises(OperatingError, match="choose another place"):
        write_report(tmp_path / "report.html", main, journal=journal)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["elsewhere.sqlite", "run.json"]
