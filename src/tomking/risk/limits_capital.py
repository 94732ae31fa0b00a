"""Limits on money: buying power by VIX and phase, concentration, loss at the stop, Kelly, costs."""

from datetime import date
from decimal import Decimal

from tomking.domain import cpi, fomc
from tomking.domain.book import Position, record_key
from tomking.domain.calendar import third_friday
from tomking.domain.money import ZERO
from tomking.domain.products import PRODUCTS
from tomking.domain.record import Record
from tomking.domain.slippage import share_at
from tomking.domain.structure import Structure
from tomking.risk.case import Allowance, Case, Limit, allowed, fits, openings, refused, reserved
from tomking.risk.kelly import priors, quarter_kelly
from tomking.risk.regime import by_vix, capital_cap
from tomking.risk.valuation import heat_of
from tomking.view import View

BUDGETED = allowed("its own budget governs it")


def regime_allows(case: Case) -> Allowance:
    """From VIX 35 on closing and hedging only, from 40 closing only."""
    vix, settings = case.view.vix, case.settings
    if vix is None:
        return refused("no VIX, no regime")
    if vix >= settings.vix_bounds[-1]:
        return refused(f"VIX {vix:.2f}, closing only from {settings.vix_bounds[-1]:g} on")
    if vix >= settings.closing_only_vix and case.wish.structure.has_short_leg:
        return refused(f"VIX {vix:.2f}, no new short premium from {settings.closing_only_vix:g} on")
    return allowed()


def capital_allows(case: Case) -> Allowance:
    """Capital in use under the lower of the phase's cap, the VIX regime's and the reserve."""
    vix, settings = case.view.vix, case.settings
    if vix is None:
        return refused("no VIX, no regime")
    share, label = capital_cap(case.book, vix, settings)
    caps = {
        f"under the {label} cap at VIX {vix:.1f}": share,
        f"under the cap of phase {case.phase}": settings.capital_share_max[case.phase],
        "beside the cash reserve": 1 - settings.reserve_share,
    }
    name = min(caps, key=lambda k: caps[k])
    return fits(
        case, name, case.account.capital + reserved(case.book, case.settings), case.capital, caps[name]
    )


def margin_allows(case: Case) -> Allowance:
    used = case.account.margin + reserved(case.book, case.settings)
    share = case.settings.margin_share_max[case.phase]
    return fits(case, f"under the cap of phase {case.phase}", used, case.margin, share)


def buffer_allows(case: Case) -> Allowance:
    """Net liq must cover margin and a free buffer beside it, larger in high VIX and before events."""
    vix, settings = case.view.vix, case.settings
    if vix is None:
        return refused("no VIX, no buffer")
    more, event = _event_buffer(case)
    buffer = by_vix(vix, settings.buffer_vix_bounds, settings.buffer_shares) + more
    used = case.account.margin + reserved(case.book, case.settings)
    what = f"with a free buffer of {buffer:.0%} of it" + (f" ({event})" if event else "")
    return fits(case, what, used, case.margin, 1 / (1 + buffer))


def _event_buffer(case: Case) -> tuple[Decimal, str]:
    """What the greatest event of today and the next session adds to the buffer (C.1), and its name."""
    view, settings, product = case.view, case.settings, case.wish.product
    following = view.sessions.after(view.today)
    days = [view.today] if following is None else [view.today, following.date]
    found = [(ZERO, "")]
    if any(map(fomc.fomc_on, days)):
        found.append((settings.buffer_fomc_share, "FOMC"))
    if any(map(cpi.cpi_on, days)):
        found.append((settings.buffer_cpi_share, "CPI"))
    if view.events.earnings_between(product, days[0], days[-1]) is not None:
        found.append((settings.buffer_earnings_share, f"earnings of {product}"))
    if any(_is_monthly_expiration(day, view) for day in days):
        found.append((settings.buffer_expiration_share, "monthly expiration"))
    if view.today.month == DECEMBER:
        found.append((settings.buffer_december_share, "December"))
    return max(found)


DECEMBER = 12


def _is_monthly_expiration(day: date, view: View) -> bool:
    """The third Friday, or the session before it where that is a holiday."""
    third = third_friday(day.year, day.month)
    if view.sessions.on(third) is not None:
        return day == third
    before = view.sessions.before(third)
    return before is not None and day == before.date


def family_allows(case: Case) -> Allowance:
    family = PRODUCTS[case.wish.product].family
    used = case.account.by_family.get(family, ZERO) + _working(case, family=family)
    return fits(case, f"margin on {family}", used, case.margin, case.settings.family_margin_share_max)


def strategy_allows(case: Case) -> Allowance:
    name = case.wish.strategy
    used = case.account.by_strategy.get(name, ZERO) + _working(case, strategy=name)
    return fits(case, f"margin of {name}", used, case.margin, case.settings.strategy_margin_share_max)


def expiry_margin_allows(case: Case) -> Allowance:
    expiry = _nearest(case.wish.structure)
    used = case.account.by_expiry.get(expiry, ZERO) + _working(case, expiry=expiry)
    return fits(case, f"margin on {expiry}", used, case.margin, case.settings.expiry_margin_share_max)


def _working(
    case: Case, *, family: str | None = None, strategy: str | None = None, expiry: date | None = None
) -> Decimal:
    """Dollars of margin that matching opening orders at work may still need."""
    total = ZERO
    for working, left in openings(case.book):
        order = working.order
        if family is not None and PRODUCTS[order.structure.product].family != family:
            continue
        if strategy is not None and order.strategy != strategy:
            continue
        if expiry is not None and _nearest(order.structure) != expiry:
            continue
        total += order.margin * left / order.units
    return case.settings.reservation_factor * total


def _nearest(structure: Structure) -> date:
    return min(leg.contract.expiry for leg in structure.legs)


def loss_at_stop(case: Case) -> Allowance:
    """2 %: the loss at the planned stop with its slippage and all fees, with what it joins.

    An IPMCC's stop has a share of its own (A.3); a budget is its strategy's (ruling 12).
    """
    if case.is_budgeted:
        return BUDGETED
    share = case.settings.trade_loss_share_max
    if case.wish.strategy == "ipmcc":
        share = case.settings.ipmcc_loss_shares[case.phase]
    each = loss_per_unit(case)
    if each is None:
        return refused("a leg has no mid, so its slippage is unknown")
    position = _joined(case)
    used = heat_of(position) if position else ZERO
    return fits(case, "planned, with slippage and fees", used, each, share)


def heat_allows(case: Case) -> Allowance:
    """The sum of all planned stop losses; budgets lose what they cost, and no stop."""
    if case.is_budgeted:
        return BUDGETED
    each = loss_per_unit(case)
    if each is None:
        return refused("a leg has no mid, so its slippage is unknown")
    used = case.account.heat
    for working, left in openings(case.book):
        used += working.order.planned_loss * left * working.order.structure.multiplier
    return fits(case, "sum of planned stop losses", used, each, case.settings.heat_share_max)


def loss_per_unit(case: Case) -> Decimal | None:
    """Dollars lost at the planned stop, slippage of the stop exit and fees included."""
    slip = slippage(case, stop=True)
    return None if slip is None else (case.wish.planned_loss + slip) * case.multiplier + case.fees


def slippage(case: Case, *, stop: bool) -> Decimal | None:
    """Points per unit given away by one fill: a share of the half spreads by VIX, at least one tick."""
    spread, vix = case.half_spread, case.view.vix
    if spread is None or vix is None:
        return None
    return max(share_at(vix, stop=stop) * spread, case.wish.parts[0].structure.tick)


def position_capital(case: Case) -> Allowance:
    """5 % of net liq in one position, 12 % in one ES LT112, 13.5 % in an IPMCC, with what it joins.

    MES come in tenths: they need no exception.
    """
    if case.is_budgeted:
        return BUDGETED
    settings = case.settings
    share = settings.position_capital_share_max
    if case.wish.strategy == "lt112" and case.wish.product == "ES":
        share = settings.lt112_capital_share_max
    if case.wish.strategy == "ipmcc":
        share = settings.ipmcc_capital_share_max
    used = case.account.by_position.get(case.wish.joins or "", ZERO)
    return fits(case, "margin or debit", used, case.capital, share)


def _joined(case: Case) -> Position | None:
    return None if case.wish.joins is None else case.book.positions.get(case.wish.joins)


def kelly_allows(case: Case) -> Allowance:
    """Yes or no: a quarter Kelly of zero warns or refuses, as set; it never sizes (ruling 12)."""
    if case.is_budgeted:
        return BUDGETED
    prior = priors(case.settings, case.places).get(case.wish.strategy)
    if prior is None:
        return _without_prior(case)
    record = case.book.records.get(record_key(case.wish.strategy, case.wish.entry), Record())
    share = quarter_kelly(record, prior, case.settings)
    basis = f"{record.trades} closed trades" if record.trades >= prior.sample else "the prior"
    if share > 0:
        return allowed(f"quarter Kelly {share:.2%} from {basis}")
    words = f"quarter Kelly is 0 from {basis}: no edge"
    return refused(words) if case.settings.kelly_gate == "block" else Allowance(None, words, warning=words)


def _without_prior(case: Case) -> Allowance:
    """No source claims a win rate: nothing to bet on but the record; as without an edge."""
    words = f"{case.wish.strategy} has no prior: no source claims a win rate"
    return refused(words) if case.settings.kelly_gate == "block" else Allowance(None, words, warning=words)


def costs_allow(case: Case) -> Allowance:
    """Fees and slippage of both fills against the gain at the target; the micro exception is flagged."""
    slip, settings = slippage(case, stop=False), case.settings
    if slip is None:
        return refused("a leg has no mid, so its slippage is unknown")
    product = PRODUCTS[case.wish.product]
    most = settings.cost_share_max_micro if product.micro else settings.cost_share_max
    costs, gain = case.fees + 2 * slip * case.multiplier, case.wish.target_gain * case.multiplier
    words = (
        f"fees ${case.fees:,.2f} + slippage ${2 * slip * case.multiplier:,.2f} of ${gain:,.2f} at the target"
    )
    words += f", {costs / gain:.0%}, limit {most:.0%}"
    if costs > most * gain:
        return refused(words)
    if costs <= settings.cost_share_max * gain:
        return allowed(words)
    return Allowance(None, words, warning=f"{words}; over {settings.cost_share_max:.0%}: the micro exception")


CAPITAL_LIMITS = (
    Limit("VIX regime", "VIX", "C.1", regime_allows),
    Limit("capital in use", "SIZE", "A.3, C.1", capital_allows),
    Limit("margin", "SIZE", "A.3", margin_allows),
    Limit("margin buffer", "SIZE", "C.1", buffer_allows),
    Limit("underlying", "SIZE", "C.2, ruling 13", family_allows),
    Limit("strategy margin", "SIZE", "C.2", strategy_allows),
    Limit("expiry margin", "SIZE", "C.2", expiry_margin_allows),
    Limit("heat", "SIZE", "C.2", heat_allows),
    Limit("loss at stop", "SIZE", "A.3, C.2", loss_at_stop),
    Limit("position capital", "SIZE", "A.3, C.2", position_capital),
    Limit("Kelly", "SIZE", "C.3, ruling 12", kelly_allows),
    Limit("costs", "PRICE", "D.6", costs_allow),
)
