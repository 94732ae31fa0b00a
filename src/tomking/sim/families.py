"""The model market of all families as one: SPX's as ever, others beside it, made when first asked for.

A family draws from its own stream of random numbers and reads its own history, so that what is asked of one
changes no price of another.  A family that has no model here answers as one without data.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
from numpy.typing import NDArray

from tomking.domain.bars import Bars
from tomking.domain.chain import Chain, Quote
from tomking.domain.contract import Contract, Option
from tomking.domain.products import PRODUCTS, Settlement
from tomking.sim.american import Floor, chain_at_intrinsic, quote_at_intrinsic
from tomking.sim.family import FamilyMarket
from tomking.sim.market import FAMILY, VIX, ModelMarket

Floats = NDArray[np.float64]

SHARES_NOTE = (
    "Options on SPY are priced as European, never below intrinsic value: a one-year put at the money is 1 % "
    "too cheap at rates of 2 %, 6 % at 5 % and 14 % at 8 %.  SPY is a tenth of the index, its dividends "
    "accrue evenly, and a sold option is assigned on the first close at which exercise is rational."
)
PLANS_KEPT = 64
SHARES = "shares"
"""Among what was asked for: options on SPY."""


@dataclass(frozen=True, slots=True, eq=False)
class _Plan:
    """Which of some contracts are whose."""

    index: list[int] | None
    """Rows of the SPX family; None when all are."""
    plain: tuple[Contract, ...]
    """Their contracts, where not all are."""
    others: list[tuple[int, FamilyMarket]]
    floor: Floor | None


class Families:
    """The ``MarketData`` port over the model market and other families."""

    def __init__(self, index: ModelMarket, others: Mapping[str, Callable[[], FamilyMarket]]) -> None:
        """others: by family, how to make it."""
        self.index = index
        self.grid_minutes = index.grid_minutes
        self._makers = others
        self._made: dict[str, FamilyMarket] = {}
        self._shares = False
        self._plans: dict[int, tuple[Sequence[Contract], _Plan | None]] = {}
        self._columns: dict[int, tuple[Sequence[Contract], tuple[int, int] | None, Floats]] = {}
        self._floored: dict[tuple[str, date], tuple[Chain, float, Chain]] = {}
        self._plain = {
            p.key for p in PRODUCTS.values() if p.family == FAMILY and p.settlement is not Settlement.SHARES
        }

    @property
    def notes(self) -> tuple[str, ...]:
        """Those of the index, and of every other family that was asked for anything."""
        others = (self._made[key].spec.note for key in sorted(self._made))
        return (*self.index.notes, *((SHARES_NOTE,) if self._shares else ()), *others)

    @property
    def asked(self) -> frozenset[str]:
        """What ``notes`` speaks of beside the index: other families, and SPY's where its shares count."""
        return frozenset(self._made) | ({SHARES} if self._shares else frozenset())

    def ask(self, families: Collection[str]) -> None:
        """As if these (``asked`` of another market) had been asked for here, too."""
        self._shares = self._shares or SHARES in families
        for family in families:
            self._of(family)

    def spot(self, family: str, now: datetime) -> float | None:
        if family == FAMILY:
            return self.index.spot(family, now)
        other = self._of(family)
        return None if other is None else other.spot(now)

    def vix(self, now: datetime) -> tuple[float, datetime] | None:
        return self.index.vix(now)

    def expiries(self, product: str, now: datetime) -> tuple[date, ...]:
        family = PRODUCTS[product].family
        if family == FAMILY:
            return self.index.expiries(product, now)
        other = self._of(family)
        return () if other is None else other.expiries(product, now)

    def chain(self, product: str, expiry: date, now: datetime) -> Chain | None:
        row = PRODUCTS[product]
        if row.family != FAMILY:
            other = self._of(row.family)
            return None if other is None else other.chain(product, expiry, now)
        chain = self.index.chain(product, expiry, now)
        level = self.index.spot(FAMILY, now)
        if chain is None or level is None or row.settlement is not Settlement.SHARES:
            return chain
        self._shares = True
        known = self._floored.get((product, expiry))
        if known is None or known[0] is not chain or known[1] != level:
            if len(self._floored) >= PLANS_KEPT:
                self._floored.clear()
            known = (chain, level, chain_at_intrinsic(chain, level * _SHARES_RATIO))
            self._floored[product, expiry] = known
        return known[2]

    def forward(self, product: str, expiry: date, now: datetime) -> float | None:
        family = PRODUCTS[product].family
        if family == FAMILY:
            return self.index.forward(product, expiry, now)
        other = self._of(family)
        return None if other is None else other.forward(product, expiry, now)

    def quotes(self, contracts: Sequence[Contract], now: datetime) -> list[Quote | None]:
        if all(contract.product in self._plain for contract in contracts):
            return self.index.quotes(contracts, now)
        ours = [PRODUCTS[contract.product].family == FAMILY for contract in contracts]
        index = contracts if all(ours) else [one for one, our in zip(contracts, ours, strict=True) if our]
        of_index, level = iter(self.index.quotes(index, now)), self.index.spot(FAMILY, now)
        return [
            self._floored_quote(one, next(of_index), level) if our else self._quote(one, now)
            for one, our in zip(contracts, ours, strict=True)
        ]

    def marks(self, contracts: Sequence[Contract], now: datetime) -> Floats:
        """Of one tuple in one minute always the same column, which is not to be written to."""
        minute = self.index.minute_of(now)
        known = self._columns.get(id(contracts))
        if known is not None and known[1] == minute:
            return known[2]
        column = self._marks(contracts, now)
        column.setflags(write=False)
        if isinstance(contracts, tuple):
            if known is None and len(self._columns) >= PLANS_KEPT:
                self._columns.clear()
            # Kept beside its column, so that no other can come to have its identity.
            self._columns[id(contracts)] = (contracts, minute, column)
        return column

    def _marks(self, contracts: Sequence[Contract], now: datetime) -> Floats:
        plan = self._plan(contracts)
        if plan is None:
            return self.index.marks(contracts, now)
        if plan.index is None:
            out = self.index.marks(contracts, now)
        else:
            out = np.full(len(contracts), np.nan)
            out[plan.index] = self.index.marks(plan.plain, now)
        level = None if plan.floor is None else self.index.spot(FAMILY, now)
        if plan.floor is not None and level is not None:
            plan.floor.raise_marks(out, level * _SHARES_RATIO)
        for i, other in plan.others:
            out[i] = other.mark(contracts[i], now)
        return out

    def bars(self, family: str, now: datetime) -> Bars:
        if family in {FAMILY, VIX} or self._of(family) is None:
            return self.index.bars(family, now)
        return self._made[family].bars(now)

    def settlement(self, contract: Contract, now: datetime) -> float | None:
        family = PRODUCTS[contract.product].family
        if family == FAMILY:
            return self.index.settlement(contract, now)
        other = self._of(family)
        return None if other is None else other.settlement(contract, now)

    # -- whose ------------------------------------------------------------------------------

    def _of(self, family: str) -> FamilyMarket | None:
        """The market of another family, made now if it has not been."""
        if family not in self._made and family in self._makers:
            self._made[family] = self._makers[family]()
        return self._made.get(family)

    def _quote(self, contract: Contract, now: datetime) -> Quote | None:
        """Of a contract of another family."""
        other = self._of(PRODUCTS[contract.product].family)
        return None if other is None else other.quote(contract, now)

    def _floored_quote(self, contract: Contract, quote: Quote | None, level: float | None) -> Quote | None:
        if quote is None or level is None or not _is_share_option(contract):
            return quote
        self._shares = True
        assert isinstance(contract, Option)
        return quote_at_intrinsic(contract, quote, level * _SHARES_RATIO)

    def _plan(self, contracts: Sequence[Contract]) -> _Plan | None:
        """None when all are plain contracts of the SPX family.  Known by identity: the kernel and the broker
        ask for the same tuples minute after minute.
        """
        known = self._plans.get(id(contracts))
        if known is not None:
            return known[1]
        plan = self._make_plan(contracts)
        if isinstance(contracts, tuple):
            if len(self._plans) >= PLANS_KEPT:
                self._plans.clear()
            # Kept beside its plan, so that no other can come to have its identity.
            self._plans[id(contracts)] = (contracts, plan)
        return plan

    def _make_plan(self, contracts: Sequence[Contract]) -> _Plan | None:
        if all(contract.product in self._plain for contract in contracts):
            return None
        families = [PRODUCTS[contract.product].family for contract in contracts]
        index = [i for i, family in enumerate(families) if family == FAMILY]
        others = [
            (i, other)
            for i, family in enumerate(families)
            if family != FAMILY and (other := self._of(family)) is not None
        ]
        shares = [i for i in index if _is_share_option(contracts[i])]
        self._shares = self._shares or bool(shares)
        return _Plan(
            index=None if len(index) == len(contracts) else index,
            plain=tuple(contracts[i] for i in index),
            others=others,
            floor=Floor.of(contracts, shares) if shares else None,
        )


_SHARES_RATIO = float(PRODUCTS["SPY"].index_ratio)


def _is_share_option(contract: Contract) -> bool:
    return isinstance(contract, Option) and PRODUCTS[contract.product].settlement is Settlement.SHARES
