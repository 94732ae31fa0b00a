"""Blocks of delimited text into arrays of the columns that a mapping reads; every row keeps its number."""

import csv
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
from numpy.typing import NDArray

from tomking.adapters.importers.mapping import EPOCHS, Mapping, normal, title
from tomking.adapters.importers.tabular_cells import File
from tomking.adapters.importers.tabular_problems import Problems
from tomking.adapters.importers.tabular_text import Block, first_line

_CODED = pa.dictionary(pa.int32(), pa.string())


def split_header(block: Block, separator: str) -> tuple[list[str], Block]:
    line, _, rest = block.text.partition(b"\n")
    text = line.decode("utf-8").strip("\ufeff\r")
    try:
        names = next(csv.reader([text], delimiter=separator), [])
    except csv.Error:  # a field longer than its limit: no header of ours
        names = text.split(separator)
    return [title(n) for n in names], replace(block, row=block.row + 1, text=rest)


def parse(
    block: Block, header: list[str], file: File, problems: Problems
) -> tuple[dict[str, pa.Array], NDArray[np.int64]] | None:
    """Arrays of text of the wanted columns, and the number of each row; rows of another length are noted."""
    text = block.text.rstrip(b"\r\n") + b"\n"
    if text == b"\n":
        return None
    ragged: list[tuple[int, int]] = []
    wanted = {str(header.index(c)): c for c in present(file.mapping, header)}
    try:
        table = _read(text, len(header), wanted, file.mapping, ragged)
    except pa.ArrowInvalid as error:
        problems.add(
            f"is not a table ({first_line(error)}); give rows of {len(header)} fields",
            member=block.member,
            row=block.row,
        )
        return None
    for number, fields in ragged:
        what = f"{'more' if fields > len(header) else 'fewer'} fields than the header's {len(header)}"
        problems.add(
            f"has {what}; quote texts that hold the separator, complete the row",
            member=block.member,
            row=block.row + number - 1,
        )
    lines = np.arange(block.row, block.row + table.num_rows + len(ragged), dtype=np.int64)
    rows = np.delete(lines, [number - 1 for number, _ in ragged])
    return {name: _one(table[i].combine_chunks()) for i, name in wanted.items()}, rows


def _read(
    text: bytes, width: int, wanted: dict[str, str], mapping: Mapping, ragged: list[tuple[int, int]]
) -> pa.Table:
    """``wanted``: position of a column to its name.  Rows of another width go to ``ragged``, from 1."""

    def note(row: pacsv.InvalidRow) -> str:
        ragged.append((row.number or 0, row.actual_columns))
        return "skip"

    plain = _numeric(mapping)
    return pacsv.read_csv(
        pa.BufferReader(text),
        read_options=pacsv.ReadOptions(
            column_names=[str(i) for i in range(width)],
            use_threads=False,  # only then are bad rows numbered
            block_size=len(text) + 1,
        ),
        parse_options=pacsv.ParseOptions(
            delimiter=mapping.separator, ignore_empty_lines=False, invalid_row_handler=note
        ),
        convert_options=pacsv.ConvertOptions(
            include_columns=list(wanted),
            column_types={i: pa.string() if name in plain else _CODED for i, name in wanted.items()},
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
            check_utf8=False,  # the whole block has been checked
        ),
    )


def present(mapping: Mapping, header: list[str]) -> list[str]:
    return [n for n in dict.fromkeys(normal(c) for c in mapping.columns) if n in header]


def _one(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if isinstance(column, pa.ChunkedArray) else column


def _numeric(mapping: Mapping) -> set[str]:
    """Columns with many different numbers: not worth a dictionary."""
    of_quotes = {c for q in mapping.quotes for c in (q.bid, q.ask, q.volume, q.open_interest) if c}
    sizes = {c for q in mapping.quotes for c in (q.bid_size, q.ask_size, q.spot, q.spot_bid, q.spot_ask) if c}
    strike = {mapping.strike.column} if mapping.strike else set()
    stamps = [mapping.stamp, *(q.stamp for q in mapping.quotes)]
    counts = {s.column for s in stamps if s is not None and s.column and s.format[0] in EPOCHS}
    return {normal(c) for c in of_quotes | sizes | strike | counts}
