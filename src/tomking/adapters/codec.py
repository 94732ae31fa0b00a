"""Between an event and its canonical JSON text, from the dataclasses' own type hints.

The text is what the journal's hashes are computed from, so one event has one text:

    keys        sorted, no spaces, ASCII
    tag         ``event`` (the class) and ``version`` (its schema) among the fields
    Decimal     a string, digits as they are ("5.00" stays so)
    instant     ISO, in UTC, ending in Z; naive ones are refused
    date        ISO; an enum by its value; a tuple as a list
    contract    its text form ("SPXW 2031-03-07 P5700")
    float       the shortest digits that give it back; never NaN or infinite

>>> from tomking.domain.events import CashMoved
>>> encode(CashMoved(datetime(2031, 3, 7, 15, tzinfo=UTC), Decimal("5.00"), "gift"))
'{"at":"2031-03-07T15:00:00Z","dollars":"5.00","event":"CashMoved","reason":"gift","version":1}'
"""

import json
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from functools import cache, lru_cache
from json.encoder import encode_basestring_ascii as quoted
from math import isfinite
from operator import attrgetter
from types import NoneType, UnionType
from typing import Any, NoReturn, Union, cast, get_args, get_origin, get_type_hints

from tomking.domain.contract import Contract, Future, Option, Share, parse_contract
from tomking.domain.errors import OperatingError
from tomking.domain.events import Event

VERSION = 1
"""Of every event's fields.  A change of one event's fields gives that event the next number."""

EVENTS: dict[str, type] = {cls.__name__: cls for cls in get_args(Event)}

Encode = Callable[[Any], str]
Decode = Callable[[Any], Any]

_CONTRACTS = frozenset((Option, Future, Share))


def encode(event: Event) -> str:
    """The canonical text."""
    kind: Any = type(event)
    return _encoder(kind, tagged=True)(event)


def decode(text: str) -> Event:
    """The event of a text.  ``OperatingError`` names an unknown event or field, or an unreadable value."""
    return labelled(text)[0]


def labelled(text: str) -> tuple[Event, str, str]:
    """The event of a text with its name and its instant as they are written there."""
    try:
        message = _parse(text)
    except ValueError as error:
        raise OperatingError(f"not a journalled event: {text[:80]!r} ({error})") from error
    if not isinstance(message, dict) or "event" not in message:
        raise OperatingError(f"not a journalled event: {text[:80]!r}")
    name, version = message.pop("event"), message.pop("version", None)
    if not isinstance(name, str) or name not in EVENTS:
        raise OperatingError(f"unknown event {name!r}: written by another version of this program?")
    if version != VERSION:
        raise OperatingError(f"{name}: schema version {version!r} is not known (this program: {VERSION})")
    at = message.get("at")
    return cast("Event", _decoder(EVENTS[name])(message)), name, str(at)


@lru_cache(maxsize=256)
def instant(value: datetime) -> str:
    """``2031-03-07T15:00:00Z``.  Events of one step have the same."""
    assert value.tzinfo is not None, f"{value} has no time zone"
    return value.astimezone(UTC).isoformat()[:-6] + "Z"


# ------------------------------------------------------------------------------------------ encode
@cache
def _encoder(kind: Any, *, tagged: bool = False) -> Encode:  # noqa: ANN401 - a type as written
    """How a value of this type is written; compiled once."""
    if kind in _ENCODERS:
        return _ENCODERS[kind]
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return _union_encoder(frozenset(inner))
    if origin is tuple:
        return _tuple_encoder(inner)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return {member: json.dumps(member.value) for member in kind}.__getitem__
    if isinstance(kind, type) and is_dataclass(kind):
        return _dataclass_encoder(kind, tagged=tagged)
    raise TypeError(f"the journal has no form for {kind!r}")


def _dataclass_encoder(kind: type, *, tagged: bool) -> Encode:
    types = get_type_hints(kind)
    names = sorted(f.name for f in fields(kind))
    constant = {"event": f'"event":"{kind.__name__}"', "version": f'"version":{VERSION}'} if tagged else {}
    assert not constant.keys() & set(names), f"{kind.__name__} has a field named like its tag"
    # The constant text between two fields is joined here, once: '{"at":', ',"event":"...","fill":' ...
    gaps, gap = [], "{"
    for name in sorted({*names, *constant}):
        gap += constant.get(name, f'"{name}":')
        if name in constant:
            gap += ","
        else:
            gaps.append(gap)
            gap = ","
    end = gap.removesuffix(",") + "}"
    encoders = [_encoder(types[name]) for name in names]
    if len(names) == 1:
        (only,), (write,), (before,) = names, encoders, gaps
        return lambda value: f"{before}{write(getattr(value, only))}{end}"
    values, pairs = attrgetter(*names), list(zip(gaps, encoders, strict=True))

    def write_all(value: object) -> str:
        parts = [gap + put(one) for (gap, put), one in zip(pairs, values(value), strict=True)]
        return "".join(parts) + end

    return write_all


def _union_encoder(kinds: frozenset[Any]) -> Encode:
    if kinds == _CONTRACTS:
        return _write_contract
    (kind,) = kinds - {NoneType}
    write = _encoder(kind)
    return lambda value: "null" if value is None else write(value)


def _tuple_encoder(inner: tuple[Any, ...]) -> Encode:
    if inner[1:] == (Ellipsis,):
        write = _encoder(inner[0])
        return lambda values: f"[{','.join(map(write, values))}]"
    writes = [_encoder(kind) for kind in inner]
    return lambda values: f"[{','.join(w(v) for w, v in zip(writes, values, strict=True))}]"


def _write_decimal(value: Decimal) -> str:
    assert value.is_finite(), f"{value} is no amount"
    return f'"{value}"'


def _write_float(value: float) -> str:
    assert isfinite(value), f"{value} is no number"
    return float.__repr__(float(value))


def _write_instant(value: datetime) -> str:
    return f'"{instant(value)}"'


def _write_date(value: date) -> str:
    return f'"{date.isoformat(value)}"'


def _write_bool(value: bool) -> str:  # noqa: FBT001 - one value
    return "true" if value else "false"


@lru_cache(maxsize=65_536)
def _write_contract(value: Contract) -> str:
    return quoted(str(value))


_ENCODERS: dict[Any, Encode] = {
    str: quoted,
    bool: _write_bool,
    int: int.__repr__,
    float: _write_float,
    Decimal: _write_decimal,
    datetime: _write_instant,
    date: _write_date,
    Option: _write_contract,
    Future: _write_contract,
    Share: _write_contract,
}


# ------------------------------------------------------------------------------------------ decode
@cache
def _decoder(kind: Any) -> Decode:  # noqa: ANN401 - a type as written
    """How a parsed JSON value of this type is read; ``OperatingError`` says what is wrong."""
    if kind in _DECODERS:
        return _DECODERS[kind]
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return _union_decoder(frozenset(inner))
    if origin is tuple:
        return _tuple_decoder(inner)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return _enum_decoder(kind)
    if isinstance(kind, type) and is_dataclass(kind):
        return _dataclass_decoder(kind)
    raise TypeError(f"the journal has no form for {kind!r}")


def _dataclass_decoder(kind: type) -> Decode:
    """All fields at once; only when that fails they are looked at one by one, to say which it was."""
    types = get_type_hints(kind)
    readers = {f.name: _decoder(types[f.name]) for f in fields(kind) if f.init}
    in_turn, count = list(readers.items()), len(readers)

    def read(message: Any) -> Any:  # noqa: ANN401 - as the dataclass declares
        try:
            if len(message) == count:
                return kind(*[reader(message[name]) for name, reader in in_turn])
        except (OperatingError, LookupError, TypeError, ValueError, ArithmeticError):
            return read_singly(message)
        return read_singly(message)

    def read_singly(message: Any) -> Any:  # noqa: ANN401 - as above
        _expect(message, dict, kind.__name__)
        if message.keys() != readers.keys():
            words = [f"unknown field {name!r}" for name in sorted(message.keys() - readers.keys())]
            words += [f"missing field {name!r}" for name in sorted(readers.keys() - message.keys())]
            raise OperatingError(f"{kind.__name__}: {', '.join(words)}")
        values = {}
        for name, reader in readers.items():
            try:
                values[name] = reader(message[name])
            except (OperatingError, ValueError, ArithmeticError) as error:
                raise OperatingError(f"{kind.__name__}.{name}: {error}") from error
        return kind(**values)

    return read


def _union_decoder(kinds: frozenset[Any]) -> Decode:
    if kinds == _CONTRACTS:
        return _read_contract
    (kind,) = kinds - {NoneType}
    read = _decoder(kind)
    return lambda value: None if value is None else read(value)


def _tuple_decoder(inner: tuple[Any, ...]) -> Decode:
    if inner[1:] == (Ellipsis,):
        read = _decoder(inner[0])
        return lambda values: tuple(map(read, _expect(values, list, "a list")))
    reads = [_decoder(kind) for kind in inner]
    return lambda values: tuple(r(v) for r, v in zip(reads, _expect(values, list, "a list"), strict=True))


def _enum_decoder(kind: type[Enum]) -> Decode:
    members = {member.value: member for member in kind}

    def read(value: Any) -> Enum:  # noqa: ANN401 - what JSON holds
        if not isinstance(value, str | int) or value not in members:
            raise OperatingError(f"{value!r} is no {kind.__name__}")
        return members[value]

    return read


@lru_cache(maxsize=65_536)
def _amount(text: str) -> Decimal:
    try:
        amount = Decimal(text)
    except ArithmeticError as error:
        raise OperatingError(f"{text!r} is no amount") from error
    if not amount.is_finite():
        raise OperatingError(f"{text!r} is no amount")
    return amount


def _read_decimal(value: Any) -> Decimal:  # noqa: ANN401 - what JSON holds
    return _amount(value) if type(value) is str else _unexpected(value, "a decimal string")


@lru_cache(maxsize=4_096)
def _instant(text: str) -> datetime:
    if not text.endswith("Z"):
        raise OperatingError(f"{text!r} is no instant in UTC")
    return datetime.fromisoformat(text)


def _read_instant(value: Any) -> datetime:  # noqa: ANN401 - what JSON holds
    return _instant(value) if type(value) is str else _unexpected(value, "an instant")


def _read_date(value: Any) -> date:  # noqa: ANN401 - what JSON holds
    return date.fromisoformat(_expect(value, str, "a date"))


def _read_float(value: Any) -> float:  # noqa: ANN401 - what JSON holds
    return value if type(value) is float else _unexpected(value, "a number")


def _read_int(value: Any) -> int:  # noqa: ANN401 - what JSON holds
    return value if type(value) is int else _unexpected(value, "a whole number")


def _read_bool(value: Any) -> bool:  # noqa: ANN401 - what JSON holds
    return value if type(value) is bool else _unexpected(value, "true or false")


def _read_str(value: Any) -> str:  # noqa: ANN401 - what JSON holds
    return value if type(value) is str else _unexpected(value, "a string")


@lru_cache(maxsize=65_536)
def _parsed_contract(text: str) -> Contract:
    return parse_contract(text)


def _read_contract(value: Any) -> Contract:  # noqa: ANN401 - what JSON holds
    return _parsed_contract(value) if type(value) is str else _unexpected(value, "a contract")


def _expect(value: Any, kind: type, words: str) -> Any:  # noqa: ANN401 - what JSON holds
    return value if type(value) is kind else _unexpected(value, words)


def _unexpected(value: object, words: str) -> NoReturn:
    raise OperatingError(f"{value!r} is not {words}")


def _no_constant(text: str) -> float:
    raise ValueError(f"{text} is not a number of this journal")


_scan = json.JSONDecoder(parse_constant=_no_constant).raw_decode


def _parse(text: str) -> Any:  # noqa: ANN401 - what JSON holds
    """Without looking for the white space that a canonical text never has: ``ValueError`` where it does."""
    message, end = _scan(text)
    if end != len(text):
        raise ValueError(f"more after its end, at {end}")
    return message


_DECODERS: dict[Any, Decode] = {
    str: _read_str,
    bool: _read_bool,
    int: _read_int,
    float: _read_float,
    Decimal: _read_decimal,
    datetime: _read_instant,
    date: _read_date,
    Option: _read_contract,
    Future: _read_contract,
    Share: _read_contract,
}
