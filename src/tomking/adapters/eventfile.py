"""A user's file of earnings, dividends, splits, mergers and product decisions.

CSV, plain or gzip, with a header: ``ticker`` (a stock, a product or a family) and ``date`` (or
``earnings_date``), YYYY-MM-DD, and perhaps ``kind`` (earnings, ex_dividend, split, merger, decision; without
the column all are earnings).  A line ``# covered 2013-01-02 2026-12-31`` says of which span the file is
complete; without it a ticker's own first and last date are its span, and past the last nothing is known.
"""

import csv
import gzip
from collections.abc import Iterable
from datetime import date
from pathlib import Path

from tomking.domain.errors import BadData
from tomking.domain.eventcalendar import Dates, Event

_NAMES = {"ticker": "ticker", "symbol": "ticker", "date": "date", "earnings_date": "date", "kind": "kind"}
_SHOWN = 20
"""Problems listed; the rest are counted."""


def read_event_file(path: Path) -> dict[str, Dates]:
    """By ticker.  ``BadData`` names every line that cannot be read, and nothing of the file is used then."""
    try:
        packed = path.read_bytes()
        text = (gzip.decompress(packed) if packed[:2] == b"\x1f\x8b" else packed).decode("utf-8-sig")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise BadData([f"{path}: cannot be read: {error}"]) from error
    return events_of(text.splitlines(), str(path))


def events_of(lines: Iterable[str], name: str = "events") -> dict[str, Dates]:
    """The same from lines; ``name`` is what problems call the file."""
    problems: list[str] = []
    span: tuple[date, date] | None = None
    rows: list[tuple[int, str]] = []
    for number, line in enumerate(lines, 1):
        words = line.split()
        if words[:2] == ["#", "covered"]:
            span = _span(words[2:], f"{name}:{number}", problems)
        elif words and not words[0].startswith("#"):
            rows.append((number, line))
    found = _rows(rows, name, problems)
    if problems:
        more = [f"{len(problems) - _SHOWN} more"] if len(problems) > _SHOWN else []
        raise BadData(problems[:_SHOWN] + more)
    return {ticker: _dates(days, span) for ticker, days in found.items()}


def _span(words: list[str], where: str, problems: list[str]) -> tuple[date, date] | None:
    try:
        first, last = (date.fromisoformat(word) for word in words)
    except ValueError:
        problems.append(f"{where}: write '# covered 2013-01-02 2026-12-31', not {' '.join(words)!r}")
        return None
    if last < first:
        problems.append(f"{where}: covered from {first} to {last}: the end is before the start")
    return first, last


def _rows(rows: list[tuple[int, str]], name: str, problems: list[str]) -> dict[str, list[tuple[Event, date]]]:
    if not rows:
        problems.append(f"{name}: no header line; write 'ticker,date,kind'")
        return {}
    (first, heading), *body = rows
    columns = [_NAMES.get(cell.strip().lower(), "") for cell in next(csv.reader([heading]))]
    missing = [wanted for wanted in ("ticker", "date") if wanted not in columns]
    if missing:
        problems.append(f"{name}:{first}: no column {' and no column '.join(missing)} in {heading!r}")
        return {}
    found: dict[str, list[tuple[Event, date]]] = {}
    for number, line in body:
        cells = dict(zip(columns, (cell.strip() for cell in next(csv.reader([line]))), strict=False))
        try:
            ticker, day = cells["ticker"].upper(), date.fromisoformat(cells["date"])
            kind = Event(cells.get("kind", "earnings").lower() or "earnings")
        except (KeyError, ValueError) as error:
            problems.append(f"{name}:{number}: {line!r}: {error}")
            continue
        found.setdefault(ticker, []).append((kind, day))
    return found


def _dates(days: list[tuple[Event, date]], span: tuple[date, date] | None) -> Dates:
    every = sorted(day for _, day in days)
    first, last = span or (every[0], every[-1])
    kinds = {kind for kind, _ in days}
    return Dates(first, last, {kind: tuple(sorted({d for k, d in days if k is kind})) for kind in kinds})
