"""Conditions that more than one strategy asks before it enters."""

from datetime import date

from tomking.domain import cpi, fomc
from tomking.domain.eventcalendar import Entry as Occasion
from tomking.domain.products import PRODUCTS
from tomking.rules.indicators import ema, highest
from tomking.rules.strategy import Condition
from tomking.view import Own, View


def has_market() -> Condition:
    """An index level and a VIX: a missing one is no entry, never a default (methodology B.0)."""

    def check(view: View, own: Own) -> str | None:
        if view.vix is None:
            return "no VIX"
        return "no index level" if view.spot() is None else None

    return Condition("DATA", check)


def has_vix() -> Condition:
    """A VIX alone, for products whose family the strategy asks for its level itself."""

    def check(view: View, own: Own) -> str | None:
        return "no VIX" if view.vix is None else None

    return Condition("DATA", check)


def vix_between(low: float, high: float, *, strict_low: bool = True, strict_high: bool = False) -> Condition:
    """From ``low`` to ``high``; a strict end is itself outside."""

    def check(view: View, own: Own) -> str | None:
        vix = known(view.vix)
        if low < vix < high or (vix == low and not strict_low) or (vix == high and not strict_high):
            return None
        begin, end = "above" if strict_low else "from", "below" if strict_high else "up to"
        upward = f" and {end} {high:g}" if high < float("inf") else ""
        return f"VIX {vix:.2f} is not {begin} {low:g}{upward}"

    return Condition("VIX", check)


SAME_DAY = Occasion(PRODUCTS["SPXW"], same_day=True)
"""Something on the index that expires today."""


def nothing_announced(occasion: Occasion) -> Condition:
    """No announcement forbids it now (methodology C.10); the gate asks the same of what is built.

    Outside a table's coverage a backtest's filter is off (ruling 6); ``coverage_note`` says so.
    """

    def check(view: View, own: Own) -> str | None:
        return view.events.judge(occasion, view.now, view.sessions).blocked

    return Condition("EVT", check)


def no_fomc_this_week() -> Condition:
    def check(view: View, own: Own) -> str | None:
        announced = fomc.fomc_week(view.today)
        return None if announced is None else f"FOMC announcement this week, on {announced}"

    return Condition("EVT", check)


def coverage_note(day: date) -> str:
    """A clause for the reason of an entry whose event filter had nothing to say."""
    tables = {"FOMC": fomc.covered(day), "CPI": cpi.covered(day)}
    missing = [name for name, is_covered in tables.items() if not is_covered]
    return f"; not covered: {', '.join(missing)}" if missing else ""


def full_session() -> Condition:
    def check(view: View, own: Own) -> str | None:
        return "early close: no entry on a half day" if view.session.is_half_day else None

    return Condition("CAL", check)


def enough_bars(sessions: int, family: str = "SPX") -> Condition:
    """Daily bars of the family; indicators of fewer would be made up."""

    def check(view: View, own: Own) -> str | None:
        bars = len(view.bars(family))
        return None if bars >= sessions else f"{bars} daily bars of {family}, {sessions} are needed"

    return Condition("DATA", check)


def trend_up(fast: int, slow: int) -> Condition:
    """The faster exponential average of daily closes is above the slower."""

    def check(view: View, own: Own) -> str | None:
        means = averages(view, fast, slow)
        if means is not None and means[0] > means[1]:
            return None
        said = "too few bars" if means is None else f"{means[0]:.2f} and {means[1]:.2f}"
        return f"EMA{fast} and EMA{slow}: {said}, not rising"

    return Condition("TECH", check)


def not_at_high(sessions: int) -> Condition:
    """The index is below its highest price of the sessions before."""

    def check(view: View, own: Own) -> str | None:
        spot, high = known(view.spot()), known(highest(view.bars(), sessions))
        return None if spot < high else f"{spot:.2f} is not below the {sessions}-session high {high:.2f}"

    return Condition("TECH", check)


def iv_rank_between(low: float, high: float, sessions: int = 252) -> Condition:
    """Where today's VIX lies between the lowest and the highest of its daily closes, 0 to 1.

    The VIX stands for the implied volatility of every SPX-family product.
    """

    def check(view: View, own: Own) -> str | None:
        rank = iv_rank(view, sessions)
        if rank is None:
            return f"fewer than {sessions} closes of the VIX"
        return None if low <= rank <= high else f"IV rank {rank:.0%} is not within {low:.0%} to {high:.0%}"

    return Condition("TECH", check)


def iv_rank_up_to(high: float, sessions: int = 252) -> Condition:
    """The same with no lower end: a VIX below all its closes has a rank below 0."""

    def check(view: View, own: Own) -> str | None:
        rank = iv_rank(view, sessions)
        if rank is None:
            return f"fewer than {sessions} closes of the VIX"
        return None if rank <= high else f"IV rank {rank:.0%} is above {high:.0%}"

    return Condition("TECH", check)


def contango(least: float) -> Condition:
    """The three-month volatility index is above ``least`` times the VIX, at the last close of both.

    Not asked where the three-month index is not known (ruling 19).
    """

    def check(view: View, own: Own) -> str | None:
        far, near = view.bars("VIX3M"), view.bars("VIX")
        if not len(far) or not len(near) or far.day[-1] != near.day[-1]:
            return None
        ratio = float(far.close[-1] / near.close[-1])
        return None if ratio > least else f"VIX3M over VIX is {ratio:.3f}, not above {least:g}"

    return Condition("VIX", check)


def iv_rank(view: View, sessions: int = 252) -> float | None:
    """``(VIX - lowest close) / (highest - lowest)`` of the sessions before, may leave 0 to 1."""
    closes, vix = view.bars("VIX").close[-sessions:], view.vix
    if vix is None or len(closes) < sessions:
        return None
    low, high = float(closes.min()), float(closes.max())
    return 0.5 if high <= low else (vix - low) / (high - low)


def averages(view: View, fast: int, slow: int) -> tuple[float, float] | None:
    """The two exponential averages of completed daily closes, points; None with too few bars."""
    bars = view.bars()
    quick, calm = ema(bars, fast), ema(bars, slow)
    return None if quick is None or calm is None else (quick, calm)


def known(number: float | None) -> float:
    """A number that an earlier condition has made sure of."""
    assert number is not None, "asked before its DATA condition"
    return number
