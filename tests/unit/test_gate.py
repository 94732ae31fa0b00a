"""The gate as a whole: the least answer wins, every breach is said, nothing can be enlarged."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st
from tests.unit.test_limits import (
    NET_LIQ,
    SETTINGS,
    Listed,
    account,
    empty,
    holding,
    lt112,
    mid,
    open_position,
    wish,
)
from tests.worlds import FRIDAY, at, session_on, weekdays

from tomking.domain.book import Book, Day
from tomking.domain.contract import Contract, Option
from tomking.domain.intent import Approved, Open, Part, Refused, Verdict
from tomking.domain.record import Record
from tomking.domain.structure import Structure
from tomking.risk.case import Allowance, Limit
from tomking.risk.gate import LIMITS, case_of, judge
from tomking.view import View


def view(vix: float | None = 24.0, wall: str = "10:30") -> View:
    market = Listed(mid, level=5500.0, vix_level=vix)
    return View(at(wall), session_on(FRIDAY), weekdays(FRIDAY - timedelta(days=30), 200), market)


def verdict(
    opening: Open,
    book: Book | None = None,
    *,
    vix: float | None = 24.0,
    net_liq: Decimal = NET_LIQ,
    wall: str = "10:30",
    limits: tuple[Limit, ...] = LIMITS,
) -> Verdict:
    book = book or empty()
    return judge(opening, book, view(vix, wall), account(book, net_liq), SETTINGS, limits)


def test_the_least_answer_is_the_verdict_and_is_named() -> None:
    # $1,027 a unit at the stop: three fit into 2 % of $200,000, five into the ceiling of phase 4.
    answer = verdict(wish("ES"))
    assert isinstance(answer, Approved)
    assert answer.units == 3
    assert answer.binding.startswith("loss at stop: planned, with slippage and fees: $1,0")
    assert answer.binding.endswith("limit $4,000 (2.0% of net liq $200,000)")
    # 30 wide for 10 points: $1,000 each.
    assert answer.margin == 3000


def test_the_strategys_own_ceiling_binds_too() -> None:
    answer = verdict(wish("ES", ceiling=1))
    assert isinstance(answer, Approved)
    assert (answer.units, answer.binding) == (1, "the strategy's own ceiling of 1")


def seasoned() -> Book:
    """Phase 4 earned: 100 trades, 75 % won, for years and without a drawdown; two LT112 among them."""
    records = {
        "friday_0dte:condor": Record(98, 73, Decimal(7300), Decimal(100)),
        "lt112:1-1-2": Record(2, 2, Decimal(900)),
    }
    return replace(empty(), records=records, notes={"risk.earned": "2029-01-02 2029-01-02 4 0"})


def test_full_size_waits_until_the_phase_is_earned() -> None:
    live = replace(SETTINGS, phase_gating="full_size")
    answer = judge(lt112(), empty(), view(16.0), account(empty(), NET_LIQ), live)
    assert isinstance(answer, Refused)
    (breach,) = answer.breaches
    assert (breach.code, breach.limit) == ("PHASE", "full size")
    assert breach.detail.startswith(
        "ES is not earned yet (earned phase 1 of 3; closed futures trades 0 of more"
    )
    assert breach.detail.endswith("months 0 of 2): trade MES")


def test_one_es_lt112_fits_two_hundred_thousand() -> None:
    answer = verdict(lt112(), seasoned(), vix=16.0)
    assert isinstance(answer, Approved)
    assert answer.units == 1
    assert 8_000 < answer.margin < 12_000


def test_a_refusal_says_every_reason_at_once() -> None:
    book = replace(
        empty(1), levels={"phase": "1", "drawdown": "ORANGE"}, day=Day(session=FRIDAY, losing_closes=3)
    )
    answer = verdict(lt112(), book, wall="16:30")
    assert isinstance(answer, Refused)
    codes = [(breach.code, breach.limit) for breach in answer.breaches]
    assert codes[:5] == [
        ("SYS", "losses today"),
        ("SYS", "drawdown"),
        ("SYS", "losing closes"),
        ("CAL", "market open"),
        ("PHASE", "phase"),
    ]
    assert str(answer.breaches[4]) == "phase: lt112 is not available in phase 1"


def test_a_reason_that_was_said_before_needs_no_other_beside_it() -> None:
    book = replace(empty(1), levels={"phase": "1", "drawdown": "ORANGE"}, day=Day(session=FRIDAY))
    asked = (lt112(), book, view(24.0, "16:30"), account(book, NET_LIQ), SETTINGS)
    whole = judge(*asked)
    assert isinstance(whole, Refused)
    assert len(whole.breaches) > 2
    short = judge(*asked, said={whole.breaches[0].code})
    assert isinstance(short, Refused)
    assert short.breaches == whole.breaches[:1]
    # What comes first is what a refusal is named by: a later code that was said cuts nothing short.
    other = next(one.code for one in whole.breaches if one.code != whole.breaches[0].code)
    assert judge(*asked, said={other}) == whole


def test_a_size_is_never_rounded_up_to_one() -> None:
    book = replace(empty(), levels={"phase": "4", "drawdown": "YELLOW"})
    answer = verdict(wish("ES", ceiling=1), book)
    assert isinstance(answer, Refused)
    (breach,) = answer.breaches
    assert breach.code == "SIZE"
    assert breach.detail.startswith("1 units x 0.50 for drawdown, VIX and ramp is less than one")


def test_yellow_halves_and_rounds_down() -> None:
    book = replace(empty(), levels={"phase": "4", "drawdown": "YELLOW"})
    answer = verdict(wish("ES"), book)
    assert isinstance(answer, Approved)
    assert answer.units == 1
    assert answer.binding.endswith("3 units x 0.50 for drawdown, VIX and ramp")


def covered(joins: str | None = None) -> tuple[Book, Open]:
    """A bought SPY call of June, 5 points of which are worth 60, and a call of March to sell against it."""
    bought = replace(
        wish("SPY"),
        strategy="ipmcc",
        parts=(Part("LEAP", Structure.parse("LEAP", "+1 SPY 2032-06-18 C500")),),
    )
    book = holding(open_position("P1", strategy="ipmcc", opening=bought))
    sale = Structure.parse("weekly", "-1 SPY 2031-03-14 C560")
    sold = replace(wish("SPY"), strategy="ipmcc", parts=(Part("weekly", sale),), ceiling=1, joins=joins)
    return book, sold


def call_mid(contract: Contract, now: object) -> float | None:
    return 60.0 if isinstance(contract, Option) and contract.strike == 500 else 4.0


def test_what_its_position_covers_asks_no_margin_and_is_not_shrunk_to_nothing() -> None:
    # Alone the call is naked: 20 % of $55,000 less 1,000 out of the money, and its 4.00: $10,400.  Beside the
    # bought call of a lower strike and a later day it is covered, and its 4.00 lessen the debit.
    market = Listed(call_mid, level=5500.0, vix_level=30.0)
    now = View(at("10:30"), session_on(FRIDAY), weekdays(FRIDAY - timedelta(days=30), 200), market)
    book, alone = covered()
    assert case_of(alone, book, now, account(book), SETTINGS).margin == Decimal("10400.00")
    book, joined = covered(joins="P1")
    assert case_of(joined, book, now, account(book), SETTINGS).margin <= 0
    # At VIX 30 sizes are shrunk by a quarter: one naked call to none, one covered call not at all.
    assert isinstance(judge(alone, book, now, account(book), SETTINGS, ()), Refused)
    answer = judge(joined, book, now, account(book), SETTINGS, ())
    assert isinstance(answer, Approved)
    assert answer.units == 1
    assert answer.margin == 0


def test_a_hedge_is_not_shrunk() -> None:
    bought = (Part("rung", Structure.parse("rung", "+1 SPY 2032-06-18 P440")),)
    hedge = replace(wish("SPY"), strategy="leap_put_hedge", parts=bought, ceiling=1)
    answer = verdict(hedge, vix=30.0, limits=())
    assert isinstance(answer, Approved)
    assert answer.units == 1


def test_without_a_vix_nothing_is_opened() -> None:
    answer = verdict(wish("ES"), vix=None)
    assert isinstance(answer, Refused)
    assert answer.breaches[0].detail == "no VIX"


def test_without_quotes_a_wish_is_refused_and_still_never_looks_free() -> None:
    market = Listed(lambda contract, now: None, level=5500.0)
    blind = replace(view(), market=market)
    book = empty()
    case = case_of(wish("ES"), book, blind, account(book), SETTINGS)
    # Two short contracts at 25 % of 5,500 x $50.
    assert case.margin == 137_500
    answer = judge(wish("ES"), book, blind, account(book), SETTINGS)
    assert isinstance(answer, Refused)
    assert "leg quotes" in [breach.limit for breach in answer.breaches]


def test_warnings_reach_the_verdict() -> None:
    careful = Limit("any", "SIZE", "C.3", lambda case: Allowance(None, "", warning="look twice"))
    answer = verdict(wish("ES"), limits=(*LIMITS, careful))
    assert isinstance(answer, Approved)
    assert answer.warnings == ("any: look twice",)


wishes = st.builds(
    lambda product, ceiling, loss: wish(product, ceiling=ceiling, planned_loss=Decimal(loss)),
    st.sampled_from(["ES", "MES", "SPXW", "XSP"]),
    st.integers(1, 30),
    st.integers(5, 25),
)
levels = st.sampled_from(["GREEN", "YELLOW", "ORANGE"])
answers = st.one_of(st.none(), st.integers(0, 20))


def units(answer: Verdict) -> int:
    return answer.units if isinstance(answer, Approved) else 0


@profile(max_examples=60)
@given(wishes, levels, st.floats(10, 45), answers)
def test_no_limit_can_enlarge_a_wish(opening: Open, level: str, vix: float, answer: int | None) -> None:
    book = replace(empty(), levels={"phase": "4", "drawdown": level})
    before = units(verdict(opening, book, vix=vix))
    more = Limit("another", "SIZE", "none", lambda case: Allowance(answer, "because"))
    after = units(verdict(opening, book, vix=vix, limits=(*LIMITS, more)))
    assert after <= before <= opening.ceiling
    assert answer is None or after <= answer


@profile(max_examples=60)
@given(wishes, st.floats(10, 34), st.integers(130_000, 300_000), st.integers(0, 300_000))
def test_a_richer_account_is_never_permitted_less(opening: Open, vix: float, poor: int, more: int) -> None:
    smaller, larger = (
        units(verdict(opening, empty(net_liq=Decimal(dollars)), vix=vix, net_liq=Decimal(dollars)))
        for dollars in (poor, poor + more)
    )
    assert smaller <= larger


@profile(max_examples=60)
@given(wishes, levels, st.one_of(st.none(), st.floats(10, 60)), st.sampled_from(["09:00", "10:30", "17:00"]))
def test_a_refusal_carries_every_limit_that_permits_nothing(
    opening: Open, level: str, vix: float | None, wall: str
) -> None:
    book = replace(empty(), levels={"phase": "4", "drawdown": level})
    answer = verdict(opening, book, vix=vix, wall=wall)
    case = case_of(opening, book, view(vix, wall), account(book), SETTINGS)
    against = [limit.name for limit in LIMITS if limit.check(case).units == 0]
    if against:
        assert isinstance(answer, Refused)
        assert [breach.limit for breach in answer.breaches] == against
        assert all(breach.detail for breach in answer.breaches)
