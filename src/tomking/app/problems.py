"""What is wrong with what the user gave us: every problem at once, one line each, with its fix."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from tomking.app.exits import Exit


@dataclass(frozen=True, slots=True)
class Problem:
    """One line on stderr, and the exit code it would end the command with by itself."""

    code: Exit
    line: str


class Problems(Exception):
    """Ends a command: its lines go to stderr, and nothing is left behind.

    Of several kinds the exit code is the least: usage (2) before configuration (3) before data
    (6), the order in which a user would repair them.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        assert self.problems, "an end without a problem"
        super().__init__("; ".join(self.lines))

    @property
    def code(self) -> Exit:
        return min(p.code for p in self.problems)

    @property
    def lines(self) -> tuple[str, ...]:
        """Each line once, those that decide the exit code first."""
        ordered = sorted(self.problems, key=lambda p: p.code)
        return tuple(dict.fromkeys(p.line for p in ordered))


def problem(code: Exit, line: str) -> Problems:
    """The exception for one problem."""
    return Problems([Problem(code, line)])


SHORT_LIST = 16
"""Words that still fit on one readable line."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``did you mean "start"?``, or the whole list when nothing is near and the list is short."""
    words = sorted(known)
    near = _begun(word, words) or get_close_matches(word.lower(), words, n=1, cutoff=0.6)
    if near:
        return f'did you mean "{near[0]}"?'
    if len(words) > SHORT_LIST:
        return "`tomking config show` prints every key"
    return f"known: {', '.join(words)}" if words else "none is known here"


def _begun(word: str, words: list[str]) -> list[str]:
    """The one known word that ``word`` begins: ``--strat`` is nearer to --start by its letters."""
    begun = [w for w in words if len(word.strip("-")) > 2 and w.startswith(word.lower())]
    return begun if len(begun) == 1 else []
