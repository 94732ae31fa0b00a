"""The risk system as the kernel asks it, and the page that shows where the book stands against each limit."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import numpy as np
import pytest
from tests.unit import stressworld as stressed
from tests.unit.test_drawdown import JULY, SPREAD, at_level, component, holding
from tests.unit.test_gate import verdict
from tests.unit.test_gate import view as listed
from tests.unit.test_limits import NET_LIQ, empty, lt112, wish, working
from tests.unit.test_protect import CONDOR, HEDGE, NAKED, after, fresh, several, view
from tests.worlds import FRIDAY, ScriptedMarket, at, session_on, weekdays

from tomking.domain import events as ev
from tomking.domain.book import Book
from tomking.domain.intent import Approved, Part, Refused
from tomking.domain.record import Record
from tomking.risk import breakers, emergency, gate, pauses, phases
from tomking.risk.calm import calm_of
from tomking.risk.desk import Desk
from tomking.risk.drawdown import OLD_PEAK, drawdown, guard, periods
from tomking.risk.expansion import cells, needs_of, stressed_margins
from tomking.risk.exposure import lines_in, lines_of
from tomking.risk.groups import complexes_correlation
from tomking.risk.kelly import Prior, belief
from tomking.risk.protect import session_end
from tomking.risk.regime import LEVEL as REGIME
from tomking.risk.regime import LOOSER, regime_events
from tomking.risk.settings import Settings
from tomking.risk.shocks import index_beta, shock_table
from tomking.risk.standing import Reading, effective_bets, standing
from tomking.risk.state import holding as holds
from tomking.risk.stress import stressed as stress
from tomking.risk.valuation import account_of, heat_of, use_of
from tomking.view import View

SETTINGS = Settings()
DESK = Desk(SETTINGS)
WORTH = Decimal(100_000)
ZERO = Decimal(0)


def levels(events: Iterable[ev.Event]) -> dict[str, str]:
    return {e.name: e.after for e in events if isinstance(e, ev.LevelChanged)}


def notes(events: Iterable[ev.Event]) -> dict[str, str]:
    return {e.key: e.value for e in events if isinstance(e, ev.Noted)}


def begin() -> Book:
    """After its first look: week, month and regime are known."""
    book = fresh()
    return after(book, guard(book, WORTH, at("10:00"), SETTINGS, vix=20.0))


# ------------------------------------------------------------------------------ as the kernel asks


def test_a_new_account_gets_its_phase_and_an_old_one_keeps_it() -> None:
    (began,) = DESK.begin(Book(), Decimal(63500), at("09:30"))
    assert isinstance(began, ev.LevelChanged)
    assert (began.name, began.after, began.detail) == ("phase", "2", "starting net liq $63,500.00")
    assert DESK.begin(fresh(phase=1), Decimal(63500), at("09:30")) == ()


def test_the_guard_says_what_tightens_whether_or_not_it_is_calm() -> None:
    desk = Desk(SETTINGS)
    begun = begin()
    assert calm_of(begun, SETTINGS) is not None
    quiet = [e for e in desk.guard(begun, view(at("10:01")), WORTH) if isinstance(e, ev.LevelChanged)]
    assert quiet == []
    # 5 % down: a first sight of the daily limit is noted, on the same desk as on a new one.
    down = Decimal(95_000)
    told = list(desk.guard(begun, view(at("10:02")), down))
    assert "risk.seen.daily_loss" in notes(told)
    assert told == list(Desk(SETTINGS).guard(begun, view(at("10:02")), down))


def test_it_looks_again_when_a_first_sight_may_be_confirmed_or_an_emergency_watches() -> None:
    now = at("11:00")
    sight = {"risk.seen.drawdown": now.isoformat()}
    level = {"phase": "3", "emergency": "1"}
    assert DESK.next_look(fresh(), now) is None
    assert DESK.next_look(fresh(notes=sight), now) == now + timedelta(seconds=SETTINGS.confirm_seconds)
    assert DESK.next_look(fresh(levels=level), now) is None  # nothing is held
    assert DESK.next_look(fresh(CONDOR), now) is None
    assert DESK.next_look(fresh(CONDOR, levels=level), now) == now + timedelta(minutes=5)
    both = fresh(CONDOR, levels=level, notes=sight)
    assert DESK.next_look(both, now) == now + timedelta(seconds=SETTINGS.confirm_seconds)
    late = fresh(CONDOR, levels=level, notes={"risk.seen.drawdown": at("11:30").isoformat()})
    assert DESK.next_look(late, now) == at("11:05")


def test_entries_stop_for_protections_first_and_then_for_drawdown() -> None:
    assert DESK.entries_stopped(fresh()) is None
    orange = at_level(fresh(), "ORANGE")
    assert DESK.entries_stopped(orange) == "drawdown level ORANGE"
    both = replace(orange, levels={**orange.levels, "emergency": "2"})
    assert DESK.entries_stopped(both) == "emergency level 2"


def test_what_drawdown_closes_is_not_closed_a_second_time() -> None:
    book = at_level(holding(component("spread", SPREAD.format(JULY))), "RED")
    alone = list(DESK.forced(book, {}, at("11:00")))
    assert [(close.position, close.roles) for close in alone] == [("P1", ("spread",))]
    also = replace(book, levels={**book.levels, "breaker": "3"}, notes={emergency.TO_CLOSE: "P1:0"})
    assert list(DESK.forced(also, {}, at("11:00"))) == alone
    only = replace(also, levels={"phase": "3", "breaker": "3"})
    assert [close.position for close in DESK.forced(only, {}, at("11:00"))] == ["P1"]


def test_the_desk_judges_as_the_gate_does_and_knows_the_strategies_it_was_given() -> None:
    answer = DESK.judge(wish("ES"), empty(), listed(), NET_LIQ)
    assert isinstance(answer, Approved)
    assert answer == verdict(wish("ES"))
    nobody = Desk(SETTINGS, places={}).judge(wish("ES"), empty(), listed(), NET_LIQ)
    assert isinstance(nobody, Refused)


def test_the_same_question_in_full_is_judged_once_and_any_other_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def counted(*of: object, **more: object) -> object:
        asked.append(of)
        return gate.judge(*of, **more)  # type: ignore[arg-type]

    monkeypatch.setattr("tomking.risk.desk.judge", counted)
    desk, one, book, look, worth = Desk(SETTINGS), wish("ES"), empty(), listed(), Decimal(900)
    first = desk.judge(one, book, look, worth, {"BROKER"})
    assert isinstance(first, Refused)
    assert len(first.breaches) > 1
    assert desk.judge(one, book, look, worth) is first
    assert len(asked) == 1
    # Of what was said before the name is enough, and that short answer is none to another question.
    short = desk.judge(one, book, look, worth, {first.breaches[0].code})
    assert isinstance(short, Refused)
    assert len(short.breaches) == 1
    assert desk.judge(one, book, look, worth) == first
    assert len(asked) == 3
    others = (
        (replace(one), book, look, worth),
        (one, empty(), look, worth),
        (one, book, look, Decimal(800)),
    )
    for other in (*others, (one, book, listed(), worth)):
        desk.judge(*other)
    assert len(asked) == 7


def test_an_account_is_worked_out_anew_for_other_positions_another_time_or_another_worth() -> None:
    desk, book = Desk(SETTINGS), fresh(NAKED)
    look = view(at("10:30"))
    first, _ = desk.end(book, look, WORTH)
    assert first.margin > 0
    assert desk.end(book, look, WORTH)[0] == first
    assert desk.end(fresh(), look, WORTH)[0].margin == 0
    assert desk.end(book, look, Decimal(90_000))[0].net_liq == 90_000
    wider = view(at("10:31"), level=7000.0)
    assert desk.end(book, wider, WORTH)[0].at == at("10:31")


def test_the_close_is_a_snapshot_of_money_margin_and_market() -> None:
    ended, _ = DESK.end(fresh(NAKED), view(at("16:00")), WORTH)
    assert (ended.day, ended.net_liq, ended.vix, ended.spot) == (FRIDAY, WORTH, 20.0, 5000.0)
    assert ended.margin > 0
    assert ended.capital >= ended.margin


def test_a_demotion_names_the_newest_positions_until_the_margin_fits() -> None:
    # From phase 3 to 2 the cap falls from 65 % to 50 % of net liq.
    old, new = replace(NAKED, opened=at("10:00")), replace(CONDOR, opened=at("11:00"))
    hedge = replace(HEDGE, opened=at("12:00"))
    book = fresh(old, new, hedge)
    margins = {old.id: Decimal(45_000), new.id: Decimal(9_000)}
    assert phases.reduction(book, 2, WORTH, margins, SETTINGS) == [new.id]
    assert phases.reduction(book, 3, WORTH, margins, SETTINGS) == []
    assert phases.reduction(book, 1, WORTH, margins, SETTINGS) == [new.id, old.id]
    told = session_end(book, view(at("16:00")), WORTH, ZERO, SETTINGS, [new.id])
    assert new.id in notes(told)[emergency.TO_CLOSE]


def test_a_demotion_at_the_close_is_told_with_what_it_ends() -> None:
    # Three closes below 95 % of phase 3's floor; RED costs a phase at once.
    red = fresh(
        several(NAKED, 30),
        levels={"phase": "3", "drawdown": "RED"},
        notes={"risk.red_since": at("10:00").isoformat()},
    )
    _, told = DESK.end(red, view(at("16:00")), Decimal(60_000))
    assert levels(told)["phase"] == "2"
    assert NAKED.id in notes(told).get(emergency.TO_CLOSE, NAKED.id)


def test_phase_bars_and_targets_are_those_of_the_book() -> None:
    assert DESK.phase(fresh(phase=3)) == 3
    assert DESK.phase(fresh(phase=3, notes={"risk.phase_one": "2"})) == 1
    assert DESK.barred(fresh(phase=1), "lt112") == "lt112 is not available in phase 1"
    assert DESK.barred(fresh(phase=2), "lt112") == ""
    assert DESK.barred(fresh(phase=1), "mine") == ""
    assert DESK.drawdown_level(fresh()) == "GREEN"
    assert DESK.drawdown_level(at_level(fresh(), "RED")) == "RED"
    half = Decimal("0.5")
    assert (DESK.keep(fresh(), half), DESK.keep(at_level(fresh(), "ORANGE"), half)) == (half, half / 2)


# ------------------------------------------------------------------------------ what is in use


def test_an_empty_account_uses_nothing() -> None:
    found = account_of(fresh(), view(at("10:30")), WORTH, SETTINGS)
    assert found.net_liq == WORTH
    assert found.margin == found.capital == found.heat == 0
    assert (found.by_family, found.by_strategy, found.by_expiry) == ({}, {}, {})


def test_a_position_with_nothing_open_uses_nothing() -> None:
    shut = {role: replace(one, units=0) for role, one in CONDOR.components.items()}
    found = account_of(fresh(replace(CONDOR, components=shut)), view(at("10:30")), WORTH, SETTINGS)
    assert found.margin == 0
    assert not found.by_position
    assert list(lines_of(fresh(replace(CONDOR, components=shut)))) == []
    assert list(needs_of(fresh(replace(CONDOR, components=shut)))) == []


def test_without_prices_a_position_keeps_the_margin_of_its_entry() -> None:
    nan = np.full(1, np.nan)
    assert use_of(NAKED, nan, None, None, SETTINGS).margin == NAKED.margin


def test_legs_of_one_contract_are_margined_together() -> None:
    """A butterfly in two components: two short and two long puts at 4,870 are none."""
    wings = component("wings", "+1 ES 2031-07-03 P4900 / -2 ES 2031-07-03 P4870")
    other = component("other", "+2 ES 2031-07-03 P4870 / -1 ES 2031-07-03 P4840")
    book = holding(wings, other)
    found = account_of(book, view(at("10:30")), WORTH, SETTINGS)
    # +1 P4900 -1 P4840: a debit spread, which can lose nothing but what was paid.
    alone = account_of(holding(wings), view(at("10:30")), WORTH, SETTINGS)
    assert found.margin < alone.margin


def test_what_outlives_its_trade_risks_what_its_legs_can_lose() -> None:
    # Planned: 20 points x $50 = $1,000.  A 30-point spread sold for 10 loses 20 x $50 at most: the same;
    # one of 15 points sold for 10 only 5 x $50, once the rest of its trade is closed.
    narrow = component("spread", "-1 ES 2031-07-03 P5400 / +1 ES 2031-07-03 P5385")
    naked = component("naked", "-1 ES 2031-07-03 P5000")
    (whole,) = holding(narrow, naked).positions.values()
    assert heat_of(whole) == 1000
    (rest,) = holding(narrow, replace(naked, units=0)).positions.values()
    assert heat_of(rest) == 250
    (undefined,) = holding(naked, replace(narrow, units=0)).positions.values()
    assert heat_of(undefined) == 1000


# ------------------------------------------------------------------------------ where the book stands


def page(book: Book, market: ScriptedMarket | None = None, *extra: Reading) -> dict[str, Reading]:
    look = stressed.view(market)
    account = account_of(book, look, Decimal(200_000), SETTINGS)
    found = standing(book, look, account, SETTINGS, extra)
    assert found is not None
    return {one.name: one for one in found.readings}


SPREADS = stressed.one_part("-1 ES 2031-07-03 P5200 / +1 ES 2031-07-03 P5150")
GOLD = stressed.one_part("-1 GC 2031-07-03 P5200 / +1 GC 2031-07-03 P5150")


def test_without_a_vix_there_is_no_page() -> None:
    look = stressed.view(stressed.surface(vix=None))
    book = stressed.book_of(("lt112", SPREADS, 1))
    account = account_of(book, look, Decimal(200_000), SETTINGS)
    assert standing(book, look, account, SETTINGS) is None


def test_an_empty_book_stands_at_nothing() -> None:
    look = stressed.view()
    book = stressed.book_of()
    found = standing(book, look, account_of(book, look, Decimal(200_000), SETTINGS), SETTINGS)
    assert found is not None
    assert found.bets == 0
    assert not found.margins.any()
    assert all(one.used == 0 and one.share == 0 for one in found.readings)
    assert found.fullest() is None


def test_readings_are_against_the_limits_of_phase_and_net_liq() -> None:
    book = stressed.book_of(("lt112", SPREADS, 10))
    read = page(book)
    # 80 % of $200,000 in phase 4; capital: the least of VIX row, phase and reserve.
    assert read["margin"].limit == 160_000
    assert read["margin on SPX"].limit == 30_000
    assert read["margin of lt112"].limit == 60_000
    assert read["heat"].limit == 200_000 * float(SETTINGS.heat_share_max)
    # Sold for 10, 50 wide: 10 units x 40 x $50 = $20,000 at worst; shocks never lose more.
    assert read["margin"].used == 20_000
    assert 0 < read["stress S-20"].used <= 20_000
    assert read["group A1 stress"].limit == 200_000 * float(SETTINGS.stress_group_share_max)
    assert (read["group A1 positions"].used, read["group A1 positions"].limit) == (1, 2)
    assert read["drawdown"].used == 0


def test_the_fullest_reading_comes_first_and_more_may_be_added() -> None:
    book = stressed.book_of(("lt112", SPREADS, 10))
    look = stressed.view()
    account = account_of(book, look, Decimal(200_000), SETTINGS)
    full = Reading("days of data", 59.0, 60.0, "positions", "D.2")
    over = Reading("nothing allowed", 1.0, 0.0, "$", "test")
    found = standing(book, look, account, SETTINGS, (full, over))
    assert found is not None
    assert found.fullest() is over
    assert over.share == float("inf")
    assert full in found.readings
    shares = [one.share for one in found.readings]
    assert shares == sorted(shares, reverse=True)
    lost = [one for one in found.readings if one.name.startswith("stress")]
    assert found.fullest("stress") is lost[0]


def test_losses_of_the_day_and_from_the_peak_are_shares() -> None:
    book = replace(stressed.book_of(), prior_close=Decimal(250_000), peak=Decimal(400_000))
    read = page(book)
    assert read["loss today"].used == pytest.approx(0.2)
    assert read["drawdown"].used == pytest.approx(0.5)
    assert page(replace(book, prior_close=ZERO))["loss today"].used == 0


def test_orders_at_work_are_stressed_and_margined_as_if_they_were_filled() -> None:
    opening = replace(working(lt112("MES", "2031-07-03"), units=3), filled=1)
    closing = replace(working(lt112()), order=replace(working(lt112()).order, opens=False))
    book = replace(stressed.book_of(), orders={"O7": opening, "O8": closing})
    assert sorted(line.number for line in lines_of(book)) == [-4, -2, 2]  # two of three units are left
    (need,) = needs_of(book)
    assert [leg.count for leg in need.legs] == [2, -2, -4]
    # Its limit of 9 points for two units; $3,000 were reserved for three.
    assert (need.position, need.received, need.fallback) == ("O7", 18, 2000)
    assert page(book)["stress S-20"].used > 0


def test_each_kind_of_product_moves_by_its_own_rule() -> None:
    """In a fall of the index gold stands, and the VIX's own level is not moved: its points are."""
    held = stressed.book_of(("lt112", SPREADS, 1), ("x", GOLD, 1), ("y", VIX, 1))
    look, shocks = stressed.view(), cells(SETTINGS)
    inside = stress(tuple(lines_of(held)), look, shocks, SETTINGS)
    each = [stressed_margins([need], inside, look, 16.0, SETTINGS).book for need in needs_of(held)]
    own = next(i for i, shock in enumerate(shocks) if shock.name == "PROD-")
    still = next(
        i for i, s in enumerate(shocks) if s.move == 0 and s.vix == 0 and not s.others and not s.days
    )
    index, gold, fear = each
    assert index.shape == gold.shape == fear.shape == (len(shocks),)
    assert index[own] == pytest.approx(index[still])
    assert gold[own] >= gold[still]
    assert stressed_margins([], inside, look, 16.0, SETTINGS).book.sum() == 0


VIX = stressed.one_part("-1 VIX 2031-04-16 C40 / +1 VIX 2031-04-16 C50")


def test_without_a_level_or_legs_a_margin_is_what_was_reserved_or_nothing() -> None:
    held = stressed.book_of(("lt112", SPREADS, 2))
    look = stressed.view()
    inside = stress(tuple(lines_of(held)), look, cells(SETTINGS), SETTINGS)
    (need,) = needs_of(held)
    assert need.fallback == 2000

    class Blind(ScriptedMarket):
        def spot(self, family: str, now: object) -> None:
            return None

    dark = replace(look, market=Blind(lambda *_: None))
    assert (stressed_margins([need], inside, dark, 16.0, SETTINGS).book == 2000).all()
    none = need._replace(legs=())
    assert not stressed_margins([none], inside, look, 16.0, SETTINGS).book.any()


def test_two_positions_alike_are_one_bet_and_unlike_ones_nearly_two() -> None:
    def bets(*held: tuple[str, Part, int]) -> float:
        lines = tuple(lines_of(stressed.book_of(*held)))
        return effective_bets(stress(lines, stressed.view(), cells(SETTINGS), SETTINGS))

    assert bets() == 0
    assert bets(("a", SPREADS, 1)) == pytest.approx(1)
    assert bets(("a", SPREADS, 1), ("b", SPREADS, 3)) == pytest.approx(1)
    assert 1.0 < bets(("a", SPREADS, 1), ("b", GOLD, 1)) <= 2
    worthless = stressed.one_part("+1 ES 2031-07-03 P2300")
    assert bets(("a", worthless, 1)) <= 1


# ------------------------------------------------------------------------------ edges of the rest


def test_without_a_peak_there_is_no_drawdown_and_without_a_session_no_period() -> None:
    assert drawdown(Book(), Decimal(50)) == 0
    assert periods(Book(), SETTINGS) == []
    assert guard(Book(), WORTH, at("10:00"), SETTINGS) == []


def test_calm_ends_at_the_terminal_line_of_the_old_peak_too() -> None:
    begun = begin()
    plain = calm_of(begun, SETTINGS)
    old = calm_of(replace(begun, notes={**begun.notes, OLD_PEAK: "200000"}), SETTINGS)
    assert plain is not None
    assert old is not None
    # The peak is counted without deposits; the book's are 100,000: (200,000 + 100,000) x (1 - terminal).
    assert not old.holds(300_000 * (1 - SETTINGS.terminal_share), 20.0)
    assert old.above > plain.above
    lost = calm_of(replace(begun, levels={**begun.levels, "daily_loss": FRIDAY.isoformat()}), SETTINGS)
    assert lost is not None
    assert lost.above < plain.above


def test_a_ramp_ends_where_a_breaker_breaks_again() -> None:
    book = fresh(notes={breakers.RAMP: "12"})
    told = list(breakers.tightened(book, 2, "again", at("10:00")))
    assert notes(told) == {breakers.SINCE: at("10:00").isoformat(), breakers.RAMP: ""}
    assert breakers.RAMP not in notes(breakers.tightened(fresh(), 2, "first", at("10:00")))
    assert notes(breakers.tightened(book, 1, "warns", at("10:00"))) == {}


def test_a_new_emergency_begins_its_calm_anew() -> None:
    calm = fresh(notes={emergency.CALM: at("09:45").isoformat()})
    told = notes(emergency.tightened(calm, 2, "VIX 41", at("10:00"), by_vix=True))
    assert told[emergency.CALM] == ""
    assert emergency.CALM not in notes(emergency.tightened(fresh(), 2, "VIX 41", at("10:00"), by_vix=True))


@pytest.mark.parametrize(("left", "after"), [("5", "4"), ("2", "1"), ("1", "")])
def test_the_ramp_after_an_emergency_loses_a_session_at_each_close(left: str, after: str) -> None:
    told = notes(emergency.close_events(fresh(notes={emergency.RAMP: left}), [], at("16:00")))
    assert told[emergency.RAMP] == after
    assert emergency.RAMP not in notes(emergency.close_events(fresh(), [], at("16:00")))


def test_a_swan_needs_a_level_and_a_prior_close() -> None:
    market = ScriptedMarket(lambda *_: None, level=5000.0)  # no bars
    look = View(at("10:30"), session_on(FRIDAY), weekdays(FRIDAY, 5), market)
    assert list(pauses.swan_events(fresh(), look, SETTINGS)) == []


def test_a_losing_run_that_ended_is_forgotten() -> None:
    book = fresh(notes={pauses.RUN_SEEN: "5"}, losing_run=0)
    (told,) = pauses._losing_run(book, view(at("10:30")), SETTINGS)
    assert told == ev.Noted(at("10:30"), pauses.RUN_SEEN, "")
    assert list(pauses._losing_run(fresh(), view(at("10:30")), SETTINGS)) == []


def test_the_regime_loosens_once_the_milder_row_has_stood_long_enough() -> None:
    tight = fresh(levels={"phase": "3", REGIME: "HIGH"})

    def at_vix(book: Book, vix: float, wall: str) -> list[ev.Event]:
        return regime_events(book, vix, at(wall), SETTINGS, at_close=False)

    first = at_vix(tight, 23.0, "10:00")
    assert levels(first) == {}
    assert notes(first)[LOOSER].startswith(at("10:00").isoformat())
    waiting = replace(tight, notes=notes(first))
    minutes = SETTINGS.loosen_minutes
    assert at_vix(waiting, 23.0, "10:14") == []
    stood = regime_events(waiting, 23.0, at("10:00") + timedelta(minutes=minutes), SETTINGS, at_close=False)
    assert levels(stood) == {REGIME: "ELEVATED"}
    assert notes(stood) == {LOOSER: ""}
    # Meanwhile back up: it is forgotten.
    assert notes(at_vix(waiting, 26.0, "10:05")) == {LOOSER: ""}


def test_complexes_that_nobody_knows_have_no_correlation() -> None:
    look = view(at("10:30"))
    assert complexes_correlation(look, {"A": "SPX"}, 20) is None
    assert complexes_correlation(look, {"A": "SPX", "B": "GC"}, 20) is None


def test_a_record_without_a_loss_or_a_win_keeps_the_priors_payoff() -> None:
    prior = Prior(0.6, 0.5, 10)
    weight = SETTINGS.kelly_prior_weight
    for wins in (0, 10):
        record = Record(10, wins, Decimal(wins * 100), Decimal((10 - wins) * 100))
        share, payoff = belief(record, prior, SETTINGS)
        assert share == pytest.approx((wins + weight * 0.6) / (10 + weight))
        assert payoff == 0.5


def test_a_single_stock_moves_by_the_beta_of_stocks() -> None:
    assert index_beta("AAPL", SETTINGS) == SETTINGS.stock_beta
    assert index_beta("SPY", SETTINGS) == 1.0


def test_group_losses_are_read_from_the_shocks_that_bind() -> None:
    held = tuple(lines_in(GOLD.structure, 1, "x", "P1"))
    found = stress(held, stressed.view(), shock_table(16.0, SETTINGS), SETTINGS)
    (group,) = found.group_losses()
    assert group == "B1"
    assert found.group_losses()[group] == pytest.approx(
        max(float(-found.gains[:, found.column(name)].sum()) for name in ("PROD+", "PROD-"))
    )


def test_what_holds_tells_breakers_regimes_and_lost_days() -> None:
    book = fresh(
        levels={"phase": "3", "breaker": "2", REGIME: "HIGH", "daily_loss": FRIDAY.isoformat()},
        notes={breakers.SINCE: at("10:00").isoformat()},
    )
    found = {one.name: one for one in holds(book, at("10:30"), SETTINGS)}
    assert found["circuit breaker"].until == (
        f"a close {SETTINGS.breaker_hours} hours after {at('10:00').isoformat()}, in calm"
    )
    assert found["VIX regime"].value == "HIGH"
    assert found["daily loss"].until == "the end of 2031-03-07"
    bare = {one.name: one for one in holds(replace(book, notes={}), at("10:30"), SETTINGS)}
    assert bare["circuit breaker"].until == "a calm close"


def test_tables_of_settings_that_do_not_fit_are_refused_by_name() -> None:
    def refused(**changes: object) -> str:
        with pytest.raises(ValueError, match="_") as refusal:
            replace(SETTINGS, **changes)  # type: ignore[arg-type]
        return str(refusal.value)

    assert "group_max has 1 entries; write one for each of the 9 groups" in refused(group_max=(Decimal(1),))
    assert "write one for each of the 7 regimes" in refused(
        vix_capital_share_max=SETTINGS.vix_capital_share_max[:6]
    )
    floors = SETTINGS.phase_floors_usd
    assert "phase_floors_usd must begin with 0" in refused(phase_floors_usd=(Decimal(1), *floors[1:]))
    assert "yellow_leave_share must be below yellow_share" in refused(
        yellow_leave_share=SETTINGS.yellow_share
    )
    assert "orange_leave_share must be below orange_share" in refused(
        orange_leave_share=SETTINGS.orange_share
    )
    assert "write one for each of" in refused(emergency_correlations=SETTINGS.emergency_correlations[:1])
