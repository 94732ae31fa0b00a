"""Limits on what is believed: VIX, index, history, chains, quotes, the expiry (methodology C.11).

Point amounts are stated at the listed tick; on contracts scaled to an early year's index they
are scaled with the tick (ruling 1).
"""

from datetime import timedelta
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from tomking.domain.calendar import dte
from tomking.domain.chain import Chain, Quote
from tomking.domain.contract import Contract, Option, Right
from tomking.domain.products import PRODUCTS
from tomking.domain.structure import Leg
from tomking.risk.case import Allowance, Case, Limit, allowed, refused
from tomking.risk.readings import suspended_until, vix_fault
from tomking.risk.settings import Settings
from tomking.risk.tape import second_of, tape_of

VIX_FAMILY = "VIX"


def vix_fresh(case: Case) -> Allowance:
    """Missing is missing: no entry, never a default value."""
    fault = vix_fault(case.view, case.settings)
    return refused(fault) if fault else allowed()


def not_suspended(case: Case) -> Allowance:
    """Three bad readings in a row take a product out for ten minutes."""
    until = suspended_until(case.book, case.wish.product, case.settings)
    if until is None or case.view.now >= until:
        return allowed()
    bad = case.settings.bad_readings_max
    return refused(f"{case.wish.product} had {bad} bad readings in a row: until {until.isoformat()}")


def vix_jump_confirmed(case: Case) -> Allowance:
    """A VIX that has jumped by 40 % waits for the next reading to say the same (C.11)."""
    tape, vix = tape_of(case.book), case.view.vix
    if tape is None or vix is None or tape.day != case.view.today.isoformat():
        return allowed()
    earlier = [mark.vix for mark in tape.marks if mark.second < second_of(case.view.now)]
    if not earlier or not abs(vix / earlier[-1] - 1) > case.settings.vix_jump_share_max:
        return allowed()
    return refused(
        f"VIX {vix:.2f} after {earlier[-1]:.2f}: a jump of more than "
        f"{case.settings.vix_jump_share_max:.0%} waits for the next reading"
    )


def bars_ready(case: Case) -> Allowance:
    """Enough completed daily bars, and none is missing at their end."""
    view, least = case.view, case.settings.daily_bars_min
    bars = view.bars(PRODUCTS[case.wish.product].family)
    if len(bars) < least:
        return refused(f"{len(bars)} daily bars, {least} are needed")
    last, previous = str(bars.day[-1]), view.sessions.before(view.today)
    if previous is None or last != previous.date.isoformat():
        before = "unknown" if previous is None else previous.date
        return refused(f"the last daily bar is of {last}, the previous session is {before}")
    return allowed()


def index_believed(case: Case) -> Allowance:
    """The index level is there, and not far from its prior close."""
    family, most = PRODUCTS[case.wish.product].family, case.settings.spot_share_max
    spot, bars = case.view.spot(family), case.view.bars(family)
    if spot is None or not len(bars):
        return refused(f"no {family} level" if spot is None else f"no prior close of {family}")
    close = float(bars.close[-1])
    share = spot / close - 1
    if family == VIX_FAMILY:
        return allowed("a volatility may jump: its own rule is the VIX limit's")
    # A level that is not a number fails the comparison.
    if abs(share) <= most:
        return allowed()
    return refused(f"{family} {spot:.2f} is {share:+.1%} from its prior close {close:.2f}, limit {most:.0%}")


def chains_valid(case: Case) -> Allowance:
    """Each expiry: most of what matters is quoted, on both sides of the forward (decision 207)."""
    faults = [
        f"{case.wish.product} {expiry}: {fault}"
        for expiry, chain in case.chains.items()
        if (fault := _chain_fault(chain, case.settings))
    ]
    return refused("; ".join(faults)) if faults else allowed()


def _chain_fault(chain: Chain | None, settings: Settings) -> str:
    if chain is None:
        return "no chain"
    away = chain.strikes - chain.forward
    known = np.flatnonzero(np.isfinite(chain.iv))
    if not len(known):
        return "no strike has a volatility"
    iv = float(chain.iv[known[np.argmin(np.abs(away[known]))]])
    near = np.abs(away) <= settings.chain_sigmas * iv * chain.forward * float(np.sqrt(chain.years))
    valid = _valid_rows(chain, settings)
    seen, good = int(np.count_nonzero(near)), int(np.count_nonzero(valid & near))
    if good < settings.chain_valid_share_min * seen or not seen:
        return (
            f"{good} of {seen} quotes within {settings.chain_sigmas:g} standard deviations are valid, "
            f"{settings.chain_valid_share_min:.0%} are needed"
        )
    out = valid & (away * chain.right > 0)
    below, above = int(np.count_nonzero(out & (away < 0))), int(np.count_nonzero(out & (away > 0)))
    if min(below, above) < settings.chain_side_strikes_min:
        return (
            f"{below} valid strikes below the forward and {above} above, "
            f"{settings.chain_side_strikes_min} each are needed"
        )
    return ""


def _valid_rows(chain: Chain, settings: Settings) -> NDArray[np.bool_]:
    """Bid below ask, and a bid; nobody need bid for what is offered as worthless."""
    scale = chain.tick / PRODUCTS[chain.product].tick
    worthless = int(settings.zero_bid_points * scale // chain.tick)
    is_bid: NDArray[np.bool_] = (chain.bid > 0) | ((chain.bid == 0) & (chain.ask <= worthless))
    return is_bid & (chain.ask > chain.bid)


def volatility_sensible(case: Case) -> Allowance:
    """Each leg's implied volatility exists and is below 500 %."""
    said = []
    for leg in case.wish.structure.legs:
        if not isinstance(leg.contract, Option):
            continue
        chain = case.chains[leg.contract.expiry]
        iv = np.nan if chain is None else _iv_of(chain, leg.contract)
        if not 0 < iv < case.settings.leg_iv_max:
            words = "no implied volatility" if np.isnan(iv) else f"implied volatility {iv:.0%}"
            said.append(f"{leg}: {words}, limit {case.settings.leg_iv_max:.0%}")
    return refused("; ".join(said)) if said else allowed()


def _iv_of(chain: Chain, option: Option) -> float:
    """NaN where it is not listed or has none."""
    count = int(option.strike / chain.strike_unit)
    puts = int(chain.right.searchsorted(0))
    first, end = (0, puts) if option.right is Right.PUT else (puts, len(chain.right))
    row = first + int(chain.strike[first:end].searchsorted(count))
    return float(chain.iv[row]) if row < end and chain.strike[row] == count else float("nan")


def quotes_valid(case: Case) -> Allowance:
    """Every leg: quoted, fresh, uncrossed, not too wide."""
    faults = [
        f"{leg}: {fault}"
        for leg, quote in zip(case.wish.structure.legs, case.quotes, strict=True)
        if (fault := _fault(leg, quote, case))
    ]
    return refused("; ".join(faults)) if faults else allowed()


def _fault(leg: Leg, quote: Quote | None, case: Case) -> str:
    if quote is None or quote.bid is None or quote.ask is None:
        return "no quote" if quote is None else f"bid {quote.bid}, ask {quote.ask}"
    scale = scale_of(leg.contract)
    settings, bid, ask = case.settings, quote.bid, quote.ask
    most = max(settings.quote_age_seconds_max, 60 * case.view.market.grid_minutes)
    if case.view.now - quote.as_of > timedelta(seconds=most):
        return f"quote is {(case.view.now - quote.as_of).total_seconds():.0f} seconds old, limit {most}"
    if bid < 0 or ask <= bid:
        return f"bid {bid} is not below ask {ask}"
    if bid == 0 and (leg.is_short or ask > settings.zero_bid_points * scale):
        return f"bid 0, ask {ask}"
    return _too_wide(leg.contract, bid, ask, scale, settings)


def _too_wide(contract: Contract, bid: Decimal, ask: Decimal, scale: Decimal, settings: Settings) -> str:
    spread, mid = ask - bid, (bid + ask) / 2
    if spread < settings.leg_spread_share_max * mid:
        return ""
    product = PRODUCTS[contract.product]
    cheap = max(settings.cheap_spread_points, settings.cheap_spread_ticks * product.tick) * scale
    if mid < settings.cheap_leg_points * scale and spread <= cheap:
        return ""
    tick = (product.tick_above if mid >= product.tick_from * scale else product.tick) * scale
    if product.future and spread <= settings.future_spread_ticks * tick:
        return ""
    return f"spread {spread} at mid {mid} is {spread / mid:.0%}, limit {settings.leg_spread_share_max:.0%}"


def scale_of(contract: Contract) -> Decimal:
    """How much smaller or larger the contract's tick is than the listed one: 1 in live markets."""
    return contract.tick / PRODUCTS[contract.product].tick


def structure_spread(case: Case) -> Allowance:
    """Half spreads of all contracts against the credit; a debit has no such bound."""
    spread, most = case.half_spread, case.settings.structure_spread_share_max
    if spread is None or case.mid is None:
        return refused("a leg has no mid")
    if case.mid <= 0 or spread <= most * case.mid:
        return allowed()
    return refused(
        f"half spreads sum to {spread:.2f} of {case.mid:.2f} points credit, "
        f"{spread / case.mid:.0%}, limit {most:.0%}"
    )


def expiry_sensible(case: Case) -> Allowance:
    """Nothing expired, and no short leg that the 21-DTE rule would close before a session is over."""
    today, line = case.view.today, case.settings.exit_dte
    following = case.view.sessions.after(today)
    for leg in case.wish.structure.legs:
        days = dte(today, leg.contract.expiry)
        if days < 0:
            return refused(f"{leg} expired {-days} days ago")
        if not (leg.is_short and isinstance(leg.contract, Option) and days > line):
            continue
        if following is not None and dte(following.date, leg.contract.expiry) <= line:
            return refused(f"{leg} has {days} DTE and must be closed at {line} in the next session")
    return allowed()


DATA_LIMITS = (
    Limit("VIX", "DATA", "C.11", vix_fresh),
    Limit("bad data", "DATA", "C.11", not_suspended),
    Limit("VIX jump", "DATA", "C.11", vix_jump_confirmed),
    Limit("daily bars", "DATA", "C.11", bars_ready),
    Limit("index level", "DATA", "C.11", index_believed),
    Limit("chain", "DATA", "C.11, decision 207", chains_valid),
    Limit("leg volatility", "DATA", "C.11", volatility_sensible),
    Limit("expiry", "STRUCT", "ruling 10", expiry_sensible),
    Limit("leg quotes", "LIQ", "C.11", quotes_valid),
    Limit("structure spread", "LIQ", "C.11", structure_spread),
)
