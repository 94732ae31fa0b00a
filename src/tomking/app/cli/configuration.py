"""``tomking config show`` and ``config check``."""

import json
from collections.abc import Sequence
from pathlib import Path

from tomking.app.config import SCHEMA_VERSION, Config, Override, check_config, parse_assignment
from tomking.app.exits import Exit
from tomking.app.locks import Mode, locked
from tomking.app.problems import Problem, Problems, problem
from tomking.app.values import to_toml


def print_config(path: Path | None, assignments: Sequence[str], *, as_json: bool) -> None:
    """Every effective value: as TOML with its source in a comment, or as JSON."""
    config = read_config(path, assignments)
    print(json.dumps(_as_json(config), indent=2) if as_json else _as_toml(config))


def print_check(path: Path | None, assignments: Sequence[str], *, mode: str, as_json: bool) -> None:
    """That all is well in this mode, and what differs from the defaults."""
    config = _for_mode(read_config(path, assignments), mode)
    changed = [row for row in config.rows() if row.value != row.setting.default]
    if as_json:
        differs = {row.key: to_toml(row.value) for row in changed}
        print(json.dumps({"valid": True, "digest": config.digest(), "changed": differs}, indent=2))
        return
    every = len(list(config.rows()))
    print(f"the configuration is valid; {len(changed)} of {every} values differ from their defaults")
    for row in changed:
        print(f"{row.key} = {to_toml(row.value)}  ({row.source}; default {to_toml(row.setting.default)})")


def _for_mode(config: Config, mode: str) -> Config:
    """The same configuration.  Raises ``Problems`` where the mode refuses it (ruling 16)."""
    if mode not in set(Mode):
        raise problem(
            Exit.USAGE, f"--mode {mode}: must be one of {', '.join(Mode)}; for example --mode paper"
        )
    if problems := locked(config, Mode(mode)):
        raise Problems(problems)
    return config


def read_config(path: Path | None, assignments: Sequence[str]) -> Config:
    """The configuration in force.  Raises ``Problems``, those of every ``--set`` together."""
    overrides, problems = read_assignments(assignments)
    config, more = check_config(path=path, overrides=overrides)
    if config is None or problems:
        raise Problems([*problems, *more])
    return config


def read_assignments(assignments: Sequence[str]) -> tuple[list[Override], list[Problem]]:
    """Each ``key=value``, and what has no such form."""
    overrides: list[Override] = []
    problems: list[Problem] = []
    for text in assignments:
        read = parse_assignment(text)
        if isinstance(read, Problem):
            problems.append(read)
        else:
            overrides.append(read)
    return overrides, problems


def _as_toml(config: Config) -> str:
    lines = [f"schema_version = {SCHEMA_VERSION}"]
    section = ""
    for row in config.rows():
        here, _, name = row.key.rpartition(".")
        if here != section:
            lines += ["", f"[{here}]"]
            section = here
        research = ", research only" if row.setting.research else ""
        lines.append(f"# {row.setting.doc}")
        lines.append(
            f"{name} = {to_toml(row.value)}  # {row.source}; methodology {row.setting.source}{research}"
        )
    return "\n".join(lines)


def _as_json(config: Config) -> dict[str, object]:
    rows = [
        {
            "key": row.key,
            "value": to_toml(row.value).strip('"'),
            "default": to_toml(row.setting.default).strip('"'),
            "source": row.source,
            "methodology": row.setting.source,
            "doc": row.setting.doc,
            "research": row.setting.research,
        }
        for row in config.rows()
    ]
    return {"schema_version": SCHEMA_VERSION, "digest": config.digest(), "values": rows}
