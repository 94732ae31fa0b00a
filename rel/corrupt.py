"""Damaged files: each is refused in words, or gives exactly the book that was written.

``python -m rel.corrupt`` takes the live journal of a week, as a clean stop leaves it and as a kill leaves it
(its end still in the write-ahead log), and damages one thing ten thousand times: bits, ranges of bytes, the
end cut off, pages swapped or copied over each other, garbage appended, the log or the head deleted, an older
copy put in its place.  Then it starts as the program does: open, check, read, fold.
"""

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np

from rel.storage import Disk, week
from tomking.adapters.journal import SqliteJournal
from tomking.domain.book import Book, fold
from tomking.domain.errors import OperatingError

PAGE = 4096
FILES = ("journal.sqlite", "journal.sqlite-wal", "journal.sqlite-head")
OLDER = 100
"""Events in the older copy."""

Image = dict[str, bytes]
Damage = Callable[[Image, str, np.random.Generator], None]


def _bits(image: Image, name: str, chance: np.random.Generator) -> None:
    data = bytearray(image[name])
    for _ in range(int(chance.integers(1, 9))):
        data[int(chance.integers(len(data)))] ^= 1 << int(chance.integers(8))
    image[name] = bytes(data)


def _range(image: Image, name: str, chance: np.random.Generator) -> None:
    data = bytearray(image[name])
    start, length = int(chance.integers(len(data))), int(2 ** chance.uniform(0, 13))
    new = chance.bytes(length) if chance.integers(2) else bytes(length)
    data[start : start + length] = new[: len(data) - start]
    image[name] = bytes(data)


def _cut(image: Image, name: str, chance: np.random.Generator) -> None:
    image[name] = image[name][: int(chance.integers(len(image[name])))]


def _swap(image: Image, name: str, chance: np.random.Generator) -> None:
    data, one, two = _two_pages(image[name], chance)
    data[one], data[two] = data[two], data[one]
    image[name] = b"".join(data)


def _copy(image: Image, name: str, chance: np.random.Generator) -> None:
    data, one, two = _two_pages(image[name], chance)
    data[one] = data[two]
    image[name] = b"".join(data)


def _two_pages(whole: bytes, chance: np.random.Generator) -> tuple[list[bytes], int, int]:
    size = PAGE if len(whole) >= 2 * PAGE else 64
    data = [whole[n : n + size] for n in range(0, len(whole), size)]
    one, two = (int(n) for n in chance.integers(len(data), size=2))
    return data, one, two


def _append(image: Image, name: str, chance: np.random.Generator) -> None:
    image[name] += chance.bytes(int(2 ** chance.uniform(0, 14)))


def _delete(image: Image, name: str, chance: np.random.Generator) -> None:
    del image[name]


DAMAGES: dict[str, Damage] = {
    "bits": _bits,
    "range": _range,
    "cut": _cut,
    "swap": _swap,
    "copy": _copy,
    "append": _append,
    "delete": _delete,
}


class Bench:
    """The files to damage and the book they hold."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.book: Book = fold(iter(week()))
        self._disk = Disk(f"sound-{folder.name}")  # without syncs: the power is not what fails here
        live = folder / "live"
        live.mkdir()
        path = live / FILES[0]
        with SqliteJournal(path, each_durable=True) as journal:
            for event in week()[:OLDER]:
                journal.append(event)
        self.older = _image(live)
        with SqliteJournal(path, each_durable=True) as journal:
            for event in week()[OLDER:]:
                journal.append(event)
            self.killed = _image(live)
        self.stopped = _image(live)

    def damaged(self, number: int) -> tuple[str, Image]:
        """What is done to the files, and the files, by the number of the case."""
        chance = np.random.default_rng(number)
        state, image = ("killed", dict(self.killed)) if number % 2 else ("stopped", dict(self.stopped))
        if chance.random() < 0.02:
            image[FILES[0]] = self.older[FILES[0]]
            return f"older copy ({state})", image
        weights = np.array([len(image[name]) ** 0.5 for name in image])
        name = str(chance.choice(list(image), p=weights / weights.sum()))
        what = str(chance.choice(list(DAMAGES), p=[0.3, 0.25, 0.13, 0.12, 0.12, 0.06, 0.02]))
        DAMAGES[what](image, name, chance)
        return f"{what} {name} ({state})", image

    def outcome(self, image: Image) -> tuple[str, str]:
        """(``refused``, ``harmless`` or ``WRONG``, what was said)."""
        folder = self._folder / "case"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for name, data in image.items():
            (folder / name).write_bytes(data)
        try:
            with SqliteJournal(folder / FILES[0], each_durable=True, vfs=self._disk.name) as journal:
                book = fold(journal.read())
        except OperatingError as error:
            useful = str(folder) in str(error) and len(str(error).split(";")) > 1
            return ("refused" if useful else "WRONG"), str(error)
        except Exception as error:  # noqa: BLE001 - whatever else escapes is what is looked for
            return "WRONG", f"{type(error).__name__}: {error}"
        return ("harmless", "") if book == self.book else ("WRONG", f"a book of {book.sequence} events")


def _image(folder: Path) -> Image:
    return {name: (folder / name).read_bytes() for name in FILES if (folder / name).exists()}


def main() -> int:
    """Prints one line of JSON; 1 when a damaged file gave another book or no words."""
    parser = argparse.ArgumentParser(prog="python -m rel.corrupt", description=__doc__)
    parser.add_argument("--n", type=int, default=10_000)
    parser.add_argument("--case", type=int)
    asked = parser.parse_args()
    began = time.perf_counter()
    outcomes, kinds, wrong = Counter[str](), Counter[str](), list[str]()
    with tempfile.TemporaryDirectory(prefix="tomking-corrupt-") as folder:
        bench = Bench(Path(folder))
        for number in range(asked.n) if asked.case is None else [asked.case]:
            what, image = bench.damaged(number)
            outcome, said = bench.outcome(image)
            outcomes[outcome] += 1
            kinds[what.split(" (")[0]] += 1
            if outcome == "WRONG":
                wrong.append(f"python -m rel.corrupt --case {number} # {what}: {said}")
            elif asked.case is not None:
                wrong.append(f"{what}: {outcome} {said}")
    figures = {
        "command": "rel.corrupt",
        "files": outcomes.total(),
        "refused": outcomes["refused"],
        "harmless": outcomes["harmless"],
        "wrong": outcomes["WRONG"],
        "kinds": dict(sorted(kinds.items())),
        "seconds": round(time.perf_counter() - began, 1),
        "first": wrong[:8],
    }
    print(json.dumps(figures))
    return int(outcomes["WRONG"] > 0)


if __name__ == "__main__":
    sys.exit(main())
