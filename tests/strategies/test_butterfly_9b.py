"""The Friday butterfly: which side, where, how many, what it may cost; and that it is left alone."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from tests.strategies.world import FRIDAY, Desk, World, flat, passes
from tests.worlds import at, session_on, weekdays

from tomking.domain.calendar import new_york
from tomking.domain.contract import Option, Right
from tomking.domain.intent import Alternatives, Mark, Open
from tomking.strategies import build
from tomking.strategies.butterfly_9b import Settings

SESSIONS = weekdays(FRIDAY.replace(month=1), 200)


def desk(settings: Settings | None = None, **market: Any) -> Desk:
    """A morning at 5,500 and 20 % volatility, with SPXW and XSP expiring today."""
    given = {"listed": {"SPXW": (FRIDAY,), "XSP": (FRIDAY,)}, "vol": flat(0.20), "vix_level": 20.0, **market}
    return Desk(build("butterfly_9b", settings or Settings()), World(**given), SESSIONS)


def moved(one: Desk, share: float, until: str = "10:35") -> Desk:
    """Open at 5,500, at 10:30 and after ``share`` away from it; marks taken, not yet 10:35."""
    for wall in ("09:30", "10:30"):
        one.market.moved(level=5500.0 * (1 + share * (wall > "09:30")))
        one.step(at(wall))
    return one


def flies(one: Desk, wall: str = "10:35") -> tuple[Open, ...]:
    return next(w.choices for w in one.decide(at(wall)) if isinstance(w, Alternatives))


def strikes(wish: Open) -> list[tuple[int, str, float]]:
    out = []
    for leg in wish.structure.legs:
        assert isinstance(leg.contract, Option)
        out.append((leg.ratio, leg.contract.right.name, float(leg.contract.strike)))
    return out


# ------------------------------------------------------------------------------------------ entry


def test_the_morning_s_move_is_that_from_0930_to_1030() -> None:
    one = moved(desk(), 0.007)
    one.market.moved(level=5500.0)  # what comes after 10:30 changes the centre, not the move
    assert flies(one)[0].reason.startswith("+0.70% in the first hour")
    assert [w.key for _, w in one.said if isinstance(w, Mark)] == ["open", "morning"]


def test_without_the_print_of_1030_there_is_no_trade() -> None:
    one = desk()
    one.step(at("09:30"))
    one.market.moved(level=5550.0)
    assert passes(one.decide(at("10:36"))) == ["DATA: no print between 10:30 and 10:35"]


@pytest.mark.parametrize("share", [0.00499, -0.00499, 0.0])
def test_a_quiet_morning_buys_nothing(share: float) -> None:
    assert passes(moved(desk(), share).decide(at("10:35")))[0].startswith("TECH: ")


def test_a_large_rise_is_faded_with_puts_ten_points_below() -> None:
    # 1.2 % up: 5,566; the centre is the put nearest 5,556, ten points (at 5,500) below.
    assert strikes(flies(moved(desk(), 0.012))[0]) == [
        (+1, "PUT", 5565.0),
        (-2, "PUT", 5555.0),
        (+1, "PUT", 5545.0),
    ]


def test_a_large_fall_is_faded_with_calls_ten_points_above() -> None:
    # 1.2 % down: 5,434; the centre is the call nearest 5,444.
    assert strikes(flies(moved(desk(), -0.012))[0]) == [
        (+1, "CALL", 5435.0),
        (-2, "CALL", 5445.0),
        (+1, "CALL", 5455.0),
    ]


def test_a_smaller_move_is_centred_the_expected_move_away() -> None:
    # 5,538.5 x 0.20 x sqrt(325 / (390 x 252)) = 63.7 points: 5,474.8, listed 5,475.
    assert strikes(flies(moved(desk(), 0.007))[0])[1] == (-2, "PUT", 5475.0)


def test_or_at_the_money_when_so_set() -> None:
    one = moved(desk(Settings(mid_zone="atm"), vol=flat(0.35)), 0.007)
    assert strikes(flies(one)[0])[1] == (-2, "PUT", 5540.0)


def test_spxw_comes_first_then_xsp_one_and_two_points_wide() -> None:
    widths = [(o.product, strikes(o)[1][2] - strikes(o)[2][2]) for o in flies(moved(desk(), 0.012))]
    assert widths == [("SPXW", 10.0), ("XSP", 1.0), ("XSP", 2.0)]


def test_no_entry_above_the_highest_vix() -> None:
    assert passes(moved(desk(vix_level=25.5), 0.012).decide(at("10:35"))) == [
        "VIX: VIX 25.50 is not above 0 and up to 25"
    ]


def test_it_does_not_need_a_0dte() -> None:
    one = desk()
    levels = {9: 5500.0, 10: 5566.0}

    def path(now: datetime) -> None:
        wall = new_york(now)
        one.market.moved(level=levels[9 if wall.hour == 9 else 10])

    one.run(session_on(FRIDAY), path)
    assert one.trades() == [("10:35", "open")]


# ---------------------------------------------------------------------------------- price and size


def test_a_fly_may_cost_fifteen_percent_of_its_width() -> None:
    # At 5 % volatility the remaining day's deviation is 15.9 points: a ten-wide fly costs about 2.3.
    refused = passes(moved(desk(vol=flat(0.05)), 0.012).decide(at("10:35")))[0]
    assert refused.startswith("PRICE: ")
    assert "most 1.50" in refused


def test_the_friday_s_budget_buys_so_many_flies_and_no_more() -> None:
    # Budget: the least of 0.3 % of $200,000 x 20/15 = $800 and $400.
    fly = flies(moved(desk(), 0.012))[0]
    cost = fly.planned_loss * 100
    assert fly.ceiling == min(5, int(400 / (cost + Decimal("0.35") * 20)))
    assert -fly.least_net * 100 * fly.ceiling <= 400


def test_a_small_account_has_a_small_budget() -> None:
    one = moved(desk(), 0.012)
    one.net_liq = Decimal(30_000)  # 0.3 % x 20/15 is $120
    spxw = flies(one)[0]
    assert spxw.ceiling * spxw.planned_loss * 100 <= 120


def test_no_money_no_fly() -> None:
    one = moved(desk(Settings(budget_usd=Decimal(2))), 0.012)
    assert passes(one.decide(at("10:35")))[0].startswith("SIZE: ")


def test_the_loss_is_the_debit() -> None:
    fly = flies(moved(desk(), 0.012))[0]
    assert fly.structure.max_loss(-fly.planned_loss) == fly.planned_loss
    assert fly.target_gain == 10 - fly.planned_loss


# ------------------------------------------------------------------------------------------- life


def test_it_is_held_to_settlement_whatever_happens() -> None:
    one = moved(desk(), 0.012)
    one.step(at("10:35"))
    one.entered = []
    for wall, level in (("12:00", 5300.0), ("15:00", 5700.0), ("15:59", 5556.0)):
        one.market.moved(level=level)
        assert not one.decide(at(wall))
        assert not one.strategy.guard(one.view(at(wall)), one.own(at(wall)))


def test_its_life_has_one_stage() -> None:
    one = moved(desk(), 0.012)
    one.step(at("10:35"))
    one.step(at("10:36"))
    assert [p.stage for p in one.positions.values()] == ["OPEN"]
    assert not one.strategy.steps(one.view(at("15:00")), one.own(at("15:00")))


def test_one_friday_one_centre() -> None:
    one = moved(desk(), 0.012)
    one.step(at("10:35"))
    one.market.moved(level=5600.0)
    assert not one.decide(at("10:40"))


def test_both_sides_of_a_fly_are_puts_or_calls_alone() -> None:
    for share, right in ((0.02, Right.PUT), (-0.02, Right.CALL)):
        legs = flies(moved(desk(), share))[0].structure.legs
        assert {leg.contract.right for leg in legs if isinstance(leg.contract, Option)} == {right}
