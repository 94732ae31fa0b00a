"""Row checks on import: each defect planted in a good chain is found, named and kept apart."""

from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tomking.adapters.importers.raw import QUOTES, STRIKE_DIGITS
from tomking.adapters.verify import KINDS, Checked, Context, check, load_context, merged
from tomking.adapters.verify.kinds import ROW_REASONS, Severity

FRIDAY = datetime(2031, 3, 7, 15, 30, tzinfo=UTC)  # 10:30 in New York
EXPIRY = date(2031, 3, 14)


@pytest.fixture(scope="module")
def context() -> Context:
    return load_context(
        date(2030, 1, 2), date(2032, 12, 31), now=datetime(2031, 6, 1, tzinfo=UTC), source="quotes.csv"
    )


def row(**changes: Any) -> dict[str, Any]:
    good = {
        "line": 2,
        "member": "",
        "root": "SPXW",
        "at": FRIDAY,
        "expiry": EXPIRY,
        "right": -1,
        "strike": 5700 * STRIKE_DIGITS,
        "bid": 12.1,
        "ask": 12.4,
        "bid_size": 10,
        "ask_size": 12,
        "volume": 100,
        "open_interest": 2000,
        "spot": 5750.0,
        "multiplier": 100.0,
    }
    return {**good, **changes}


def frame(*rows: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=QUOTES)


def good_chain(n: int = 6) -> list[dict[str, Any]]:
    return [row(line=2 + i, strike=(5600 + 5 * i) * STRIKE_DIGITS) for i in range(n)]


def planted(**changes: Any) -> pl.DataFrame:
    """A good chain with one row after it that differs from a good one in ``changes``."""
    return frame(*good_chain(), row(line=99, **changes))


def test_a_good_chain_passes_whole_and_unchanged(context: Context) -> None:
    quotes = frame(*good_chain())
    checked = check(quotes, context)
    assert checked.kept.equals(quotes)
    assert (checked.quarantined.height, checked.findings) == (0, ())


@pytest.mark.parametrize(
    ("reason", "changes"),
    [
        ("incomplete", {"root": None}),
        ("incomplete", {"expiry": None}),
        ("incomplete", {"strike": None}),
        ("incomplete", {"at": None}),
        ("adjusted_root", {"root": "SPX1"}),
        ("adjusted_root", {"root": "1AAPL"}),
        ("wrong_multiplier", {"multiplier": 10.0}),
        ("wrong_multiplier", {"root": "ES", "multiplier": 100.0}),
        ("bad_strike", {"strike": 0}),
        ("bad_strike", {"strike": -5700 * STRIKE_DIGITS}),
        ("strike_off_grid", {"strike": 5701 * STRIKE_DIGITS}),
        ("strike_off_grid", {"strike": 57 * STRIKE_DIGITS}),
        ("not_a_number", {"bid": float("nan")}),
        ("not_a_number", {"ask": float("inf")}),
        ("not_a_number", {"ask": float("nan"), "bid": None}),
        ("negative", {"bid": -0.05}),
        ("negative", {"volume": -1}),
        ("crossed", {"bid": 12.5}),
        ("crossed", {"bid": 12.5, "ask": 0.0}),
        ("zero_ask", {"bid": 0.0, "ask": 0.0}),
        ("impossible_price", {"bid": 5701.0, "ask": 5702.0}),
        ("impossible_price", {"right": 1, "bid": 6500.0, "ask": 6501.0}),
        ("impossible_price", {"ask": 99_999.9}),
        ("absurd_size", {"bid_size": -3}),
        ("absurd_size", {"ask_size": 2_000_000_000}),
        ("absurd_size", {"volume": 60_000_000}),
        ("off_grid", {"bid": 12.07}),
        ("off_grid", {"root": "AAPL", "spot": 5750.0, "bid": 12.107}),
        ("from_the_future", {"at": datetime(2031, 7, 1, 15, 30, tzinfo=UTC), "expiry": date(2031, 7, 3)}),
        # 16:00 on the expiry's Friday is 20:00 UTC (winter time in force until 9 March: 21:00 UTC).
        ("expired", {"expiry": date(2031, 3, 7), "at": datetime(2031, 3, 7, 21, 15, tzinfo=UTC)}),
        # An AM-settled contract ends with the opening of its expiry day.
        ("expired", {"root": "SPX", "expiry": date(2031, 3, 7), "at": FRIDAY}),
        ("expired", {"expiry": date(2031, 3, 6)}),
        ("no_session", {"at": datetime(2031, 3, 8, 15, 30, tzinfo=UTC)}),  # a Saturday
    ],
)
def test_a_planted_defect_is_quarantined_under_its_name(
    reason: str, changes: dict[str, Any], context: Context
) -> None:
    checked = check(planted(**changes), context)
    assert checked.quarantined["reason"].to_list() == [reason]
    assert checked.quarantined["line"].to_list() == [99]
    assert checked.kept.height == 6
    (finding,) = [f for f in checked.findings if f.quarantined]
    assert (finding.kind, finding.count, finding.where) == (reason, 1, "quotes.csv line 99")


def test_every_quarantining_row_kind_is_planted_somewhere_here() -> None:
    # The last two are planted below; the list above is read from the marker itself.
    marks = test_a_planted_defect_is_quarantined_under_its_name.pytestmark
    tried = {reason for reason, _ in marks[0].args[1]} | {"duplicate", "contradiction"}
    assert tried == set(ROW_REASONS)


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("locked", {"bid": 12.4}),
        ("no_ask", {"ask": None, "ask_size": None}),
        ("no_ask", {"bid": None, "ask": None}),
        ("coarse_grid", {"bid": 12.15}),  # SPX quotes dimes from 3.00 on
        ("outside_hours", {"at": datetime(2031, 3, 7, 12, 0, tzinfo=UTC)}),  # 07:00 in New York
        ("unknown_root", {"root": "spxw?"}),
    ],
)
def test_what_may_be_true_is_kept_and_said(kind: str, changes: dict[str, Any], context: Context) -> None:
    checked = check(planted(**changes), context)
    assert (checked.kept.height, checked.quarantined.height) == (7, 0)
    assert [f.kind for f in checked.findings] == [kind]
    assert KINDS[kind].severity is not Severity.QUARANTINED


def test_a_repeat_with_the_same_values_loses_nothing(context: Context) -> None:
    checked = check(frame(row(), row(line=3), row(line=4)), context)
    assert checked.kept["line"].to_list() == [2]
    assert checked.quarantined.select("line", "reason").rows() == [(3, "duplicate"), (4, "duplicate")]


def test_of_two_that_contradict_each_other_none_is_believed(context: Context) -> None:
    rows = [row(), row(line=3, bid=11.0), row(line=4, strike=5800 * STRIKE_DIGITS)]
    checked = check(frame(*rows), context)
    assert checked.kept["line"].to_list() == [4]
    assert checked.reasons == {"contradiction": 2}


def test_a_crossed_repeat_does_not_condemn_its_sound_twin(context: Context) -> None:
    checked = check(frame(row(), row(line=3, bid=13.0)), context)
    assert checked.kept["line"].to_list() == [2]
    assert checked.reasons == {"crossed": 1}


def test_a_deep_call_without_a_known_underlying_is_not_judged(context: Context) -> None:
    # A call at 200 costs 7,256 with the index at 7,450: 36 times its strike, and right.
    deep = {"right": 1, "strike": 200 * STRIKE_DIGITS, "bid": 7256.0, "ask": 7280.0}
    assert check(planted(**deep, spot=None), context).quarantined.is_empty()
    assert check(planted(**deep, spot=7450.0), context).quarantined.is_empty()
    assert check(planted(**deep, spot=5750.0), context).reasons == {"impossible_price": 1}


def test_the_close_itself_is_no_stale_quote(context: Context) -> None:
    # A minute bar that ends at 16:00 New York is the last minute's.
    close = datetime(2031, 3, 7, 21, 0, tzinfo=UTC)
    assert check(planted(expiry=date(2031, 3, 7), at=close), context).findings == ()
    # LEAN's daily bars are stamped a second after it.
    assert check(planted(expiry=date(2031, 3, 7), at=close.replace(second=1)), context).findings == ()


def test_hours_end_with_what_is_stamped_at_the_close(context: Context) -> None:
    # 16:15 in New York, 21:15 UTC; a universe file is stamped two seconds later.
    last = datetime(2031, 3, 7, 21, 15, 2, tzinfo=UTC)
    assert check(planted(at=last), context).findings == ()
    assert [f.kind for f in check(planted(at=last.replace(minute=17)), context).findings] == ["outside_hours"]


def test_a_saturday_expiry_of_old_ends_on_friday() -> None:
    old = load_context(date(2014, 1, 2), date(2014, 12, 31))
    twx = {"root": "TWX", "expiry": date(2014, 6, 21), "strike": 70 * STRIKE_DIGITS, "spot": 70.0}
    friday_close = datetime(2014, 6, 20, 20, 0, tzinfo=UTC)
    rows = [row(**twx, at=friday_close, bid=1.0, ask=1.1), row(**twx, at=friday_close.replace(minute=10))]
    assert check(frame(*rows), old).quarantined["reason"].to_list() == ["expired"]


def test_futures_trade_on_sunday_evening_and_index_options_at_night(context: Context) -> None:
    sunday = datetime(2031, 3, 9, 23, 30, tzinfo=UTC)  # 19:30, after the clocks changed
    es = row(root="ES", multiplier=50.0, at=sunday, bid=12.0, ask=12.5)
    assert check(frame(es), context).findings == ()
    assert [f.kind for f in check(frame(row(at=sunday)), context).findings] == ["outside_hours"]


cells = st.fixed_dictionaries(
    {},
    optional={
        "root": st.sampled_from(["SPXW", "SPX", "ES", "EW3", "AAPL", "AAPL1", "6E", "??", None]),
        "at": st.sampled_from([FRIDAY, FRIDAY.replace(hour=3), FRIDAY.replace(day=8), None]),
        "expiry": st.sampled_from([EXPIRY, date(2031, 3, 7), date(2031, 3, 8), date(2099, 1, 1), None]),
        "right": st.sampled_from([1, -1, None]),
        "strike": st.sampled_from([570_000_000, 570_100_000, 0, -5, 2**62, None]),
        "bid": st.sampled_from([12.1, 12.07, 0.0, -1.0, 5701.0, float("nan"), float("inf"), None]),
        "ask": st.sampled_from([12.4, 12.1, 0.0, -1.0, 1e300, float("nan"), float("-inf"), None]),
        "bid_size": st.sampled_from([10, -1, 2**62, None]),
        "volume": st.sampled_from([0, -1, 2**62, None]),
        "spot": st.sampled_from([5750.0, 0.0, -1.0, float("nan"), None]),
        "multiplier": st.sampled_from([100.0, 50.0, 0.0, float("nan"), None]),
    },
)


@given(st.lists(cells, max_size=8))
def test_every_row_is_kept_or_quarantined_as_it_stood_and_counted_once(rows: list[dict[str, Any]]) -> None:
    held = load_context(date(2030, 1, 2), date(2032, 12, 31), now=datetime(2031, 6, 1, tzinfo=UTC))
    quotes = frame(*(row(line=i, **changes) for i, changes in enumerate(rows)))
    checked = check(quotes, held)
    parts = pl.concat([checked.kept, checked.quarantined.drop("reason")]).sort("line")
    assert parts.equals(quotes)
    assert checked.quarantined["reason"].is_in(list(ROW_REASONS)).all()
    refused = sum(f.count for f in checked.findings if f.quarantined)
    assert refused == checked.quarantined.height == sum(checked.reasons.values())
    # What was kept is kept again.
    assert check(checked.kept, held).quarantined.is_empty()


def test_no_rows_give_no_findings(context: Context) -> None:
    checked = check(frame(), context)
    assert (checked.kept.height, checked.quarantined.height, checked.findings) == (0, 0, ())
    assert checked.quarantined.schema == {**QUOTES, "reason": pl.String}


def test_findings_of_batches_add_up(context: Context) -> None:
    batches: list[Checked] = [check(planted(bid=12.5), context) for _ in range(3)]
    (both,) = merged(f for one in batches for f in one.findings)
    assert (both.kind, both.count, both.where) == ("crossed", 3, "quotes.csv line 99")


def test_an_example_names_the_contract_and_its_prices(context: Context) -> None:
    (finding,) = check(planted(bid=12.5), context).findings
    assert finding.example == "2031-03-14 P5700 seen 2031-03-07 15:30 UTC: bid 12.5, ask 12.4"
