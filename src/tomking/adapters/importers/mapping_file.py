"""A user's own layout: a mapping out of a TOML file, with everything that is wrong with it said at once."""

import tomllib
from pathlib import Path

from pydantic import BaseModel, ValidationError

from tomking.adapters.importers.mapping import (
    Expiry,
    Mapping,
    Multiplier,
    Quote,
    Right,
    Root,
    Stamp,
    Strike,
    did_you_mean,
)
from tomking.domain.errors import BadData


def load_mapping(path: Path) -> Mapping:
    """The mapping in a TOML file; ``BadData`` with everything that is wrong with it."""
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise BadData([f"{path}: no such file; check the path of the mapping"]) from None
    except (OSError, UnicodeDecodeError) as error:
        raise BadData([f"{path}: cannot be read ({error}); give a TOML file in UTF-8"]) from None
    except tomllib.TOMLDecodeError as error:
        raise BadData([f"{path}: is not TOML: {error}; docs/importing.md has an example"]) from None
    try:
        return Mapping.model_validate(table)
    except ValidationError as error:
        raise BadData([f"{path}: {line}" for line in _faults(error)]) from None


def _faults(error: ValidationError) -> list[str]:
    lines = []
    for fault in error.errors(include_url=False):
        where = _where(fault["loc"])
        if fault["type"] == "extra_forbidden":
            words = did_you_mean(str(fault["loc"][-1]), _keys(fault["loc"][:-1]))
            lines.append(f"{where}: unknown key; {words}")
        elif fault["type"] == "missing":
            lines.append(f"{where}: is missing; docs/importing.md has an example")
        else:
            text = fault["msg"].removeprefix("Value error, ")
            lines += [f"{where}: {line}" if where else line for line in text.split("\n")]
    return lines


def _where(loc: tuple[int | str, ...]) -> str:
    """``quotes[2].bid``, counted from 1 as a reader counts the tables."""
    text = "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in loc)
    return text.removeprefix(".")


def _keys(loc: tuple[int | str, ...]) -> tuple[str, ...]:
    """The keys of the table at a place."""
    models: dict[str, type[BaseModel]] = {
        "stamp": Stamp,
        "root": Root,
        "expiry": Expiry,
        "strike": Strike,
        "right": Right,
        "multiplier": Multiplier,
        "quotes": Quote,
    }
    names = [part for part in loc if isinstance(part, str)]
    model = models.get(names[-1], Mapping) if names else Mapping
    return tuple(model.model_fields)
