"""The Greeks of a structure, and what it could be worth when its nearest expiry comes."""

from dataclasses import dataclass
from datetime import date

from tomking.domain.chain import Chain
from tomking.domain.contract import Option
from tomking.domain.structure import Leg, Structure
from tomking.pricing.black import black, black_price
from tomking.rules.select import row_of
from tomking.view import View

DAYS_A_YEAR = 292.0
"""Calendar days in a year of the variance clock that chains count by (pricing.black)."""


@dataclass(frozen=True, slots=True)
class Greeks:
    """Points per unit of the structure, as held."""

    delta: float
    """Per point of the forward."""
    gamma: float
    theta: float
    """Per calendar day."""
    vega: float
    """Per point of volatility (0.01), all expiries alike."""


def greeks_of(view: View, structure: Structure) -> Greeks | None:
    """By Black on each leg's own volatility; None where a leg is not listed or has none."""
    delta = gamma = theta = vega = 0.0
    for leg in structure.legs:
        terms = _terms(view, leg.contract)
        if terms is None:
            return None
        chain, option, vol = terms
        one = black(
            forward=chain.forward,
            strike=float(option.strike),
            years=chain.years,
            vol=vol,
            discount=chain.discount,
            right=int(option.right),
        ).reported(DAYS_A_YEAR)
        delta += leg.ratio * float(one.delta)
        gamma += leg.ratio * float(one.gamma)
        theta += leg.ratio * float(one.theta)
        vega += leg.ratio * float(one.vega)
    return Greeks(delta, gamma, theta, vega)


def best_at_front_expiry(view: View, structure: Structure) -> float | None:
    """The most one unit can be worth when its nearest expiry comes, points; None where a leg is unknown.

    With the underlying at one of the expiring strikes, and every later leg at today's volatility and at
    today's ratio of its forward to the near one.
    """
    near = min(leg.contract.expiry for leg in structure.legs)
    chain = view.chain(structure.product, near)
    if chain is None:
        return None
    worths = []
    for leg in structure.legs:
        if leg.contract.expiry == near and isinstance(leg.contract, Option):
            at = float(leg.contract.strike)
            parts = [_worth(view, one, near, chain, at) for one in structure.legs]
            known = [part for part in parts if part is not None]
            if len(known) < len(parts):
                return None
            worths.append(sum(known))
    return max(worths, default=None)


def _worth(view: View, leg: Leg, near: date, front: Chain, at: float) -> float | None:
    """One leg with the underlying ``at`` points on ``near``."""
    terms = _terms(view, leg.contract)
    if terms is None:
        return None
    chain, option, vol = terms
    if option.expiry == near:
        return leg.ratio * max(0.0, (at - float(option.strike)) * int(option.right))
    return leg.ratio * black_price(
        at * chain.forward / front.forward,
        float(option.strike),
        chain.years - front.years,
        vol,
        chain.discount / front.discount,
        float(int(option.right)),
    )


def _terms(view: View, contract: object) -> tuple[Chain, Option, float] | None:
    """Its chain, itself, and its volatility on the chain's clock."""
    chain = view.chain(contract.product, contract.expiry) if isinstance(contract, Option) else None
    row = None if chain is None or not isinstance(contract, Option) else row_of(chain, contract)
    if chain is None or row is None or not isinstance(contract, Option) or not chain.iv[row] > 0:
        return None
    return chain, contract, float(chain.iv[row])
