"""All importers by name, and which one a file is for."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from tomking.adapters.importers.databento import DATABENTO
from tomking.adapters.importers.datashop import DATASHOP
from tomking.adapters.importers.lean import LEAN
from tomking.adapters.importers.mapping import did_you_mean
from tomking.adapters.importers.mapping_file import load_mapping
from tomking.adapters.importers.optiondata import OPTIONDATA
from tomking.adapters.importers.optionsdx import OPTIONSDX
from tomking.adapters.importers.orats import ORATS
from tomking.adapters.importers.raw import Importer
from tomking.adapters.importers.tabular import Tabular
from tomking.adapters.importers.tabular_problems import Problems
from tomking.adapters.importers.tabular_text import magic, read_blocks
from tomking.adapters.importers.trades import TRADES
from tomking.adapters.importers.yahoo import YAHOO
from tomking.domain.errors import BadData

TABULAR: tuple[Tabular, ...] = (OPTIONSDX, DATASHOP, OPTIONDATA, DATABENTO, ORATS, TRADES, YAHOO)
"""In the order they are asked: layouts with the most particular headers first."""


@cache
def importers() -> Mapping[str, Importer]:
    """Every importer by the name that ``--format`` gives it."""
    every: tuple[Importer, ...] = (LEAN, *TABULAR)
    return {importer.name: importer for importer in every}


def named(name: str) -> Importer:
    """The importer of that name; ``BadData`` for an unknown one."""
    found = importers().get(name)
    if found is None:
        words = did_you_mean(name, tuple(importers()))
        raise BadData([f"format {name!r} is not known; {words}; or give a mapping file"])
    return found


def recognised(path: Path) -> Importer:
    """The importer whose layout a file or folder has; ``BadData`` when none or several claim it."""
    if not path.exists():
        raise BadData([f"{path}: no such file or folder; check the path"])
    claims = [importer for importer in importers().values() if importer.recognises(path)]
    if len(claims) == 1:
        return claims[0]
    names = ", ".join(i.name for i in claims) if claims else ", ".join(importers())
    if claims:
        raise BadData([f"{path}: could be {names}; say which with --format"])
    raise BadData(
        [f"{path}: {_beginning(path)}no known layout ({names}); say it with --format, or give a mapping file"]
    )


def _beginning(path: Path) -> str:
    """The first row of a text, so that another table shows what it is; ``BadData`` for what is no table."""
    problems = Problems(path)
    try:
        is_text = path.is_file() and magic(path) != "parquet"
    except OSError:
        return ""
    block = next(read_blocks(path, problems), None) if is_text else None
    problems.raise_if_any()
    row = b"" if block is None else block.text.partition(b"\n")[0].strip()
    return f"row 1 is {row.decode('utf-8', 'replace')[:60]!r}: " if row else ""


def mapped(path: Path) -> Tabular:
    """The importer that a user's mapping file describes; ``BadData`` with all that is wrong with it."""
    mapping = load_mapping(path)
    return Tabular(mapping.name, (mapping,))
