"""A dry run's answer in our words: what is asked for in addition is positive, and nothing is guessed."""

from decimal import Decimal
from typing import Any

import pytest

from tomking.adapters.tastytrade.dryrun import body, effect_of, judged
from tomking.adapters.tastytrade.rest import Answered
from tomking.adapters.tastytrade.symbols import Directory
from tomking.adapters.tastytrade.words import UnknownWord
from tomking.domain.structure import Structure
from tomking.execution.wire import DryRun, Effect, Outcome

# As section 6.3 of the tastytrade page shows one: a spread that asks for $300.
DATA: dict[str, Any] = {
    "order": {"status": "Received"},
    "buying-power-effect": {
        "change-in-margin-requirement": "300.0",
        "change-in-margin-requirement-effect": "Debit",
        "change-in-buying-power": "302.28",
        "change-in-buying-power-effect": "Debit",
        "current-buying-power": "100000.0",
        "current-buying-power-effect": "Credit",
        "new-buying-power": "99697.72",
        "new-buying-power-effect": "Credit",
        "isolated-order-margin-requirement": "300.0",
        "isolated-order-margin-requirement-effect": "Debit",
        "is-spread": True,
        "impact": "302.28",
        "effect": "Debit",
    },
    "fee-calculation": {"total-fees": "2.28", "total-fees-effect": "Debit"},
    "warnings": [{"code": "tif_next_valid_sesssion", "message": "Your order will begin working tomorrow."}],
}
READ = Effect(
    Decimal("300.0"),
    Decimal("-302.28"),
    Decimal("99697.72"),
    Decimal("2.28"),
    ("Your order will begin working tomorrow.",),
)


def power(**changes: object) -> dict[str, Any]:
    changed = {name.replace("_", "-"): value for name, value in changes.items()}
    return {**DATA, "buying-power-effect": {**DATA["buying-power-effect"], **changed}}


def test_it_asks_about_an_opening_order_at_its_price() -> None:
    spread = Structure.parse("spread", "-1 SPXW 2026-01-16 P5700 / +1 SPXW 2026-01-16 P5670")
    asked = body(DryRun("dry-run-7", spread.legs, 2, Decimal("3.10")), Directory())
    legs = asked["legs"]
    assert isinstance(legs, list)
    assert [(leg["action"], leg["quantity"]) for leg in legs] == [("Sell to Open", 2), ("Buy to Open", 2)]
    assert (asked["price"], asked["price-effect"], asked["external-identifier"]) == (
        "3.1", "Credit", "dry-run-7",
    )  # fmt: skip
    assert "advanced-instructions" not in asked


def test_a_spread_asks_for_margin_and_takes_buying_power() -> None:
    assert effect_of(DATA) == READ


def test_what_frees_margin_is_negative() -> None:
    freed = power(change_in_margin_requirement="150", change_in_margin_requirement_effect="Credit")
    assert effect_of(freed).margin == -150


def test_nothing_has_no_effect() -> None:
    none = power(change_in_margin_requirement="0.0", change_in_margin_requirement_effect="None")
    assert effect_of(none).margin == 0


def test_buying_power_that_is_gone_is_negative() -> None:
    assert effect_of(power(new_buying_power_effect="Debit")).left == Decimal("-99697.72")


def test_fees_that_are_not_told_are_not_zero() -> None:
    assert effect_of({**DATA, "fee-calculation": None}).fees is None


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {},
        {"buying-power-effect": None},
        power(new_buying_power=None),
        power(new_buying_power="a lot"),
        power(new_buying_power="NaN"),
        power(change_in_buying_power_effect="Sideways"),
        power(change_in_buying_power_effect=None),
    ],
)
def test_what_cannot_be_read_is_not_guessed(data: object) -> None:
    with pytest.raises(UnknownWord):
        effect_of(data)
    answered = Answered(Outcome.ACCEPTED, {"data": data}, 201)
    assert judged(answered)[0] is Outcome.UNKNOWN


def test_a_good_answer_is_accepted() -> None:
    assert judged(Answered(Outcome.ACCEPTED, {"data": DATA}, 201)) == (Outcome.ACCEPTED, READ, "", "")


def test_errors_in_a_good_answer_are_a_refusal() -> None:
    data = {**DATA, "errors": [{"code": "margin_check_failed", "message": "Not enough buying power."}]}
    outcome, effect, _, text = judged(Answered(Outcome.ACCEPTED, {"data": data}, 201))
    assert (outcome, effect, text) == (Outcome.REJECTED, None, "Not enough buying power.")


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (422, Outcome.REJECTED), (400, Outcome.REJECTED), (403, Outcome.REJECTED), (499, Outcome.REJECTED),
        (401, Outcome.UNKNOWN), (408, Outcome.UNKNOWN), (429, Outcome.UNKNOWN),
        (500, Outcome.UNKNOWN), (502, Outcome.UNKNOWN), (399, Outcome.UNKNOWN), (None, Outcome.UNKNOWN),
    ],
)  # fmt: skip
def test_a_refusal_is_of_the_order_and_silence_is_asked_again(status: int | None, outcome: Outcome) -> None:
    answered = Answered(Outcome.UNKNOWN, {"error": {}}, status, str(status), "words")
    assert judged(answered) == (outcome, None, str(status), "words")
