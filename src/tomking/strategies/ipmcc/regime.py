"""What the symbol's daily bars say: how deep the weekly call is sold, and when no LEAP is bought."""

from dataclasses import dataclass

from tomking.domain.products import PRODUCTS, Kind
from tomking.rules.indicators import ema, highest, upper_band
from tomking.strategies.ipmcc.settings import Settings
from tomking.view import View


@dataclass(frozen=True, slots=True)
class Trend:
    """Levels of the symbol's family, points."""

    spot: float
    fast: float
    slow: float
    slowest: float
    high: float
    band: float


def trend_of(settings: Settings, view: View, product: str) -> Trend | str:
    """Or what is missing."""
    family = PRODUCTS[product].family
    spot, bars = view.spot(family), view.bars(family)
    if spot is None:
        return f"no {family} level"
    found = (
        ema(bars, settings.ema_fast),
        ema(bars, settings.ema_slow),
        ema(bars, settings.ema_trend),
        highest(bars, settings.high_sessions),
        upper_band(bars, settings.band_sessions, settings.band_deviations),
    )
    known = [level for level in found if level is not None]
    if len(known) < len(found):
        return f"{len(bars)} daily bars of {family}, {settings.high_sessions} are needed"
    return Trend(spot, *known)


def itm_strikes(settings: Settings, trend: Trend, *, deeper: bool) -> int:
    """How many strikes in the money the weekly call is sold; 0 is at the money."""
    if deeper or trend.spot > (1 + settings.stretched_share) * trend.fast:
        return settings.itm_deep
    return settings.itm_falling if trend.fast < (1 - settings.flat_share) * trend.slow else 0


def why_no_leap(settings: Settings, trend: Trend, product: str) -> str | None:
    """No LEAP at a high, none in a strong fall, of a single name none but after a pullback."""
    if trend.spot >= trend.high:
        return f"{trend.spot:.2f} is at the {settings.high_sessions}-session high {trend.high:.2f}"
    if trend.spot >= trend.band:
        return f"{trend.spot:.2f} is at the upper Bollinger band {trend.band:.2f}"
    if trend.fast < trend.slow and trend.spot < trend.slowest:
        averages = f"EMA{settings.ema_fast} {trend.fast:.2f} is below EMA{settings.ema_slow} {trend.slow:.2f}"
        price = f"{trend.spot:.2f} below EMA{settings.ema_trend} {trend.slowest:.2f}"
        return f"strong downtrend: {averages} and {price}"
    if is_single_name(product) and trend.spot > trend.slow:
        return f"no pullback: {trend.spot:.2f} is above EMA{settings.ema_slow} {trend.slow:.2f}"
    return None


def is_single_name(product: str) -> bool:
    return PRODUCTS[product].kind is Kind.STOCK
