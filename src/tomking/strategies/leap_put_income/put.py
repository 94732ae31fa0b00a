"""Selling one rung: a one-year put by its delta in the chain."""

from tomking.domain.calendar import nth_weekday
from tomking.domain.chain import Chain
from tomking.domain.contract import Option, Right
from tomking.domain.intent import Open, Part, Pass, Target
from tomking.domain.structure import Leg, Structure
from tomking.rules import select
from tomking.rules.entry import known
from tomking.rules.schedule import Days
from tomking.strategies.leap_put_income.settings import Settings
from tomking.view import Own, View

ENTRY = "rung"
PRODUCT = "SPY"
SCHEDULE = Days(weekday=0)
"""Mondays; the next session where one is closed."""


def rung(settings: Settings, view: View, own: Own) -> Open | Pass:
    """One put, above ``vix_double`` two; an expiry that carries no rung yet comes first."""
    taken = {component.expiry for p in own.positions for component in p.open_components}
    expiry = select.expiry_near(
        view.expiries(PRODUCT),
        view.today,
        settings.entry_dte,
        low=settings.entry_dte_min,
        high=settings.entry_dte_max,
        first_choice=lambda day: day not in taken,
    )
    chain = None if expiry is None else view.chain(PRODUCT, expiry)
    if chain is None:
        return Pass(own.strategy, ENTRY, "STRUCT", f"{PRODUCT}: no expiry near {settings.entry_dte} DTE")
    wished = delta_of_the_week(settings, view)
    low, high = wished - settings.delta_miss, wished + settings.delta_miss
    put = select.nearest_delta(chain, Right.PUT, wished, low=low, high=high)
    if put is None:
        detail = f"{PRODUCT} {expiry}: no put of {low:.0%} to {high:.0%} delta to sell"
        return Pass(own.strategy, ENTRY, "STRUCT", detail)
    return _sold(settings, view, own, chain, put)


def delta_of_the_week(settings: Settings, view: View) -> float:
    """By which Monday of its month the day stands for."""
    monday = SCHEDULE.meant(view.today, view.sessions) or view.today
    return settings.deltas[min(nth_weekday(monday), len(settings.deltas)) - 1]


def _sold(settings: Settings, view: View, own: Own, chain: Chain, put: Option) -> Open | Pass:
    part = Part("put", Structure("put", (Leg(put, -1),)))
    quote = select.priced(view, part.structure)
    least = select.least_credit(select.stated_points(settings.credit_usd_min, chain.forward), [part])
    if quote is None or quote.mid < least:
        mid = "no quote" if quote is None else f"{quote.mid:.2f}"
        return Pass(own.strategy, ENTRY, "PRICE", f"{put}: {mid}, least {least:.2f}")
    return Open(
        strategy=own.strategy,
        entry=ENTRY,
        parts=(part,),
        ceiling=2 if known(view.vix) > settings.vix_double else 1,
        planned_loss=settings.stop_credits * quote.mid,
        target_gain=settings.target * quote.mid,
        least_net=least,
        reason=f"{put} at {quote.mid:.2f}, VIX {view.vix:.2f}",
        targets=(Target((part.role,), settings.target),),
    )
