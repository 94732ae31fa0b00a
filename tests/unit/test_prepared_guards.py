"""The last comparison before the first byte, and what of an order is taken up again after a restart."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.preparedworld import FINE, Prepared
from tests.unit.test_limits import wish
from tests.worlds import FRIDAY, at, session_on

from tomking.app.prepare.candidates import State, key_of, note_of, restored
from tomking.app.prepare.guards import UNAPPROVED, PreparedStrategy, PreparedWire
from tomking.domain.book import Book, Working
from tomking.domain.intent import Urgency
from tomking.domain.order import Order
from tomking.execution.preview import Intent
from tomking.execution.wire import Outcome, Place, Replace, Reply
from tomking.view import Own

TICK = Decimal("0.05")
LEGS = wish("ES").structure.legs
FIRST, FLOOR = Decimal("10.00"), Decimal("9.50")


@pytest.fixture
def world(tmp_path: Path) -> Prepared:
    return Prepared(tmp_path).run("10:32")


@pytest.fixture
def wire(world: Prepared) -> PreparedWire:
    """A guard of its own, with one grant for three condors at 10.00 down to 9.50."""
    made = PreparedWire(world.wire, world.preparation, Book())
    world.wire.sent.clear()
    world.wire.told.clear()
    intent = Intent(
        "d8206000", "friday_0dte", "condor", "", LEGS, 3, (FIRST,), FLOOR, Decimal("10.50"),
        at("10:30"), at("10:40"),
    )  # fmt: skip
    world.preparation.granted().append(intent)
    return made


def place(**changes: object) -> Place:
    plain = Place("k", "d8206000-1-42-1", LEGS, 3, FIRST, opens=True)
    return replace(plain, **changes)  # type: ignore[arg-type]


def refused(wire: PreparedWire, world: Prepared) -> list[str]:
    """Keys that the guard itself answered."""
    told = wire.take(world.now)
    return [one.key for one in told if isinstance(one, Reply) and one.code == UNAPPROVED]


def test_what_was_approved_passes_once(wire: PreparedWire, world: Prepared) -> None:
    wire.send(place(), world.now)
    wire.send(place(key="again", tag="d8206000-1-43-1"), world.now)
    assert [one.key for one in world.wire.placed()] == ["k"]
    assert refused(wire, world) == ["again"]


@pytest.mark.parametrize(
    ("what", "passes"),
    [
        ({"limit": FLOOR}, True),
        ({"limit": FLOOR - TICK}, False),
        ({"limit": FIRST + 1}, True),  # a better price than was asked for
        ({"units": 2}, False),
        ({"units": 4}, False),
        ({"legs": LEGS[:3]}, False),
        ({"legs": LEGS[::-1]}, True),
        ({"legs": wish("ES").structure.inverse().legs}, False),
        ({"tag": "somebody"}, False),
    ],
)
def test_the_guard_compares_legs_units_and_price(
    what: dict[str, Any], passes: bool, wire: PreparedWire, world: Prepared
) -> None:
    wire.send(place(**what), world.now)
    assert bool(world.wire.placed()) is passes
    assert refused(wire, world) == ([] if passes else ["k"])
    said = [text for level, text in world.heard.said if level == "critical"]
    assert bool(said) is not passes


@pytest.mark.parametrize(("limit", "passes"), [(FLOOR, True), (FLOOR - TICK, False), (FIRST, True)])
def test_later_limits_stay_above_the_floor(
    limit: Decimal, passes: bool, wire: PreparedWire, world: Prepared
) -> None:
    wire.send(place(), world.now)
    wire.send(Replace("r", "d8206000-1-42-2", "V1", limit, opens=True), world.now)
    assert bool(world.wire.replaced()) is passes
    assert refused(wire, world) == ([] if passes else ["r"])


def test_an_order_under_way_at_a_restart_keeps_its_floor(world: Prepared) -> None:
    order = Order(
        "42", "friday_0dte", "42", wish("ES").parts, 3, FIRST, FLOOR, True, Urgency.ENTRY, "", "condor"
    )  # fmt: skip
    book = Book(orders={"42": Working(order, at("10:31"), FIRST)})
    wire = PreparedWire(world.wire, world.preparation, book)
    world.wire.sent.clear()
    wire.send(Replace("a", "d8206000-1-42-2", "V1", FLOOR, opens=True), world.now)
    wire.send(Replace("b", "d8206000-1-42-3", "V1", FLOOR - TICK, opens=True), world.now)
    wire.send(Replace("c", "d8206000-1-41-2", "V1", FIRST, opens=True), world.now)
    assert [one.key for one in world.wire.replaced()] == ["a"]


def test_answers_to_dry_runs_stay_here_and_all_others_go_on(wire: PreparedWire, world: Prepared) -> None:
    dry = Reply("dry-run-1", world.now, Outcome.ACCEPTED, effect=FINE)
    other = Reply("d8206000-1:7", world.now, Outcome.ACCEPTED)
    world.wire.told[:] = [dry, other]
    assert [one for one in wire.take(world.now) if isinstance(one, Reply)] == [other]


# ------------------------------------------------------------------------------ a restart


def test_what_waits_is_had_again_as_it_was(world: Prepared) -> None:
    shown = world.only()
    one = restored(shown)
    assert one is not None
    assert (one.state, one.hash) == (State.WAITING, shown["hash"])
    assert one.wish.structure.legs == LEGS
    assert one.wish.ceiling == 50, "the strategy's own, so that the gate's answer can be compared"
    assert (one.wish.least_net, one.wish.planned_loss) == (FLOOR, Decimal(20))
    assert (one.wish.target_gain, one.wish.joins, one.wish.reason) == (Decimal(5), None, "test")
    assert world.strategy.wishes is not None
    assert one.wish.targets == world.strategy.wishes.targets


def _in_the_order(before: str, after: str) -> Callable[[dict[str, Any]], None]:
    def change(shown: dict[str, Any]) -> None:
        assert before in shown["order"]
        shown["order"] = shown["order"].replace(before, after)

    return change


def _in_the_intent(name: str, value: object) -> Callable[[dict[str, Any]], None]:
    def change(shown: dict[str, Any]) -> None:
        shown["preview"]["intent"][name] = value

    return change


@pytest.mark.parametrize(
    "change",
    [
        _in_the_order('"units":3', '"units":4'),
        _in_the_order('"floor":"9.50"', '"floor":"9.00"'),
        _in_the_order('"floor":"9.50"', '"floor":null'),
        _in_the_order("P5465", "P5460"),
        _in_the_order('"event":"OrderSubmitted"', '"event":"OrderRepriced"'),
        _in_the_intent("units", 4),
        _in_the_intent("floor", "9.00"),
        _in_the_intent("until", "2031-03-07T20:00:00+00:00"),
        _in_the_intent("legs", ["-1 ES 2031-03-07 P5465"]),
        _in_the_intent("legs", []),
        _in_the_intent("ladder", "10"),
        lambda shown: shown.update(hash="0123456789ab"),
        lambda shown: shown.update(ceiling=2),
        lambda shown: shown.update(target_gain="much"),
        lambda shown: shown.pop("preview"),
        lambda shown: shown.pop("order"),
    ],
)
def test_what_is_not_as_it_was_is_not_taken_up(
    change: Callable[[dict[str, Any]], None], world: Prepared
) -> None:
    shown = json.loads(json.dumps(world.only()))
    assert restored(shown) is not None
    change(shown)
    assert restored(shown) is None


# ------------------------------------------------------------------------------ the broker's word


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply("", at("10:30"), Outcome.REJECTED, effect=FINE, text="no"), "no"),
        (Reply("", at("10:30"), Outcome.REJECTED, code="margin"), "margin"),
        (Reply("", at("10:30"), Outcome.ACCEPTED), "refused without words"),
    ],
)
def test_a_yes_without_figures_is_no_yes_and_neither_is_a_no_with_them(
    reply: Reply, words: str, tmp_path: Path
) -> None:
    world = Prepared(tmp_path)
    world.wire.answers = [reply]
    world.run("10:31")
    assert world.shown() == []
    assert any(f"dry run: {words}" in line for line in world.refusals("WAIT"))


def test_buying_power_down_to_nothing_is_still_enough(tmp_path: Path) -> None:
    world = Prepared(tmp_path)
    world.wire.answers = [Reply("", at("10:30"), Outcome.ACCEPTED, effect=replace(FINE, left=Decimal(0)))]
    assert len(world.run("10:31").shown()) == 1


def test_a_person_is_told_that_something_waits(world: Prepared) -> None:
    hash_ = world.only()["hash"]
    assert [text for level, text in world.heard.said if level == "warning"] == [
        f"friday_0dte condor: 3 x {wish('ES').structure} waits for you: tomking approve {hash_}"
    ]


# ------------------------------------------------------------------------------ names, and when it is asked


def test_what_joins_a_position_waits_beside_what_opens_one() -> None:
    alone, joined = wish("ES"), wish("ES", joins="7")
    assert note_of(alone) == "friday_0dte.prepared condor"
    assert note_of(joined) == "friday_0dte.prepared condor@7"
    assert key_of(alone) != key_of(joined)


def test_an_approved_order_has_its_strategy_asked_in_the_next_minute(world: Prepared) -> None:
    asked = PreparedStrategy(world.strategy, world.preparation)
    session, own = session_on(FRIDAY), Own("friday_0dte", 4, Decimal(200_000), "GREEN", (), (), {}, (), {})

    def wake(now: str) -> datetime | None:
        return asked.next_wake(session, own, at(now), 1)

    assert wake("10:32") == at("10:35"), "its own next look, while nothing is approved"
    (one,) = world.preparation._open.values()
    one.state = State.APPROVED
    assert wake("10:32") == at("10:33")
    assert wake("10:34") == at("10:35")
    assert wake("15:01") == at("15:02"), "though it would not look any more by itself"
    assert wake("15:59") is None, "not at the close itself"
    assert wake("14:59:30") == at("15:00")
