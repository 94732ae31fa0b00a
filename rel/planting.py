"""A mutated module in the place of the real one, in a process that has imported that one already.

A function gets the mutant's code; a plain constant is exchanged wherever its name was imported to; a data
class gets the mutant's ``__init__``.
"""

import re
import sys
from collections.abc import Iterator
from dataclasses import is_dataclass
from datetime import date, time, timedelta
from decimal import Decimal
from functools import _lru_cache_wrapper
from inspect import CO_OPTIMIZED, unwrap
from types import CodeType, FunctionType, ModuleType

from rel.mistakes import Mutant, planted, tree_of

PLAIN = (int, float, str, type(None), Decimal, timedelta, time, date)


class _Elsewhere(Exception):
    """It takes more than that."""


def plant(mutant: Mutant) -> bool | None:
    """Into this process; what was remembered of the real one is forgotten.

    True: a function has the mistake; False: a constant or a default, of which copies may be about; None: it
    takes a new import.
    """
    module = sys.modules.get(mutant.module)
    if module is None:
        return None
    real = compile(tree_of(mutant.path), str(mutant.path), "exec")
    wrong = compile(planted(mutant), str(mutant.path), "exec")
    try:
        changed = list(_changed(real, wrong))
        is_function = all(code.co_flags & CO_OPTIMIZED for _, code in changed)
        if not is_function:
            _at_import(module, wrong)
        for before, after in changed:
            if after.co_flags & CO_OPTIMIZED:
                _recode(_found(module, before), after)
    except _Elsewhere:
        return None
    _forget()
    return is_function


def _changed(real: CodeType, wrong: CodeType) -> Iterator[tuple[CodeType, CodeType]]:
    """The functions that differ, and the bodies of a module or class that do beside these."""
    if wrong.co_flags & CO_OPTIMIZED:
        if real != wrong:
            yield real, wrong
        return
    if _own(real) != _own(wrong):
        yield real, wrong
    inner = _inner(real), _inner(wrong)
    if len(inner[0]) != len(inner[1]):
        raise _Elsewhere
    for before, after in zip(*inner, strict=True):
        yield from _changed(before, after)


def _own(code: CodeType) -> object:
    words = tuple((type(c), c) for c in code.co_consts if not isinstance(c, CodeType))
    return code.co_code, code.co_names, words


def _inner(code: CodeType) -> list[CodeType]:
    return [c for c in code.co_consts if isinstance(c, CodeType)]


def _found(module: ModuleType, code: CodeType) -> FunctionType:
    """The function with that code in the module as it is."""
    owner: object = module
    *path, name = code.co_qualname.split(".")
    for part in path:
        owner = vars(owner).get(part)
        if not isinstance(owner, type):
            raise _Elsewhere
    for function in _functions(vars(owner).get(name)):
        if function.__code__ == code:
            return function
    raise _Elsewhere


def _recode(function: FunctionType, code: CodeType) -> None:
    if len(code.co_freevars) != len(function.__code__.co_freevars):
        raise _Elsewhere
    function.__code__ = code


def _functions(member: object) -> Iterator[FunctionType]:
    """In a property, a class method or a wrapper."""
    inside = [getattr(member, name, None) for name in ("fget", "fset", "func", "__func__")]
    for one in (member, *inside):
        function = unwrap(one) if callable(one) else None
        if isinstance(function, FunctionType):
            yield function


def _at_import(module: ModuleType, code: CodeType) -> None:
    """Makes its constants and data classes anew."""
    new = ModuleType(module.__name__)
    new.__file__ = module.__file__
    if hasattr(module, "__path__"):
        new.__path__ = module.__path__
    exec(code, vars(new))  # what it raises is noticed by any test
    changes = 0
    for name, after in vars(new).items():
        before = vars(module).get(name)
        if name.startswith("__") or getattr(after, "__module__", module.__name__) != module.__name__:
            continue
        if isinstance(before, type) and isinstance(after, type):
            changes += _remade(before, after)
        elif not isinstance(before, FunctionType) and _told(before) != _told(after):
            if not _is_plain(after):
                raise _Elsewhere
            _exchange(name, before, after)
            changes += 1
    if not changes:
        raise _Elsewhere


def _remade(before: type, after: type) -> int:
    """Only the values its fields have by default may differ."""
    if _told(_defaults(before)) == _told(_defaults(after)):
        return 0
    if not is_dataclass(before) or not all(map(_is_plain, _defaults(after).values())):
        raise _Elsewhere
    before.__init__ = after.__init__  # type: ignore[method-assign, misc]
    before.__dataclass_fields__ = after.__dataclass_fields__  # type: ignore[attr-defined]
    return 1


def _defaults(cls: type) -> dict[str, object]:
    fields = getattr(cls, "__dataclass_fields__", {})
    plain = {name: value for name, value in vars(cls).items() if isinstance(value, PLAIN)}
    mine = {k: v for k, v in plain.items() if not k.startswith("__")}
    return {**mine, **{name: f.default for name, f in fields.items() if isinstance(f.default, PLAIN)}}


def _told(value: object) -> str:
    return re.sub(r" at 0x[0-9a-f]+", "", repr(value))


def _is_plain(value: object) -> bool:
    if isinstance(value, dict):
        return all(_is_plain(k) and _is_plain(v) for k, v in value.items())
    if isinstance(value, tuple | list | set | frozenset):
        return all(map(_is_plain, value))
    return type(value) in {*PLAIN, bool}


def _exchange(name: str, before: object, after: object) -> None:
    for module in tuple(sys.modules.values()):
        if vars(module).get(name) is before:
            setattr(module, name, after)


def _forget() -> None:
    for name, module in tuple(sys.modules.items()):
        if name.startswith("tomking"):
            for value in vars(module).values():
                if isinstance(value, _lru_cache_wrapper):
                    value.cache_clear()
