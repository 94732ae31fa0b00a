"""The account as the gate sees it: what it is worth and what is already at work."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Account:
    """Valuation of the book now, in dollars.  Working orders are added by the limits themselves."""

    net_liq: Decimal
    """Net liquidating value, to the cent."""
    margin: Decimal
    """Margin the open positions need: the sum of estimates by position."""
    capital: Decimal
    """Margin plus the debit paid for long premium that no margin covers."""
    heat: Decimal
    """Sum of the planned stop losses of open positions."""
    by_family: Mapping[str, Decimal]
    """Margin."""
    by_strategy: Mapping[str, Decimal]
    """Margin."""
    by_expiry: Mapping[date, Decimal]
    """Margin, by the nearest expiry of what opened the position."""
    by_position: Mapping[str, Decimal] = field(default_factory=dict[str, Decimal])
    """Capital: margin, or the debit where that is more."""
