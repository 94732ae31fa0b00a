"""LT112, the 1-1-2 at 120 days: a put debit spread paid for by two far puts, each managed by itself.

Source: docs/strategies/lt112.md (methodology B.2).  On Wednesdays a 25-delta put is bought, one 50
points lower and two 5-delta puts are sold.  The naked puts (NP) go at 90 % of their credit or at
three times it; the debit spread (PDS) is their hedge and goes after them; at 21 DTE all goes.  From
day 30 a weekly call vertical is sold beside it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta
from decimal import Decimal

from tomking.domain.book import Component, Position
from tomking.domain.calendar import dte, new_york, nth_weekday
from tomking.domain.chain import Chain
from tomking.domain.contract import Option, Right
from tomking.domain.intent import Alternatives, Close, Mark, Open, Part, Pass, Target, Urgency
from tomking.domain.lifecycle import State
from tomking.domain.settings import setting
from tomking.domain.structure import Leg, Structure
from tomking.rules import entry as when
from tomking.rules import exits as out
from tomking.rules import select
from tomking.rules.entry import known
from tomking.rules.indicators import highest
from tomking.rules.strategy import Claim, Condition, Days, Entry, Exit, Strategy, Watch, Window, position_note
from tomking.view import Own, View

ID = "lt112"
WEDNESDAYS = Days(weekday=2, weeks=(1, 2, 3))
MONDAYS = Days(weekday=0)
DEFENCES = ("NP stop", "NP loss", "NP delta")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Point amounts are stated at an index of 5,500 (ruling 1)."""

    entry_start: time = setting(time(10, 0), source="B.2", doc="Wednesdays from here.")
    entry_end: time = setting(time(10, 10), source="B.2", doc="To here.")
    first_week_phase: int = setting(
        2, low=0, high=5, source="A.4", doc="First Wednesdays from this phase, with MES."
    )
    second_week_phase: int = setting(
        3, low=0, high=5, source="B.2", doc="Second Wednesdays, and ES, from this phase."
    )
    third_week_phase: int = setting(4, low=0, high=5, source="B.2", doc="Third Wednesdays from this phase.")
    es_units_an_expiry: int = setting(1, low=1, high=8, source="B.2", doc="ES units on one expiry.")
    mes_units_an_expiry: int = setting(9, low=1, high=80, source="B.2", doc="MES units; ten are one ES.")
    mes_units_first_phase: int = setting(2, low=1, high=80, source="B.2", doc="The same in the first phase.")
    entry_dte: int = setting(120, low=60, high=200, source="B.2", doc="Days to expiration wished.")
    dte_tolerance: int = setting(10, low=0, high=60, source="B.2", doc="ES: days either way.")
    mes_dte_min: int = setting(
        83, low=45, high=200, source="B.2", doc="MES: the listed expiry nearest, from here."
    )
    mes_dte_max: int = setting(145, low=45, high=250, source="B.2", doc="MES: to here.")
    vix_min: float = setting(12.0, low=0.0, high=100.0, source="B.0.1", doc="The VIX must be above it.")
    vix_max: float = setting(35.0, low=5.0, high=150.0, source="B.0.1", doc="The VIX must be below it.")
    trend: str = setting(
        "ema", choices=("ema", "none"), source="B.2", doc="ema: the fast average above the slow."
    )
    ema_fast: int = setting(8, low=2, high=100, source="B.2", doc="Sessions of the fast average.")
    ema_slow: int = setting(21, low=2, high=200, source="B.2", doc="Sessions of the slow average.")
    high_sessions: int = setting(252, low=1, high=400, source="B.2", doc="No entry at or above their high.")
    long_delta: float = setting(0.25, low=0.1, high=0.5, source="B.2", doc="Long put of the PDS.")
    long_delta_min: float = setting(0.22, low=0.05, high=0.5, source="B.2", doc="Its band from.")
    long_delta_max: float = setting(0.27, low=0.1, high=0.6, source="B.2", doc="Its band to.")
    pds_width: Decimal = setting(Decimal(50), low=Decimal(5), high=Decimal(300), source="B.2", doc="Points.")
    np_delta: float = setting(0.05, low=0.01, high=0.3, source="B.2", doc="Each naked put.")
    np_delta_min: float = setting(0.04, low=0.0, high=0.3, source="B.2", doc="Its band from.")
    np_delta_max: float = setting(0.06, low=0.01, high=0.4, source="B.2", doc="Its band to.")
    np_otm_share: float = setting(
        0.12, low=0.0, high=0.5, source="B.2", doc="Least distance below the future."
    )
    np_credit_min: Decimal = setting(Decimal(20), low=Decimal(0), source="B.2", doc="Points for the pair.")
    net_credit_min: Decimal = setting(Decimal(10), low=Decimal(0), source="B.2", doc="Points for the unit.")
    np_target: Decimal = setting(
        Decimal("0.90"), low=Decimal("0.1"), high=Decimal("0.99"), source="B.2", doc="Credit kept."
    )
    np_stop_credits: Decimal = setting(
        Decimal("2.0"), low=Decimal("0.5"), high=Decimal(10), source="B.2", doc="Credits lost."
    )
    np_loss_share: Decimal = setting(
        Decimal("0.02"), low=Decimal("0.001"), high=Decimal(1), source="B.2", doc="Of net liq."
    )
    np_delta_no_new: float = setting(
        0.15, low=0.01, high=1.0, source="B.2", doc="A held put at it: nothing new."
    )
    np_delta_close: float = setting(
        0.20, low=0.01, high=1.0, source="B.2", doc="A held put at it: close the pair."
    )
    pds_gain: Decimal = setting(
        Decimal("0.50"), low=Decimal("0.05"), high=Decimal(10), source="B.2", doc="Of the debit."
    )
    pds_trail_share: Decimal = setting(
        Decimal("0.25"),
        low=Decimal("0.01"),
        high=Decimal("0.99"),
        source="B.2, decision 103",
        doc="Given back from its best.",
    )
    exit_dte: int = setting(21, low=21, high=60, source="B.2, ruling 10", doc="Closes all, no exceptions.")
    pds_exempt_from_21dte: bool = setting(
        default=False, source="B.2", doc="A PDS alone may stay longer.", research=True
    )
    pds_exempt_dte: int = setting(7, low=1, high=21, source="B.2", doc="Until here.")
    check_minutes: int = setting(
        30, low=1, high=390, source="E.2, decision 103", doc="Between looks at what is held."
    )
    weekly_sale: str = setting(
        "call_spread", choices=("call_spread", "off"), source="B.2", doc="What is sold weekly."
    )
    weekly_start: time = setting(time(9, 35), source="B.2", doc="Mondays from here.")
    weekly_end: time = setting(time(10, 0), source="B.2", doc="To here.")
    weekly_after_days: int = setting(30, low=0, high=120, source="B.2", doc="Days since the unit was opened.")
    weekly_dte: int = setting(7, low=1, high=30, source="B.2", doc="Days to expiration wished.")
    weekly_dte_tolerance: int = setting(4, low=0, high=14, source="B.2, decision 103", doc="Days either way.")
    weekly_delta: float = setting(0.10, low=0.01, high=0.5, source="B.2", doc="Short call.")
    weekly_delta_min: float = setting(0.08, low=0.0, high=0.5, source="B.2", doc="Its band from.")
    weekly_delta_max: float = setting(0.12, low=0.01, high=0.6, source="B.2", doc="Its band to.")
    weekly_moves: float = setting(1.0, low=0.0, high=5.0, source="B.2", doc="Expected moves it lies beyond.")
    weekly_high_sessions: int = setting(5, low=1, high=60, source="B.2", doc="It lies above their high.")
    weekly_wing: Decimal = setting(
        Decimal(25), low=Decimal(5), high=Decimal(200), source="B.2", doc="Points."
    )
    weekly_credit_min: Decimal = setting(Decimal("1.0"), low=Decimal(0), source="B.2", doc="Points.")
    weekly_vix_min: float = setting(14.0, low=0.0, high=100.0, source="B.2", doc="Sold from this VIX on.")
    weekly_trend_share: float = setting(
        0.015, low=0.0, high=1.0, source="B.2", doc="Not with the fast average this far above."
    )
    weekly_target: Decimal = setting(
        Decimal("0.50"), low=Decimal("0.05"), high=Decimal("0.95"), source="B.2", doc="Credit kept."
    )
    weekly_stop_credits: Decimal = setting(
        Decimal("2.0"), low=Decimal("0.5"), high=Decimal(20), source="B.2", doc="Credits lost."
    )
    weekly_exit: time = setting(
        time(15, 0), source="B.2", doc="On the week's last session; an hour before a half day ends."
    )


def strategy(settings: Settings) -> Strategy:
    """The strategy with these numbers."""
    return Strategy(
        id=ID,
        title="LT112",
        priority=2,
        claim=Claim(0.73, "S0, S1"),
        entries=(_one_one_two(settings), *_weekly(settings)),
        exits=_exits(settings),
        watch=Watch(settings.check_minutes, time(9, 31), time(15, 59), also=(settings.weekly_exit,)),
    )


def _one_one_two(settings: Settings) -> Entry:
    return Entry(
        "1-1-2",
        Window(settings.entry_start, settings.entry_end),
        WEDNESDAYS,
        when=(
            when.has_market(),
            _enough_bars(settings.high_sessions),
            when.vix_between(settings.vix_min, settings.vix_max, strict_high=True),
            _phase_allows(settings),
            _trend_up(settings),
            _not_at_high(settings.high_sessions),
            _no_threatened_put(settings),
        ),
        build=lambda view, own: _units(settings, view, own),
    )


def _weekly(settings: Settings) -> tuple[Entry, ...]:
    if settings.weekly_sale == "off":
        return ()
    entry = Entry(
        "weekly",
        Window(settings.weekly_start, settings.weekly_end),
        MONDAYS,
        when=(
            when.has_market(),
            _enough_bars(settings.ema_slow),
            when.vix_at_least(settings.weekly_vix_min),
            when.no_fomc_this_week(),
            _not_stretched(settings),
            _no_threatened_put(settings),
        ),
        build=lambda view, own: _calls(settings, view, own),
        once=False,
        wanted=lambda day, own: any(_may_sell(settings, p, day) for p in own.positions),
    )
    return (entry,)


def _exits(settings: Settings) -> tuple[Exit, ...]:
    return (
        out.delivered_future(),
        Exit("21 DTE", Urgency.RULE, guardian=True, check=_last_days(settings)),
        out.stop_loss(
            "NP stop", settings.np_stop_credits, of=_role("NP"), which=_np_with_spent_pds, defends=True
        ),
        _np_exit("NP loss", _np_loss(settings)),
        _np_exit("NP delta", _np_delta(settings)),
        out.stop_loss("weekly stop", settings.weekly_stop_credits, of=_weeklies, which=_weeklies),
        out.leave("weekly time", Urgency.RULE, _week_ends(settings), guardian=True, which=_weeklies),
        out.target_without_order(settings.np_target, which=_role("NP")),
        out.target_without_order(settings.weekly_target, which=_weeklies),
        out.leave("PDS target", Urgency.RULE, _pds_gained(settings), which=_role("PDS")),
        Exit("PDS trail", Urgency.RULE, guardian=False, check=_pds_trail(settings)),
    )


# ------------------------------------------------------------------------------------- conditions


def _enough_bars(sessions: int) -> Condition:
    def check(view: View, own: Own) -> str | None:
        return (
            None if len(view.bars()) >= sessions else f"{len(view.bars())} daily bars, {sessions} are needed"
        )

    return Condition("DATA", check)


def _phase_allows(settings: Settings) -> Condition:
    """Which Wednesday of the month the session stands for decides the phase it needs."""
    phases = {1: settings.first_week_phase, 2: settings.second_week_phase, 3: settings.third_week_phase}

    def check(view: View, own: Own) -> str | None:
        meant = WEDNESDAYS.meant(view.today, view.sessions)
        week = nth_weekday(meant or view.today)
        need = max(phases[week], settings.first_week_phase)
        return (
            None
            if own.phase >= need
            else f"Wednesday {week} of the month from phase {need}, this is {own.phase}"
        )

    return Condition("PHASE", check)


def _trend_up(settings: Settings) -> Condition:
    def check(view: View, own: Own) -> str | None:
        means = when.averages(view, settings.ema_fast, settings.ema_slow)
        if settings.trend == "none" or (means is not None and means[0] > means[1]):
            return None
        return f"EMA{settings.ema_fast} and EMA{settings.ema_slow}: {_pair(means)}, not rising"

    return Condition("TECH", check)


def _not_stretched(settings: Settings) -> Condition:
    def check(view: View, own: Own) -> str | None:
        means = when.averages(view, settings.ema_fast, settings.ema_slow)
        if means is not None and means[0] <= means[1] * (1 + settings.weekly_trend_share):
            return None
        return f"EMA{settings.ema_fast} over EMA{settings.ema_slow}: {_pair(means)}, too far up"

    return Condition("TECH", check)


def _pair(means: tuple[float, float] | None) -> str:
    return "too few bars" if means is None else f"{means[0]:.2f} and {means[1]:.2f}"


def _not_at_high(sessions: int) -> Condition:
    def check(view: View, own: Own) -> str | None:
        spot, high = known(view.spot()), known(highest(view.bars(), sessions))
        return None if spot < high else f"{spot:.2f} is not below the {sessions}-session high {high:.2f}"

    return Condition("TECH", check)


def _no_threatened_put(settings: Settings) -> Condition:
    def check(view: View, own: Own) -> str | None:
        for position in own.positions:
            for pair in _role("NP")(view, own, position):
                delta = _put_delta(view, own, position, pair)
                if delta is not None and delta >= settings.np_delta_no_new:
                    return f"{pair.structure} is at {delta:.0%} delta: no new equity risk"
        return None

    return Condition("CORR", check)


# ---------------------------------------------------------------------------------------- building


def _units(settings: Settings, view: View, own: Own) -> Alternatives | Pass:
    """One unit in ES, else in MES; in the first phase in MES alone."""
    products = ("ES", "MES") if own.phase >= settings.second_week_phase else ("MES",)
    wishes = [_unit(settings, view, own, product) for product in products]
    good = tuple(wish for wish in wishes if isinstance(wish, Open))
    if good:
        return Alternatives(good)
    refused = [wish for wish in wishes if isinstance(wish, Pass)]
    code = "PRICE" if any(wish.code == "PRICE" for wish in refused) else "STRUCT"
    return Pass(ID, "1-1-2", code, "; ".join(wish.detail for wish in refused if wish.code == code))


def _unit(settings: Settings, view: View, own: Own, product: str) -> Open | Pass:
    expiry = _expiry(settings, view, own, product)
    chain = None if expiry is None else view.chain(product, expiry)
    if chain is None:
        return Pass(ID, "1-1-2", "STRUCT", f"{product}: no free expiry near {settings.entry_dte} DTE")
    parts = _legs(settings, chain, known(view.spot()))
    if isinstance(parts, str):
        return Pass(ID, "1-1-2", "STRUCT", f"{product} {expiry}: {parts}")
    return _priced(settings, view, own, parts)


def _expiry(settings: Settings, view: View, own: Own, product: str) -> date | None:
    """Each new unit on an expiry of its own; third Fridays and month-ends first."""
    near = settings.entry_dte - settings.dte_tolerance, settings.entry_dte + settings.dte_tolerance
    low, high = (settings.mes_dte_min, settings.mes_dte_max) if product == "MES" else near
    return select.expiry_near(
        view.expiries(product),
        view.today,
        settings.entry_dte,
        low=low,
        high=high,
        without={c.expiry for p in own.positions for c in p.components.values()},
        first_choice=(lambda _: True) if product == "MES" else select.is_standard,
    )


def _legs(settings: Settings, chain: Chain, spot: float) -> tuple[Part, Part] | str:
    """PDS and NP, or what was not found."""
    long = select.nearest_delta(
        chain, Right.PUT, settings.long_delta, low=settings.long_delta_min, high=settings.long_delta_max
    )
    if long is None:
        return f"no put of {settings.long_delta_min:.0%} to {settings.long_delta_max:.0%} delta to buy"
    width = select.scaled(settings.pds_width, spot, chain.product)
    short = select.wing(chain, long, width)
    if short is None:
        return f"no put {width:.1f} points below {long}"
    farthest = (1 - settings.np_otm_share) * chain.forward
    naked = select.nearest_delta(
        chain,
        Right.PUT,
        settings.np_delta,
        low=settings.np_delta_min,
        high=settings.np_delta_max,
        most=farthest,
    )
    if naked is None or naked.strike >= short.strike:
        band = f"{settings.np_delta_min:.0%} to {settings.np_delta_max:.0%} delta"
        return f"no put of {band} at or below {farthest:.1f}"
    return (
        Part("PDS", Structure("PDS", (Leg(long, +1), Leg(short, -1)))),
        Part("NP", Structure("NP", (Leg(naked, -2),))),
    )


def _priced(settings: Settings, view: View, own: Own, parts: tuple[Part, Part]) -> Open | Pass:
    product, spot = parts[0].structure.product, known(view.spot())
    spread, pair = (select.priced(view, part.structure) for part in parts)
    if spread is None or pair is None:
        return Pass(ID, "1-1-2", "PRICE", f"{product}: a leg has no two-sided quote")
    for name, credit, points in (
        ("the naked pair brings", pair.mid, settings.np_credit_min),
        ("the unit brings", spread.mid + pair.mid, settings.net_credit_min),
    ):
        least = select.least_credit(select.scaled(points, spot, product), parts)
        if credit < least:
            return Pass(ID, "1-1-2", "PRICE", f"{product}: {name} {credit:.2f}, least {least:.2f}")
    return Open(
        strategy=ID,
        entry="1-1-2",
        parts=parts,
        ceiling=_ceiling(settings, own, product),
        planned_loss=settings.np_stop_credits * pair.mid,
        target_gain=settings.np_target * pair.mid + spread.mid,
        least_net=select.least_credit(select.scaled(settings.net_credit_min, spot, product), parts),
        reason=f"debit {-spread.mid:.2f}, naked pair {pair.mid:.2f}, VIX {view.vix:.2f}",
        targets=(Target(("NP",), settings.np_target),),
    )


def _ceiling(settings: Settings, own: Own, product: str) -> int:
    if product == "ES":
        return settings.es_units_an_expiry
    first = own.phase < settings.second_week_phase
    return settings.mes_units_first_phase if first else settings.mes_units_an_expiry


def _calls(settings: Settings, view: View, own: Own) -> Sequence[Open] | Pass:
    """A weekly call vertical for every unit that may have one."""
    sold = [_call(settings, view, p) for p in own.positions if _may_sell(settings, p, view.today)]
    opens = [wish for wish in sold if isinstance(wish, Open)]
    refused = [wish for wish in sold if isinstance(wish, Pass)]
    return opens if opens or not refused else refused[0]


def _may_sell(settings: Settings, position: Position, day: date) -> bool:
    """Old enough, hedged, far enough from 21 DTE, undisturbed, and nothing sold this week."""
    spread = position.components.get("PDS")
    if spread is None or not spread.is_open or spread.closing or position.state is not State.ACTIVE:
        return False
    aged = day - new_york(position.opened).date() >= timedelta(days=settings.weekly_after_days)
    sold = any(
        _is_weekly(c) and (c.is_open or day - new_york(c.opened).date() < timedelta(days=5))
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
        return Pass(ID, "weekly", "STRUCT", f"{product}: no expiry near {settings.weekly_dte} DTE")
    part = _call_vertical(settings, view, chain)
    if isinstance(part, str):
        return Pass(ID, "weekly", "STRUCT", f"{product} {expiry}: {part}")
    quote = select.priced(view, part.structure)
    least = select.least_credit(
        select.scaled(settings.weekly_credit_min, known(view.spot()), product), [part]
    )
    if quote is None or quote.mid < least:
        mid = "no quote" if quote is None else f"{quote.mid:.2f}"
        return Pass(ID, "weekly", "PRICE", f"{part.structure}: {mid}, least {least:.2f}")
    loss = part.structure.max_loss(quote.mid) or quote.mid
    return Open(
        strategy=ID,
        entry="weekly",
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
    high = select.level(known(highest(view.bars(), settings.weekly_high_sessions)), chain.product)
    least = max(
        float(by_delta.strike), select.level(spot, chain.product) + settings.weekly_moves * move, high
    )
    short = select.strike_outward(chain, Right.CALL, least, beyond=least == high)
    points = select.scaled(settings.weekly_wing, spot, chain.product)
    long = None if short is None else select.wing(chain, short, points)
    if short is None or long is None:
        return f"no call vertical {points:.1f} wide from {least:.1f}"
    role = f"weekly {chain.expiry}"
    return Part(role, Structure(role, (Leg(short, -1), Leg(long, +1))))


# ------------------------------------------------------------------------------------------- exits


def _role(role: str) -> out.Picks:
    return lambda view, own, position: [c for c in out.idle(view, own, position) if c.role == role]


def _is_weekly(component: Component) -> bool:
    return component.role.startswith("weekly ")


def _weeklies(view: View, own: Own, position: Position) -> list[Component]:
    return [c for c in out.idle(view, own, position) if _is_weekly(c)]


def _np_exit(trigger: str, why: out.Reason) -> Exit:
    return out.leave(trigger, Urgency.STOP, why, guardian=True, which=_role("NP"), confirm=True, defends=True)


def _np_with_spent_pds(view: View, own: Own, position: Position) -> list[Component]:
    """The naked puts; with them the debit spread, unless it is worth more than it cost."""
    pair, spread = _role("NP")(view, own, position), _role("PDS")(view, own, position)
    return [*pair, *(c for c in spread if pair and not _is_worth_more(own, position, c))]


def _is_worth_more(own: Own, position: Position, spread: Component) -> bool:
    value = own.closing_net(position, spread)
    return value is not None and value > -spread.entry_net


def _last_days(settings: Settings) -> Callable[[View, Own, Position], list[Close | Mark]]:
    """All parts opened above 21 DTE, as one order; a PDS left alone later, when it is exempt."""

    def check(view: View, own: Own, position: Position) -> list[Close | Mark]:
        held = [c for c in out.idle(view, own, position) if c.opened_dte > settings.exit_dte]
        alone = settings.pds_exempt_from_21dte and not any(c.role == "NP" for c in position.open_components)
        days = settings.pds_exempt_dte if alone else settings.exit_dte
        if not held or not out.last_days(view, held, days):
            return []
        left = dte(view.today, min(c.expiry for c in held))
        roles = tuple(c.role for c in held)
        return [Close(ID, position.id, roles, Urgency.RULE, "21 DTE", f"{left} DTE, the rule is {days}")]

    return check


def _np_loss(settings: Settings) -> out.Reason:
    def why(view: View, own: Own, position: Position, chosen: Sequence[Component]) -> str | None:
        pair, profit = chosen[0], own.profit(position, chosen)
        if profit is None:
            return None
        dollars = -profit * pair.units * pair.structure.multiplier
        if dollars < settings.np_loss_share * own.net_liq:
            return None
        return f"${dollars:,.0f} lost, {settings.np_loss_share:.0%} of ${own.net_liq:,.0f} or more"

    return why


def _np_delta(settings: Settings) -> out.Reason:
    def why(view: View, own: Own, position: Position, chosen: Sequence[Component]) -> str | None:
        delta = _put_delta(view, own, position, chosen[0])
        return f"{delta:.0%} delta" if delta is not None and delta >= settings.np_delta_close else None

    return why


def _put_delta(view: View, own: Own, position: Position, pair: Component) -> float | None:
    """The naked put's delta; looked up only when the pair costs more than it brought."""
    net = own.closing_net(position, pair)
    if net is None or -net <= pair.entry_net:
        return None
    put = pair.structure.contracts[0]
    if not isinstance(put, Option):
        return None
    chain = view.chain(position.product, put.expiry)
    return None if chain is None else select.delta_of(chain, put)


def _week_ends(settings: Settings) -> out.Reason:
    def why(view: View, own: Own, position: Position, chosen: Sequence[Component]) -> str | None:
        due = min(view.session.at(settings.weekly_exit), view.session.close - timedelta(hours=1))
        last = out.is_last_of_week(view) or any(c.expiry == view.today for c in chosen)
        return "the week ends" if last and view.now >= due else None

    return why


def _pds_gained(settings: Settings) -> out.Reason:
    """Half the debit is won after the naked puts went at their target."""

    def why(view: View, own: Own, position: Position, chosen: Sequence[Component]) -> str | None:
        pair, profit, debit = position.components["NP"], own.profit(position, chosen), -chosen[0].entry_net
        if pair.is_open or pair.trigger in DEFENCES or profit is None or profit < settings.pds_gain * debit:
            return None
        return f"{profit:.2f} won on a debit of {debit:.2f}, the naked puts are gone"

    return why


def _pds_trail(settings: Settings) -> Callable[[View, Own, Position], list[Close | Mark]]:
    """After a defensive close of the naked puts: a share of its best value given back ends it."""

    def check(view: View, own: Own, position: Position) -> list[Close | Mark]:
        spread, pair = _role("PDS")(view, own, position), position.components["NP"]
        value = own.closing_net(position, spread[0]) if spread else None
        if value is None or pair.is_open or pair.trigger not in DEFENCES:
            return []
        key = position_note(position, "best")
        best = Decimal(own.notes.get(key) or 0)
        if value > best:
            return [Mark(ID, key, str(value))]
        if best <= -spread[0].entry_net or value > best * (1 - settings.pds_trail_share):
            return []
        reason = f"worth {value:.2f} after {best:.2f}"
        return [Close(ID, position.id, ("PDS",), Urgency.RULE, "PDS trail", reason)]

    return check
