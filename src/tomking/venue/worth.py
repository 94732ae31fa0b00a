"""What positions are worth and ask for at an instant: mids, margin, the account's balances in dollars."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import numpy as np

from tomking.adapters.tastytrade.symbols import underlying
from tomking.domain.calendar import Sessions, new_york
from tomking.domain.contract import Contract
from tomking.domain.money import ZERO, cents
from tomking.domain.products import PRODUCTS
from tomking.execution.wire import Execution
from tomking.ports import MarketData
from tomking.risk.margin import Held, fallback, margin
from tomking.risk.settings import Settings
from tomking.venue.accounts import Valuation


@dataclass(frozen=True, slots=True)
class Worth:
    """One instant's prices, for whatever is held."""

    market: MarketData
    sessions: Sessions
    settings: Settings
    now: datetime

    @property
    def priced_at(self) -> datetime:
        """Now, or the last close while nothing is known of today: what is held overnight keeps its worth."""
        if self.market.spot("SPX", self.now) is not None:
            return self.now
        before = self.sessions.before(new_york(self.now).date())
        return self.now if before is None else before.close

    def valuation(self, counts: Mapping[Contract, int], cash: Decimal) -> Valuation:
        """Of so many contracts and so much cash."""
        marks = self.marks(counts)
        worth = [cents(n * marks.get(c, ZERO) * c.multiplier) for c, n in counts.items()]
        return Valuation(
            cash=cents(cash),
            long_options=sum((w for w in worth if w > 0), ZERO),
            short_options=-sum((w for w in worth if w < 0), ZERO),
            margin=sum(self._margins(counts, marks).values(), ZERO),
        )

    def marks(self, contracts: Mapping[Contract, int]) -> dict[Contract, Decimal]:
        """Mids in points; missing where nobody quotes."""
        wanted = tuple(contracts)
        mids = self.market.marks(wanted, self.priced_at) if wanted else np.zeros(0)
        found = zip(wanted, mids.tolist(), strict=True)
        return {c: Decimal(str(round(mid, 4))) for c, mid in found if not np.isnan(mid)}

    def by_underlying(self, counts: Mapping[Contract, int]) -> dict[str, Decimal]:
        """Margin by what the API calls the underlying, dollars >= 0."""
        total: dict[str, Decimal] = {}
        for product, need in self._margins(counts, self.marks(counts)).items():
            total[underlying(product)] = total.get(underlying(product), ZERO) + need
        return total

    def _margins(
        self, counts: Mapping[Contract, int], marks: Mapping[Contract, Decimal]
    ) -> dict[str, Decimal]:
        """The requirement of each product by itself."""
        by_product: dict[str, list[Held]] = {}
        for contract, count in counts.items():
            if count:
                by_product.setdefault(contract.product, []).append(Held(contract, count))
        vix = self.market.vix(self.priced_at)
        needs: dict[str, Decimal] = {}
        for product, legs in by_product.items():
            spot = self.market.spot(PRODUCTS[product].family, self.priced_at)
            mids = np.array([float(marks.get(one.contract, Decimal("NaN"))) for one in legs])
            need = margin(legs, mids, 0.0, spot, vix and vix[0], self.settings)
            needs[product] = need if need is not None else fallback(legs, spot, self.settings)
        return needs


def costs(executions: Iterable[Execution]) -> dict[Contract, Decimal]:
    """Average opening prices of what these leave open, points."""
    bought: dict[Contract, tuple[int, Decimal]] = {}
    for one in executions:
        count, cost = bought.get(one.contract, (0, ZERO))
        after = count + one.quantity
        if count * one.quantity >= 0:
            cost = (cost * abs(count) + one.price * abs(one.quantity)) / abs(after)
        bought[one.contract] = (after, cost if after else ZERO)
    return {contract: cost for contract, (count, cost) in bought.items() if count}
