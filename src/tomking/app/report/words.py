"""How figures are written, and what the codes mean, wherever a person reads them."""

from decimal import Decimal

from tomking.app.report.rundata import Claim

NOTHING = "–"
MINUS = "−"

GATES = {
    "SYS": "halted, reducing, or the strategy is quarantined",
    "CAL": "not its weekday, week, window, or the market is closed",
    "DATA": "index, chain or VIX missing or too old",
    "VIX": "VIX outside the strategy's range",
    "EVT": "an announcement (FOMC and the like) is too near",
    "PHASE": "the account's phase does not allow it",
    "TECH": "trend, move or gap filter",
    "CAP": "position limits: in total, per strategy, per day, or too soon after the last entry",
    "CORR": "too much of one exposure",
    "STRUCT": "no expiry or strike within tolerance",
    "LIQ": "quotes too wide or missing, or trading costs too great",
    "PRICE": "credit too small, debit too large, or costs too great for it",
    "SIZE": "not one unit fits the risk, capital and buying-power limits",
    "GREEKS": "portfolio Greeks",
    "LOCK": "another order is at work, or orders were already tried today without a fill",
    "BROKER": "the broker's dry run",
    "FILL": "the order was sent and found no taker at an acceptable price",
}

STRATEGY_NAMES = {
    "friday_0dte": "Friday 0DTE",
    "butterfly_9b": "Butterfly 9B",
    "lt112": "LT112",
    "calendarized_112": "Cal. 1-1-2",
    "ipmcc": "IPMCC",
    "futures_strangle": "Strangle",
    "ratio_spread": "Ratio",
    "calendar_spread": "Calendar",
    "diagonal": "Diagonal",
    "vix_spike_puts": "VIX-spike puts",
    "leap_put_income": "LEAP income",
    "leap_put_hedge": "LEAP hedge",
    "vix_call_hedge": "VIX calls",
    "box_financing": "Box",
}
"""Short enough for a column.  A strategy from outside goes by its identity."""


def named(strategy: str) -> str:
    """The strategy's name for readers."""
    return STRATEGY_NAMES.get(strategy, strategy)


def gate(code: str) -> str:
    return GATES.get(code, code)


def dollars(value: Decimal | None, *, places: int = 0) -> str:
    """``$1,234``, ``−$1,234``; a dash for None.

    >>> dollars(Decimal("-1234.5"), places=2)
    '−$1,234.50'
    """
    if value is None:
        return NOTHING
    text = f"${abs(value):,.{places}f}"
    return MINUS + text if value < 0 and text.strip("$0.,") else text


def gain(value: Decimal | None, *, places: int = 0) -> str:
    """Dollars of profit or loss, with their sign and arrow: ``▲ +$12``, ``▼ −$12``, ``$0``.

    >>> gain(Decimal(12)), gain(Decimal(-12)), gain(Decimal("0.2"))
    ('▲ +$12', '▼ −$12', '$0')
    """
    text = dollars(value, places=places)
    if value is None or not text.strip("−$0.,"):
        return text
    return f"▼ {text}" if value < 0 else f"▲ +{text}"


def percent(value: float | None, *, places: int = 1) -> str:
    """``12.3%``; a dash for None."""
    if value is None:
        return NOTHING
    text = f"{abs(value):.{places}%}"
    return MINUS + text if value < 0 and text.strip("0.%") else text


def signed_percent(value: float | None, *, places: int = 1) -> str:
    """``+12.3%``."""
    text = percent(value, places=places)
    return text if value is None or value <= 0 or not text.strip("0.%") else "+" + text


def counted(number: int, noun: str) -> str:
    """``1 session``, ``8,816 sessions``."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def small_share(value: float) -> str:
    """``90%``, ``4.2%``, ``under 0.1%``: what happened seldom is not shown as never.

    >>> small_share(0.9), small_share(0.0421), small_share(0.0002), small_share(0.0)
    ('90%', '4.2%', 'under 0.1%', '0%')
    """
    if 0 < value < 0.001:
        return "under 0.1%"
    return percent(value, places=1 if 0 < value < 0.1 else 0)


def ratio(value: float | None) -> str:
    """Two places; a dash for None."""
    return NOTHING if value is None else f"{value:.2f}".replace("-", MINUS)


def interval(ends: tuple[float, float] | None) -> str:
    """``68.1% to 80.2%``."""
    return NOTHING if ends is None else f"{ends[0]:.1%} to {ends[1]:.1%}"


def claimed(claim: Claim) -> str:
    """``88%``, or ``73–75%``."""
    return (
        f"{claim.low:.0%}"
        if claim.low == claim.high
        else f"{claim.low:.0%}–{claim.high:.0%}".replace("%", "", 1)
    )


def side(value: Decimal | float | None) -> str:
    """The class of a figure: ``up``, ``down`` or nothing."""
    return "" if not value else "up" if value > 0 else "down"
