"""Building the short box, and what it costs to borrow by it."""

from dataclasses import dataclass
from decimal import Decimal

from tomking.domain.calendar import dte
from tomking.domain.chain import Chain
from tomking.domain.contract import Right
from tomking.domain.intent import Open, Part, Pass
from tomking.domain.money import ZERO, on_grid_above
from tomking.domain.structure import Leg, Structure
from tomking.rules import ledger, select
from tomking.rules.entry import known
from tomking.rules.strategy import Wish
from tomking.strategies.box_financing.settings import Settings
from tomking.view import Own, View

ENTRY = "box"
PRODUCT = "SPX"
"""European and settled in cash; never SPY, whose short legs may be assigned early (B.11)."""
YEAR = 365


@dataclass(frozen=True, slots=True)
class Rates:
    """Simple rates a year, 0.05 = 5 %."""

    box: float
    compounded: float
    """The box's once more, with interest on interest."""
    treasury: float
    margin: float
    most: float
    """The highest at which one is sold."""
    said: str
    """Where the Treasury rate comes from."""

    def __str__(self) -> str:
        return (
            f"financing at {self.box:.2%} simple, {self.compounded:.2%} compounded; Treasury "
            f"{self.treasury:.2%} ({self.said}), margin {self.margin:.2%}, limit {self.most:.2%}"
        )


def wish(settings: Settings, view: View, own: Own) -> Wish:
    """One short box a Wednesday, where it is cheap; its rate in any case."""
    expiry = select.expiry_near(
        view.expiries(PRODUCT), view.today, settings.dte_min, low=settings.dte_min, high=settings.dte_max
    )
    chain = None if expiry is None else view.chain(PRODUCT, expiry)
    if expiry is None or chain is None:
        said = f"no {PRODUCT} expiry of {settings.dte_min} to {settings.dte_max} DTE"
        return Pass(own.strategy, ENTRY, "STRUCT", said)
    left = _left(settings, own)
    part = _box(settings, view, chain, left / chain.multiplier)
    quote = None if part is None else select.priced(view, part.structure)
    if part is None or quote is None:
        said = f"{expiry}: no box wide enough of four quoted strikes for the ${left:,.0f} left to borrow"
        return Pass(own.strategy, ENTRY, "STRUCT", said)
    width, days = _width(part), dte(view.today, expiry)
    if not 0 < quote.mid < width:
        return Pass(own.strategy, ENTRY, "PRICE", f"{expiry}: the box brings {quote.mid:.2f} of {width}")
    rates = rates_of(settings, chain, width, quote.mid, days)
    if rates.box > rates.most:
        return Pass(own.strategy, ENTRY, "PRICE", f"{expiry}: {rates}")
    return _open(own, part, quote.mid, rates, days, left)


def _left(settings: Settings, own: Own) -> Decimal:
    """Dollars that may still be borrowed: a share of net liq less what the boxes held have brought."""
    brought = sum((-ledger.paid(position) for position in own.positions), ZERO)
    return max(ZERO, settings.proceeds_share_max * own.net_liq - brought)


def _box(settings: Settings, view: View, chain: Chain, points: Decimal) -> Part | None:
    """Call spread and put spread sold around the index: it pays the width, whatever happens.

    As wide as wished, or as the ``points`` that may be borrowed allow.
    """
    spot = known(view.spot())
    width = min(select.scaled(settings.width_points, spot, PRODUCT), float(points))
    if width < select.scaled(settings.width_points_min, spot, PRODUCT):
        return None
    low = select.nearest_strike(chain, Right.CALL, select.level(spot, PRODUCT) - width / 2)
    high = None if low is None else select.wing_within(chain, low, width)
    if low is None or high is None:
        return None
    low_put = select.nearest_strike(chain, Right.PUT, float(low.strike), miss=1e-9)
    high_put = select.nearest_strike(chain, Right.PUT, float(high.strike), miss=1e-9)
    if low_put is None or high_put is None:
        return None
    legs = (Leg(low, -1), Leg(high, +1), Leg(high_put, -1), Leg(low_put, +1))
    return Part("box", Structure("short box", legs))


def _width(part: Part) -> Decimal:
    low, high = part.structure.contracts[:2]
    return select.strikes_apart(low, high)


def rates_of(settings: Settings, chain: Chain, width: Decimal, price: Decimal, days: int) -> Rates:
    """What it costs to receive ``price`` now and pay ``width`` in ``days``, beside its alternatives."""
    treasury, said = settings.treasury_rate, "as set"
    if treasury is None:
        treasury, said = (1 / chain.discount - 1) * YEAR / days, "the chain's own discount"
    margin = settings.margin_rate
    if margin is None:
        margin = treasury + settings.margin_over_treasury
    growth = float(width / price)
    return Rates(
        box=(growth - 1) * YEAR / days,
        compounded=growth ** (YEAR / days) - 1,
        treasury=treasury,
        margin=margin,
        most=min(margin - settings.under_margin_min, treasury + settings.over_treasury_max),
        said=said,
    )


def _open(  # noqa: PLR0917 - what was worked out
    own: Own, part: Part, price: Decimal, rates: Rates, days: int, left: Decimal
) -> Open:
    """A box is no wider than what is left, and brings less than its width: there is one unit at least."""
    structure, width = part.structure, _width(part)
    years = Decimal(days) / YEAR
    saved = Decimal(repr(rates.margin - rates.box)) * price * years
    return Open(
        strategy=own.strategy,
        entry=ENTRY,
        parts=(part,),
        ceiling=int(left / (price * structure.multiplier)),
        planned_loss=width - price,
        target_gain=saved,
        least_net=on_grid_above(width / (1 + Decimal(repr(rates.most)) * years), structure.tick),
        reason=str(rates),
    )
