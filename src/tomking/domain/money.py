"""The border between columns of floats and exact money: cents, ticks and which way to round."""

from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal

CENT = Decimal("0.01")
ZERO = Decimal(0)


def cents(dollars: Decimal) -> Decimal:
    """Dollars rounded half-even to the cent: done once per fill, never on running sums."""
    return dollars.quantize(CENT, rounding=ROUND_HALF_EVEN)


def on_grid_below(points: Decimal, tick: Decimal) -> Decimal:
    """The greatest multiple of ``tick`` that is not above ``points`` (either may be negative)."""
    return (points / tick).to_integral_value(rounding=ROUND_FLOOR) * tick


def on_grid_above(points: Decimal, tick: Decimal) -> Decimal:
    """The least multiple of ``tick`` that is not below ``points``."""
    return (points / tick).to_integral_value(rounding=ROUND_CEILING) * tick


def shortest(value: Decimal) -> Decimal:
    """The same number without trailing zeros, as a contract's text has it: what is computed from it is then
    written with the same digits before a restart and after it.

    >>> shortest(Decimal("2598.50")), shortest(Decimal("5E+3"))
    (Decimal('2598.5'), Decimal('5000'))
    """
    return Decimal(f"{value.normalize():f}")
