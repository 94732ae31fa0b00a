"""Amounts as a person reads them."""

from decimal import Decimal


def net(limit: Decimal) -> str:
    """``2.20 credit``, ``1.10 debit``."""
    return f"{abs(limit):.2f} {'credit' if limit >= 0 else 'debit'}"


def money(dollars: Decimal | float) -> str:
    """``$1,234.50``, ``-$12.00``."""
    return f"-${-dollars:,.2f}" if dollars < 0 else f"${dollars:,.2f}"
