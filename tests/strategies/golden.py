"""The decisions of each strategy in its trial (``tomking.testing``), as a document to be read and kept.

    python -m tests.strategies.golden              writes tests/strategies/golden/<id>.txt for all
    python -m tests.strategies.golden lt112        for one

A change of a rule, of the gate or of the model market changes them: read the difference, then keep it.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from tomking.domain import events as ev
from tomking.domain.calendar import new_york
from tomking.domain.intent import Part
from tomking.domain.order import Order
from tomking.strategies import ALL
from tomking.testing import Trial, trial
from tomking.testing.trial import CAPITAL

FOLDER = Path(__file__).parent / "golden"
INDENT = " " * 18


def document(id_: str) -> str:
    """Everything it wished, was granted and refused, in the order of time."""
    tried = trial(ALL[id_])
    assert tried is not None, f"{id_} opens nothing in its trial"
    return "\n".join([*_head(tried), *_lines(tried)]) + "\n"


def _head(tried: Trial) -> Iterator[str]:
    days = [ended.day for ended, _ in tried.plain.books]
    yield f"{tried.strategy.title}: its decisions from {days[0]} to {days[-1]}"
    yield f"On the model market (seed 1), with ${CAPITAL:,.0f} and every default; New York times."
    yield f"Made by: python -m tests.strategies.golden {tried.strategy.id}"
    yield ""


def _lines(tried: Trial) -> Iterator[str]:
    orders: dict[str, Order] = {}
    for event in tried.plain.events:
        if isinstance(event, ev.OrderSubmitted):
            orders[event.order.id] = event.order
        for number, line in enumerate(_words(event, orders)):
            stamp = f"{new_york(event.at):%Y-%m-%d %H:%M}  "
            yield (stamp if number == 0 else INDENT) + line


def _words(event: ev.Event, orders: dict[str, Order]) -> Iterator[str]:
    match event:
        case ev.Declined(_, _, entry, code, details):
            yield f"no {entry}, {code}: {details[0]}"
            yield from (f"and {detail}" for detail in details[1:])
        case ev.EntryApproved(_, _, entry, units, binding, warnings, reason):
            yield f"{entry}: {units} units, bound by {binding}"
            yield f"because {reason}"
            yield from (f"warned: {words}" for words in warnings)
        case ev.OrderSubmitted(_, order):
            yield from _order(order)
        case ev.OrderFilled(_, fill):
            order = orders[fill.order]
            done = "opened" if order.opens else "closed"
            yield f"{done} {fill.units} x {', '.join(order.roles)} of {order.position} by order {fill.order}"
        case ev.Settled(_, position, role, _, price, dollars):
            yield f"settled {role} of {position} at {price:.2f}: ${dollars:,.2f}"
        case ev.Staged(_, position, before, after, trigger, context):
            yield f"{position}: {before or 'new'} -> {after}, {trigger} ({context})"
        case ev.Noted(_, key, _) if key.startswith("risk."):
            return
        case ev.Noted(_, key, value):
            yield f"noted {key} = {value}" if value else f"forgot {key}"
        case ev.Quarantined(_, _, error):
            yield f"QUARANTINED: {error}"
        case _:
            return


def _order(order: Order) -> Iterator[str]:
    does = "opens" if order.opens else "rests to close" if order.trigger == "target" else "closes"
    yield f"order {order.id} {does} {order.units} x at {order.limit:.2f}, {order.trigger}: {order.reason}"
    yield from (_part(part) for part in order.parts)


def _part(part: Part) -> str:
    return f"  {part.role}: {part.structure}"


def main(ids: list[str]) -> None:
    FOLDER.mkdir(exist_ok=True)
    for id_ in ids or list(ALL):
        (FOLDER / f"{id_}.txt").write_text(document(id_), encoding="utf-8")
        print(f"wrote {id_}.txt")  # noqa: T201 - the command says what it did


if __name__ == "__main__":
    main(sys.argv[1:])
