"""What a run is configured with: default < file < environment < command line, each value's source kept.

Sections are frozen dataclasses whose fields are made with ``setting`` (domain.settings); the file
is TOML.  Every value is checked against its field, and all that is wrong is said at once.

1. Gather: the leaves of the file, then ``TOMKING__...`` variables, then the command line.
2. Resolve each key to a section and a field; a key nobody knows is a problem.
3. Read each value as the field's type, then check range and choices.
4. Build the sections; a section may refuse a combination with ``ValueError``.
"""

import hashlib
import json
import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import platformdirs

from tomking.app.exits import Exit
from tomking.app.outside import outside, strategy_ids
from tomking.app.problems import Problem, Problems, did_you_mean
from tomking.app.sections import HISTORY_FIRST, STRATEGIES, Backtest, sections
from tomking.app.values import read_text, read_toml, rule, to_text, to_toml
from tomking.domain.settings import Setting, settings_of

SCHEMA_VERSION = 1
ENVIRONMENT_PREFIX = "TOMKING__"

S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Override:
    """A value given as text on the command line or in the environment."""

    key: str
    """``section.field``; a strategy's may go without ``strategies.``"""
    text: str
    where: str
    """What the user typed: ``--set``, ``--capital``, ``TOMKING__RISK__X``."""
    code: Exit = Exit.CONFIG
    """How a bad value ends the command: the options of a command are usage, the rest configuration."""


@dataclass(frozen=True, slots=True)
class Row:
    """One effective value, for ``config show``."""

    key: str
    value: Any
    setting: Setting
    source: str
    """``default``, ``/path/config.toml:4``, ``TOMKING__ACCOUNT__CAPITAL`` or an option."""


@dataclass(frozen=True, slots=True, eq=False)
class Config:
    """The effective sections and where each value came from."""

    values: Mapping[str, object]
    """Section name to its dataclass."""
    provenance: Mapping[str, str]
    """``section.field`` to its source; see ``Row.source``."""

    def section(self, name: str, kind: type[S]) -> S:
        """The section ``name``, known to be of ``kind``."""
        found = self.values[name]
        assert isinstance(found, kind), f"{name} is {type(found)}"
        return found

    def rows(self) -> Iterator[Row]:
        """Every effective value, in the order of the sections and their fields."""
        for name, section in self.values.items():
            for each in settings_of(type(section)):
                key = f"{name}.{each.name}"
                yield Row(key, getattr(section, each.name), each, self.provenance[key])

    def is_default(self, key: str) -> bool:
        """Whether nobody set ``key``."""
        return self.provenance[key] == "default"

    def research(self) -> tuple[str, ...]:
        """Keys of research switches that differ from their defaults: they mark the report."""
        return tuple(r.key for r in self.rows() if r.setting.research and r.value != r.setting.default)

    def digest(self) -> str:
        """SHA-256 over every effective value that a result depends on; where it came from does not count.

        Who approves real orders (``live``) decides nothing of what is decided.
        """
        plain = {row.key: to_toml(row.value) for row in self.rows() if not row.key.startswith("live.")}
        return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


@dataclass(slots=True)
class _Draft:
    """What has been gathered so far; later layers overwrite earlier ones."""

    known: Mapping[str, type]
    values: dict[str, Any] = field(default_factory=dict[str, Any])
    sources: dict[str, str] = field(default_factory=dict[str, str])
    codes: dict[str, Exit] = field(default_factory=dict[str, Exit])
    unread: set[str] = field(default_factory=set[str])
    """Sections with a value that could not be read: their combinations are not judged."""
    problems: list[Problem] = field(default_factory=list[Problem])

    def refuse(self, line: str, code: Exit = Exit.CONFIG) -> None:
        self.problems.append(Problem(code, line))


def load_config(
    *,
    path: Path | None = None,
    environment: Mapping[str, str] | None = None,
    overrides: Sequence[Override] = (),
) -> Config:
    """The configuration in force.

    path         a file that must exist; None takes ``config_path`` when there is one
    environment  None takes the process's own
    overrides    the command line's, in its order: the last one of a key counts

    Raises ``Problems`` with every problem of every layer.
    """
    config, problems = check_config(path=path, environment=environment, overrides=overrides)
    if problems:
        raise Problems(problems)
    assert config is not None
    return config


def check_config(
    *,
    path: Path | None = None,
    environment: Mapping[str, str] | None = None,
    overrides: Sequence[Override] = (),
) -> tuple[Config | None, list[Problem]]:
    """As ``load_config``, with the problems as a value; no configuration when there are any."""
    env = os.environ if environment is None else environment
    draft = _Draft(known=_known())
    _gather_file(draft, path, env)
    _gather_text(draft, _environment(env))
    _gather_text(draft, overrides)
    values = _build(draft)
    _check_outside(draft, values)
    if draft.problems:
        return None, draft.problems
    keys = (f"{name}.{s.name}" for name, kind in draft.known.items() for s in settings_of(kind))
    return Config(values, {key: draft.sources.get(key, "default") for key in keys}), []


def _known() -> dict[str, type]:
    """Our sections, and those of strategies from outside that are fit to be traded."""
    theirs = {f"strategies.{name}": one.settings for name, one in outside().items()}
    return sections() | {name: kind for name, kind in theirs.items() if kind is not None}


def _check_outside(draft: _Draft, values: Mapping[str, object]) -> None:
    """A strategy from outside that is named must be fit."""
    backtest = values.get("backtest")
    named = set(backtest.strategies if isinstance(backtest, Backtest) else ()) - set(STRATEGIES)
    source = draft.sources.get("backtest.strategies", "default")
    for name, one in outside().items() if named else ():
        for fault in one.faults if name in named else ():
            draft.refuse(f"backtest.strategies ({source}): {name}: {fault}; correct it or do not name it")


def config_path(environment: Mapping[str, str]) -> Path:
    """Where the user's file is looked for: ``$TOMKING_HOME``, else the platform's config directory."""
    home = environment.get("TOMKING_HOME")
    return (Path(home) if home else platformdirs.user_config_path("tomking")) / "config.toml"


# ---------------------------------------------------------------------------------- 1. gather
def _gather_file(draft: _Draft, path: Path | None, environment: Mapping[str, str]) -> None:
    where = path or config_path(environment)
    if path is None and not where.exists():
        return
    text = ""
    try:
        text = where.read_text(encoding="utf-8")
        tables = tomllib.loads(text, parse_float=Decimal)
    except FileNotFoundError:
        draft.refuse(f"{where}: there is no such configuration file; correct the path after --config")
        return
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        draft.refuse(f"{where}: the configuration cannot be read: {why}; make it a readable TOML file")
        return
    except tomllib.TOMLDecodeError as error:
        draft.refuse(f"{where}: not TOML: {error}{_line_of(text, error)}; correct that line")
        return
    _check_version(draft, tables.pop("schema_version", SCHEMA_VERSION), where)
    lines = _lines(text)
    for key, value in _leaves(draft.known, tables):
        at = f"{where}:{lines[key]}" if key in lines else str(where)
        _take(draft, key, value, at, Exit.CONFIG, short=False)


def _line_of(text: str, error: tomllib.TOMLDecodeError) -> str:
    """What stands in the line that cannot be read."""
    lines, found = text.splitlines(), re.search(r"line (\d+)", str(error))
    if not found or int(found[1]) > len(lines):
        return ""
    return f": {lines[int(found[1]) - 1].strip()[:80]}"


def _check_version(draft: _Draft, version: object, where: Path) -> None:
    if version != SCHEMA_VERSION or isinstance(version, bool):
        draft.refuse(
            f"schema_version = {version} ({where}): this program reads version {SCHEMA_VERSION};"
            f" write schema_version = {SCHEMA_VERSION} and check the keys with `tomking config check`"
        )


def _leaves(
    known: Mapping[str, type], table: Mapping[str, Any], prefix: str = ""
) -> Iterator[tuple[str, Any]]:
    """``section.field`` and value of each line; an empty table nobody knows is a leaf too."""
    for word, value in table.items():
        key = f"{prefix}{word}"
        on_the_way = any(name == key or name.startswith(f"{key}.") for name in known)
        if isinstance(value, dict) and (value or on_the_way):
            yield from _leaves(known, value, f"{key}.")
        else:
            yield key, value


def _lines(text: str) -> dict[str, int]:
    """Line numbers of plainly written keys, for messages; what is written otherwise has none."""
    found: dict[str, int] = {}
    table = ""
    for number, line in enumerate(text.splitlines(), start=1):
        word = line.split("#")[0].strip()
        if word.startswith("["):
            table = word.strip("[] ").replace('"', "") + "."
            found.setdefault(table.rstrip("."), number)
        elif "=" in word:
            found.setdefault(table + word.split("=")[0].strip().replace('"', ""), number)
    return found


def _environment(environment: Mapping[str, str]) -> Iterator[Override]:
    for name in sorted(environment):
        if name.startswith(ENVIRONMENT_PREFIX):
            key = name.removeprefix(ENVIRONMENT_PREFIX).lower().replace("__", ".")
            yield Override(key, environment[name], name)


def _gather_text(draft: _Draft, overrides: Iterable[Override]) -> None:
    for each in overrides:
        _take(draft, each.key, each.text, each.where, each.code, short=True)


# --------------------------------------------------------------------- 2. resolve, 3. read
def _take(draft: _Draft, key: str, value: object, where: str, code: Exit, *, short: bool) -> None:
    """One value of one layer into the draft, or its problem; ``short`` values are texts."""
    found = _resolve(draft.known, key, short=short)
    if isinstance(found, str):
        draft.refuse(f"{key} ({where}): {found}")
        return
    full, each = found
    try:
        read = read_text(each, str(value)) if short else read_toml(each, value)
    except (ValueError, ArithmeticError):
        draft.unread.add(full.rpartition(".")[0])
        draft.refuse(_bad_value(full, value, where, each, is_option=code is Exit.USAGE), code)
        return
    draft.values[full], draft.sources[full], draft.codes[full] = read, where, code


def _resolve(known: Mapping[str, type], key: str, *, short: bool) -> tuple[str, Setting] | str:
    """The full key and its setting, or what is wrong with it and the fix."""
    section, _, name = key.rpartition(".")
    if short and f"strategies.{section}" in known:
        section = f"strategies.{section}"
    if section in known:
        settings = {s.name: s for s in settings_of(known[section])}
        if (section, name) == ("backtest", "strategies"):
            return key, replace(settings[name], choices=strategy_ids())
        if name in settings:
            return f"{section}.{name}", settings[name]
        return f'unknown key in "{section}"; {did_you_mean(name, settings)}'
    if key in known:
        return f'"{key}" is a section, not a key; name one of its keys: {_names(known[key])}'
    return f"unknown key; {_nearest(known, key)}"


def _nearest(known: Mapping[str, type], key: str) -> str:
    """The nearest full key, else the nearest section."""
    every = [f"{name}.{s.name}" for name, kind in known.items() for s in settings_of(kind)]
    hint = did_you_mean(key, every)
    return hint if hint.startswith("did") else f"the sections are {', '.join(known)}"


def _names(kind: type) -> str:
    return ", ".join(s.name for s in settings_of(kind))


def _bad_value(key: str, value: object, where: str, each: Setting, *, is_option: bool) -> str:
    must = rule(each, value)
    if is_option:
        example = HISTORY_FIRST if each.default is None else each.default
        return f"{where} {value}: must be {must}; for example {where} {to_text(example)}"
    shown = _shown(value)
    default = to_toml(each.default)
    return f"{key} = {shown} ({where}): must be {must}; correct it, or remove it for the default {default}"


def _shown(value: object) -> str:
    """A value as its file or option wrote it."""
    if isinstance(value, list):
        return "[" + ", ".join(map(_shown, value)) + "]"
    return (
        str(value).lower()
        if isinstance(value, bool)
        else f'"{value}"'
        if isinstance(value, str)
        else str(value)
    )


# ---------------------------------------------------------------------------------- 4. build
def _build(draft: _Draft) -> dict[str, object]:
    built: dict[str, object] = {}
    for name, kind in draft.known.items():
        if name in draft.unread:
            continue
        own = {k.rpartition(".")[2]: v for k, v in draft.values.items() if k.rpartition(".")[0] == name}
        try:
            built[name] = kind(**own)
        except ValueError as error:
            keys = [f"{name}.{k}" for k in own]
            sources = dict.fromkeys(draft.sources[k] for k in keys)
            draft.refuse(f"{name} ({', '.join(sources)}): {error}", min(draft.codes[k] for k in keys))
    return built


def parse_assignment(text: str) -> Override | Problem:
    """``key=value`` of ``--set``, or that it has no such form (usage)."""
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        fix = "for example --set account.capital=44450"
        return Problem(Exit.USAGE, f"--set {text}: must be key=value; {fix}")
    return Override(key.strip(), value.strip(), "--set")
