"""Stress: C.7's tables on B.2's fixture surface, the limits that stand on them, what shocks do to legs."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.stressworld import (
    EXPIRY,
    FORWARD,
    RATE,
    SETTINGS,
    book_of,
    case,
    fixture_vol,
    lt112,
    one_part,
    surface,
    view,
    wish,
)
from tests.worlds import FRIDAY, ScriptedMarket

from tomking.domain.structure import Structure
from tomking.pricing.american import american
from tomking.pricing.black import black
from tomking.risk import limits_stress as limits
from tomking.risk.exposure import Line, exposure, lines_in
from tomking.risk.shocks import S5, S10, S20, Shock, grid, moves_of, shock_table
from tomking.risk.stress import Stressed, stressed

VIX = 16.0
TABLE = shock_table(VIX, SETTINGS)


def unit(product: str) -> list[Line]:
    return [line for part in lt112(product) for line in lines_in(part.structure, 1, "lt112", "P1")]


def lines(text: str, strategy: str = "test") -> list[Line]:
    return list(lines_in(Structure.parse("any", text), 1, strategy, "P1"))


def loss(held: list[Line], shock: Shock, steep: float = 1.0) -> float:
    return float(stressed(held, view(), [shock], SETTINGS, steep=steep).losses(np.ones(len(held), bool))[0])


def named(name: str) -> Shock:
    return next(shock for shock in TABLE if shock.name == name)


# ------------------------------------------------------------------------- the tables of C.7


@pytest.mark.parametrize(
    ("shock", "es", "mes"),
    [
        (Shock("", -0.03, 8.0), 2_200, 220),
        (named(S5), 8_700, 870),
        (named(S10), 18_000, 1_800),
        (named(S20), 54_000, 5_400),
    ],
    ids=["-3 %, VIX +8", "-6 %, Aug 5", "-10 %, VIX 50", "-20 %, VIX 80"],
)
def test_one_lt112_loses_what_the_methodology_says(shock: Shock, es: float, mes: float) -> None:
    # B.2's surface; here $2,396, $9,449, $19,018 and $53,043 an ES unit.
    assert loss(unit("ES"), shock) == pytest.approx(es, rel=0.15)
    assert loss(unit("MES"), shock) == pytest.approx(mes, rel=0.15)


CONSEQUENCES = {
    # net liq, phase, product: units under S-10 and under S-20
    (63_500, 2, "MES"): (5, 3),
    (63_500, 2, "ES"): (0, 0),
    (127_000, 4, "MES"): (10, 7),
    (127_000, 4, "ES"): (1, 0),
    (180_000, 4, "ES"): (1, 1),
    (180_000, 4, "MES"): (14, 10),
}


@pytest.mark.parametrize(("where", "units"), CONSEQUENCES.items())
def test_the_consequences_table(where: tuple[int, int, str], units: tuple[int, int]) -> None:
    # C.7 names five and three MES at $63,500, no ES and seven MES at $127,000, one ES from $180,000.
    net_liq, phase, product = where
    asked = case(wish(*lt112(product)), net_liq=net_liq, phase=phase)
    assert (limits.s10_allows(asked).units, limits.s20_allows(asked).units) == units
    others = (limits.s5_allows, limits.group_allows, limits.expansion_allows)
    assert all((limit(asked).units or 0) >= units[1] for limit in others)


# ----------------------------------------------------------------------- what a shock does to a leg


def test_a_put_after_the_shock_has_the_shocked_money_and_its_own_moneyness() -> None:
    # S-10 from VIX 16: 34 points, damped by sqrt(30 / 120) to 17.  Forward 4,950, so 4,590 is not 16.5 %
    # but 7.3 % out of the money: 14.55 % + 17 % + 0.30 x 0.0755 = 33.81 %.
    strike, moved, years = 4590.0, 0.9 * FORWARD, 120 / 365
    paid = float(np.exp(-RATE * years))
    vol = 0.1455 + 0.17 - 0.30 * np.log(strike / moved)
    before = black(
        forward=FORWARD,
        strike=strike,
        years=years,
        vol=fixture_vol(np.log(strike / FORWARD)),
        discount=paid,
        right=-1,
    )
    after = black(forward=moved, strike=strike, years=years, vol=vol, discount=paid, right=-1)
    expected = 50 * float(after.price - before.price)
    assert loss(lines(f"-1 ES {EXPIRY} P4590"), named(S10)) == pytest.approx(expected, rel=1e-3)


def test_the_second_column_has_a_put_skew_a_fifth_steeper() -> None:
    put, call = lines(f"-1 ES {EXPIRY} P4590"), lines(f"-1 ES {EXPIRY} C6000")
    assert loss(put, named(S5), steep=1.2) > loss(put, named(S5))
    assert loss(call, named(S5), steep=1.2) == loss(call, named(S5))


def test_vol_up_raises_every_volatility_by_half() -> None:
    years = 120 / 365
    paid, vol = float(np.exp(-RATE * years)), 0.1455
    prices = [
        float(black(forward=FORWARD, strike=FORWARD, years=years, vol=v, discount=paid, right=1).price)
        for v in (vol, 1.5 * vol)
    ]
    assert loss(lines(f"-1 ES {EXPIRY} C5500"), named("VOL+")) == pytest.approx(
        50 * (prices[1] - prices[0]), rel=1e-6
    )


def test_expired_options_are_worth_what_is_in_the_money() -> None:
    near = FRIDAY + timedelta(days=7)
    held = lines(f"-1 ES {near} P5500")
    ahead = stressed(held, view(), [Shock("", -0.06, days=7)], SETTINGS)
    assert float(ahead.prices[0, 0]) == pytest.approx(330.0)  # 6 % of 5,500


def test_products_move_by_their_own_kind() -> None:
    # QQQ falls 1.2 x 10 %; crude stands still under S-10, falls 25 % under PROD- and 0.7 x 25 % in CRISIS.
    far = FRIDAY + timedelta(days=60)
    held = [
        *lines(f"-1 QQQ {far} P400"),
        *lines(f"-1 CL {far} P4000"),
        *lines(f"-1 GC {far} P4000"),
        *lines(f"-1 6E {far} P4000"),
        *lines(f"-1 ZN {far} P4000"),
    ]
    exposed = exposure(held, view())
    moved = {
        name: Stressed(exposed, TABLE, np.zeros(5), np.zeros((5, len(TABLE)))).column(name)
        for name in (S10, "PROD-", "CRISIS")
    }
    factors = moves_of(exposed, TABLE, SETTINGS).move
    assert factors[:, moved[S10]].tolist() == pytest.approx([0.88, 1, 1, 1, 1])
    assert factors[:, moved["PROD-"]].tolist() == pytest.approx([1, 0.75, 0.80, 0.95, 0.94])
    assert factors[:, moved["CRISIS"]].tolist() == pytest.approx([0.88, 0.825, 1.04, 0.985, 1.012])


def test_a_vix_call_gains_what_its_future_rises() -> None:
    # 60 days out a VIX future takes 20 / 80 of the 34 points of S-10: the surface's "future" of 5,500 + 8.5.
    far = FRIDAY + timedelta(days=60)
    held = lines(f"+1 VIX {far} C5500")
    exposed = stressed(held, view(), [named(S10)], SETTINGS)
    assert loss(held, named(S10)) < 0
    factor = moves_of(exposed.exposure, [named(S10)], SETTINGS).move[0, 0]
    assert FORWARD * factor == pytest.approx(5508.5)


def test_a_leg_without_a_chain_is_implied_from_its_mid_and_without_a_mid_it_is_stale() -> None:
    held = lines(f"-1 ES {EXPIRY} P5200")
    quoted = ScriptedMarket(lambda contract, now: 80.0, level=FORWARD)
    fresh = stressed(held, view(quoted), TABLE, SETTINGS)
    assert float(fresh.base[0]) == pytest.approx(80.0)
    assert fresh.stale_share() == 0.0
    silent = ScriptedMarket(lambda contract, now: None, level=FORWARD)
    old = stressed(held, view(silent), TABLE, SETTINGS)
    assert old.stale_share() == 1.0
    assert float(old.gains[0, 0]) < 0


def test_losses_add_up_by_strategy_and_by_group() -> None:
    held = [*unit("ES"), *lines(f"-1 SPY {EXPIRY} P500", "ratio_spread")]
    found = stressed(held, view(), TABLE, SETTINGS)
    whole = found.gains.sum(axis=0)
    for parts in (found.by_strategy(), found.by_group()):
        assert sum(parts.values()) == pytest.approx(whole)
    assert set(found.by_strategy()) == {"lt112", "ratio_spread"}
    assert set(found.by_group()) == {"A1", "A2"}


def test_a_book_of_nothing_loses_nothing() -> None:
    nothing = stressed([], view(), (*TABLE, *grid(SETTINGS)), SETTINGS)
    assert nothing.gains.shape == (0, len(TABLE) + 9 * 6 * 3)
    assert nothing.stale_share() == 0.0


# ------------------------------------------------------------------------------------- the limits


CAPS = [
    (limits.s5_allows, S5, Decimal("0.10")),
    (limits.s10_allows, S10, Decimal("0.15")),
    (limits.s20_allows, S20, Decimal("0.30")),
    (limits.group_allows, S10, Decimal("0.15")),
]


@pytest.mark.parametrize(("limit", "name", "share"), CAPS, ids=["S-5", "S-10", "S-20", "group"])
def test_each_cap_at_below_and_above(limit: object, name: str, share: Decimal) -> None:
    """Ten MES fit exactly where ten times their loss is the share of net liq; a dollar less is nine."""
    exact = Decimal(10 * loss(unit("MES"), named(name))) / share
    for more, units in ((Decimal(1), 10), (Decimal(-1), 9)):
        asked = case(wish(*lt112("MES")), net_liq=0)
        asked = replace(asked, account=replace(asked.account, net_liq=exact + more))
        assert limit(asked).units == units  # type: ignore[operator]


@pytest.mark.parametrize(
    ("phase", "at_10", "at_20"), [(0, 0.10, 0.20), (1, 0.15, 0.25), (2, 0.15, 0.30), (4, 0.15, 0.30)]
)
def test_caps_by_phase(phase: int, at_10: float, at_20: float) -> None:
    asked = case(wish(*lt112("MES")), net_liq=100_000, phase=phase)
    assert limits.s10_allows(asked).units == int(100_000 * at_10 / loss(unit("MES"), named(S10)))
    assert limits.s20_allows(asked).units == int(100_000 * at_20 / loss(unit("MES"), named(S20)))


def test_what_is_held_and_what_is_being_opened_comes_first() -> None:
    # $63,500 takes three MES under S-20; with two held one more fits.
    held = book_of(*[("lt112", part, 2) for part in lt112("MES")], phase=2, net_liq=63_500)
    asked = case(wish(*lt112("MES")), held, net_liq=63_500)
    assert limits.s20_allows(asked).units == 1
    assert "lost by what is held" in limits.s20_allows(asked).detail


def test_a_hedge_is_permitted_whatever_the_book_would_lose() -> None:
    held = book_of(("lt112", lt112("ES")[1], 5))
    hedge = wish(one_part(f"+1 ES {EXPIRY} P5000"), strategy="leap_put_hedge")
    asked = case(hedge, held)
    assert limits.s20_allows(asked).units is None
    assert limits.s20_allows(case(wish(*lt112("MES")), held)).units == 0


def test_a_group_is_held_to_its_own_shock() -> None:
    # Gold does not move under S-10; PROD moves it 20 % either way.
    far = FRIDAY + timedelta(days=60)
    asked = case(wish(one_part(f"-1 GC {far} P5000"), strategy="futures_strangle"), net_liq=1_000_000)
    each = loss(lines(f"-1 GC {far} P5000"), named("PROD-"))
    assert limits.s10_allows(asked).units is None
    assert limits.group_allows(asked).units == int(150_000 / each)
    assert "group B1 under PROD-" in limits.group_allows(asked).detail


def test_without_a_vix_nothing_is_permitted() -> None:
    asked = case(wish(*lt112()), market=surface(vix=None))
    assert [limit.check(asked).units for limit in limits.STRESS_LIMITS] == [0] * 6


def test_a_quarter_of_the_volatility_risk_may_be_stale() -> None:
    held = book_of(("lt112", one_part(f"-1 ES {EXPIRY} P5000"), 1))
    silent = ScriptedMarket(lambda contract, now: None, level=FORWARD)
    assert limits.fresh_enough(case(wish(*lt112()), held, market=silent)).units == 0
    assert limits.fresh_enough(case(wish(*lt112()), held)).units is None


# ------------------------------------------------------------------------------- margin expansion


def test_margin_must_be_there_in_every_cell_of_the_grid() -> None:
    # The worst cell for an LT112: 20 % down and 64 points of VIX more.  A MES asks for about $9,479 there and
    # has lost $5,304: n units fit where n x ($9,479 + $5,304) is at most the net liq.
    asked = case(wish(*lt112("MES")), net_liq=63_500)
    answer = limits.expansion_allows(asked)
    assert answer.units == 4
    assert answer.detail.startswith("index -20%, VIX +64.0: margin $0 held + $9,479 a unit")
    each = 9_479 + 5_304
    assert limits.expansion_allows(case(wish(*lt112("MES")), net_liq=5 * each + 10)).units == 5
    assert limits.expansion_allows(case(wish(*lt112("MES")), net_liq=5 * each - 10)).units == 4


def test_margin_of_what_is_held_grows_too() -> None:
    held = book_of(*[("lt112", part, 2) for part in lt112("MES")], net_liq=63_500)
    alone = limits.expansion_allows(case(wish(*lt112("MES")), net_liq=63_500)).units
    beside = limits.expansion_allows(case(wish(*lt112("MES")), held, net_liq=63_500)).units
    assert alone is not None
    assert beside is not None
    assert beside < alone


def test_defined_risk_asks_for_no_more_in_any_cell() -> None:
    # A 30-wide SPXW put spread for 10 points: $2,000 now and in every cell, while up to its $3,000 are lost.
    # Of the margin gate alone 20 fit $100,000 or a few more: its width is $3,000, less what it is worth now.
    spread = one_part(f"-1 SPXW {EXPIRY} P5465 / +1 SPXW {EXPIRY} P5435")
    answer = limits.expansion_allows(case(wish(spread), net_liq=100_000))
    assert answer.units is not None
    assert 100_000 / 5_000 <= answer.units <= 100_000 / 2_000


# ------------------------------------------------------------------------------------- properties


strikes = st.integers(500, 1_300).map(lambda n: 5 * n)
dates = st.integers(1, 300).map(lambda n: FRIDAY + timedelta(days=n))


@given(strikes, dates, st.sampled_from(["ES", "SPXW", "SPY"]), st.floats(0.0, 0.35))
def test_adding_a_long_put_never_raises_the_loss_in_the_down_shocks(
    strike: int, expiry: object, product: str, slope: float
) -> None:
    market = surface(lambda k: 0.1455 - slope * k)
    points = strike // 10 if product == "SPY" else strike
    put = lines(f"+1 {product} {expiry} P{points}")
    down = [shock for shock in (*TABLE, *grid(SETTINGS, (0,))) if shock.move < 0 and shock.vix >= 0]
    gains = stressed(put, view(market), down, SETTINGS).gains
    assert (gains >= -1e-9).all()


@given(st.integers(10_000, 400_000), st.integers(0, 400_000), st.integers(0, 4), st.integers(0, 3))
def test_more_net_liq_never_permits_fewer_units(net_liq: int, more: int, phase: int, held: int) -> None:
    parts = lt112("MES")
    book = book_of(*[("lt112", part, held) for part in parts if held], phase=phase)
    poor = case(wish(*parts), book, net_liq=net_liq)
    rich = replace(poor, account=replace(poor.account, net_liq=Decimal(net_liq + more)))
    for limit in limits.STRESS_LIMITS:
        fewer, most = (limit.check(one).units for one in (poor, rich))
        assert (fewer or 0) <= (most or 0) or most is None


@given(st.integers(1, 9))
def test_losses_are_linear_in_units(units: int) -> None:
    one, many = ([line._replace(number=line.number * n) for line in unit("MES")] for n in (1, units))
    for shock in TABLE:
        assert loss(many, shock) == pytest.approx(units * loss(one, shock), abs=1e-6)


# ---------------------------------------------------------------------- American legs as European


@pytest.mark.parametrize(
    ("days", "strike", "right"), [(45, 0.95, -1), (45, 1.05, -1), (365, 0.9, -1), (365, 0.8, 1)]
)
@pytest.mark.parametrize(("move", "rise"), [(-0.06, 0.226), (-0.10, 0.34), (-0.20, 0.64)])
def test_pricing_american_legs_as_european_misses_little(
    days: int, strike: float, right: int, move: float, rise: float
) -> None:
    """SPY at 550, rate 4.5 %, yield 1.5 %, 16 %: the loss is within 4 % (docs/evidence/006-risk.md)."""
    years, rate, dividend = days / 365, 0.045, 0.015
    vols = 0.16, 0.16 + rise * min(1.0, (30 / days) ** 0.5)
    spots = 550.0, 550.0 * (1 + move)
    exact = american(
        spot=spots, strike=550 * strike, years=years, vol=vols, rate=rate, yield_=dividend, right=right
    ).price
    stressed_as = black(
        forward=np.array(spots) * np.exp((rate - dividend) * years),
        strike=550 * strike,
        years=years,
        vol=vols,
        discount=np.exp(-rate * years),
        right=right,
    ).price
    assert stressed_as[1] - stressed_as[0] == pytest.approx(exact[1] - exact[0], rel=0.04)
