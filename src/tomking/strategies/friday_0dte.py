"""Friday 0DTE: sell the last hours of the week beyond the range, be flat before the close.

Source: docs/strategies/friday_0dte.md (methodology B.1).  Entered 10:30 to 11:00 when the VIX is
above 22; shorts half an ATR away on both sides after a quiet hour, 0.7 ATR away on one side after
a move; wings 30 points out; half the credit is enough, twice the credit is too much, 15:00 ends it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import time
from decimal import Decimal

from tomking.domain.book import Component, Position
from tomking.domain.chain import Chain
from tomking.domain.contract import Option, Right
from tomking.domain.intent import Alternatives, Close, Mark, Open, Part, Pass, Target, Urgency
from tomking.domain.products import PRODUCTS
from tomking.domain.settings import setting
from tomking.domain.structure import Leg, Structure, merged
from tomking.rules import entry as when
from tomking.rules import exits as out
from tomking.rules.entry import known
from tomking.rules.indicators import atr, last_close
from tomking.rules.select import (
    delta_of,
    least_credit,
    level,
    nearest_delta,
    priced,
    scaled,
    strike_outward,
    wing,
)
from tomking.rules.strategy import (
    Claim,
    Condition,
    Days,
    Entry,
    Exit,
    Fact,
    Strategy,
    Watch,
    Window,
    position_note,
    today_s,
)
from tomking.view import Own, View

ID = "friday_0dte"
PRODUCTS_IN_ORDER = ("ES", "SPXW", "XSP", "MES")
MICRO = ("XSP", "MES")
SIDES = {Right.PUT: "put side", Right.CALL: "call side"}
FRIDAY = Days(weekday=4, moves=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Point amounts are stated at an index of 5,500 (ruling 1)."""

    product: str = setting(
        "auto",
        choices=("auto", *PRODUCTS_IN_ORDER),
        source="B.1",
        doc="auto: the first that passes the gate.",
    )
    vix_gate: str = setting(
        "hard",
        choices=("hard", "soft", "off"),
        source="B.1",
        doc="soft also trades a low VIX, smaller.",
        research=True,
    )
    vix_min: float = setting(22.0, low=0.0, high=100.0, source="B.0.1", doc="Entries need a VIX above it.")
    vix_soft_min: float = setting(13.0, low=0.0, high=100.0, source="B.1", doc="The soft gate's lower end.")
    vix_max: float = setting(
        35.0, low=5.0, high=150.0, source="B.0.1", doc="No entry above it, and closes all."
    )
    vix_jump_share: float = setting(
        0.50, low=0.05, high=5.0, source="B.1", doc="A rise since the first VIX closes all."
    )
    soft_es_units: tuple[Decimal, ...] = setting(
        (Decimal("0.2"), Decimal("0.5"), Decimal(1), Decimal("1.5"), Decimal(2)),
        source="B.1, A.4",
        doc="ES-equivalents at most in the soft gate's extra range, by phase: half of A.4.",
    )
    es_units_max: int = setting(
        12, low=1, high=100, source="A.4", doc="Hard cap in ES-equivalents, whatever the phase."
    )
    print_until: time = setting(
        time(9, 40), source="B.1", doc="The opening print is taken from 09:30 up to here."
    )
    entry_start: time = setting(time(10, 30), source="B.1", doc="Never before.")
    entry_end: time = setting(time(11, 0), source="B.1", doc="Not after.")
    gap_share_max: float = setting(
        0.015, low=0.001, high=1.0, source="B.1", doc="An opening gap of this share skips."
    )
    flat_move_share: float = setting(
        0.005, low=0.0, high=1.0, source="B.1", doc="Up to this move since 09:30: condor."
    )
    direction: str = setting(
        "fade", choices=("fade", "follow", "both_sides"), source="B.1", doc="Which side is sold after a move."
    )
    atr_sessions: int = setting(
        14, low=2, high=100, source="B.1", doc="Wilder's average true range up to yesterday."
    )
    condor_atr: float = setting(
        0.5, low=0.1, high=3.0, source="B.1", doc="Distance of a condor's shorts in ATR."
    )
    vertical_atr: float = setting(
        0.7, low=0.1, high=3.0, source="B.1", doc="Distance of the short after a move."
    )
    delta_max: float = setting(
        0.25, low=0.05, high=0.45, source="B.1", doc="At this delta a short moves outward."
    )
    delta_min: float = setting(0.10, low=0.0, high=0.45, source="B.1", doc="Below it a short moves inward.")
    delta_inward: float = setting(0.15, low=0.01, high=0.45, source="B.1", doc="Where it moves then.")
    delta_never: float = setting(0.30, low=0.05, high=0.50, source="B.1", doc="No short at or above it.")
    wing_points: Decimal = setting(
        Decimal(30), low=Decimal(5), high=Decimal(200), source="B.1", doc="Long legs' distance."
    )
    broken_wing: bool = setting(default=False, source="B.1", doc="Widen one wing of the condor.")
    broken_wing_points: Decimal = setting(
        Decimal(50), low=Decimal(5), high=Decimal(200), source="B.1", doc="The wider wing."
    )
    broken_wing_side: str = setting(
        "untested",
        choices=("untested", "tested"),
        source="B.1",
        doc="Which one: where the 8/21-day averages lean is tested.",
    )
    condor_credit_share: float = setting(
        0.20, low=0.0, high=1.0, source="B.1", doc="Least credit, of the wing."
    )
    vertical_credit_share: float = setting(
        0.10, low=0.0, high=1.0, source="B.1", doc="Least credit, of the wing."
    )
    slippage_share: Decimal = setting(
        Decimal("0.35"),
        low=Decimal(0),
        high=Decimal(1),
        source="B.1, D.7",
        doc="Of the half spreads, expected at entry.",
    )
    target_share: Decimal = setting(
        Decimal("0.50"), low=Decimal("0.05"), high=Decimal("0.95"), source="B.1", doc="Credit kept."
    )
    stop_credits: Decimal = setting(
        Decimal("2.0"), low=Decimal("0.5"), high=Decimal(10), source="B.1", doc="Credits lost."
    )
    defend_credits: Decimal = setting(
        Decimal("1.0"),
        low=Decimal(0),
        high=Decimal(10),
        source="B.1",
        doc="Credits lost at which a touched side closes.",
    )
    noon: time = setting(time(12, 0), source="B.1", doc="From here a smaller profit is enough.")
    noon_share: Decimal = setting(
        Decimal("0.40"), low=Decimal(0), high=Decimal(1), source="B.1", doc="That profit."
    )
    late: time = setting(time(14, 30), source="B.1", doc="From here the last evaluation holds.")
    late_share: Decimal = setting(
        Decimal("0.25"), low=Decimal(0), high=Decimal(1), source="B.1", doc="Profit that is enough."
    )
    late_near_share: float = setting(
        0.003, low=0.0, high=0.1, source="B.1", doc="This near a short strike closes."
    )
    exit_time: time = setting(time(15, 0), source="B.1", doc="Closes all.")
    backstop: time = setting(time(15, 30), source="B.1", doc="Closes what is left, at any price.")


def strategy(settings: Settings) -> Strategy:
    """The strategy with these numbers."""
    return Strategy(
        id=ID,
        title="Friday 0DTE",
        priority=1,
        claim=Claim(0.88, "S1"),
        facts=(
            Fact("open", Window(time(9, 30), settings.print_until), FRIDAY, _spot),
            Fact("vix", Window(time(9, 30), time(15, 59)), FRIDAY, _vix),
        ),
        entries=(
            Entry(
                "0dte",
                Window(settings.entry_start, settings.entry_end),
                FRIDAY,
                when=(
                    when.full_session(),
                    when.has_market(),
                    _measured(settings),
                    _vix_gate(settings),
                    when.no_fomc_today(),
                    _product_allowed(settings),
                    _no_gap(settings),
                    _flat(),
                ),
                build=lambda view, own: _wish(settings, view, own),
            ),
        ),
        exits=_exits(settings),
        watch=Watch(1, time(9, 30), time(15, 59)),
    )


# ------------------------------------------------------------------------------------- conditions


def _measured(settings: Settings) -> Condition:
    def check(view: View, own: Own) -> str | None:
        if today_s(own, "open", view.today) is None:
            return f"no print between 09:30 and {settings.print_until:%H:%M}"
        if atr(view.bars(), settings.atr_sessions) is None:
            return f"fewer than {settings.atr_sessions + 1} daily bars for the average true range"
        return None

    return Condition("DATA", check)


def _vix_gate(settings: Settings) -> Condition:
    low = {"hard": settings.vix_min, "soft": settings.vix_soft_min, "off": 0.0}[settings.vix_gate]
    return when.vix_between(low, settings.vix_max, strict_low=settings.vix_gate != "soft")


def _no_gap(settings: Settings) -> Condition:
    def check(view: View, own: Own) -> str | None:
        gap = _print(own, view) / known(last_close(view.bars())) - 1
        if abs(gap) < settings.gap_share_max:
            return None
        return f"opening gap {gap:+.2%}, {settings.gap_share_max:.1%} or more skips"

    return Condition("TECH", check)


def _product_allowed(settings: Settings) -> Condition:
    def check(view: View, own: Own) -> str | None:
        return None if _products(settings, own) else f"{settings.product} is not traded in phase {own.phase}"

    return Condition("PHASE", check)


def _flat() -> Condition:
    def check(view: View, own: Own) -> str | None:
        return "a 0DTE position is open" if own.positions else None

    return Condition("CAP", check)


def _spot(view: View) -> str | None:
    spot = view.spot()
    return None if spot is None else repr(spot)


def _vix(view: View) -> str | None:
    return None if view.vix is None else repr(view.vix)


def _print(own: Own, view: View) -> float:
    text = today_s(own, "open", view.today)
    assert text is not None, "asked before the opening print"
    return float(text)


# ---------------------------------------------------------------------------------------- building


def _wish(settings: Settings, view: View, own: Own) -> Alternatives | Pass:
    """The condor or vertical in every product that lists today, largest first."""
    wishes = [_in_product(settings, view, own, product) for product in _products(settings, own)]
    good = tuple(wish for wish in wishes if isinstance(wish, Open))
    if good:
        return Alternatives(good)
    refused = [wish for wish in wishes if isinstance(wish, Pass)]
    # The reason that came furthest: a price that is too low says more than a missing expiry.
    code = "PRICE" if any(wish.code == "PRICE" for wish in refused) else "STRUCT"
    said = "; ".join(wish.detail for wish in refused if wish.code == code)
    return Pass(ID, "0dte", code, said)


def _products(settings: Settings, own: Own) -> tuple[str, ...]:
    allowed = MICRO if own.phase == 0 else PRODUCTS_IN_ORDER
    if settings.product == "auto":
        return allowed
    return tuple(p for p in allowed if p == settings.product)


def _in_product(settings: Settings, view: View, own: Own, product: str) -> Open | Pass:
    chain = view.chain(product, view.today) if view.today in view.expiries(product) else None
    if chain is None:
        return Pass(ID, "0dte", "STRUCT", f"{product}: nothing expires today")
    parts = []
    move = known(view.spot()) / _print(own, view) - 1
    for right in _sides(settings, move):
        part = _vertical(settings, view, chain, right, move)
        if isinstance(part, str):
            return Pass(ID, "0dte", "STRUCT", f"{product}: {part}")
        parts.append(part)
    return _priced(settings, view, own, parts, move)


def _sides(settings: Settings, move: float) -> tuple[Right, ...]:
    """Both after a quiet hour; else the side the market moved toward, or the other."""
    if abs(move) <= settings.flat_move_share or settings.direction == "both_sides":
        return (Right.PUT, Right.CALL)
    rose = move > 0
    return (Right.CALL,) if rose == (settings.direction == "fade") else (Right.PUT,)


def _vertical(settings: Settings, view: View, chain: Chain, right: Right, move: float) -> Part | str:
    """One short and its wing, or what was not found."""
    spot = known(view.spot())
    flat = abs(move) <= settings.flat_move_share
    away = (settings.condor_atr if flat else settings.vertical_atr) * known(
        atr(view.bars(), settings.atr_sessions)
    )
    at = level(spot + int(right) * away, chain.product)
    short = _short(settings, chain, right, at)
    if short is None:
        band = f"{settings.delta_min:.0%} to {settings.delta_max:.0%} delta"
        return f"no {right.name.lower()} to sell at {at:.1f}, {band}"
    points = scaled(_wing_points(settings, view, right, flat=flat), spot, chain.product)
    long = wing(chain, short, points)
    if long is None:
        return f"no wing {points:.1f} points from {short}"
    return Part(SIDES[right], Structure(SIDES[right], (Leg(short, -1), Leg(long, +1))))


def _short(settings: Settings, chain: Chain, right: Right, at: float) -> Option | None:
    """The listed strike at ``at``, rounded outward; too near moves out, too far moves in."""
    short = strike_outward(chain, right, at)
    # Nobody bids that far out: as good as no delta.
    delta = 0.0 if short is None else delta_of(chain, short)
    if delta is None or delta >= settings.delta_max:
        short = strike_outward(chain, right, at, delta_max=settings.delta_max)
    elif delta < settings.delta_min:
        short = nearest_delta(chain, right, settings.delta_inward)
    delta = None if short is None else delta_of(chain, short)
    return None if delta is None or delta >= settings.delta_never else short


def _wing_points(settings: Settings, view: View, right: Right, *, flat: bool) -> Decimal:
    means = when.averages(view, 8, 21) if settings.broken_wing and flat else None
    if means is None:
        return settings.wing_points
    tested = Right.CALL if means[0] > means[1] else Right.PUT
    widened = (right is tested) == (settings.broken_wing_side == "tested")
    return settings.broken_wing_points if widened else settings.wing_points


def _priced(settings: Settings, view: View, own: Own, parts: list[Part], move: float) -> Open | Pass:
    product, whole = parts[0].structure.product, merged("0dte", [part.structure for part in parts])
    quote = priced(view, whole)
    share = settings.condor_credit_share if len(parts) > 1 else settings.vertical_credit_share
    least = least_credit(share * max(_width(part) for part in parts), parts)
    if quote is None:
        return Pass(ID, "0dte", "PRICE", f"{product}: a leg of {whole} has no two-sided quote")
    expected = quote.mid - settings.slippage_share * quote.half_spread
    if expected < least:
        return Pass(
            ID, "0dte", "PRICE", f"{product}: credit {expected:.2f} after slippage, least {least:.2f}"
        )
    loss = whole.max_loss(quote.mid)
    ceiling = _ceiling(settings, own, product, known(view.vix))
    if not loss or not ceiling:
        return Pass(ID, "0dte", "PRICE", f"{product}: {quote.mid:.2f} for {whole}, ceiling {ceiling}")
    roles = tuple(part.role for part in parts)
    return Open(
        strategy=ID,
        entry="0dte",
        parts=tuple(parts),
        ceiling=ceiling,
        planned_loss=loss,
        target_gain=settings.target_share * quote.mid,
        least_net=least,
        reason=f"{move:+.2%} since 09:30, VIX {view.vix:.2f}{when.coverage_note(view.today)}",
        targets=(Target(roles, settings.target_share),),
    )


def _width(part: Part) -> float:
    strikes = [float(c.strike) for c in part.structure.contracts if isinstance(c, Option)]
    return max(strikes) - min(strikes)


def _ceiling(settings: Settings, own: Own, product: str, vix: float) -> int:
    units = Decimal(settings.es_units_max)
    if settings.vix_gate == "soft" and vix <= settings.vix_min:
        units = min(units, settings.soft_es_units[own.phase])
    listed, es = PRODUCTS[product], PRODUCTS["ES"]
    return int(units * es.multiplier / (listed.multiplier * listed.index_ratio))


# ------------------------------------------------------------------------------------------- exits


def _exits(settings: Settings) -> tuple[Exit, ...]:
    return (
        out.delivered_future(),
        out.at_wall("backstop", Urgency.STOP, settings.backstop),
        out.leave("VIX", Urgency.STOP, _vix_reason(settings), guardian=True),
        out.stop_loss("stop", settings.stop_credits),
        out.at_wall("time", Urgency.RULE, settings.exit_time),
        Exit("defend", Urgency.STOP, guardian=False, check=_defence(settings)),
        out.target_without_order(settings.target_share),
        out.keeps("late profit", settings.late_share, since=settings.late),
        out.leave("near strike", Urgency.RULE, _near_reason(settings)),
        out.keeps("noon profit", settings.noon_share, since=settings.noon),
    )


def _vix_reason(settings: Settings) -> out.Reason:
    def why(view: View, own: Own, position: Position, chosen: Sequence[Component]) -> str | None:
        vix, first = view.vix, today_s(own, "vix", view.today)
        if vix is None:
            return None
        if vix > settings.vix_max:
            return f"VIX {vix:.2f} is above {settings.vix_max:g}"
        if first is None or vix < float(first) * (1 + settings.vix_jump_share):
            return None
        return f"VIX {vix:.2f} is {vix / float(first) - 1:.0%} above its first {float(first):.2f}"

    return why


def _near_reason(settings: Settings) -> out.Reason:
    def why(view: View, own: Own, position: Position, chosen: Sequence[Component]) -> str | None:
        spot = view.spot()
        if spot is None or view.now < view.session.at(settings.late):
            return None
        for short in (_short_of(c) for c in chosen):
            near = abs(level(spot, short.product) / float(short.strike) - 1)
            if near <= settings.late_near_share:
                return f"{near:.2%} from the short {short}"
        return None

    return why


def _defence(settings: Settings) -> Callable[[View, Own, Position], list[Close | Mark]]:
    """A side whose short strike was touched closes at a full credit lost; the other stays."""

    def check(view: View, own: Own, position: Position) -> list[Close | Mark]:
        held = out.idle(view, own, position)
        key = position_note(position, "tested")
        tested = next((c.role for c in held if _is_touched(c, view)), None)
        found: list[Close | Mark] = []
        if tested is not None and own.notes.get(key) != tested:
            found.append(Mark(ID, key, tested))
        tested = tested or own.notes.get(key)
        closing = [c for c in held if c.role == tested]
        cost, credit = out.cost_and_credit(own, position, held)
        if closing and cost is not None and credit > 0 and cost - credit >= settings.defend_credits * credit:
            reason = f"{tested} was touched and {cost - credit:.2f} of {credit:.2f} credit is lost"
            found.append(
                Close(
                    ID, position.id, (closing[0].role,), Urgency.STOP, "defend", reason, defends=len(held) > 1
                )
            )
        return found

    return check


def _is_touched(component: Component, view: View) -> bool:
    spot, short = view.spot(), _short_of(component)
    return spot is not None and (level(spot, short.product) - float(short.strike)) * int(short.right) >= 0


def _short_of(component: Component) -> Option:
    return next(
        leg.contract for leg in component.structure.legs if leg.is_short and isinstance(leg.contract, Option)
    )
