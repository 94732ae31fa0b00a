"""The strike of the weekly call: by the averages, by delta or by distance, and never below its floor."""

import numpy as np

from tomking.domain.chain import Chain
from tomking.domain.contract import Option, Right
from tomking.pricing.black import black
from tomking.rules import select
from tomking.strategies.ipmcc.settings import Settings


def wished(settings: Settings, chain: Chain, inward: int) -> float | None:
    """The strike before any floor, points; None where none is quoted.

    The level it is measured from is the expiry's own forward: a fund's price is not its index's
    (``Product.ratio_drifts``).
    """
    if settings.weekly_selector == "delta":
        by_delta = select.nearest_delta(chain, Right.CALL, settings.weekly_delta)
        return None if by_delta is None else float(by_delta.strike)
    if settings.weekly_selector == "pct_otm":
        return _first_strike(chain, chain.forward * (1 + settings.weekly_otm_share), 0)
    return _first_strike(chain, chain.forward, inward)


def _first_strike(chain: Chain, level: float, inward: int) -> float | None:
    """The first quoted call strike at or above ``level``, or the ``inward``-th below that one."""
    _, strikes, _ = select.quoted_strikes(chain, Right.CALL)
    first = int(np.searchsorted(strikes, level)) - inward
    return float(strikes[first]) if 0 <= first < len(strikes) else None


def from_the_floor(  # noqa: PLR0917 - two chains and two numbers of the LEAP
    settings: Settings, chain: Chain, back: Chain, leap: Option, leap_value: float, at: float
) -> Option | None:
    """The lowest quoted call from ``at`` on, not below the LEAP's strike, that meets the floor."""
    rows, strikes, mids = select.quoted_strikes(chain, Right.CALL)
    fits = (strikes >= at) & (strikes >= float(leap.strike))
    if settings.floor == "revalued":
        later = revalued(chain, back, leap)
        if later is None:
            return None
        level, worth = later
        fits &= worth - np.maximum(level - strikes, 0.0) + mids >= leap_value
    return chain.option(int(rows[np.argmax(fits)])) if fits.any() else None


def revalued(chain: Chain, back: Chain, leap: Option) -> tuple[float, float] | None:
    """The level at the weekly's expiry after a rise by its expected move; the LEAP's worth then, points."""
    move, vol = select.expected_move(chain), select.iv_at(back, leap.right, float(leap.strike))
    if move is None or vol is None:
        return None
    level = chain.forward + move
    then = black(
        forward=back.forward * level / chain.forward,
        strike=float(leap.strike),
        years=back.years - chain.years,
        vol=vol,
        discount=back.discount / chain.discount,
        right=int(leap.right),
    )
    return level, float(then.price)
