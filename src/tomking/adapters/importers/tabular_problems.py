"""What is wrong with one file: one line a kind, with its first row, how many more, and what to do."""

from dataclasses import dataclass
from pathlib import Path

from tomking.domain.errors import BadData

KINDS_MAX = 40
"""Lines a person still reads; a file with more kinds of problem is the wrong file."""
_SHOWN_MAX = 40


@dataclass(slots=True)
class _Kind:
    where: str
    what: str
    rows: int


class Problems:
    """Collects while a file is read to its end, so that all is said at once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._kinds: dict[tuple[str, str], _Kind] = {}
        self._more = 0

    def __bool__(self) -> bool:
        return bool(self._kinds)

    def add(
        self,
        what: str,
        *,
        member: str = "",
        row: int | None = None,
        column: str = "",
        shown: object = None,
        rows: int = 1,
    ) -> None:
        """One kind of problem; again with the same column and words it is only counted.

        ``what`` says what is wrong and what to do; ``row`` is 1-based with the header included; ``shown``
        is the cell as it stands.
        """
        known = self._kinds.get((column, what))
        if known is not None:
            known.rows += rows
        elif len(self._kinds) >= KINDS_MAX:
            self._more += 1
        else:
            place = ", ".join(
                part for part in (f"row {row}" if row else "", f"column {column}" if column else "") if part
            )
            where = f"{self.path}{f' ({member})' if member else ''}: {f'{place}: ' if place else ''}"
            said = what if shown is None else f"{_short(shown)} {what}"
            self._kinds[column, what] = _Kind(where, said, rows)

    def lines(self) -> tuple[str, ...]:
        found = tuple(
            f"{k.where}{k.what}{f' ({k.rows:,} such rows)' if k.rows > 1 else ''}"
            for k in self._kinds.values()
        )
        more = (f"{self.path}: and {self._more:,} more problems of other kinds",) if self._more else ()
        return found + more

    def raise_if_any(self) -> None:
        if self:
            raise BadData(self.lines())


def _short(shown: object) -> str:
    text = str(shown)
    return repr(text if len(text) <= _SHOWN_MAX else text[: _SHOWN_MAX - 3] + "...")
