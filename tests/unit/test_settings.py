from dataclasses import dataclass, field
from decimal import Decimal

import pytest

from tomking.domain.settings import setting, settings_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Wings:
    wing_points: Decimal = setting(
        Decimal(30), low=Decimal(5), high=Decimal(100), source="B.1", doc="Long legs beyond the shorts."
    )
    gate: str = setting(
        "warn", choices=("off", "warn", "on"), source="0.4, ruling 4", doc="Kelly.", research=True
    )


def test_a_field_made_with_setting_is_an_ordinary_default() -> None:
    assert Wings().wing_points == 30
    assert Wings(wing_points=Decimal(25)).wing_points == 25


def test_settings_tell_type_limits_source_and_research() -> None:
    wings, gate = settings_of(Wings)
    assert (wings.name, wings.kind, wings.low, wings.high, wings.source) == (
        "wing_points",
        Decimal,
        Decimal(5),
        Decimal(100),
        "B.1",
    )
    assert gate.choices == ("off", "warn", "on")
    assert (wings.research, gate.research) == (False, True)


@pytest.mark.parametrize("default", [Decimal(4), Decimal(101)])
def test_a_default_outside_its_own_range_is_our_mistake(default: Decimal) -> None:
    with pytest.raises(ValueError, match="outside 5 to 100"):
        setting(default, low=Decimal(5), high=Decimal(100), source="B.1", doc="Too far.")


def test_limits_of_a_tuple_hold_for_each_item() -> None:
    with pytest.raises(ValueError, match="outside 1 to 5"):
        setting((1, 6), low=1, high=5, source="B.1", doc="Weekdays.")


def test_a_field_without_source_is_refused() -> None:
    @dataclass(frozen=True)
    class Bare:
        points: int = field(default=3)

    with pytest.raises(TypeError, match="points is not made with setting"):
        settings_of(Bare)
