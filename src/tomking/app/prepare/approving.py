"""What a person sees of the orders that wait, and the answer: between ``tomking approve`` and the folder."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tomking.adapters.clock import wall_now
from tomking.adapters.consent import FOLDER, Answer, ConsentFolder
from tomking.app.exits import Exit
from tomking.app.prepare.candidates import State
from tomking.app.prepare.preview import read_intent
from tomking.app.problems import problem
from tomking.domain.calendar import new_york
from tomking.execution.preview import HASH_LENGTH

LEAST = 4
"""So many digits of a hash name an order, if no other begins with them."""
RUNNING_WITHIN = 15.0
"""Seconds since an engine last showed itself."""


@dataclass(frozen=True, slots=True)
class Offer:
    """One order that was shown, and what became of it."""

    account: Path
    """The account's folder."""
    content: Mapping[str, Any]

    @property
    def hash(self) -> str:
        return str(self.content.get("hash", ""))

    @property
    def state(self) -> str:
        return str(self.content.get("state", ""))

    @property
    def answered(self) -> Answer | None:
        return ConsentFolder(self.account).answer(self.hash)

    @property
    def until(self) -> datetime | None:
        """When it expires; None where what is shown is not what its hash stands for."""
        try:
            intent = read_intent(self.content["preview"]["intent"])
        except (LookupError, TypeError, ValueError):
            return None
        return intent.until if intent.hash == self.hash else None


def offers(state: Path) -> list[Offer]:
    """Of all accounts with real orders, oldest first."""
    folders = sorted((state / "live").glob(f"*/{FOLDER}"))
    return [Offer(folder.parent, one) for folder in folders for one in ConsentFolder(folder.parent).offers()]


def waiting(state: Path) -> list[Offer]:
    """Those that somebody can still answer."""
    return [one for one in offers(state) if one.state == State.WAITING and not is_over(one)]


def named(state: Path, typed: str) -> Offer:
    """The one order that a hash, or its beginning, names.  ``Problems`` (2, 10)."""
    text = typed.strip().lower()
    if not LEAST <= len(text) <= HASH_LENGTH or not set(text) <= set("0123456789abcdef"):
        line = f"{typed}: not the hash of an order, {LEAST} to {HASH_LENGTH} of its digits 0-9 and a-f"
        raise problem(Exit.USAGE, f"{line}; tomking approve lists them")
    found = [one for one in offers(state) if one.hash.startswith(text)]
    if len(found) > 1:
        raise problem(Exit.USAGE, f"{typed}: begins {len(found)} hashes; type more of it")
    if not found:
        raise problem(Exit.APPROVAL, f"{typed}: no such order was prepared here; tomking approve lists them")
    return found[0]


def answer(offer: Offer, *, accepts: bool, by: str, why: str) -> None:
    """Hands the answer over.  ``Problems`` (10) when it can make no difference any more; ``BadData``."""
    if offer.state != State.WAITING:
        said = str(offer.content.get("why") or offer.content.get("by") or "")
        line = f"{offer.hash} is {offer.state}" + (f": {said}" if said else "")
        raise problem(Exit.APPROVAL, f"{line}; nothing was changed")
    until = offer.until
    if until is None:
        line = f"{offer.hash}: what is shown of it is not what its hash stands for; nothing was approved"
        raise problem(Exit.APPROVAL, line)
    if is_over(offer):
        line = f"{offer.hash} expired at {new_york(until):%H:%M:%S} New York; nothing was approved"
        raise problem(Exit.APPROVAL, f"{line}; if the strategy still wishes it, it is prepared anew")
    ConsentFolder(offer.account).reply(offer.hash, Answer(accepts, by, why))


def is_over(offer: Offer) -> bool:
    """Whether its time has passed, by the market's clock as the engine last showed it."""
    until, shown = offer.until, shown_at(offer.account)
    return until is not None and shown is not None and shown >= until


def shown_at(account: Path) -> datetime | None:
    """The market's time when the engine last showed itself; None: it never did."""
    try:
        found = json.loads((account / "now.json").read_text(encoding="utf-8"))
        return datetime.fromisoformat(str(found["at"]))
    except (OSError, ValueError, LookupError, TypeError):
        return None


def is_running(account: Path) -> bool:
    """Whether an engine has shown itself a moment ago."""
    try:
        written = (account / "now.json").stat().st_mtime
    except OSError:
        return False
    return wall_now().timestamp() - written < RUNNING_WITHIN
