"""Building the weekly call verticals."""

from collections.abc import Sequence
from datetime import date, timedelta

from tomking.domain.book import Component, Position
from tomking.domain.calendar import dte, new_york
from tomking.domain.chain import Chain
from tomking.domain.contract import Right
from tomking.domain.intent import Open, Part, Pass, Target
from tomking.domain.lifecycle import State
from tomking.domain.structure import Leg, Structure
from tomking.rules import entry as when
from tomking.rules import select
from tomking.rules.entry import known
from tomking.rules.indicators import highest
from tomking.strategies.lt112.settings import Settings
from tomking.view import Own, View

ENTRY = "weekly"


def calls(settings: Settings, view: View, own: Own) -> Sequence[Open] | Pass:
    """A weekly call vertical for every unit that may have one."""
    sold = [_call(settings, view, p) for p in own.positions if may_sell(settings, p, view.today)]
    opens = [wish for wish in sold if isinstance(wish, Open)]
    refused = [wish for wish in sold if isinstance(wish, Pass)]
    return opens if opens or not refused else refused[0]


def may_sell(settings: Settings, position: Position, day: date) -> bool:
    """Old enough, hedged, far enough from 21 DTE, undisturbed, and nothing sold this week."""
    spread = position.components.get("PDS")
    if spread is None or not spread.is_open or spread.closing or position.state is not State.ACTIVE:
        return False
    aged = day - new_york(position.opened).date() >= timedelta(days=settings.weekly_after_days)
    sold = any(
        is_weekly(c) and (c.is_open or day - new_york(c.opened).date() < timedelta(days=5))
        for c in position.components.values()
    )
    return aged and not sold and dte(day, spread.expiry) > settings.exit_dte


def _call(settings: Settings, view: View, position: Position) -> Open | Pass:
    product, low = position.product, settings.weekly_dte - settings.weekly_dte_tolerance
    expiry = select.expiry_near(
        view.expiries(product),
        view.today,
        settings.weekly_dte,
        low=low,
        high=settings.weekly_dte + settings.weekly_dte_tolerance,
        without={c.expiry for c in position.components.values()},
    )
    chain = None if expiry is None else view.chain(product, expiry)
    if chain is None:
        return Pass(
            position.strategy, ENTRY, "STRUCT", f"{product}: no expiry near {settings.weekly_dte} DTE"
        )
    part = _call_vertical(settings, view, chain)
    if isinstance(part, str):
        return Pass(position.strategy, ENTRY, "STRUCT", f"{product} {expiry}: {part}")
    quote = select.priced(view, part.structure)
    least = select.least_credit(
        select.scaled(settings.weekly_credit_min, known(view.spot()), product), [part]
    )
    if quote is None or quote.mid < least:
        mid = "no quote" if quote is None else f"{quote.mid:.2f}"
        return Pass(position.strategy, ENTRY, "PRICE", f"{part.structure}: {mid}, least {least:.2f}")
    loss = part.structure.max_loss(quote.mid) or quote.mid
    return Open(
        strategy=position.strategy,
        entry=ENTRY,
        parts=(part,),
        ceiling=position.components["PDS"].units,
        planned_loss=min(settings.weekly_stop_credits * quote.mid, loss),
        target_gain=settings.weekly_target * quote.mid,
        least_net=least,
        reason=f"weekly call vertical beside {position.id}{when.coverage_note(view.today)}",
        joins=position.id,
        targets=(Target((part.role,), settings.weekly_target),),
    )


def _call_vertical(settings: Settings, view: View, chain: Chain) -> Part | str:
    spot, move = known(view.spot()), select.expected_move(chain)
    by_delta = select.nearest_delta(
        chain,
        Right.CALL,
        settings.weekly_delta,
        low=settings.weekly_delta_min,
        high=settings.weekly_delta_max,
    )
    if by_delta is None or move is None:
        return f"no call of {settings.weekly_delta_min:.0%} to {settings.weekly_delta_max:.0%} delta to sell"
    at = select.reference(chain, spot)
    # The bars are the index's: their high is lifted to where the future would have been.
    high = known(highest(view.bars(), settings.weekly_high_sessions)) * at / spot
    least = max(float(by_delta.strike), at + settings.weekly_moves * move, high)
    short = select.strike_outward(chain, Right.CALL, least, beyond=least == high)
    points = select.scaled(settings.weekly_wing, spot, chain.product)
    long = None if short is None else select.wing(chain, short, points)
    if short is None or long is None:
        return f"no call vertical {points:.1f} wide from {least:.1f}"
    role = f"weekly {chain.expiry}"
    return Part(role, Structure(role, (Leg(short, -1), Leg(long, +1))))


def is_weekly(component: Component) -> bool:
    return component.role.startswith("weekly ")
