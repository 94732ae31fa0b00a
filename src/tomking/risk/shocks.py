"""The shocks of C.7, and what each does to each leg.

Equities move with the index by their beta, and their volatility by the VIX's rise, damped for long
lives.  VIX futures take a share of that rise.  Every other product stands still under an equity shock; it
has its own move (PROD), alone or, by its group's crisis weight, together with the equities (CRISIS).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product as every

import numpy as np
from numpy.typing import NDArray

from tomking.domain.product import Kind
from tomking.domain.products import PRODUCTS
from tomking.pricing.clock import CALENDAR_YEAR
from tomking.risk.exposure import Exposure
from tomking.risk.settings import Settings

Floats = NDArray[np.float64]

EQUITY_GROUPS = frozenset({"A1", "A2"})
VIX_GROUP = "V"
CRISIS_GROUPS = ("B1", "B2", "C1", "C2", "D1", "D2", "E")
RATES = frozenset({"ZB", "ZN", "TLT"})
LEAST_LEFT = 0.01
"""Of a level, whatever moves it."""
S5, S10, S20 = "S-5", "S-10", "S-20"
PRODUCT_SHOCKS = ("PROD+", "PROD-")
VOL = "VOL+"


@dataclass(frozen=True, slots=True)
class Shock:
    """One scenario; what is left out stands still."""

    name: str
    move: float = 0.0
    """Of the index: -0.06 is 6 % down."""
    vix: float = 0.0
    """Points added to the VIX."""
    vols: float = 0.0
    """Relative rise of every implied volatility."""
    others: float = 0.0
    """Times the PROD move of each other product."""
    crisis: bool = False
    """Other products fall by their group's weight of their PROD move."""
    days: int = 0
    """Calendar days ahead."""


def shock_table(vix: float, settings: Settings) -> tuple[Shock, ...]:
    """C.7 at this VIX."""
    to_10 = max(settings.shock_10_vix - vix, settings.shock_10_vix_points)
    to_20 = max(settings.shock_20_vix - vix, settings.shock_20_vix_points)
    return (
        Shock(S5, settings.shock_5_move, settings.shock_5_vix_points),
        Shock(S10, -0.10, to_10),
        Shock(S20, -0.20, to_20),
        Shock("S+5", 0.05, settings.shock_up_vix_share * vix),
        Shock("PROD+", others=1.0),
        Shock("PROD-", others=-1.0),
        Shock(VOL, vols=settings.shock_vol_share),
        Shock("CRISIS", -0.10, to_10, crisis=True),
    )


def grid(settings: Settings, days: Sequence[int] | None = None) -> tuple[Shock, ...]:
    """Every cell of the spot x volatility x time grid: days outermost, then moves, then VIX points."""
    ahead = settings.grid_days if days is None else days
    return _grid(tuple(ahead), settings.grid_moves, settings.grid_vix_points)


@lru_cache(maxsize=8)
def _grid(
    ahead: tuple[int, ...], moves: tuple[float, ...], vix_points: tuple[float, ...]
) -> tuple[Shock, ...]:
    return tuple(Shock("", move, points, days=day) for day, move, points in every(ahead, moves, vix_points))


@dataclass(frozen=True, slots=True, eq=False)
class Moves:
    """Columns of shape (n, s) as ``revalue.revalue_into`` takes them."""

    move: Floats
    shift: Floats
    scale: Floats
    left: Floats

    @property
    def columns(self) -> tuple[Floats, Floats, Floats, Floats]:
        return self.move, self.shift, self.scale, self.left


def moves_of(book: Exposure, shocks: Sequence[Shock], settings: Settings) -> Moves:
    """What each shock does to each leg."""
    if not book.lines:
        none = np.zeros((0, len(shocks)))
        return Moves(none, none, none, none)
    places = [_place(line.contract.product, settings) for line in book.lines]
    beta, is_vix, own, weight = (np.array(column)[:, None] for column in zip(*places, strict=True))
    move, vix, vols, others, crisis, ahead = np.array(
        [(s.move, s.vix, s.vols, s.others, float(s.crisis), s.days) for s in shocks]
    ).T
    left_days = np.maximum(0.0, book.days[:, None] - ahead)
    left = np.where(ahead == 0, 1.0, left_days / np.maximum(book.days, 1.0)[:, None])
    damped = np.sqrt(np.minimum(1.0, settings.shock_damping_days / np.maximum(left_days, 1.0)))
    # The VIX is a volatility of calendar years; the chains' are of the variance clock's, which are shorter.
    shift = (beta > 0) * vix * damped / (100 * CALENDAR_YEAR**0.5)
    future = settings.vix_future_days / (settings.vix_future_days + left_days)
    factor = 1 + beta * move + own * (others - crisis * weight) + is_vix * vix * future / book.legs[:, :1]
    disturbed = (own > 0) & ((others != 0) | (crisis > 0))
    scale = 1 + np.where(disturbed, settings.shock_vol_share, vols)
    return Moves(np.maximum(factor, LEAST_LEFT), shift, scale, left)


def _place(key: str, settings: Settings) -> tuple[float, float, float, float]:
    """Beta to the index, 1 for the VIX's products, own PROD move, crisis weight."""
    group = PRODUCTS[key].group
    if group in EQUITY_GROUPS:
        return index_beta(key, settings), 0.0, 0.0, 0.0
    if group == VIX_GROUP:
        return 0.0, 1.0, 0.0, 0.0
    weights = dict(zip(CRISIS_GROUPS, settings.crisis_weights, strict=True))
    return 0.0, 0.0, own_move(key, settings), weights.get(group, 0.0)


def index_beta(key: str, settings: Settings) -> float:
    """Move of an equity product per move of the index (C.6)."""
    row = PRODUCTS[key]
    if row.kind is Kind.STOCK:
        return settings.stock_beta
    return {"NDX": settings.ndx_beta, "RUT": settings.rut_beta}.get(row.family, 1.0)


def own_move(key: str, settings: Settings) -> float:
    """PROD: the move of a product that is no equity."""
    group = PRODUCTS[key].group
    if key in RATES:
        return settings.rates_move
    if group == "E":
        return settings.currency_move
    return settings.crude_move if group == "C1" else settings.product_move


def binding_shocks(group: str) -> Iterator[str]:
    """The shocks that a correlation group's cap is read from: what it would lose when it is hit itself."""
    yield from (S10,) if group in EQUITY_GROUPS | {VIX_GROUP} else PRODUCT_SHOCKS
