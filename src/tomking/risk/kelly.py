"""Quarter Kelly: whether a strategy's record, or its prior, has an edge at all (methodology C.3).

It answers yes or no; it never sizes (ruling 12).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from tomking.domain.record import Record
from tomking.risk.availability import PLACES, Place
from tomking.risk.settings import Settings


@dataclass(frozen=True, slots=True)
class Prior:
    """What is believed before enough trades were closed."""

    wins: float
    """Win rate, 0 to 1."""
    payoff: float
    """Average win / average loss, > 0."""
    sample: int
    """Closed trades from which the own record counts."""


def priors(settings: Settings, places: Mapping[str, Place] = PLACES) -> dict[str, Prior]:
    """By strategy.  One that is not here has no claim to trade on."""
    found = {id_: Prior(*place.prior) for id_, place in places.items() if place.prior}
    return found | {
        "friday_0dte": Prior(
            settings.zero_dte_prior_wins, settings.zero_dte_prior_payoff, settings.zero_dte_sample
        ),
        "lt112": Prior(settings.lt112_prior_wins, settings.lt112_prior_payoff, settings.lt112_sample),
    }


def kelly(wins: float, payoff: float) -> float:
    """``(p b - q) / b``: the share of wealth that grows fastest; negative without an edge.

    >>> round(kelly(0.73, 0.45), 3)
    0.13
    """
    return (wins * payoff - (1.0 - wins)) / payoff


def belief(record: Record, prior: Prior, settings: Settings) -> tuple[float, float]:
    """Win rate and payoff: the prior's below the sample, then the record's, shrunk towards it."""
    if record.trades < prior.sample:
        return prior.wins, prior.payoff
    weight = settings.kelly_prior_weight
    wins = (record.wins + weight * prior.wins) / (record.trades + weight)
    if not (record.wins and record.losses and record.won > 0 and record.lost > 0):
        return wins, prior.payoff
    return wins, float((record.won / record.wins) / (record.lost / record.losses))


def quarter_kelly(record: Record, prior: Prior, settings: Settings) -> Decimal:
    """Share of net liq, from 0 to the cap of 5 %; 0 means: no trade."""
    share = float(settings.kelly_factor) * kelly(*belief(record, prior, settings))
    return min(max(Decimal(0), Decimal(repr(round(share, 9)))), settings.kelly_share_max)
