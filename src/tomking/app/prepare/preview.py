"""Everything a person sees of an order before it is approved: as a value, as text, as JSON."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from tomking.app.amounts import money, net
from tomking.domain.calendar import new_york
from tomking.domain.intent import Approved
from tomking.domain.structure import Structure
from tomking.execution.preview import Intent
from tomking.execution.wire import Effect
from tomking.risk.ahead import Ahead, Moved
from tomking.view import View

FULLEST = 6
"""So many limits are shown as text; JSON has all."""


@dataclass(frozen=True, slots=True)
class Ticked:
    """One leg as it was quoted."""

    text: str
    """``-1 SPXW 2031-03-07 P5700``, per unit."""
    contracts: int
    """Of all units, < 0 sold."""
    bid: Decimal | None
    ask: Decimal | None


@dataclass(frozen=True, slots=True)
class Preview:
    """See the module.  Points are net per unit, dollars for all units."""

    hash: str
    intent: Intent
    venue: str
    account: str
    """Of the account its last four characters."""
    reason: str
    binding: str
    """What allowed no more units."""
    warnings: tuple[str, ...]
    legs: tuple[Ticked, ...]
    ahead: Ahead
    effect: Effect | None
    """The broker's dry run; None while it has not answered."""


def preview_of(
    intent: Intent, approved: Approved, view: View, ahead: Ahead, *, venue: str, account: str
) -> Preview:
    """Of an intent on the market of ``view``; the broker's word is added when it comes."""
    structure = approved.wish.structure
    quotes = view.quotes(structure.contracts)
    legs = tuple(
        Ticked(
            str(leg),
            leg.ratio * intent.units,
            None if quote is None else quote.bid,
            None if quote is None else quote.ask,
        )
        for leg, quote in zip(structure.legs, quotes, strict=True)
    )
    return Preview(
        hash=intent.hash,
        intent=intent,
        venue=venue,
        account=account[-4:],
        reason=approved.wish.reason,
        binding=approved.binding,
        warnings=approved.warnings,
        legs=legs,
        ahead=ahead,
        effect=None,
    )


def plain_of(preview: Preview) -> dict[str, Any]:
    """For JSON: exact amounts as strings, instants as ISO texts, legs as they are written everywhere."""
    plain = asdict(preview)
    plain["intent"]["legs"] = [str(leg) for leg in preview.intent.legs]
    read: dict[str, Any] = json.loads(json.dumps(plain, default=_plain))
    return read


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


# ------------------------------------------------------------------------------ as text


def page(preview: Preview) -> str:
    """A screen of it."""
    return "\n".join(_lines(preview))


def _lines(one: Preview) -> Iterator[str]:
    intent, ahead = one.intent, one.ahead
    joins = f", joins {intent.joins}" if intent.joins else ""
    yield f"{one.hash}  {intent.strategy} {intent.entry}{joins}  ({one.venue} ..{one.account})"
    yield f"  why        {one.reason}"
    for leg in one.legs:
        quoted = f"{_side(leg.bid)} bid, {_side(leg.ask)} asked"
        verb = "sell" if leg.contracts < 0 else "buy"
        yield f"  {verb:<10} {abs(leg.contracts)} x {leg.text.partition(' ')[2]}  {quoted}"
    yield f"  units      {intent.units}, bound by {one.binding}"
    yield f"  price      {net(intent.first)}, then {', '.join(f'{abs(p):.2f}' for p in intent.ladder[1:])}"
    room = f"not sent if the market is beyond {net(intent.top)} by then"
    yield f"             never worse than {net(intent.floor)}; {room}"
    yield f"  fees       {money(ahead.fees_open)} to open, {money(ahead.fees_close)} to close"
    yield from _broker(one.effect)
    most = "unbounded at expiry" if ahead.max_loss is None else money(ahead.max_loss)
    yield f"  may lose   {most}; {money(ahead.stop_loss)} at the planned stop"
    worst = ahead.worst
    if worst is not None:
        lost = f"{money(round(worst.after))} with all that is held, {money(round(worst.before))} without"
        yield f"  stressed   {worst.name}: {lost}".replace(".00", "")
    for limit in ahead.limits[:FULLEST]:
        yield f"  limit      {_limit(limit)}"
    for warning in one.warnings:
        yield f"  note       {warning}"
    yield f"  prepared   {_at(intent.at)}, expires {_at(intent.until)} New York"


def _broker(effect: Effect | None) -> Iterator[str]:
    if effect is None:
        yield "  broker     has not answered yet"
        return
    fees = "" if effect.fees is None else f", fees {money(effect.fees)}"
    yield (
        f"  broker     margin {money(effect.margin)} more, buying power {money(effect.buying_power)}, "
        f"{money(effect.left)} left{fees}"
    )
    for warning in effect.warnings:
        yield f"             {warning}"


def _limit(moved: Moved) -> str:
    """``margin $12,000 -> $15,000 of $100,000 (A.3)``."""
    one = moved.reading
    used = [_used(amount, one.unit) for amount in (moved.before, one.used, one.limit)]
    return f"{one.name} {used[0]} -> {used[1]} of {used[2]} ({one.source})"


def _used(amount: float, unit: str) -> str:
    match unit:
        case "%":
            return f"{amount:.1%}"
        case "$":
            return money(round(amount)).removesuffix(".00")
        case _:
            return f"{amount:g}"


def _side(price: Decimal | None) -> str:
    return "-" if price is None else f"{price:f}"


def _at(instant: datetime) -> str:
    return f"{new_york(instant):%Y-%m-%d %H:%M:%S}"


# ------------------------------------------------------------------------------ read back


def read_intent(plain: Mapping[str, Any]) -> Intent:
    """The intent of a preview's JSON.  ``ValueError`` where it is none."""
    try:
        text = " / ".join(plain["legs"])
        return Intent(
            account=str(plain["account"]),
            strategy=str(plain["strategy"]),
            entry=str(plain["entry"]),
            joins=str(plain["joins"]),
            legs=Structure.parse("", text).legs,
            units=int(plain["units"]),
            ladder=tuple(Decimal(step) for step in plain["ladder"]),
            floor=Decimal(plain["floor"]),
            top=Decimal(plain["top"]),
            at=datetime.fromisoformat(plain["at"]),
            until=datetime.fromisoformat(plain["until"]),
        )
    except (KeyError, TypeError, ValueError, ArithmeticError, AssertionError) as error:
        raise ValueError(f"no intent: {error}") from error
