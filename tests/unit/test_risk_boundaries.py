"""Where risk changes its mind: exactly at a threshold, with nothing there, with one thing too few."""

import math
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pytest
from tests.unit import stressworld as stressed
from tests.unit.test_drawdown import JULY, SPREAD, at_level, component, holding
from tests.unit.test_protect import after, fresh, position, view
from tests.worlds import FRIDAY, ScriptedMarket, at, session_on, weekdays

from tomking.domain import events as ev
from tomking.domain.book import Book, Day, apply
from tomking.domain.structure import Structure
from tomking.risk import breakers, drawdown, emergency, protect
from tomking.risk.breakers import Reading
from tomking.risk.calm import calm_of
from tomking.risk.desk import Desk
from tomking.risk.exposure import exposure, lines_in, smile
from tomking.risk.phases import RED_SINCE
from tomking.risk.settings import Settings
from tomking.risk.tape import Mark, Tape
from tomking.view import View

SETTINGS = Settings()
ZERO, ONE = Decimal(0), Decimal(1)
NAN = math.nan


def notes(events: Iterable[ev.Event]) -> dict[str, str]:
    return {e.key: e.value for e in events if isinstance(e, ev.Noted)}


# ------------------------------------------------------------------------------ the breakers


def tape(base_vix: float = 20.0, correlation: float = NAN, net_liq: float = 100_000.0) -> Tape:
    """Begun at ten."""
    marks = (Mark(15 * 3600, base_vix, net_liq),)
    return Tape(FRIDAY.isoformat(), base_vix, net_liq, correlation, marks)


def measured(net_liq: float = 100_000.0, margin: float | None = None, **seen: float) -> dict[str, Reading]:
    found = breakers.readings(
        fresh(), tape(**seen), at("10:03"), seen.get("base_vix", 20.0), net_liq, margin, SETTINGS
    )
    return {one.name: one for one in found}


@pytest.mark.parametrize(("vix", "threshold"), [(12.99, "2.0%"), (13.0, "3.0%")])
def test_a_session_that_begins_at_vix_13_is_not_calm(vix: float, threshold: str) -> None:
    # 3 % x 0.67 = 2.01 % below 13.
    words = measured(base_vix=vix)["rapid loss"].words
    assert words == f"lost 0.0% within 5 minutes, threshold {threshold}"


def test_an_account_of_nothing_is_beyond_every_margin() -> None:
    assert measured(net_liq=0.0, margin=100.0)["margin"].share == math.inf
    assert measured(net_liq=-5.0, margin=100.0)["margin"].share == math.inf
    # A dollar is an account: $1 of margin on it is 100 % of it.
    assert measured(net_liq=1.0, margin=1.0)["margin"].words.startswith("margin $1 is 100% of net liq")


def test_of_nothing_nothing_is_lost_rapidly() -> None:
    gone = breakers.readings(fresh(), tape(net_liq=0.0), at("10:03"), 20.0, -5.0, None, SETTINGS)
    assert gone[0].share == 0.0
    half = breakers.readings(fresh(), tape(net_liq=1.0), at("10:03"), 20.0, 0.5, None, SETTINGS)
    assert half[0].words.startswith("lost 50.0%")


def test_without_a_ramp_sizes_are_whole() -> None:
    assert emergency.ramp_share(fresh(), SETTINGS) == 1
    assert emergency.ramp_share(fresh(notes={emergency.RAMP: "1"}), SETTINGS) == SETTINGS.emergency_ramp_share
    assert breakers.ramp_share(fresh(), SETTINGS) == 1


def breaker(name: str, share: float, *, closes: bool = True) -> Reading:
    return Reading(name, share, f"{share:.2f}", closes)


@pytest.mark.parametrize(
    ("found", "level", "words"),
    [
        ([breaker("a", 0.79)], 0, ""),
        ([breaker("a", 0.80)], 1, "a: 0.80"),
        ([breaker("a", 0.80), breaker("b", 0.9)], 1, "a: 0.80; b: 0.90"),
        ([breaker("a", 1.0), breaker("b", 0.9)], 2, "a: 1.00"),
        ([breaker("a", 1.49)], 2, "a: 1.49"),
        ([breaker("a", 1.50), breaker("b", 0.9)], 3, "a: 1.50"),
        # Two at once flatten, and are both named; where one alone is reason enough, that one is.
        ([breaker("a", 1.0), breaker("b", 1.2)], 3, "a: 1.00; b: 1.20"),
        ([breaker("a", 1.0), breaker("b", 1.5)], 3, "b: 1.50"),
        # What may not close stays at level 2, however far it is, but counts towards two.
        ([breaker("vix", 3.0, closes=False)], 2, "vix: 3.00"),
        ([breaker("vix", 3.0, closes=False), breaker("a", 1.0)], 3, "vix: 3.00; a: 1.00"),
    ],
)
def test_from_eighty_per_cent_a_breaker_warns_at_all_of_it_halts_and_at_half_more_flattens(
    found: list[Reading], level: int, words: str
) -> None:
    assert breakers.level_at(found, SETTINGS) == (level, words)


def test_what_halts_by_a_rounding_error_closes_the_riskiest_too() -> None:
    # 64 % of 80 % comes out as 0.7999999999999999 or 0.8000000000000001: both are at the threshold.
    for share in (1.0, 1 - 1e-12):
        assert breakers.level_at([breaker("margin", share)], SETTINGS)[0] == breakers.HALTS
        assert breakers.closes_riskiest([breaker("margin", share)])
    assert not breakers.closes_riskiest([breaker("margin", 0.999)])
    assert not breakers.closes_riskiest([breaker("VIX shock", 2.0, closes=False)])


def test_the_riskiest_has_most_margin_for_each_dollar_received() -> None:
    # Five units sold for 10 points at $50: $2,500 for a margin of $10,000: 4.  One unit for 2 points at
    # $100: $200 for $1,000: 5.
    many = position("1", "ratio_spread", "-1 ES 2031-04-17 P5000", net="10", margin=10_000)
    parts = {role: replace(one, units=5) for role, one in many.components.items()}
    many = replace(many, components=parts)
    few = position("2", "leap_put_income", "-1 SPY 2031-04-17 P400", net="2", margin=1_000)
    found = breakers.riskiest(fresh(many, few))
    assert found is not None
    assert found.id == "2"
    # What was sold for nothing is nobody's riskiest: there is no credit to divide by.
    free = position("3", "ratio_spread", "-1 SPY 2031-04-17 P400", net="0", margin=90_000)
    found = breakers.riskiest(fresh(free, few))
    assert found is not None
    assert found.id == "2"


# ------------------------------------------------------------------------------ drawdown and what is calm

CALM = Book(
    peak=Decimal(100_000),
    prior_close=Decimal(100_000),
    levels={"vix_regime": "NORMAL", "drawdown": "GREEN"},
    notes={"risk.weekly_loss": "2031-W10 100000", "risk.monthly_loss": "2031-03 100000"},
    day=Day(session=FRIDAY),
)


@pytest.mark.parametrize("name", ["peak", "prior_close"])
def test_nothing_is_calm_about_an_account_of_nothing(name: str) -> None:
    for dollars, is_known in ((0, False), (-1, False), (1, True)):
        book = replace(CALM, **{name: Decimal(dollars)})  # type: ignore[arg-type]
        assert (calm_of(book, SETTINGS) is not None) is is_known, dollars


def test_the_outer_regimes_have_no_outer_bound() -> None:
    low = calm_of(replace(CALM, levels={"vix_regime": "COMPLACENT"}), SETTINGS)
    high = calm_of(replace(CALM, levels={"vix_regime": "CRISIS"}), SETTINGS)
    assert low is not None
    assert high is not None
    worth = Decimal(100_000)
    assert low.holds(worth, 0.1)
    assert not low.holds(worth, SETTINGS.vix_bounds[0])
    assert high.holds(worth, 500.0)
    assert high.holds(worth, SETTINGS.vix_bounds[-1])
    assert not high.holds(worth, SETTINGS.vix_bounds[-1] - 0.01)


def test_a_drawdown_needs_a_peak_and_a_dollar_is_one() -> None:
    assert drawdown.drawdown(Book(peak=ZERO), Decimal(-5)) == 0
    assert drawdown.drawdown(Book(peak=ONE), Decimal("0.25")) == Decimal("0.75")


def test_weeks_and_months_begin_with_a_session_and_a_close_before_it() -> None:
    # 0 is no close; $1 is, less deposits of $100,000: the week begins 99,999 below them.
    def begun(book: Book) -> dict[str, str]:
        told = notes(drawdown.guard(book, ONE, at("10:00"), SETTINGS))
        return {name: text for name, text in told.items() if "loss" in name and "seen" not in name}

    assert begun(fresh(prior_close=ZERO)) == {}
    assert begun(replace(fresh(), day=Day())) == {}
    assert begun(fresh(prior_close=ONE)) == {
        "risk.weekly_loss": "2031-W10 -99999",
        "risk.monthly_loss": "2031-03 -99999",
    }


def test_the_lock_of_red_begins_where_red_does_and_terminal_does_not_begin_it_anew() -> None:
    def told(level: str, net_liq: int) -> bool:
        book = fresh(levels={"phase": "3", "drawdown": level})
        events = drawdown.session_end_levels(book, Decimal(net_liq), at("16:00"), SETTINGS)
        return RED_SINCE in notes(events)

    assert not told("GREEN", 84_000)  # ORANGE
    assert told("GREEN", 79_000)
    assert told("ORANGE", 69_000)
    assert not told("RED", 69_000)


def test_orange_closes_no_position_that_was_planned_without_a_stop() -> None:
    spread = replace(component("spread", SPREAD.format(JULY)), planned_loss=ZERO)
    book = at_level(holding(spread), "ORANGE")
    assert drawdown.forced_closes(book, {("P1", "spread"): Decimal(-500)}, at("11:00"), SETTINGS) == []


# ------------------------------------------------------------------------------ the account of one instant


def test_a_step_later_the_account_is_worked_out_anew() -> None:
    class Falling(ScriptedMarket):
        """From eleven on the index is 8 % lower, and SPY no longer 50 above the strike but 10."""

        def spot(self, family: str, now: object) -> float:
            return 5000.0 if now < at("11:00") else 4600.0  # type: ignore[operator]

    short = position("1", "leap_put_income", "-1 SPY 2031-12-19 P450", margin=3000)
    book, desk, worth = fresh(short), Desk(SETTINGS), Decimal(100_000)

    def asked(wall: str, net_liq: Decimal = worth, held: Book = book) -> tuple[object, object]:
        market = Falling(lambda contract, now: 5.0, level=500.0)
        now = View(at(wall), session_on(FRIDAY), weekdays(FRIDAY - timedelta(days=30), 200), market)
        account = desk._account(held, now, net_liq)
        return account.margin, account.net_liq

    # 20 % of 500 less 50, and the 5 points it is worth: 55 x $100; 20 % of 460 less 10, and 5: 87.
    assert asked("10:59") == (5_500, worth)
    assert asked("11:00") == (8_700, worth)
    assert asked("10:59") == (5_500, worth)
    assert asked("10:59", Decimal(90_000)) == (5_500, 90_000)
    assert asked("10:59", Decimal(90_000), fresh()) == (0, 90_000)


# ------------------------------------------------------------------------------ emergencies: what goes first


def test_naked_puts_go_before_spreads_and_whatever_else_there_is() -> None:
    parts = [component(role, SPREAD.format(JULY)) for role in ("PDS", "NP", "weekly", "NP 2", "NPX")]
    groups = emergency.naked_first(tuple(parts))
    assert [[one.role for one in group] for group in groups] == [["NP", "NP 2"], ["PDS", "weekly", "NPX"]]


def test_no_level_closes_a_position_that_was_planned_without_a_stop() -> None:
    for planned, goes in (("0", False), ("0.5", True)):
        one = position("1", "ratio_spread", "+1 SPY 2031-05-16 P480 / -2 SPY 2031-05-16 P470", loss=planned)
        book = fresh(one, levels={"phase": "3", emergency.LEVEL: "2"})
        assert bool(protect.forced(book, {("1", "all"): Decimal(-50)}, SETTINGS)) is goes


def test_half_of_the_short_premium_goes_when_level_three_is_reached_and_not_once_more_at_four() -> None:
    one = position("1", "ratio_spread", "-1 SPY 2031-05-16 P470", margin=1_000)
    other = position("2", "ratio_spread", "-1 SPY 2031-05-16 P460", margin=1_000)

    def named(before: str, net_liq: int) -> dict[str, int]:
        """What a confirmed day with this net liq names at VIX 20: 15 % lost is level 3, 20 % level 4."""
        since = {"risk.seen.emergency": at("10:29").isoformat()}
        book = fresh(one, other, levels={"phase": "3", emergency.LEVEL: before}, notes=since)
        for event in protect.guard(book, view(at("10:30")), Decimal(net_liq), SETTINGS):
            book = apply(book, event)
        assert emergency.level_of(book) == (3 if net_liq > 80_000 else 4)
        return emergency.to_close(book)

    assert named("2", 85_000) == {"1": 0}
    assert named("2", 80_000) == {"1": 0}
    assert named("3", 80_000) == {}


def test_what_was_halved_goes_whole_when_a_level_wants_all_of_it() -> None:
    one = position("1", "ratio_spread", "-1 SPY 2031-05-16 P470")
    parts = {role: replace(part, units=4) for role, part in one.components.items()}
    halved = {emergency.TO_CLOSE: "1:2"}

    def units(level: str) -> list[int | None]:
        book = fresh(replace(one, components=parts), levels={"phase": "3", "emergency": level}, notes=halved)
        return [close.units for close in protect.forced(book, {}, SETTINGS)]

    assert units("3") == [2]
    assert units("4") == [None]


def test_only_a_demotion_ends_positions_over_the_cap_of_their_phase() -> None:
    # An uncovered SPX put of $60,000 and more, over a cap of 10 %.  $80,000 is below the line of phase 3.
    short = position("1", "leap_put_income", "-1 SPX 2031-12-19 P4500", margin=60_000)
    cap = replace(SETTINGS, margin_share_max=(Decimal("0.10"),) * 5)
    held = fresh(short, levels={"phase": "3", "vix_regime": "NORMAL"}, notes={"risk.phase": "0 1 20"})

    def named(net_liq: int) -> dict[str, int]:
        _, events = Desk(cap).end(held, view(at("16:00")), Decimal(net_liq))
        return emergency.to_close(after(held, events))

    assert named(100_000) == {}
    assert named(80_000) == {"1": 0}


def test_a_level_by_loss_or_correlation_is_not_the_vix_alone() -> None:
    assert emergency.level_at(0.10, 15.0, NAN, SETTINGS) == (2, "day -10.0%", False)
    assert emergency.level_at(0.0, 15.0, 0.70, SETTINGS) == (1, "average correlation 0.70", False)
    assert emergency.level_at(0.02, 30.0, NAN, SETTINGS) == (2, "VIX 30.00 and day -2.0%", False)
    assert emergency.level_at(0.0, 35.0, NAN, SETTINGS) == (2, "VIX 35.00 alone", True)


@pytest.mark.parametrize(("prior", "closes"), [("0", False), ("1", True)])
def test_the_open_0dte_is_measured_against_a_prior_close_that_is_there(prior: str, closes: bool) -> None:
    one = position("2", "friday_0dte", "-1 MES 2031-03-07 P4900 / +1 MES 2031-03-07 P4870")
    book = fresh(one, prior_close=Decimal(prior))
    assert bool(protect.forced(book, {("2", "all"): Decimal(-5)}, SETTINGS)) is closes


def test_without_a_prior_close_no_day_is_lost() -> None:
    for prior, level in ((0, 0), (1, 4)):
        since = {"risk.seen.emergency": at("10:29").isoformat()}
        book = fresh(prior_close=Decimal(prior), notes=since)
        for event in protect.guard(book, view(at("10:30")), Decimal("0.5"), SETTINGS, quick=False):
            book = apply(book, event)
        assert emergency.level_of(book) == level


# ------------------------------------------------------------------------------ what is held, as columns


def row_of(text: str, market: ScriptedMarket) -> tuple[list[float], bool]:
    look = View(at("10:30"), session_on(FRIDAY), weekdays(FRIDAY - timedelta(days=30), 200), market)
    found = exposure(lines_in(Structure.parse("any", text), 1, "x", "P1"), look)
    return found.legs[0].tolist(), bool(found.stale[0])


class NoForward(ScriptedMarket):
    def forward(self, product: str, expiry: date, now: object) -> None:
        return None


def test_a_leg_without_a_chain_lies_on_its_familys_level_in_its_own_scale() -> None:
    market = NoForward(lambda contract, now: 12.0, level=5500.0)
    (level, strike, _, discount, right), stale = row_of("-1 XSP 2031-07-03 P540", market)
    assert (level, strike, discount, right, stale) == (550.0, 540.0, 1.0, -1.0, False)
    # Shares without a mid stand at that level too, and are stale; with one they stand at it.
    blind = NoForward(lambda contract, now: None, level=5500.0)
    assert row_of("+1 SPY S", blind) == ([550.0, 0.0, 0.0, 1.0, 0.0], True)
    assert row_of("+1 SPY S", market) == ([12.0, 0.0, 0.0, 1.0, 0.0], False)


def test_a_leg_is_stale_without_a_mid_and_where_a_mid_means_nothing() -> None:
    class Nowhere(NoForward):
        def spot(self, family: str, now: object) -> None:
            return None

    text = "-1 XSP 2031-07-03 P540"
    assert row_of(text, ScriptedMarket(lambda contract, now: None, level=5500.0))[1]
    assert row_of(text, Nowhere(lambda contract, now: 12.0))[1]  # 12 points, of what?
    # A mid below what is in the money gives no volatility, and is a mid all the same.
    assert not row_of("-1 XSP 2031-07-03 P700", ScriptedMarket(lambda contract, now: 12.0, level=5500.0))[1]


def test_the_strike_at_the_forward_is_read_once_from_its_call() -> None:
    market = stressed.surface()
    chain = market.chain("ES", stressed.EXPIRY, at("10:30"))
    assert chain is not None
    assert (chain.strikes == chain.forward).sum() == 2  # a put and a call of 5,500
    changed = replace(chain, iv=np.where(chain.right < 0, chain.iv, chain.iv + 0.01))
    points = smile(changed)
    assert points is not None
    money = points[1, points[0] == 0.0]
    call = changed.iv[(changed.strikes == changed.forward) & (changed.right > 0)]
    assert money.tolist() == call.tolist()
    assert (np.diff(points[0]) > 0).all()
