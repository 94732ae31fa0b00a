"""How often the program started and came to no orderly end: a crash loop must not go on trading (F44).

One small file in the account's folder, whole or not there at all, with the instants of starts that nothing
has ended.  Three of them in ten minutes before this one, and the program opens nothing more until a person
says so: it goes on watching what is held, since that needs somebody.
"""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from tomking.adapters.store.files import write_synced

FILE = "starts.json"
WITHIN = timedelta(minutes=10)
MOST = 3
"""Restarts in that time."""
KEPT = 100
"""Starts in the file."""


class Starts:
    """The starts of one account's program."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE

    def began(self, now: datetime) -> int:
        """Notes this start, durably, and returns how many in the last ten minutes did not end before it.

        A file that cannot be read counts as a storm: it is a crash that left it so.  ``OSError`` when the
        disk does not take the note.
        """
        known = self._read()
        open_before = MOST if known is None else sum(abs(now - at) <= WITHIN for at in known)
        self._write([*(known or ()), now])
        return open_before

    def ended(self) -> None:
        """An orderly end: what came before it is no storm."""
        self._write([])

    def _read(self) -> list[datetime] | None:
        try:
            found = json.loads(self._path.read_bytes())
            known = [datetime.fromisoformat(text) for text in found]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, TypeError):
            return None
        return known if all(at.tzinfo is not None for at in known) else None

    def _write(self, known: Sequence[datetime]) -> None:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_synced(self._path, json.dumps([at.isoformat() for at in known[-KEPT:]]).encode())


def storm(restarts: int) -> str:
    """Why nothing may be opened after so many restarts; empty: it may."""
    if restarts < MOST:
        return ""
    minutes = int(WITHIN.total_seconds() / 60)
    return (
        f"started {restarts + 1} times in {minutes} minutes without an orderly end: look into the log for "
        "what ends it, then tomking resume"
    )
