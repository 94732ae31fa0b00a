"""The latches of a paper run: its own, which it arms itself, and the one that ``tomking halt`` sets.

Paper trades no money, so a new folder is armed by the program and says so.  Whoever halts with ``tomking
halt`` halts paper too: of both latches the tighter one counts.  What stopped paper alone ends with the next
``tomking resume``.
"""

from dataclasses import replace
from pathlib import Path

from tomking.adapters.clock import wall_now
from tomking.adapters.latch import ORDER, LatchFile
from tomking.app.locks import Mode
from tomking.domain.trading import Latch, Trading

WHO, WHY = "tomking paper", "paper arms itself"


def arm(own: LatchFile, *, is_new: bool) -> str:
    """Arms the latch of a folder without a journal; what stands in an old one is left, in words."""
    latch = own.read()
    if is_new and not own.path.exists():
        latch = own.exchange(latch, Latch(Trading.ACTIVE, wall_now(), WHO, WHY))
        return "armed for paper"
    if latch.opens:
        return "armed"
    if latch.since is None:
        return f"{latch.words}: begin anew with --fresh"
    return f"{latch.words}; it only manages what is held"


def own_latch(mode: Mode, folder: Path, control: Path) -> LatchFile:
    """Paper's lies in its own folder; real orders have the installation's alone, which a person arms."""
    return LatchFile(folder if mode is Mode.PAPER else control)


def tightest(own: LatchFile, control: LatchFile) -> Latch:
    """What counts now.  The other latch counts only where somebody has ever set it."""
    mine = own.read()
    if not control.path.exists():
        return mine
    theirs = control.read()
    if _resumed(mine, theirs):
        return theirs
    if ORDER.index(theirs.state) <= ORDER.index(mine.state):
        return mine
    # It is another account that is being flattened there: here exits go on.
    return replace(theirs, alone_until=None)


def _resumed(mine: Latch, theirs: Latch) -> bool:
    """Whether a person has resumed since trading was stopped here alone: by the program itself, by
    ``tomking flatten``, or by a restored backup.  All these say when by the wall, as ``tomking resume`` does.
    """
    if mine.since is None or theirs.since is None or not theirs.opens:
        return False
    return not mine.opens and theirs.since > mine.since
