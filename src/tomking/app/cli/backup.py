"""``tomking backup``: what was asked, and what became of it."""

import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tomking.adapters.backup import Passphrase, create, read_only_because, restore, verify
from tomking.adapters.clock import wall_now
from tomking.adapters.copies import Verified
from tomking.adapters.latch import LatchFile
from tomking.adapters.migrate import migrate
from tomking.adapters.passphrase import NoPassphrase, backup_passphrase
from tomking.app import control
from tomking.app.exits import Exit
from tomking.app.live.folder import JOURNAL, journals
from tomking.app.problems import Problem, Problems, problem
from tomking.domain.errors import OperatingError

BACKUPS = "backups"


def run_create(journal: Path | None, folder: Path | None, secret: Path | None, *, as_json: bool) -> None:
    source = _journal(journal)
    with _told():
        made, found = create(source, folder or source.parent / BACKUPS, _sealing(secret))
    if as_json:
        _print_json(backup=str(made), journal=str(source), bytes=made.stat().st_size, **_plain(found))
        return
    print(f"{made}")
    print(f"{_words(found)}; {made.stat().st_size / 1e6:.1f} MB, encrypted, read back and checked")


def run_verify(backup: Path, secret: Path | None, *, as_json: bool) -> None:
    with _told(), tempfile.TemporaryDirectory(prefix="tomking-") as folder:
        found = verify(backup, Path(folder), _sealing(secret))
    if as_json:
        _print_json(backup=str(backup), **_plain(found))
        return
    print(f"{backup}: whole; {_words(found)}")


def run_restore(
    backup: Path, journal: Path | None, secret: Path | None, *, discard_newer: bool, as_json: bool
) -> None:
    target = _belongs(backup, journal)
    if journal is None and not target.parent.is_dir():
        line = (
            "no account was traded from here: say where the journal belongs, "
            f"--journal {target.parent / 'paper' / 'sandbox-ACCOUNT' / JOURNAL}"
        )
        raise problem(Exit.DATA, line)
    with _told():
        sealing = _sealing(secret)
        done = restore(backup, target, sealing, discard_newer=discard_newer)
    state = control.state_folder(os.environ)
    traded = target.absolute().is_relative_to(state.absolute())
    if traded:  # a second bar beside the mark that the restore left
        # Real orders heed the installation's latch alone, paper one of its own as well.
        for folder in {state, target.parent} if target.parent.parent.name == "paper" else {state}:
            control.halt(
                LatchFile(folder), control.actor("backup restore"), f"restored {backup.name}", wall_now()
            )
    if as_json:
        replaced = str(done.replaced) if done.replaced else None
        _print_json(
            journal=str(target), replaced=replaced, read_only=read_only_because(target), **_plain(done.found)
        )
        return
    print(f"{target}: {_words(done.found)}")
    if done.replaced:
        print(f"what was there is now {done.replaced}")
    if traded:
        print("Trading is HALTED, and nothing opens until the book has been compared with the broker.")
        print("Next: start the engine, settle what differs, then tomking resume")


def run_upgrade(journal: Path | None, *, as_json: bool) -> None:
    target = _journal(journal)
    if not target.is_file():
        raise problem(Exit.DATA, f"{target}: there is no such file; name a journal with --journal PATH")
    with _told():
        done = migrate(target)
    if as_json:
        plain = {"before": done.before, "after": done.after, "backup": str(done.backup)} if done else {}
        _print_json(journal=str(target), upgraded=done is not None, **plain)
        return
    if done is None:
        print(f"{target}: is of the present format already")
        return
    print(f"{target}: format {done.before} is now {done.after}; {done.events:,} events, the same book")
    print(f"the old one is {done.backup}")


def _journal(named: Path | None) -> Path:
    """The one named, else that of the account traded last."""
    if named is not None:
        return named
    state = control.state_folder(os.environ)
    own = state / JOURNAL
    return ([*([own] if own.is_file() else []), *journals(state)] or [own])[-1]


def _belongs(backup: Path, named: Path | None) -> Path:
    """Where a backup is put back: beside its own folder, where that is one of ours."""
    folder = backup.absolute().parent
    if (
        named is None
        and folder.name == BACKUPS
        and folder.is_relative_to(control.state_folder(os.environ).absolute())
    ):
        return folder.parent / JOURNAL
    return _journal(named)


def _sealing(file: Path | None) -> Passphrase:
    return Passphrase(backup_passphrase(os.environ, file))


@contextmanager
def _told() -> Iterator[None]:
    """The world's failures as one line each, a missing secret with its own exit code."""
    try:
        yield
    except NoPassphrase as error:
        raise Problems(Problem(Exit.SECRET, line) for line in error.problems) from error
    except OperatingError as error:
        raise problem(Exit.DATA, str(error)) from error


def _words(found: Verified) -> str:
    book = found.book
    what = f"{len(book.positions)} positions, {len(book.orders)} working orders"
    return f"{found.head.sequence:,} events to {found.head.digest[:8]}, {what}, ${book.cash:,.2f} cash"


def _plain(found: Verified) -> dict[str, object]:
    return {
        "events": found.head.sequence,
        "head": found.head.digest,
        "format": found.schema,
        "environment": found.origin.environment if found.origin else None,
        "positions": len(found.book.positions),
        "orders": len(found.book.orders),
        "cash": str(found.book.cash),
    }


def _print_json(**plain: object) -> None:
    json.dump(plain, sys.stdout, indent=2)
    print()
