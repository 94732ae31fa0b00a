"""Strategies that trade often on one day's SPXW options: order traffic for the fault proxy."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from rel.traders import Trader
from tomking.domain.contract import Option, Right
from tomking.domain.intent import Intent, Open, Part, Target
from tomking.domain.products import PRODUCTS
from tomking.domain.structure import Leg, Structure
from tomking.risk.availability import Place
from tomking.risk.settings import Settings
from tomking.view import Own, View

PRODUCT = "SPXW"
GRID = 10
ODD = 5
"""Strikes of the condor lie between those of the others: of a contract that one is short of and another long
the account holds nothing, and there is nothing to close.
"""
LAST_ENTRY = 350
"""Minutes after the open."""


def structure(name: str, day: date, *legs: tuple[int, Right, float], off: int = 0) -> Structure:
    listed = PRODUCTS[PRODUCT]

    def option(right: Right, strike: float) -> Option:
        near = Decimal(GRID * round((strike - off) / GRID) + off)
        return Option(PRODUCT, day, right, near, listed.multiplier, listed.tick)

    return Structure(name, tuple(Leg(option(right, strike), ratio) for ratio, right, strike in legs))


def condor(day: date, level: float) -> tuple[Part, ...]:
    puts = structure("puts", day, (-1, Right.PUT, level - 20), (1, Right.PUT, level - 50), off=ODD)
    calls = structure("calls", day, (-1, Right.CALL, level + 20), (1, Right.CALL, level + 50), off=ODD)
    return Part("puts", puts), Part("calls", calls)


def spread(day: date, level: float) -> tuple[Part, ...]:
    return (
        Part("spread", structure("spread", day, (-1, Right.PUT, level - 10), (1, Right.PUT, level - 30))),
    )


def calls(day: date, level: float) -> tuple[Part, ...]:
    return (
        Part("calls", structure("calls", day, (-1, Right.CALL, level + 10), (1, Right.CALL, level + 30))),
    )


@dataclass(frozen=True, slots=True)
class Daily(Trader):
    """A ``Trader`` on the options that end today."""

    today: Callable[[date, float], tuple[Part, ...]] = condor
    entries: tuple[()] = ()
    """Nothing to look ahead to: quotes are waited for."""
    priority: int = 0

    def wish(self, view: View, own: Own, entry: str) -> tuple[Intent, ...]:
        level = view.spot()
        if level is None or own.orders:
            return ()
        parts = self.today(view.today, level)
        roles = tuple(part.role for part in parts)
        targets = () if self.keep is None else (Target(roles, self.keep),)
        return (
            Open(
                strategy=self.id,
                entry=entry,
                parts=parts,
                ceiling=self.units,
                planned_loss=self.stop,
                target_gain=Decimal(12),
                least_net=Decimal("0.20"),
                reason="it is time",
                targets=targets,
            ),
        )


def _at(first: int, every: int) -> tuple[int, ...]:
    return tuple(range(first, LAST_ENTRY, every))


def traders() -> tuple[Daily, ...]:
    """Three that enter again and again; one has a target that rests, cancelled when its time is over."""
    return (
        Daily("condor", rough, _at(5, 40), 15, Decimal(6), 2, keep=Decimal("0.5"), every=1, today=condor),
        Daily("spread", rough, _at(12, 35), 15, Decimal(8), 3, every=1, today=spread),
        Daily("calls", rough, _at(20, 45), 20, Decimal(8), 1, every=1, today=calls),
    )


def rough(_level: float) -> tuple[Part, ...]:
    """Never asked: what is built depends on the day."""
    return ()


def places() -> dict[str, Place]:
    """They may trade these options in every phase; their own ceilings bind."""
    most = (9,) * 5
    one = Place(
        (frozenset({PRODUCT}),) * 5,
        lambda _: most,
        high_priority=True,
        counts=False,
        budgeted=True,
        prior=(0.7, 0.5, 1000),
    )
    return {trader.id: one for trader in traders()}


def settings() -> Settings:
    """As shipped but for what counts entries, and for what days of many small losses would stop."""
    return replace(
        Settings(),
        phase_gating="value",
        entry_spacing_minutes=0,
        entries_a_day_max=(99,) * 5,
        positions_max=(20,) * 5,
        same_expiry_max=9,
        expiry_week_max=99,
        losing_closes_max=999,
        losses_breaker=(999,) * 5,
        spx_strategies_max=9,
        equity_positions_max=Decimal(3),
        group_max=(Decimal(3),) * 9,
    )
