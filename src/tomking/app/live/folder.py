"""The files of one account at one venue, below the state folder; docs/live.md lists them."""

import shutil
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from tomking.app.exits import Exit
from tomking.app.problems import Problems, problem

JOURNAL, PICTURE, LOG = "journal.sqlite", "now.json", "engine.jsonl"
EMERGENCY, RESERVE = "emergency.log", "reserve"


@dataclass(frozen=True, slots=True)
class Folder:
    """Where they are."""

    path: Path

    @property
    def journal(self) -> Path:
        return self.path / JOURNAL

    @property
    def picture(self) -> Path:
        """What a running engine shows of itself every other second."""
        return self.path / PICTURE

    @property
    def log(self) -> Path:
        return self.path / LOG

    @property
    def emergency(self) -> Path:
        return self.path / EMERGENCY

    @property
    def reserve(self) -> Path:
        return self.path / RESERVE

    @property
    def reference(self) -> Path:
        """Chains and other reference data, kept for a start on the same day."""
        return self.path / "reference"

    @property
    def lease(self) -> Path:
        """Beside the folder: its epochs go on when the folder is moved aside."""
        return self.path.parent

    def set_aside(self) -> Path | None:
        """Gives the folder another name; where that is, None where there was none."""
        if not self.path.exists():
            return None
        aside = next(
            one for n in count(1) if not (one := self.path.with_name(f"{self.path.name}.{n}")).exists()
        )
        self.path.rename(aside)
        return aside

    def put_back(self, aside: Path) -> None:
        """In the place of what a start has begun that came to nothing."""
        shutil.rmtree(self.path, ignore_errors=True)
        if not self.path.exists():
            aside.rename(self.path)


def newest(state: Path) -> Folder:
    """The account traded last.  ``Problems`` (6) where none ever was."""
    found = journals(state)
    if not found:
        raise none_below(state / "paper")
    return Folder(found[-1].parent)


def journals(state: Path) -> list[Path]:
    """Of every account traded from here, the one written last at the end."""
    files = [file for mode in ("paper", "live") for file in (state / mode).glob(f"*/{JOURNAL}")]
    # A number behind the account: set aside by --fresh.
    return sorted((file for file in files if "." not in file.parent.name), key=written)


def written(journal: Path) -> float:
    """When a journal was written last: an engine that runs writes beside it for hours (SQLite's log)."""
    beside = [journal, *(journal.with_name(journal.name + end) for end in ("-wal", "-head"))]
    return max((file.stat().st_mtime for file in beside if file.exists()), default=0.0)


def none_below(place: Path) -> Problems:
    """That there is no journal."""
    line = (
        f"no journal below {place}: nothing has been traded on paper yet "
        "(tomking paper), or name one with --journal PATH"
    )
    return problem(Exit.DATA, line)
