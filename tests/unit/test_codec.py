import json
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Union, cast, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tomking.adapters.codec import EVENTS, decode, encode
from tomking.domain.contract import Future, Option, Right, Share
from tomking.domain.errors import OperatingError
from tomking.domain.events import CashMoved, Event, Noted, OrderFilled, SessionEnded, Settled, Transitioned
from tomking.domain.lifecycle import State
from tomking.domain.order import Fill
from tomking.domain.structure import Leg, Structure

AT = datetime(2031, 3, 7, 15, tzinfo=UTC)
PUT = Option.parse("SPXW 2031-03-07 P5700")
SMALL = Option.parse("SPXW 1990-06-15 P342.205 x1639.34/0.00305")
ES = Future.parse("ES 2031-03-21 F")
SHARE = Share.parse("SPX S x1639.34/0.00305")

amounts = st.decimals(allow_nan=False, allow_infinity=False, places=None)
instants = st.datetimes(timezones=st.just(UTC))
BY_TYPE: dict[Any, st.SearchStrategy[Any]] = {
    str: st.text(),
    bool: st.booleans(),
    int: st.integers(),
    float: st.floats(allow_nan=False, allow_infinity=False),
    Decimal: amounts,
    datetime: instants,
    date: st.dates(),
    Option: st.sampled_from([PUT, SMALL]),
    Future: st.just(ES),
    Share: st.just(SHARE),
    Structure: st.lists(
        st.builds(
            Leg, st.sampled_from([PUT, Option.parse("SPXW 2031-03-07 C5900")]), st.sampled_from([1, -2])
        ),
        min_size=1,
        max_size=4,
    ).map(lambda legs: Structure("some", tuple(legs))),
}


def values(kind: Any) -> st.SearchStrategy[Any]:
    """Any value of a type hint, the journal's or not: the domain's own rules are not its business."""
    if kind in BY_TYPE:
        return BY_TYPE[kind]
    if get_origin(kind) in (Union, UnionType):
        return st.one_of(*(st.none() if k is NoneType else values(k) for k in get_args(kind)))
    if get_origin(kind) is tuple:
        return st.lists(values(get_args(kind)[0]), max_size=3).map(tuple)
    if issubclass(kind, Enum):
        return st.sampled_from(kind)
    assert is_dataclass(kind)
    hints, make = get_type_hints(kind), cast("Callable[..., Any]", kind)
    return st.builds(make, **{f.name: values(hints[f.name]) for f in fields(kind)})


@pytest.mark.parametrize("name", EVENTS)
@given(data=st.data())
def test_every_event_comes_back_from_its_text(name: str, data: st.DataObject) -> None:
    event = data.draw(values(EVENTS[name]))
    text = encode(event)
    assert decode(text) == event
    assert encode(decode(text)) == text


@pytest.mark.parametrize("name", EVENTS)
@given(data=st.data())
def test_the_text_is_canonical_json(name: str, data: st.DataObject) -> None:
    text = encode(data.draw(values(EVENTS[name])))
    assert text.isascii()
    assert json.dumps(json.loads(text), sort_keys=True, separators=(",", ":")) == text


def test_a_fill_is_written_like_this() -> None:
    fill = Fill("x1", "o7", AT, 2, (Decimal("3.10"), Decimal("1.05")), Decimal("4.90"))
    assert encode(OrderFilled(AT, fill)) == (
        '{"at":"2031-03-07T15:00:00Z","event":"OrderFilled","fill":{"at":"2031-03-07T15:00:00Z",'
        '"fees":"4.90","id":"x1","leg_mids":[],"leg_prices":["3.10","1.05"],"order":"o7","units":2},"version":1}'
    )


def test_contracts_are_written_by_their_text_form() -> None:
    settled = Settled(AT, "p1", "condor", (PUT, SMALL), Decimal(5600), Decimal(-10000), Decimal(0), ())
    message = json.loads(encode(settled))
    assert message["expired"] == ["SPXW 2031-03-07 P5700", "SPXW 1990-06-15 P342.205 x1639.34/0.00305"]
    assert decode(encode(settled)) == settled


def test_an_option_keeps_its_own_size() -> None:
    scaled = Option(
        "SPXW", date(1990, 6, 15), Right.PUT, Decimal("342.205"), Decimal("1639.34"), Decimal("0.00305")
    )
    event = Settled(AT, "p", "r", (scaled,), Decimal(1), Decimal(1), Decimal(0))
    assert decode(encode(event)) == event


def test_an_instant_is_written_in_utc_whatever_its_zone() -> None:
    new_york = AT.astimezone(timezone(timedelta(hours=-5)))
    assert encode(Noted(new_york, "k", "v")) == encode(Noted(AT, "k", "v"))


def test_an_enum_is_written_by_its_value() -> None:
    text = encode(Transitioned(AT, "p", State.ACTIVE, State.CLOSED, "stop"))
    assert '"after":"closed"' in text


@pytest.mark.parametrize(
    "event",
    [
        Noted(AT.replace(tzinfo=None), "k", "v"),
        CashMoved(AT, Decimal("NaN"), "gift"),
        SessionEnded(AT, AT.date(), Decimal(1), Decimal(0), Decimal(0), float("nan"), None),
    ],
    ids=["naive instant", "not an amount", "not a number"],
)
def test_what_has_no_canonical_text_is_our_mistake(event: Event) -> None:
    with pytest.raises(AssertionError):
        encode(event)


GOOD = '{"at":"2031-03-07T15:00:00Z","dollars":"5.00","event":"CashMoved","reason":"gift","version":1}'


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("CashMoved", "CashMelted", "unknown event 'CashMelted'"),
        ('"reason"', '"rhyme"', "CashMoved: unknown field 'rhyme', missing field 'reason'"),
        (',"reason":"gift"', "", "CashMoved: missing field 'reason'"),
        ('"version":1', '"version":9', "CashMoved: schema version 9"),
        ('"5.00"', "5.00", "CashMoved.dollars: 5.0 is not a decimal string"),
        ('"5.00"', '"five"', "CashMoved.dollars: 'five' is no amount"),
        ('"5.00"', '"Infinity"', "CashMoved.dollars: 'Infinity' is no amount"),
        ('"gift"', "null", "CashMoved.reason: None is not a string"),
        ("2031-03-07T15", "2031-13-07T15", "CashMoved.at: month must be in 1..12"),
        ("00Z", "00", "CashMoved.at: '2031-03-07T15:00:00' is no instant in UTC"),
        ("}", "", "not a journalled event"),
        (GOOD, "[]", "not a journalled event"),
        ('"5.00"', "NaN", "NaN is not a number"),
    ],
)
def test_what_cannot_be_read_is_named(old: str, new: str, says: str) -> None:
    assert decode(GOOD) == CashMoved(AT, Decimal(5), "gift")
    with pytest.raises(OperatingError) as failure:
        decode(GOOD.replace(old, new))
    assert says in str(failure.value)


def test_a_field_inside_is_named_with_its_owners() -> None:
    fill = encode(OrderFilled(AT, Fill("x1", "o7", AT, 2, (Decimal(3),), Decimal(1))))
    with pytest.raises(OperatingError, match=r"OrderFilled.fill: Fill.units: '2' is not a whole number"):
        decode(fill.replace('"units":2', '"units":"2"'))


def test_an_unreadable_contract_is_shown() -> None:
    text = encode(Settled(AT, "p", "r", (PUT,), Decimal(1), Decimal(1), Decimal(0)))
    with pytest.raises(OperatingError, match="not an option: 'SPXW 2031-03-07 Q5700'"):
        decode(text.replace("P5700", "Q5700"))
