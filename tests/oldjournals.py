"""Journals in every format that was ever written, built from one week of real events.

``journals/week.jsonl`` are the events of a backtest from 2021-01-04 to 2021-01-08, the canonical texts one a
line.  What a format looked like is written out here and never taken from the program: it must not change
when the program does.
"""

import sqlite3
from hashlib import sha256
from pathlib import Path

WEEK = Path(__file__).with_name("journals") / "week.jsonl"
WEEK_HEAD = "019352cfbbd4fc4cdc6d4640987ef275a106329249980f9e3a4bbabeb8952be7"
"""The digest of its last event.  When this changes, journals that people have can no longer be read."""

_EVENT = """
CREATE TABLE event (
    sequence INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    at TEXT NOT NULL,
    text TEXT NOT NULL,
    digest TEXT NOT NULL
)"""
FORMATS = {
    1: [_EVENT],
    2: [
        f"{_EVENT} STRICT",
        "CREATE TABLE origin (environment TEXT NOT NULL, account TEXT NOT NULL) STRICT",
        "INSERT INTO origin VALUES ('backtest', '')",
    ],
}


def week_texts() -> list[str]:
    """The canonical texts of the week."""
    return WEEK.read_text(encoding="utf-8").splitlines()


def write_format(number: int, path: Path, texts: list[str] | None = None) -> Path:
    """A journal as the program of that format left it when it was closed."""
    db = sqlite3.connect(path, isolation_level=None)
    db.execute(f"PRAGMA application_id={0x746B6A6E}")
    db.execute(f"PRAGMA user_version={number}")
    for statement in FORMATS[number]:
        db.execute(statement)
    digest = "0" * 64
    db.execute("BEGIN")
    for sequence, text in enumerate(week_texts() if texts is None else texts, start=1):
        digest = sha256((digest + text).encode()).hexdigest()
        name, at = (_field(text, key) for key in ("event", "at"))
        db.execute("INSERT INTO event VALUES (?, ?, ?, ?, ?)", (sequence, name, at, text, digest))
    db.execute("COMMIT")
    db.close()
    return path


def _field(text: str, key: str) -> str:
    """The last one of that name is the event's own: those inside come before it, but for ``at``."""
    if key == "at":
        return text.partition('"at":"')[2].partition('"')[0]
    return text.rpartition('"event":"')[2].partition('"')[0]
