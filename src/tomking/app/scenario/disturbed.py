"""A market that fails now and then: stale or missing VIX, no quotes, wide or one-sided ones, halts."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from tomking.domain.bars import Bars
from tomking.domain.chain import Chain, Quote
from tomking.domain.contract import Contract
from tomking.ports import MarketData

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with the market from ``since`` until before ``until``."""

    kind: str
    """``silent`` (no quote, chain or mark: a halt or an outage), ``empty`` (no chain), ``unlisted`` (no
    expiry), ``one-sided`` (no bid), ``wide`` (spreads times ``size``), ``no-greeks``, ``vix-stale`` (the
    print of ``since``), ``no-vix``, ``vix`` (is ``size``), ``level`` (times ``size``, which may be NaN)."""
    since: datetime
    until: datetime
    size: float = 0.0


@dataclass(slots=True, eq=False)
class Disturbed:
    """The ``MarketData`` port over another, with faults."""

    market: MarketData
    faults: tuple[Fault, ...]

    @property
    def grid_minutes(self) -> int:
        return self.market.grid_minutes

    @property
    def notes(self) -> tuple[str, ...]:
        return self.market.notes

    def spot(self, family: str, now: datetime) -> float | None:
        found, fault = self.market.spot(family, now), self._on(now, "level")
        return found if found is None or fault is None else found * fault.size

    def vix(self, now: datetime) -> tuple[float, datetime] | None:
        fault = self._on(now, "vix-stale", "no-vix", "vix")
        if fault is None:
            return self.market.vix(now)
        if fault.kind == "vix":
            return fault.size, now
        return None if fault.kind == "no-vix" else self.market.vix(fault.since)

    def expiries(self, product: str, now: datetime) -> tuple[date, ...]:
        return () if self._on(now, "unlisted") else self.market.expiries(product, now)

    def chain(self, product: str, expiry: date, now: datetime) -> Chain | None:
        if self._on(now, "silent", "empty", "unlisted"):
            return None
        chain = self.market.chain(product, expiry, now)
        fault = self._on(now, "one-sided", "wide", "no-greeks")
        return chain if chain is None or fault is None else _spoiled(chain, fault)

    def forward(self, product: str, expiry: date, now: datetime) -> float | None:
        gone = self._on(now, "silent", "empty", "unlisted")
        return None if gone else self.market.forward(product, expiry, now)

    def quotes(self, contracts: Sequence[Contract], now: datetime) -> list[Quote | None]:
        if self._on(now, "silent"):
            return [None] * len(contracts)
        quotes = self.market.quotes(contracts, now)
        fault = self._on(now, "one-sided", "wide")
        if fault is None:
            return quotes
        return [
            None if quote is None else _spoiled_quote(quote, contract.tick, fault)
            for contract, quote in zip(contracts, quotes, strict=True)
        ]

    def marks(self, contracts: Sequence[Contract], now: datetime) -> Floats:
        if self._on(now, "silent"):
            return np.full(len(contracts), np.nan)
        return self.market.marks(contracts, now)

    def bars(self, family: str, now: datetime) -> Bars:
        return self.market.bars(family, now)

    def settlement(self, contract: Contract, now: datetime) -> float | None:
        return self.market.settlement(contract, now)

    def is_silent(self, now: datetime) -> bool:
        """Whether nothing trades now."""
        return self._on(now, "silent") is not None

    def _on(self, now: datetime, *kinds: str) -> Fault | None:
        for fault in self.faults:
            if fault.since <= now < fault.until and fault.kind in kinds:
                return fault
        return None


def _spoiled(chain: Chain, fault: Fault) -> Chain:
    if fault.kind == "no-greeks":
        nothing = np.full(len(chain.strike), np.nan)
        return replace(chain, iv=nothing, delta=nothing.copy())
    if fault.kind == "one-sided":
        return replace(chain, bid=np.zeros_like(chain.bid))
    extra = np.rint((chain.ask - chain.bid) * (fault.size - 1) / 2).astype(np.int64)
    return replace(chain, bid=np.maximum(chain.bid - extra, 0), ask=chain.ask + extra)


def _spoiled_quote(quote: Quote, tick: Decimal, fault: Fault) -> Quote:
    if fault.kind == "one-sided" or quote.bid is None or quote.ask is None:
        return replace(quote, bid=Decimal(0))
    counts = round(float((quote.ask - quote.bid) / tick) * (fault.size - 1) / 2)
    return replace(quote, bid=max(Decimal(0), quote.bid - counts * tick), ask=quote.ask + counts * tick)
