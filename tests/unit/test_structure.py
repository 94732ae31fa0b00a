from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from tomking.domain.contract import Option, parse_contract
from tomking.domain.structure import Structure, merged

SPREAD = Structure.parse("put spread", "-1 SPXW 2031-03-07 P5700 / +1 SPXW 2031-03-07 P5670")
CONDOR = Structure.parse(
    "iron condor",
    "+1 SPXW 2031-03-07 P5670 / -1 SPXW 2031-03-07 P5700"
    " / -1 SPXW 2031-03-07 C5800 / +1 SPXW 2031-03-07 C5830",
)
LT112 = Structure.parse("LT112", "+1 ES 2031-06-20 P5200 / -1 ES 2031-06-20 P5150 / -2 ES 2031-06-20 P4590")


def test_two_like_contracts_a_unit_move_by_two_ticks() -> None:
    # Brokers price the smallest unit: a pair at 0.65 would be two at 0.325, which is no price.
    pair = Structure.parse("NP", "-2 ES 2031-06-20 P4590")
    assert (pair.tick, 2 * pair.legs[0].contract.tick) == (Decimal("0.10"), Decimal("0.10"))
    assert LT112.tick == SPREAD.tick == Decimal("0.05")


def test_a_spread_risks_its_width_less_its_credit() -> None:
    # 30 points wide for 5 points of credit: 25 points x $100 = $2,500.
    assert SPREAD.max_loss(Decimal(5)) == Decimal(25)


def test_a_condor_loses_on_one_side_only() -> None:
    # Either side is 30 wide; 8 points of credit leave 22 at risk.
    assert CONDOR.max_loss(Decimal(8)) == Decimal(22)


def test_the_naked_puts_of_an_lt112_lose_until_the_index_is_worthless() -> None:
    # At zero: +5200 - 5150 - 2 x 4590 = -9130, less the 16.9 received.
    assert LT112.max_loss(Decimal("16.9")) == Decimal("9113.1")


def test_a_naked_call_has_no_greatest_loss() -> None:
    assert Structure.parse("call", "-1 SPXW 2031-03-07 C5800").max_loss(Decimal(3)) is None


def test_selling_is_a_credit() -> None:
    # Sold at 12.50, bought at 7.25: 5.25 points come in.
    assert SPREAD.net([Decimal("12.50"), Decimal("7.25")]) == Decimal("5.25")


def test_text_forms_come_back() -> None:
    assert Structure.parse("LT112", str(LT112)) == LT112
    scaled = "SPXW 1990-06-15 P342.205 x1639.34/0.00305"
    assert str(Option.parse(scaled)) == scaled
    assert str(parse_contract("ES 2031-03-21 F")) == "ES 2031-03-21 F"


def test_merging_a_structure_with_its_inverse_leaves_no_leg_twice() -> None:
    both = merged("two", [SPREAD, Structure.parse("more", "-1 SPXW 2031-03-07 P5700")])
    assert str(both) == "-2 SPXW 2031-03-07 P5700 / +1 SPXW 2031-03-07 P5670"


@given(
    st.sampled_from([SPREAD, CONDOR, LT112]),
    st.decimals(0, 60_000, places=2),
    st.decimals(-50, 50, places=2),
)
def test_no_settlement_loses_more_than_max_loss(structure: Structure, settle: Decimal, net: Decimal) -> None:
    worst = structure.max_loss(net)
    assert worst is not None
    assert net + structure.payoff(settle) >= -worst
