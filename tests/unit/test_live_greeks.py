"""Greeks of what is held as the market moves: the worked example of F.4, sums, stale legs, alerts."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.stressworld import EXPIRY, SETTINGS, Surface, book_of, lt112, one_part, surface, view
from tests.worlds import at

from tomking.domain.book import Book
from tomking.domain.chain import Chain
from tomking.domain.contract import Contract, Option
from tomking.pricing.black import black
from tomking.risk.exposure import exposure, lines_of
from tomking.risk.greekalerts import Alarms, Use, uses
from tomking.risk.greeks import SPY_AT_5500, greeks_of
from tomking.risk.legtable import Sums
from tomking.risk.livegreeks import LiveGreeks, Snapshot, Throttle, changes

NOW = at("10:30")
F4 = surface(lambda k: np.full_like(k, 0.25))
"""F.4's market: 25 % everywhere, F 5,500, 120 days, 4.5 %."""
SHORT_PUTS = book_of(("futures_strangle", one_part(f"-1 ES {EXPIRY} P4600"), 2))


def look(book: Book, market: Surface | None = None, engine: LiveGreeks | None = None) -> Snapshot:
    return (engine or LiveGreeks(SETTINGS)).look(book, view(market), NOW)


# ---------------------------------------------------------------------------------- F.4


def test_the_worked_example_of_the_methodology() -> None:
    # Short 2 ES 4,600 puts (-2 x $50): delta +9.23 $/pt is +92.5 shares of SPY at 549, gamma -2.10 shares
    # per $1, theta +$53.71 a day, vega -$519.92 a point.  Ours are shares at 550: x 550/549, gamma twice.
    found = look(SHORT_PUTS, F4).portfolio
    to_549 = SPY_AT_5500 / 549
    assert found.delta * to_549 == pytest.approx(92.5, abs=0.05)
    assert found.gamma * to_549**2 == pytest.approx(-2.10, abs=0.005)
    assert found.theta == pytest.approx(53.71, abs=0.01)
    assert found.vega == pytest.approx(-519.92, abs=0.01)
    assert found.delta * SPY_AT_5500 / 5500 == pytest.approx(9.233, abs=0.001)


def test_the_value_and_the_unit_greeks_of_the_worked_example() -> None:
    days = 120 / 365
    one = black(forward=5500.0, strike=4600.0, years=days, vol=0.25, discount=np.exp(-0.045 * days), right=-1)
    assert -2 * 50 * float(one.price) == pytest.approx(-3613.23, abs=0.01)
    reported = one.reported()
    assert float(one.delta) == pytest.approx(-0.09233, abs=1e-5)
    assert float(one.gamma) == pytest.approx(0.00020911, abs=1e-8)
    assert float(reported.vega) == pytest.approx(5.199, abs=1e-3)
    assert float(reported.theta) == pytest.approx(-0.5371, abs=1e-4)


# ---------------------------------------------------------------------------------- sums

BOTH = book_of(("lt112", lt112()[1], 3), ("futures_strangle", one_part(f"-1 ES {EXPIRY} P4600"), 2))


def test_every_level_is_the_sum_of_the_one_below() -> None:
    found = look(BOTH)
    for level, below in (("position", "leg"), ("position", "component"), ("strategy", "position")):
        of_level = [one for place, one in found.sums.items() if place[:1] == (level,)]
        of_below = [one for place, one in found.sums.items() if place[:1] == (below,)]
        assert np.sum(of_level, axis=0) == pytest.approx(np.sum(of_below, axis=0))
        assert np.sum(of_level, axis=0) == pytest.approx(np.array(found.portfolio))
    assert found.sums["group", "A1"] == pytest.approx(found.portfolio)
    assert {place[1] for place in found.sums if place[:1] == ("strategy",)} == {"lt112", "futures_strangle"}


def test_the_portfolio_is_what_the_limits_count() -> None:
    counted = greeks_of(exposure(lines_of(BOTH), view()), SETTINGS)
    assert look(BOTH).portfolio == pytest.approx(
        [counted.delta.sum(), counted.gamma.sum(), counted.vega.sum(), counted.theta.sum()]
    )


def test_what_the_account_holds_beside_us_counts() -> None:
    put: Contract = Option.parse(f"ES {EXPIRY} P4600")
    found = look(replace(SHORT_PUTS, foreign={put: 2}))
    assert found.portfolio == pytest.approx(Sums(), abs=1e-9)
    assert found.sums["strategy", "foreign"].vega > 0


def test_an_empty_book_has_no_greeks() -> None:
    found = look(replace(BOTH, positions={}))
    assert (found.portfolio, found.stale_vega_share, found.is_degraded) == (Sums(), 0.0, False)


def test_what_expires_today_is_no_overnight_gamma() -> None:
    today = NOW.date()
    book = book_of(("friday_0dte", one_part(f"-1 SPXW {today} P5400"), 1), ("lt112", lt112()[1], 1))
    found = look(book)
    lasting = found.sums["strategy", "lt112"].gamma
    assert found.overnight_gamma == pytest.approx(lasting)
    assert found.portfolio.gamma < lasting


# ---------------------------------------------------------------------------------- stale legs


@dataclass
class Gone(Surface):
    """Some products have no quotes."""

    gone: tuple[str, ...] = ()

    def chain(self, product: str, expiry: date, now: datetime) -> Chain | None:
        return None if product in self.gone else super().chain(product, expiry, now)

    def marks(self, contracts: list[Contract], now: datetime) -> np.ndarray:  # type: ignore[override]
        return np.full(len(contracts), np.nan)


def gone(*products: str) -> Gone:
    plain = surface()
    return Gone(plain.mid, level=plain.level, vix_level=16.0, vol=plain.vol, gone=products)


def test_a_leg_without_a_quote_keeps_its_last_good_value_and_is_marked() -> None:
    engine = LiveGreeks(SETTINGS)
    before = look(BOTH, engine=engine)
    after = look(BOTH, gone("MES"), engine)
    assert after.portfolio == pytest.approx(before.portfolio)
    assert ("strategy", "lt112") in after.stale
    assert ("strategy", "futures_strangle") not in after.stale
    assert () in after.stale
    share = abs(before.sums["strategy", "lt112"].vega) / abs(before.portfolio.vega)
    assert after.stale_vega_share == pytest.approx(share)
    assert after.is_degraded is (share > SETTINGS.stale_vega_share_max)


def test_a_stale_leg_that_was_reduced_counts_for_what_is_left() -> None:
    engine = LiveGreeks(SETTINGS)
    before = look(SHORT_PUTS, engine=engine)
    half = book_of(("futures_strangle", one_part(f"-1 ES {EXPIRY} P4600"), 1))
    assert np.array(look(half, gone("ES"), engine).portfolio) == pytest.approx(np.array(before.portfolio) / 2)


def test_everything_is_stale_when_nothing_was_heard_for_a_minute() -> None:
    engine = LiveGreeks(SETTINGS)
    engine.look(BOTH, view(), NOW - timedelta(seconds=60))
    found = engine.look(BOTH, view(), NOW - timedelta(seconds=61))
    assert found.stale_vega_share == 1.0
    assert found.is_degraded
    assert engine.look(BOTH, view(), None).is_degraded


# ---------------------------------------------------------------------------------- changes


def test_only_what_moved_is_told_again() -> None:
    before = look(BOTH)
    assert changes(before, look(BOTH)) == {}
    assert set(changes(None, before)) == set(before.sums)
    fewer = look(book_of(("lt112", lt112()[1], 3)))
    told = changes(before, fewer)
    assert told["strategy", "futures_strangle"] is None
    assert told[()] == fewer.portfolio
    assert ("strategy", "lt112") not in told


def test_becoming_stale_is_a_change() -> None:
    engine = LiveGreeks(SETTINGS)
    before = look(BOTH, engine=engine)
    told = changes(before, look(BOTH, gone("MES"), engine))
    assert ("strategy", "lt112") in told
    assert ("strategy", "futures_strangle") not in told


# ---------------------------------------------------------------------------------- alerts


def told(alarms: Alarms, *shares: float) -> list[list[float]]:
    return [
        [alert.step for alert in alarms.look(NOW, [Use("short vega", 100 * share, 100.0, "$")])]
        for share in shares
    ]


def test_alerts_come_at_80_90_and_100_percent_and_go_five_points_below() -> None:
    assert told(Alarms(), 0.79, 0.80, 0.76, 0.80, 0.90, 0.86, 1.01, 0.96, 0.94, 0.749) == [
        [], [0.8], [], [], [0.9], [], [1.0], [], [0.9], [0.0],
    ]  # fmt: skip


def test_a_limit_nobody_can_work_out_changes_nothing() -> None:
    assert told(Alarms(), 0.95, float("nan"), 0.95) == [[0.9], [], []]


def test_an_alert_says_what_is_used_of_what() -> None:
    alarms = Alarms()
    (alert,) = alarms.look(NOW, [Use("short vega", 92.0, 100.0, "dollars a point")])
    assert str(alert) == "short vega 92.0 dollars a point, 92% of the limit 100.0"
    assert alarms.steps == {"short vega": 0.9}
    (over,) = alarms.look(NOW, [Use("short vega", 50.0, 100.0, "dollars a point")])
    assert str(over) == "short vega 50.0 dollars a point, 50% of the limit 100.0: below 90% again"


@given(st.lists(st.floats(0.0, 1.2), min_size=1, max_size=40))
def test_a_value_that_stays_within_five_points_is_told_once(shares: list[float]) -> None:
    middle = shares[0]
    alarms = Alarms()
    told(alarms, middle)
    for share in shares:
        near = max(0.0, min(middle, middle - 0.049 * share / 1.2))
        assert told(alarms, near) == [[]]


def test_a_limit_of_nothing_is_over_with_anything() -> None:
    assert Use("x", 0.0, 0.0, "").share == 0.0
    assert Use("x", 0.1, 0.0, "").share == float("inf")


def test_what_is_used_is_measured_by_the_limits_own_numbers() -> None:
    # 1.5 x 100,000 / 550 = 272.7 shares in phase 4.
    found = {
        one.name: one for one in uses(look(SHORT_PUTS, F4), SETTINGS, 4, Decimal(100_000), date(2031, 3, 7))
    }
    assert found["equity delta"].limit == pytest.approx(272.73, abs=0.01)
    assert found["equity delta"].share == pytest.approx(92.33 / 272.73, abs=1e-3)
    assert found["short vega"].value == pytest.approx(519.92, abs=0.01)
    assert found["overnight gamma"].limit == float(SETTINGS.gamma_shares_max[4])


# ---------------------------------------------------------------------------------- when


def test_looks_follow_quotes_moves_and_time() -> None:
    throttle, spx = Throttle(), {"SPX": 5500.0}
    assert throttle.due(0.0, 1, spx), "the first"
    assert not throttle.due(0.5, 2, spx), "too soon"
    assert throttle.due(1.0, 2, spx), "what came in between is seen now, nothing is lost"
    assert not throttle.due(2.5, 2, spx), "nothing new"
    assert throttle.due(2.6, 2, {"SPX": 5506.0}), "0.1 %"
    assert not throttle.due(2.65, 3, {"SPX": 5520.0}), "not more than ten a second"
    assert throttle.due(2.71, 3, {"SPX": 5520.0})
    assert not throttle.due(30.0, 3, {"SPX": 5520.0})
    assert throttle.due(32.8, 3, {"SPX": 5520.0}), "every half minute in any case"
    assert throttle.due(37.9, 3, {"SPX": 5520.0}, expires_today=True), "every five seconds on expiry day"
