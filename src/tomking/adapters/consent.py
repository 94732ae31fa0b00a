"""The hand-over between the engine that prepares orders and a person who approves them: one folder.

    HASH.json     what is offered and what became of it; the engine alone writes it, in one rename
    HASH.answer   a person's yes or no; whoever is first makes it, and nobody changes it

An answer names the hash it answers and carries a check over itself: one that is damaged, or was copied to
another name, is no answer.  Nothing that cannot be read is a yes.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tomking.adapters.store.files import sync_folder
from tomking.domain.errors import BadData

FOLDER = "prepared"
OFFER, ANSWER = ".json", ".answer"
FORMAT = 1
KEPT = 50
"""Offers that have come to their end are kept, so that a person can see what became of them."""
OPEN = frozenset({"waiting", "approved"})
"""States in which something may still come of an offer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person said."""

    accepts: bool
    by: str
    """Who, with what, and when by the machine's clock."""
    why: str = ""


class ConsentFolder:
    """Of one account."""

    def __init__(self, account: Path) -> None:
        self.path = account / FOLDER

    # ------------------------------------------------------------------ the engine

    def offer(self, hash_: str, content: Mapping[str, Any]) -> None:
        """Shows an order, or what became of it.  ``OSError`` where the disk refuses."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        target = self._file(hash_, OFFER)
        fresh = target.with_name(f"{target.name}.new")
        fresh.write_text(json.dumps({"format": FORMAT, **content}), encoding="utf-8")
        fresh.replace(target)
        if content.get("state") not in OPEN:
            self._forget_old()

    def answer(self, hash_: str) -> Answer | None:
        """What was answered; None: nothing that could be read."""
        try:
            found = json.loads(self._file(hash_, ANSWER).read_text(encoding="utf-8"))
            check = found.pop("check")
            if check != _check(found) or found["format"] != FORMAT or found["hash"] != hash_:
                return None
            return Answer(found["accepts"] is True, str(found["by"]), str(found["why"]))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None

    # ------------------------------------------------------------------ the person

    def offers(self) -> list[Mapping[str, Any]]:
        """All that can be read, oldest first."""
        found: list[Mapping[str, Any]] = []
        for file in sorted(self.path.glob(f"*{OFFER}"), key=_age):
            with suppress(OSError, ValueError):
                content = json.loads(file.read_text(encoding="utf-8"))
                if isinstance(content, dict) and content.get("format") == FORMAT:
                    found.append(content)
        return found

    def reply(self, hash_: str, answer: Answer) -> None:
        """Answers, durably.  ``BadData`` where somebody has answered already, or the disk refuses."""
        plain = {
            "format": FORMAT,
            "hash": hash_,
            "accepts": answer.accepts,
            "by": answer.by,
            "why": answer.why,
        }
        content = json.dumps({**plain, "check": _check(plain)}).encode()
        target = self._file(hash_, ANSWER)
        fresh = target.with_name(f"{target.name}.{os.getpid()}")
        try:
            with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.link(fresh, target)
            sync_folder(self.path)
        except FileExistsError as error:
            before = self.answer(hash_)
            said = "it cannot be read" if before is None else _words(before)
            raise BadData([f"{hash_} has been answered already: {said}"]) from error
        except OSError as error:
            raise BadData([f"{target}: {error.strerror or error}; nothing was answered"]) from error
        finally:
            with suppress(OSError):
                fresh.unlink(missing_ok=True)

    # ------------------------------------------------------------------ files

    def _file(self, hash_: str, suffix: str) -> Path:
        assert _is_hash(hash_), f"{hash_!r} is no hash"
        return self.path / f"{hash_}{suffix}"

    def _forget_old(self) -> None:
        ended = [one for one in self.offers() if one.get("state") not in OPEN]
        for one in ended[:-KEPT]:
            hash_ = str(one.get("hash", ""))
            if _is_hash(hash_):
                for suffix in (OFFER, ANSWER):
                    with suppress(OSError):
                        self._file(hash_, suffix).unlink(missing_ok=True)


def _is_hash(text: str) -> bool:
    return text.isascii() and text.isalnum()


def _check(plain: object) -> str:
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


def _words(answer: Answer) -> str:
    return f"{'approved' if answer.accepts else 'rejected'} by {answer.by}"


def _age(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except OSError:
        return 0.0
