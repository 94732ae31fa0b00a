"""Between a setting's value and its text: what a file, a variable or an option may say.

Text is shaped by hand, because the usual lenient readings are traps here (20240105 as seconds
since 1970, "1" as a switch); pydantic, in strict mode, then holds the result to the field's type.
"""

import json
import re
import tomllib
from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal
from functools import lru_cache
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import ConfigDict, TypeAdapter

from tomking.app.problems import did_you_mean
from tomking.domain.settings import Setting

SWITCH = {"on": True, "true": True, "yes": True, "off": False, "false": False, "no": False}
NOTHING = "none"
"""How a file or an option says None, where the field allows it."""


def read_text(setting: Setting, text: str) -> Any:  # noqa: ANN401 - of the setting's type
    """The value that ``text`` stands for.  ``ValueError`` or ``ArithmeticError`` when it stands for none."""
    return _checked(setting, _shape(setting.kind, text.strip(), _from_text))


def read_toml(setting: Setting, value: object) -> Any:  # noqa: ANN401 - of the setting's type
    """The value that a parsed TOML value stands for; errors as ``read_text``."""
    return _checked(setting, _shape(setting.kind, value, _from_toml))


def rule(setting: Setting, value: object = None) -> str:
    """What a value must be, in words; with the near miss when ``value`` is not among the choices."""
    if setting.choices:
        wrong = [w for w in _words(value) if w and w not in map(str, setting.choices)]
        known = ", ".join(f'"{c}"' for c in setting.choices)
        near = did_you_mean(wrong[0], map(str, setting.choices)) if wrong else ""
        several = "one of "
        if _is_list(setting.kind):
            # A file must write a list; an option writes a,b.
            several = "one or more of " if wrong or isinstance(value, list) else "a list of "
        return f"{several}{known}" + (f' ("{wrong[0]}": {near})' if near.startswith("did") else "")
    return _kind_in_words(setting.kind) + _range_in_words(setting)


def to_toml(value: object) -> str:
    """Canonical text of a value; ``read_toml`` of it gives the value back."""
    match value:
        case None:
            return f'"{NOTHING}"'
        case bool():
            return "true" if value else "false"
        case Decimal():
            return f'"{value.normalize():f}"'
        case str():
            return json.dumps(value, ensure_ascii=False)
        case tuple():
            return "[" + ", ".join(to_toml(v) for v in value) + "]"
        case date() | time():
            return value.isoformat()
        case _:
            return repr(value)


def to_text(value: object) -> str:
    """A value as an option takes it: ``read_text`` of it gives the value back."""
    return ",".join(map(to_text, value)) if isinstance(value, tuple) else to_toml(value).strip('"')


# ------------------------------------------------------------------------------ text to shape
Leaf = Callable[[Any, Any], Any]


def _shape(kind: Any, value: Any, leaf: Leaf) -> Any:  # noqa: ANN401 - any setting's type
    """``value`` in the shape of ``kind``: lists become tuples, texts become what ``leaf`` makes of them."""
    if get_origin(kind) in {Union, UnionType}:
        if isinstance(value, str) and value.lower() == NOTHING and NoneType in get_args(kind):
            return None
        (kind,) = (k for k in get_args(kind) if k is not NoneType)
    if not _is_list(kind):
        return leaf(kind, value)
    items, leaf = _items(value, leaf)
    kinds = get_args(kind)
    if kinds[-1] is Ellipsis:
        return tuple(_shape(kinds[0], item, leaf) for item in items)
    return tuple(_shape(k, item, leaf) for k, item in zip(kinds, items, strict=True))


def _items(value: Any, leaf: Leaf) -> tuple[list[Any], Leaf]:  # noqa: ANN401
    """The items of a TOML list, of ``[1, 2]`` or of ``a,b``."""
    if isinstance(value, list):
        return value, leaf
    if not isinstance(value, str) or leaf is _from_toml:
        raise ValueError(value)
    if value.startswith("["):
        return tomllib.loads(f"v = {value}", parse_float=Decimal)["v"], _from_toml
    return [word.strip() for word in value.split(",")] if value else [], leaf


def _from_text(kind: Any, text: Any) -> Any:  # noqa: ANN401
    if kind is bool:
        if text.lower() not in SWITCH:
            raise ValueError(text)
        return SWITCH[text.lower()]
    if kind in {int, float, Decimal}:
        return kind(text)
    return _from_toml(kind, text)


def _from_toml(kind: Any, value: Any) -> Any:  # noqa: ANN401
    if kind is Decimal and isinstance(value, str | int) and not isinstance(value, bool):
        return Decimal(value)
    if kind is float and isinstance(value, Decimal):
        return float(value)
    if kind is date and isinstance(value, str):
        return _date(value)
    if kind is time and isinstance(value, str):
        return _time(value)
    if kind is date and isinstance(value, datetime):
        raise ValueError(value)
    return value


def _date(text: str) -> date:
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII):
        raise ValueError(text)
    return date.fromisoformat(text)


def _time(text: str) -> time:
    if not re.fullmatch(r"\d\d:\d\d(:\d\d)?", text, re.ASCII):
        raise ValueError(text)
    return time.fromisoformat(text)


# ------------------------------------------------------------------------------------ to check
@lru_cache(maxsize=1024)
def _type_of(kind: Any) -> TypeAdapter[Any]:  # noqa: ANN401
    return TypeAdapter(kind, config=ConfigDict(strict=True, allow_inf_nan=False))


def _checked(setting: Setting, shaped: Any) -> Any:  # noqa: ANN401
    """``shaped`` held to type, range and choices."""
    value = _type_of(setting.kind).validate_python(shaped)
    for each in _flat(value):
        if setting.choices and each not in setting.choices:
            raise ValueError(each)
        if each is not None and setting.low is not None and each < setting.low:
            raise ValueError(each)
        if each is not None and setting.high is not None and each > setting.high:
            raise ValueError(each)
    return value


def _flat(value: Any) -> tuple[Any, ...]:  # noqa: ANN401
    return tuple(x for item in value for x in _flat(item)) if isinstance(value, tuple) else (value,)


# ------------------------------------------------------------------------------------ in words
def _is_list(kind: Any) -> bool:  # noqa: ANN401
    return get_origin(kind) is tuple


def _words(value: object) -> list[str]:
    if isinstance(value, list):
        return [str(v) for v in value]
    return [word.strip() for word in str(value).split(",")] if value is not None else []


def _kind_in_words(kind: Any) -> str:  # noqa: ANN401
    if get_origin(kind) in {Union, UnionType}:
        (inner,) = (k for k in get_args(kind) if k is not NoneType)
        return f"{_kind_in_words(inner)}, or {NOTHING}"
    if _is_list(kind):
        inner = get_args(kind)[0]
        return "a list of " + ("lists" if _is_list(inner) else _kind_in_words(inner).split(" ", 1)[1] + "s")
    names = {
        bool: "a switch, on or off",
        int: "a whole number",
        float: "a number",
        Decimal: "a number",
        str: "a text",
        date: "an existing date written YYYY-MM-DD",
        time: "a New York time written HH:MM",
    }
    return names.get(kind, str(kind))


def _range_in_words(setting: Setting) -> str:
    low, high = (None if x is None else to_text(x) for x in (setting.low, setting.high))
    if low is not None and high is not None:
        return f" from {low} to {high}"
    return f" of at least {low}" if low is not None else f" of at most {high}" if high is not None else ""
