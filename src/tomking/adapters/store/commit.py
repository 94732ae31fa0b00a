"""All files of an import become visible together: a plan of renames that a later process can finish.

1. Everything new is written below ``staging`` and synced: the store is untouched.
2. ``commit.json`` names every rename, the catalogue's last.  From its own rename on, the import has happened.
3. The renames; each may have been done before.
4. The plan and the staging folder go.

Whoever opens the store and finds a plan goes on at 3.
"""

import json
import logging
import shutil
from collections.abc import Callable
from pathlib import Path

from tomking.adapters.store.files import sync_folder, write_synced
from tomking.domain.errors import BadData

PLAN = "commit.json"
STAGING = "staging"

Step = Callable[[str], object]
"""Told before each durable action what it is: tests end the process there."""
unobserved: Step = logging.getLogger(__name__).debug
"""What ordinary runs are told to."""


def commit(folder: Path, renames: list[tuple[Path, Path]], step: Step = unobserved) -> None:
    """Rename staged files to their places, all or none; both paths are below ``folder``."""
    relative = [[str(a.relative_to(folder)), str(b.relative_to(folder))] for a, b in renames]
    step("plan")
    write_synced(folder / PLAN, json.dumps(relative, indent=1).encode())
    finish(folder, step)


def finish(folder: Path, step: Step = unobserved) -> None:
    """Go on with a plan; nothing without one.  ``BadData`` when a planned file is gone."""
    plan = folder / PLAN
    if not plan.exists():
        return
    try:
        renames = [(folder / a, folder / b) for a, b in json.loads(plan.read_bytes())]
    except ValueError as error:
        raise BadData([f"{plan}: damaged ({error}); move it away and run the import again"]) from error
    lost = [
        f"{b}: neither staged nor stored; move {plan} away, import again"
        for a, b in renames
        if not (a.exists() or b.exists())
    ]
    if lost:
        raise BadData(lost)
    for staged, place in renames:
        if staged.exists():
            step(f"rename {place.name}")
            place.parent.mkdir(parents=True, exist_ok=True)
            staged.replace(place)
            sync_folder(place.parent)
    step("end")
    plan.unlink()
    sync_folder(folder)
    step("tidy")
    shutil.rmtree(folder / STAGING, ignore_errors=True)
