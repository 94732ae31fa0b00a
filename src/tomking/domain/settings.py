"""How a number that a user may turn says its range, its meaning and its source.

Each strategy and the risk tables own one frozen dataclass, ``Settings``, whose fields are made
with ``setting``: the one home of their numbers.  The configuration (app.config) reads the fields'
types and metadata, refuses what is out of range, and replaces fields; nothing else may.

Habits:

    units    at the end of the name: ``wing_points``, ``loss_share_max`` (0.02 is 2 %),
             ``entry_dte``, ``quote_age_seconds``, ``capital_usd``
    types    Decimal for money, prices and shares of money; int for counts; float for what is
             only compared or computed (deltas, volatility); bool for switches; datetime.time
             for New York wall times; date; str with ``choices``; tuple of one of these
    source   the methodology paragraph: "B.1", "C.2, ruling 12"

>>> from decimal import Decimal
>>> @dataclass(frozen=True, slots=True, kw_only=True)
... class Settings:
...     wing_points: Decimal = setting(
...         Decimal(30), low=Decimal(5), high=Decimal(100), source="B.1", doc="Long legs beyond the shorts."
...     )
>>> Settings().wing_points
Decimal('30')
>>> [(s.name, s.low, s.source) for s in settings_of(Settings)]
[('wing_points', Decimal('5'), 'B.1')]
"""

from dataclasses import dataclass, field, fields
from typing import Any, get_type_hints

_KEY = "tomking"


@dataclass(frozen=True, slots=True)
class Setting:
    """What is known of one field of a ``Settings`` class."""

    name: str
    kind: Any
    """The field's type as written: ``Decimal``, ``tuple[int, ...]``, ``float | None``."""
    default: Any
    low: Any
    """The least value allowed, or None."""
    high: Any
    """The greatest value allowed, or None."""
    choices: tuple[Any, ...]
    """The only values allowed; empty when any will do."""
    source: str
    """Methodology paragraph."""
    doc: str
    """One sentence."""
    research: bool
    """A switch that exists in backtests only, marks the report and is refused elsewhere (ruling 16)."""


def setting(
    default: Any,  # noqa: ANN401 - as dataclasses.field
    *,
    low: Any = None,  # noqa: ANN401
    high: Any = None,  # noqa: ANN401
    choices: tuple[Any, ...] = (),
    source: str,
    doc: str,
    research: bool = False,
) -> Any:  # noqa: ANN401 - a field of whatever type the class declares
    """A dataclass field with a default, its limits (both included), source and one sentence.

    Limits and choices of a tuple hold for each of its items.
    """
    for each in default if isinstance(default, tuple) else (default,):
        if each is not None and ((low is not None and each < low) or (high is not None and each > high)):
            raise ValueError(f"default {each} is outside {low} to {high}")
        if choices and each not in choices:
            raise ValueError(f"default {each!r} is not one of {choices}")
    about = {"low": low, "high": high, "choices": choices, "source": source, "doc": doc, "research": research}
    return field(default=default, metadata={_KEY: about})


def settings_of(kind: type) -> tuple[Setting, ...]:
    """The settings of a dataclass, in its order.  ``TypeError`` on a field not made by ``setting``."""
    types = get_type_hints(kind)
    found = []
    for each in fields(kind):
        if _KEY not in each.metadata:
            raise TypeError(f"{kind.__qualname__}.{each.name} is not made with setting(...)")
        about = each.metadata[_KEY]
        found.append(Setting(name=each.name, kind=types[each.name], default=each.default, **about))
    return tuple(found)
