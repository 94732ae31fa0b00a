"""The long-put ladder on flat Black chains: SPY at 550, a put of a year and more, 20 %, no interest."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.strategies.world import Desk, World, closes, flat, passes
from tests.worlds import at, weekdays

from tomking.domain.calendar import Sessions
from tomking.domain.intent import Alternatives, Intent, Mark, Open
from tomking.strategies import build
from tomking.strategies.leap_put_hedge import Settings
from tomking.strategies.leap_put_hedge.ladder import rung_name

MONDAY = date(2031, 3, 3)
"""The first of March."""
APRIL, MAY = date(2031, 4, 7), date(2031, 5, 5)
YEAR = MONDAY + timedelta(days=372)
LATER = MONDAY + timedelta(days=500)
SESSIONS = weekdays(date(2031, 1, 1), 600)
NEAR = tuple(MONDAY + timedelta(days=n) for n in range(1, 100))


def desk(settings: Settings | None = None, sessions: Sessions = SESSIONS, **market: Any) -> Desk:
    given = {"listed": {"SPY": (*NEAR, YEAR, LATER)}, "vol": flat(0.20), "vix_level": 18.0, **market}
    return Desk(build("leap_put_hedge", settings or Settings()), World(**given), sessions)


def choices(wishes: Sequence[Intent]) -> tuple[Open, ...]:
    return next((w.choices for w in wishes if isinstance(w, Alternatives)), ())


def bought(one: Desk, day: date = MONDAY, wall: str = "10:00") -> Open:
    found = choices(one.decide(at(wall, day)))
    assert found, passes(one.decide(at(wall, day)))
    return found[0]


def with_rung(settings: Settings | None = None, **market: Any) -> Desk:
    """One rung of two puts is held: the 80 % put of 372 days, 440 at 550."""
    one = desk(settings, **market)
    one.step(at("10:00", MONDAY))
    (position,) = one.positions.values()
    assert [c.role for c in position.open_components] == ["rung 80 half 1", "rung 80 half 2"]
    one.entered = []
    return one


def worth(one: Desk, times: str) -> None:
    """Every put brings so many times what it cost."""
    real = one.own

    def own(now: object) -> object:
        held = real(now)  # type: ignore[arg-type]
        told = {
            (p.id, c.role): -c.entry_net * Decimal(times) for p in held.positions for c in p.open_components
        }
        return replace(held, values={**held.values, **told})

    one.own = own  # type: ignore[method-assign, assignment]


# --------------------------------------------------------------------------------------- the ladder


def test_the_first_rung_is_the_farthest_in_halves() -> None:
    wish = bought(desk())
    # 80 % of 550 is 440.  v = 0.2 sqrt(372/365) = 0.2019; d1 = 0.2231 / v + v / 2 = 1.206, d2 = 1.004:
    # the put is worth 440 x 0.1577 - 550 x 0.1139 = 6.72.
    assert [str(p.structure) for p in wish.parts] == [f"+1 SPY {YEAR} P440"] * 2
    assert [p.role for p in wish.parts] == ["rung 80 half 1", "rung 80 half 2"]
    price = wish.planned_loss / 2
    assert price == Decimal("6.72")
    # An equal share of 5 % of $200,000 over four rungs is $2,500: three puts at $672, one pair.
    assert wish.ceiling == 1
    # Three times its cost: twice the cost is won.
    assert wish.target_gain == 4 * price


def test_where_no_pair_is_allowed_single_puts_are() -> None:
    pair, single = choices(desk().decide(at("10:00", MONDAY)))
    assert (len(pair.parts), len(single.parts)) == (2, 1)
    assert single.ceiling == 3


def test_rungs_are_built_inward_one_a_month() -> None:
    one = desk()
    roles = []
    for day in (MONDAY, APRIL, MAY, date(2031, 6, 2)):
        one.entered = []
        one.market.listed = {"SPY": (*NEAR, day + timedelta(days=400))}
        one.market.moved()
        roles.append(bought(one, day).parts[0].role.removesuffix(" half 1"))
        one.step(at("10:00", day))
    assert roles == ["rung 80", "rung 85", "rung 90", "rung 95"]
    assert choices(one.decide(at("10:00", date(2031, 7, 7)))) == ()


def test_only_first_mondays_and_the_session_after_a_closed_one() -> None:
    assert desk().decide(at("10:00", date(2031, 3, 10))) == ()
    assert desk().decide(at("11:01", MONDAY)) == ()
    without = Sessions(tuple(s for s in SESSIONS if s.date != MONDAY))
    assert bought(desk(sessions=without), date(2031, 3, 4)).entry == "rung"


@pytest.mark.parametrize(("days", "may"), [(364, False), (365, True), (730, True), (731, False)])
def test_a_year_at_least_and_two_at_most(days: int, may: bool) -> None:
    one = desk(listed={"SPY": (*NEAR, MONDAY + timedelta(days=days))})
    assert bool(choices(one.decide(at("10:00", MONDAY)))) is may


@pytest.mark.parametrize(
    ("vix", "held", "may"),
    [
        (24.99, True, True),
        (25.0, True, False),
        (25.0, False, True),
        (39.99, False, True),
        (40.0, False, False),
    ],
)
def test_from_vix_25_only_the_first_rung_and_from_40_none(vix: float, held: bool, may: bool) -> None:
    one = with_rung() if held else desk()
    day = APRIL if held else MONDAY
    one.market.listed = {"SPY": (*NEAR, day + timedelta(days=400))}
    one.market.moved(vix=vix)
    assert bool(choices(one.decide(at("10:00", day)))) is may


def test_a_put_wide_of_five_percent_is_left() -> None:
    # 6.72 points: 5 % is 33.6 cents, 16 ticks a side at most.
    assert choices(desk(half_spread_ticks=16).decide(at("10:00", MONDAY)))
    assert passes(desk(half_spread_ticks=17).decide(at("10:00", MONDAY)))[0].startswith("LIQ: ")


# ---------------------------------------------------------------------------------------- the budget


@pytest.mark.parametrize(
    ("net_liq", "puts"),
    [
        (26_800, 0),  # 2.5 % is $670, less than one put of $672
        (26_900, 1),
        (40_000, 1),  # $1,000 for a rung, an equal share of $500: one
        (200_000, 3),
    ],
)
def test_a_rung_costs_an_equal_share_and_one_put_up_to_two_and_a_half_percent(
    net_liq: int, puts: int
) -> None:
    one = desk()
    one.net_liq = Decimal(net_liq)
    found = choices(one.decide(at("10:00", MONDAY)))
    assert (found[-1].ceiling if found else 0) == puts


def test_all_rungs_together_cost_no_more_than_five_percent() -> None:
    one = with_rung()
    (position,) = one.positions.values()
    dear = {r: replace(c, entry_net=Decimal(-49)) for r, c in position.components.items()}
    one.positions[position.id] = replace(position, components=dear)  # $9,800 of $10,000
    one.market.listed = {"SPY": (*NEAR, APRIL + timedelta(days=400))}
    one.market.moved()
    assert passes(one.decide(at("10:00", APRIL)))[0].startswith("SIZE: ")


# ---------------------------------------------------------------------------------------- the harvest


@pytest.mark.parametrize(
    ("times", "trigger", "roles"),
    [
        ("2.99", None, ()),
        ("3", "harvest half", ("rung 80 half 1",)),
        ("4.99", "harvest half", ("rung 80 half 1",)),
        ("5", "harvest rest", ("rung 80 half 1", "rung 80 half 2")),
    ],
)
def test_half_goes_at_three_times_its_cost_all_at_five(
    times: str, trigger: str | None, roles: tuple[str, ...]
) -> None:
    one = with_rung()
    worth(one, times)
    said = [(c.trigger, c.roles) for c in closes(one.decide(at("10:30", date(2031, 3, 10))))]
    assert said == ([(trigger, roles)] if trigger else [])


def test_after_the_half_the_rest_waits_for_five_times() -> None:
    one = with_rung()
    worth(one, "3.5")
    day = date(2031, 3, 10)
    one.step(at("10:30", day))
    assert closes(one.decide(at("11:00", day))) == []
    assert [c.role for c in next(iter(one.positions.values())).open_components] == ["rung 80 half 2"]
    worth(one, "5")
    assert [c.trigger for c in closes(one.decide(at("11:30", day)))] == ["harvest rest"]


def test_while_one_half_is_being_sold_the_other_stays() -> None:
    one = with_rung()
    worth(one, "3.5")
    (position,) = one.positions.values()
    role = "rung 80 half 1"
    working = replace(position.components[role], closing="o1")
    one.positions[position.id] = replace(position, components={**position.components, role: working})
    day = at("10:30", date(2031, 3, 10))
    assert closes(one.decide(day)) == []
    one.net_liq = Decimal(20_000)  # the ladder is worth more than a tenth of it now
    assert closes(one.decide(day)) == []


@pytest.mark.parametrize(("level", "trigger"), [(3961.0, None), (3959.0, "harvest rest")])
def test_ten_percent_in_the_money_all_goes(level: float, trigger: str | None) -> None:
    # The 440 put at an index of 3,960 (396.0) is 44 of 440 in the money, a tenth.
    one = with_rung()
    one.market.moved(level=level)
    worth(one, "2")
    said = [c.trigger for c in closes(one.decide(at("10:30", date(2031, 3, 10))))]
    assert said == ([trigger] if trigger else [])


def test_a_ladder_worth_a_tenth_of_the_account_is_harvested() -> None:
    one = with_rung()
    worth(one, "2")
    cost = sum((-c.entry_net * 100 for p in one.positions.values() for c in p.open_components), Decimal(0))
    one.net_liq = 20 * cost
    assert closes(one.decide(at("10:30", date(2031, 3, 10)))) == [], "worth a tenth, not more"
    one.net_liq -= 1
    (wish,) = closes(one.decide(at("10:30", date(2031, 3, 10))))
    assert (wish.trigger, wish.roles) == ("harvest half", ("rung 80 half 1",))


def test_half_of_the_proceeds_buys_the_first_rung_again() -> None:
    one = with_rung()
    worth(one, "5")
    day = date(2031, 3, 10)
    wishes = one.step(at("10:30", day))
    (note,) = [w for w in wishes if isinstance(w, Mark)]
    assert note.key == "replace 0.80"
    assert note.value.split()[:2] == [f"{day}", "harvested"]
    assert one.positions == {}
    dollars = Decimal(note.value.split()[2])
    one.market.listed = {"SPY": (*NEAR, day + timedelta(days=400))}
    one.market.moved(level=5000.0, vix=35.0)
    wish = bought(one, day, "10:35")
    assert (wish.entry, wish.parts[0].role) == ("replacement", "rung 80 half 1")
    assert str(wish.parts[0].structure).endswith("P400")
    assert wish.planned_loss * 100 * wish.ceiling <= dollars
    # Four days later it is forgotten, and the next first Monday is the ladder's.
    assert choices(one.decide(at("10:35", day + timedelta(days=4))))
    assert one.decide(at("10:35", day + timedelta(days=7))) == ()


# ---------------------------------------------------------------------------------- roll and re-strike


@pytest.mark.parametrize(("days", "rolled"), [(91, False), (90, True)])
def test_at_90_days_it_is_sold_and_bought_again_at_the_same_share(days: int, rolled: bool) -> None:
    one = with_rung()
    day = YEAR - timedelta(days=days)  # a Monday or Sunday: both looked at as if they were sessions
    while SESSIONS.on(day) is None:
        day += timedelta(days=1 if rolled else -1)
    far = day + timedelta(days=380)
    one.market.listed = {"SPY": (*(day + timedelta(days=n) for n in range(1, 5)), YEAR, far)}
    one.market.moved(level=5400.0)
    assert closes(one.decide(at("09:59", day))) == [], "not before ten"
    said = closes(one.step(at("10:00", day)))
    assert [c.trigger for c in said] == (["roll"] if rolled else [])
    if rolled:
        wish = bought(one, day, "10:05")
        assert wish.entry == "replacement"
        assert str(wish.parts[0].structure) == f"+1 SPY {far} P432"  # 80 % of 540


def test_above_vix_30_what_was_rolled_is_not_bought_again() -> None:
    one = with_rung()
    day = date(2031, 3, 10)
    (position,) = one.positions.values()
    one.notes["replace 0.80"] = f"{day} rolled 0"
    del one.positions[position.id]
    one.market.listed = {"SPY": (*NEAR, day + timedelta(days=400))}
    one.market.moved(vix=30.01)
    assert passes(one.decide(at("10:05", day))) == ["VIX: VIX 30.01: no re-buy above 30"]
    one.market.moved(vix=30.0)
    assert choices(one.decide(at("10:05", day)))


@pytest.mark.parametrize(("level", "queued"), [(6870.0, False), (6880.0, True)])
def test_a_strike_left_far_behind_is_rolled_on_the_next_day_of_the_schedule(
    level: float, queued: bool
) -> None:
    # 440 against 80 % of 687.5 = 550: a fifth below its target from an index of 6,875 on.
    one = with_rung()
    early, later = date(2031, 4, 1), date(2031, 4, 2)  # 29 and 30 days after it was bought
    one.market.listed = {"SPY": (*NEAR, YEAR, LATER)}
    one.market.moved(level=level)
    assert one.step(at("10:30", early)) == []
    one.step(at("10:30", later))
    assert any("queued" in key for key in one.notes) is queued
    said = closes(one.step(at("10:00", APRIL)))
    assert [c.trigger for c in said] == (["re-strike"] if queued else [])
    if queued:
        assert bought(one, APRIL, "10:05").entry == "replacement"


def test_what_the_market_came_back_to_leaves_the_queue_and_a_high_vix_keeps_it_there() -> None:
    one = with_rung()
    one.market.listed = {"SPY": (*NEAR, YEAR, LATER)}
    one.market.moved(level=6880.0)
    one.step(at("10:30", date(2031, 4, 2)))
    one.market.moved(vix=30.01)
    assert closes(one.step(at("10:00", APRIL))) == [], "it could not be bought again"
    assert any("queued" in key for key in one.notes)
    one.market.moved(level=6000.0, vix=18.0)
    assert closes(one.step(at("10:30", APRIL))) == []
    assert not any("queued" in key for key in one.notes)


def test_after_a_fall_no_rung_is_re_struck() -> None:
    # At 4,100 the 440 put lies 34 % above 80 % of 410: that is what it was bought for.
    one = with_rung()
    one.market.listed = {"SPY": (*NEAR, YEAR, LATER)}
    one.market.moved(level=4100.0)
    worth(one, "2.9")
    one.step(at("10:30", date(2031, 4, 2)))
    assert not any("queued" in key for key in one.notes)
    assert closes(one.step(at("10:00", APRIL))) == []


def test_at_30_days_it_goes_whatever_it_is_worth() -> None:
    one = with_rung()
    day = YEAR - timedelta(days=30)
    while SESSIONS.on(day) is None:
        day += timedelta(days=1)
    one.market.listed = {"SPY": (day + timedelta(days=1), YEAR)}
    one.market.moved()
    guarded = one.strategy.guard(one.view(at("10:00", day)), one.own(at("10:00", day)))
    assert {c.trigger for c in closes(guarded)} >= {"backstop"}


def test_it_has_no_stop() -> None:
    one = with_rung()
    worth(one, "0.01")
    assert closes(one.decide(at("10:30", date(2031, 3, 10)))) == []


# ----------------------------------------------------------------------------------------------- its life


def test_its_stages() -> None:
    one = with_rung()
    day = date(2031, 3, 10)
    one.step(at("10:00", day))
    assert next(iter(one.positions.values())).stage == "OPEN"
    worth(one, "3")
    one.step(at("10:30", day))
    one.step(at("11:00", day))
    assert next(iter(one.positions.values())).stage == "HARVEST"


@pytest.mark.parametrize(("share", "name"), [("0.80", "rung 80"), ("0.9", "rung 90"), ("0.875", "rung 87.5")])
def test_a_rung_is_named_by_its_share(share: str, name: str) -> None:
    assert rung_name(Decimal(share)) == name
