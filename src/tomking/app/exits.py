"""How a command ends, as a number: one table, one enum; docs/cli.md is tested against it."""

from enum import IntEnum
from typing import Self


class Exit(IntEnum):
    """Exit codes of every ``tomking`` command.  Scripts rely on them: never renumber."""

    meaning: str

    def __new__(cls, code: int, meaning: str) -> Self:
        member = int.__new__(cls, code)
        member._value_ = code
        member.meaning = meaning
        return member

    OK = 0, "ok"
    BUG = 1, "unexpected bug"
    USAGE = 2, "usage: an unknown option or command, or a value that cannot be read"
    CONFIG = 3, "configuration invalid"
    SECRET = 4, "secret missing"
    UNAVAILABLE = 5, "broker or network unavailable"
    DATA = 6, "data missing, malformed or stale"
    REFUSED = 7, "refused by the risk gate"
    HALTED = 8, "halted"
    MISMATCH = 9, "reconciliation mismatch"
    APPROVAL = 10, "approval needed or expired"
    STALLED = 70, "the engine's loop stood for a minute and was ended; start again"
    INTERRUPTED = 130, "interrupted (SIGINT, Ctrl-C)"
    TERMINATED = 143, "terminated (SIGTERM)"
