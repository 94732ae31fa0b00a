"""Building the unit, and the naked puts of every later cycle."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from tomking.domain.book import Component, Position
from tomking.domain.calendar import dte, new_york
from tomking.domain.contract import Right
from tomking.domain.intent import Alternatives, Open, Part, Pass, Target
from tomking.domain.money import on_grid_above
from tomking.domain.structure import Leg, Structure
from tomking.rules import select
from tomking.rules.entry import known
from tomking.rules.strategy import best_of
from tomking.strategies.calendarized_112.settings import Settings
from tomking.view import Own, View

FIRST, CYCLE = "1-1-2", "cycle"
PRODUCTS = ("ES", "MES")
ENDED_WELL = ("target", "early target")
"""Triggers after which the naked puts may be sold again."""


def first(settings: Settings, view: View, own: Own) -> Alternatives | Pass:
    """The whole unit in ES, else in MES."""
    return best_of(own, FIRST, [_unit(settings, view, own, product) for product in PRODUCTS])


def again(settings: Settings, view: View, own: Own) -> Sequence[Open] | Pass:
    """A new pair for every position that waits for one."""
    waiting = [p for p in own.positions if may_sell(settings, p, view.today)]
    sold = [_cycle(settings, view, own, position) for position in waiting]
    opens = [wish for wish in sold if isinstance(wish, Open)]
    refused = [wish for wish in sold if isinstance(wish, Pass)]
    return opens if opens or not refused else refused[0]


def may_sell(settings: Settings, position: Position, day: date) -> bool:
    """It has a cycle to come, its last pair went on an earlier day, and its spread is not being closed."""
    spread, ended = position.components["PDS"], pairs_of(position)[-1].closed
    waited = ended is not None and new_york(ended).date() < day
    return spread.closing is None and waited and has_cycle_left(settings, position, day)


def has_cycle_left(settings: Settings, position: Position, day: date) -> bool:
    """Its pair went at a target, its debit spread lives long enough, and cycles are left."""
    spread, pairs = position.components["PDS"], pairs_of(position)
    return (
        spread.is_open
        and not any(pair.is_open for pair in pairs)
        and pairs[-1].trigger in ENDED_WELL
        and len(pairs) < settings.cycles_max
        and dte(day, spread.expiry) >= settings.cycle_pds_dte_min
    )


def pairs_of(position: Position) -> list[Component]:
    """Its naked puts, oldest cycle first."""
    return [one for role, one in position.components.items() if is_pair(role)]


def is_pair(role: str) -> bool:
    return role.startswith("NP ")


def _unit(settings: Settings, view: View, own: Own, product: str) -> Open | Pass:
    spread = _spread(settings, view, own, product)
    if isinstance(spread, str):
        return Pass(own.strategy, FIRST, "STRUCT", f"{product}: {spread}")
    pair = _pair(settings, view, product, cycle=1)
    if isinstance(pair, str):
        return Pass(own.strategy, FIRST, "STRUCT", f"{product}: {pair}")
    debit, credit = select.priced(view, spread.structure), select.priced(view, pair.structure)
    if debit is None or credit is None:
        return Pass(own.strategy, FIRST, "PRICE", f"{product}: a leg has no two-sided quote")
    spot = known(view.spot())
    most = select.scaled(settings.pds_debit_max, spot, product)
    if -debit.mid > Decimal(repr(most)):
        return Pass(
            own.strategy, FIRST, "PRICE", f"{product}: debit {-debit.mid:.2f} of the spread, most {most:.2f}"
        )
    least = select.least_credit(select.scaled(settings.net_credit_min, spot, product), [pair])
    if debit.mid + credit.mid < least:
        net = debit.mid + credit.mid
        return Pass(own.strategy, FIRST, "PRICE", f"{product}: the unit brings {net:.2f}, least {least:.2f}")
    return Open(
        strategy=own.strategy,
        entry=FIRST,
        parts=(spread, pair),
        ceiling=settings.es_units if product == "ES" else settings.mes_units,
        planned_loss=settings.np_stop_credits * credit.mid,
        target_gain=settings.np_target * credit.mid,
        least_net=least,
        reason=f"debit {-debit.mid:.2f}, naked pair {credit.mid:.2f}, VIX {view.vix:.2f}",
        targets=(Target((pair.role,), settings.np_target),),
    )


def _spread(settings: Settings, view: View, own: Own, product: str) -> Part | str:
    expiry = select.expiry_near(
        view.expiries(product),
        view.today,
        settings.pds_dte,
        low=settings.pds_dte_min,
        high=settings.pds_dte_max,
        without={p.components["PDS"].expiry for p in own.positions},
        first_choice=select.is_standard,
    )
    chain = None if expiry is None else view.chain(product, expiry)
    if chain is None:
        return f"no free expiry near {settings.pds_dte} DTE"
    long = select.nearest_delta(
        chain, Right.PUT, settings.pds_delta, low=settings.pds_delta_min, high=settings.pds_delta_max
    )
    if long is None:
        return (
            f"{expiry}: no put of {settings.pds_delta_min:.0%} to {settings.pds_delta_max:.0%} delta to buy"
        )
    width = select.scaled(settings.pds_width, known(view.spot()), product)
    short = select.wing(chain, long, width)
    if short is None:
        return f"{expiry}: no put {width:.1f} points below {long}"
    return Part("PDS", Structure("PDS", (Leg(long, +1), Leg(short, -1))))


def _pair(settings: Settings, view: View, product: str, cycle: int) -> Part | str:
    expiry = select.expiry_near(
        view.expiries(product), view.today, settings.np_dte, low=settings.np_dte_min, high=settings.np_dte_max
    )
    chain = None if expiry is None else view.chain(product, expiry)
    if chain is None:
        return f"no expiry of {settings.np_dte_min} to {settings.np_dte_max} DTE"
    put = select.nearest_delta(
        chain, Right.PUT, settings.np_delta, low=settings.np_delta_min, high=settings.np_delta_max
    )
    if put is None:
        return f"{expiry}: no put of {settings.np_delta_min:.0%} to {settings.np_delta_max:.0%} delta to sell"
    role = f"NP {cycle}"
    return Part(role, Structure(role, (Leg(put, -2),)))


def _cycle(settings: Settings, view: View, own: Own, position: Position) -> Open | Pass:
    pair = _pair(settings, view, position.product, len(pairs_of(position)) + 1)
    if isinstance(pair, str):
        return Pass(own.strategy, CYCLE, "STRUCT", f"{position.product}: {pair}")
    spread = position.components["PDS"]
    credit, value = select.priced(view, pair.structure), own.closing_net(position, spread)
    if credit is None or value is None:
        return Pass(own.strategy, CYCLE, "PRICE", f"{position.product}: a leg has no two-sided quote")
    least = on_grid_above(settings.cycle_credit_share * max(value, Decimal(0)), pair.structure.tick)
    if credit.mid < least or credit.mid <= 0:
        return Pass(own.strategy, CYCLE, "PRICE", f"{pair.structure}: {credit.mid:.2f}, least {least:.2f}")
    return Open(
        strategy=own.strategy,
        entry=CYCLE,
        parts=(pair,),
        ceiling=spread.units,
        planned_loss=settings.np_stop_credits * credit.mid,
        target_gain=settings.np_target * credit.mid,
        least_net=least,
        reason=f"{pair.role} beside {position.id}, its spread is worth {value:.2f}",
        joins=position.id,
        targets=(Target((pair.role,), settings.np_target),),
    )
