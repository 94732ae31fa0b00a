"""Leaving short options that somebody might exercise early (methodology D.4)."""

from collections.abc import Sequence
from decimal import Decimal

from tomking.domain.book import Component
from tomking.domain.calendar import dte
from tomking.domain.contract import Option
from tomking.domain.intent import Urgency
from tomking.rules import exits as out
from tomking.rules.select import stated_points, underlying
from tomking.rules.strategy import Exit, Held
from tomking.view import Own, View

LAST_DAYS = 1
"""A short leg in the money goes at so many days or fewer (D.4)."""
SHARES = 100
"""A stated contract is of a hundred shares, whatever size the modelled market gives this one."""


def threatened(trigger: str, extrinsic_usd: Decimal, *, which: out.Picks = out.everything) -> Exit:
    """A short option is in the money and has less time value than ``extrinsic_usd``, or a day to live.

    extrinsic_usd  dollars a share at an index of 5,500 (SPY at 550), scaled with the underlying

    Upcoming dividends are not asked: no source has their dates (ruling 19).
    """

    def why(view: View, own: Own, held: Held, chosen: Sequence[Component]) -> str | None:
        shorts = (option for one in chosen for option in out.shorts(one))
        return next((said for option in shorts if (said := _said(view, option, extrinsic_usd))), None)

    return out.leave(trigger, Urgency.RULE, why, guardian=True, which=which)


def _said(view: View, option: Option, extrinsic_usd: Decimal) -> str | None:
    price = underlying(view, option.product, option.expiry)
    if price is None:
        return None
    intrinsic = option.intrinsic(Decimal(repr(price)))
    if intrinsic <= 0:
        return None
    if dte(view.today, option.expiry) <= LAST_DAYS:
        return f"{option} is {intrinsic:.2f} in the money in its last days"
    (quote,) = view.quotes([option])
    if quote is None or quote.mid is None:
        return None
    least = stated_points(extrinsic_usd * SHARES, price)
    if float(quote.mid - intrinsic) >= least:
        return None
    return f"{option} is in the money with {quote.mid - intrinsic:.2f} of time value, under {least:.2f}"
