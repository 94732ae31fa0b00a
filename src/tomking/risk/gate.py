"""The one gate: every limit is asked about every wish, and the least answer is the verdict.

1. The wish becomes a case: its chains and quotes, its mid, its margin and fees per unit.
2. Every limit answers how many units it permits; a limit that permits none is a breach.
3. The least of all, and of the wish's own ceiling, is multiplied by drawdown, VIX and ramp and
   rounded down.  Less than one unit is a refusal: nothing is ever rounded up.
4. A cap, such as the roll-out's one unit at a time, bounds what that leaves.

Limits never see a close: exits are not judged.
"""

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal

import numpy as np

from tomking.domain.book import Book, Position
from tomking.domain.chain import Quote
from tomking.domain.contract import Option
from tomking.domain.fees import round_trip
from tomking.domain.intent import Approved, Breach, Open, Refused, Verdict
from tomking.domain.money import ZERO
from tomking.domain.products import PRODUCTS
from tomking.domain.structure import Leg, Structure
from tomking.risk.account import Account
from tomking.risk.availability import PLACES, Place
from tomking.risk.case import Allowance, Case, Limit
from tomking.risk.limits_breakers import BREAKER_LIMITS
from tomking.risk.limits_capital import CAPITAL_LIMITS
from tomking.risk.limits_contracts import CONTRACT_LIMITS
from tomking.risk.limits_coordinator import COORDINATOR_LIMITS
from tomking.risk.limits_correlation import CORRELATION_LIMITS
from tomking.risk.limits_count import COUNT_LIMITS
from tomking.risk.limits_data import DATA_LIMITS
from tomking.risk.limits_events import EVENT_LIMITS
from tomking.risk.limits_greeks import GREEKS_LIMITS
from tomking.risk.limits_held import HELD_LIMITS
from tomking.risk.limits_state import STATE_LIMITS
from tomking.risk.limits_stress import STRESS_LIMITS
from tomking.risk.margin import Held, fallback, margin
from tomking.risk.rollout import ROLLOUT_LIMITS
from tomking.risk.settings import Settings
from tomking.risk.sizes import shrink
from tomking.risk.valuation import holdings, received_for
from tomking.view import View

__all__ = ["LIMITS", "Allowance", "Case", "Limit", "case_of", "judge"]

LIMITS: tuple[Limit, ...] = (
    *ROLLOUT_LIMITS,
    *BREAKER_LIMITS,
    *STATE_LIMITS,
    *DATA_LIMITS,
    *EVENT_LIMITS,
    *CONTRACT_LIMITS,
    *COUNT_LIMITS,
    *CORRELATION_LIMITS,
    *HELD_LIMITS,
    *CAPITAL_LIMITS,
    *STRESS_LIMITS,
    *GREEKS_LIMITS,
    *COORDINATOR_LIMITS,
)
"""In the order of authority (C.0, B.0): the first breach names a refusal."""


def judge(  # noqa: PLR0917
    wish: Open,
    book: Book,
    view: View,
    account: Account,
    settings: Settings,
    limits: Sequence[Limit] = LIMITS,
    places: Mapping[str, Place] = PLACES,
    said: Collection[str] = (),
) -> Verdict:
    """How many units of ``wish`` may be opened, or every reason why none may.

    said  codes of which a refusal needs no more than its name: the first breach, if it has one of these, is
          the whole answer
    """
    assert wish.ceiling >= 1, f"{wish.strategy} {wish.entry} wishes {wish.ceiling} units"
    case = case_of(wish, book, view, account, settings, places)
    answers: list[tuple[Limit, Allowance]] = []
    breaches: list[Breach] = []
    for limit in limits:
        answer = limit.check(case)
        answers.append((limit, answer))
        if answer.units == 0:
            breaches.append(Breach(limit.code, limit.name, answer.detail))
            if breaches[0].code in said:
                break
    if breaches:
        return Refused(wish, tuple(breaches))
    units, binding = _least(wish, [one for one in answers if not one[1].is_cap])
    factor, why = (Decimal(1), "") if _adds_no_risk(case) else shrink(case)
    allowed, also = int(units * factor), f" ({why})" if why else ""
    if allowed < 1:
        detail = f"{units} units x {factor:.2f} for drawdown, VIX and ramp{also} is less than one"
        return Refused(wish, (Breach("SIZE", "size multiplier", f"{detail} ({binding})"),))
    if factor < 1:
        binding += f"; {units} units x {factor:.2f} for drawdown, VIX and ramp{also}"
    for limit, answer in answers:
        if answer.is_cap and answer.units is not None and answer.units < allowed:
            allowed, binding = answer.units, f"{limit.name}: {answer.detail}"
    warnings = tuple(f"{limit.name}: {answer.warning}" for limit, answer in answers if answer.warning)
    return Approved(wish, allowed, binding, warnings, max(ZERO, case.margin) * allowed)


def _adds_no_risk(case: Case) -> bool:
    """What is only bought is a hedge (C.1: closing and hedging go on), and what its position's margin covers
    whole is no new short premium: neither is shrunk to nothing by drawdown and VIX.
    """
    return not case.wish.structure.has_short_leg or (case.wish.joins is not None and case.margin <= 0)


def _least(wish: Open, answers: Sequence[tuple[Limit, Allowance]]) -> tuple[int, str]:
    units, binding = wish.ceiling, f"the strategy's own ceiling of {wish.ceiling}"
    for limit, answer in answers:
        if answer.units is not None and answer.units < units:
            units, binding = answer.units, f"{limit.name}: {answer.detail}"
    return units, binding


def case_of(  # noqa: PLR0917
    wish: Open,
    book: Book,
    view: View,
    account: Account,
    settings: Settings,
    places: Mapping[str, Place] = PLACES,
) -> Case:
    """The wish with its chains, quotes, net prices, margin and fees per unit."""
    structure = wish.structure
    quotes = tuple(view.quotes(structure.contracts))
    mid = _net(structure, [None if quote is None else quote.mid for quote in quotes])
    natural = _net(structure, [_crossed(leg, q) for leg, q in zip(structure.legs, quotes, strict=True)])
    joined = None if wish.joins is None else book.positions.get(wish.joins)
    if joined is None:
        need = _margin(structure, quotes, mid, view, settings)
    else:
        need = _margin_beside(joined, wish, mid, view, settings)
    fees = round_trip(structure)
    expiries = {contract.expiry for contract in structure.contracts if isinstance(contract, Option)}
    chains = {expiry: view.chain(structure.product, expiry) for expiry in sorted(expiries)}
    return Case(
        wish=wish,
        book=book,
        view=view,
        account=account,
        settings=settings,
        quotes=quotes,
        chains=chains,
        mid=mid,
        natural=natural,
        margin=need,
        fees=fees,
        places=places,
    )


def _net(structure: Structure, prices: Sequence[Decimal | None]) -> Decimal | None:
    known = [price for price in prices if price is not None]
    return structure.net(known) if len(known) == len(prices) else None


def _crossed(leg: Leg, quote: Quote | None) -> Decimal | None:
    if quote is None:
        return None
    return quote.bid if leg.is_short else quote.ask


def _margin_beside(
    position: Position, wish: Open, mid: Decimal | None, view: View, settings: Settings
) -> Decimal:
    """Dollars a unit by which what joins changes its position's margin; below 0 where that covers it."""
    spot, held = view.spot(position.family), holdings(position.open_components)
    added = [Held(leg.contract, leg.ratio * wish.ceiling) for leg in wish.structure.legs]
    if mid is None or not held:
        return fallback(added, spot, settings) / wish.ceiling
    size = position.open_components[0].structure.multiplier
    before = received_for(position.open_components)
    after = before + mid * wish.ceiling * (wish.structure.multiplier / size)
    mids = view.market.marks([one.contract for one in (*held, *added)], view.now)
    alone = margin(held, mids[: len(held)], float(before), spot, view.vix, settings)
    together = margin([*held, *added], mids, float(after), spot, view.vix, settings)
    if alone is None or together is None:
        return fallback(added, spot, settings) / wish.ceiling
    return (together - alone) / wish.ceiling


def _margin(
    structure: Structure, quotes: Sequence[Quote | None], mid: Decimal | None, view: View, settings: Settings
) -> Decimal:
    legs = [Held(leg.contract, leg.ratio) for leg in structure.legs]
    spot = view.spot(PRODUCTS[structure.product].family)
    if mid is None:
        return fallback(legs, spot, settings)
    mids = np.array([float(quote.mid) if quote and quote.mid is not None else np.nan for quote in quotes])
    need = margin(legs, mids, float(mid), spot, view.vix, settings)
    return fallback(legs, spot, settings) if need is None else need
