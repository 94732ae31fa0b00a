"""An import that is killed: the store stays valid, and the next import finishes."""

import errno
import fcntl
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from tests.storeworlds import OPEN, RawFiles, contents, put, quotes, raw_file, refuse_crossed, session

from tomking.adapters.store import Store
from tomking.adapters.store.questions import scan
from tomking.domain.errors import BadData, OperatingError


class Killed(BaseException):
    """As sudden as a signal: nothing catches it."""


class KillAt:
    """Ends the process at its n-th durable action."""

    def __init__(self, number: int | None) -> None:
        self.number = number
        self.said: list[str] = []

    def __call__(self, action: str) -> None:
        if len(self.said) == self.number:
            raise Killed(action)
        self.said.append(action)


def sources(folder: Path) -> tuple[Path, ...]:
    """Two months; the second file repeats, contradicts, has a crossed quote, and completes."""
    a = pl.concat([session(), session(OPEN - timedelta(days=7))])
    b = pl.concat([session(), session(OPEN + timedelta(days=1)), quotes((OPEN, 5700, 2.0, 1.0))])
    b = b.with_columns(
        pl.when(pl.col("strike") == 570_500_000).then(9.0).otherwise(pl.col("ask")).alias("ask")
    )
    return raw_file(folder, "a", a), raw_file(folder, "b", b)


def test_killed_before_any_action_and_run_again_gives_the_same_store(tmp_path: Path) -> None:
    files = sources(tmp_path)
    whole, watch = Store(tmp_path / "whole"), KillAt(None)
    put(whole, *files, check=refuse_crossed, step=watch)
    expected = contents(whole.folder)
    assert {"plan", "end", "tidy", "manifest"} <= set(watch.said)
    for number in range(len(watch.said)):
        store = Store(tmp_path / f"killed-{number}")
        with pytest.raises(Killed):
            put(store, *files, check=refuse_crossed, step=KillAt(number))
        planned = watch.said.index("plan") < number
        reopened = Store(store.folder)
        assert reopened.verify() == ()
        assert {o.rows for o in reopened.overview()} == ({36} if planned else set())
        report = put(reopened, *files, check=refuse_crossed)
        assert report.changed is not planned
        assert contents(store.folder) == expected, watch.said[number]


class KillAtDisk:
    """Ends the process at the n-th time it touches the disk in a lasting way, before or after the touch."""

    def __init__(self, patch: pytest.MonkeyPatch, number: int | None, *, after: bool) -> None:
        self.touched = 0
        self._number, self._after = number, after
        for owner, name in ((os, "fsync"), (Path, "replace"), (Path, "unlink"), (shutil, "rmtree")):
            patch.setattr(owner, name, self._watched(getattr(owner, name)))

    def _watched(self, touch: Callable[..., object]) -> Callable[..., object]:
        def watched(*given: object, **named: object) -> object:
            fatal = self.touched == self._number
            self.touched += 1
            if fatal and not self._after:
                raise Killed(touch)
            done = touch(*given, **named)
            if fatal:
                raise Killed(touch)
            return done

        return watched


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_killed_at_any_touch_of_the_disk_and_run_again_gives_the_same_store(
    tmp_path: Path, after: bool
) -> None:
    first = raw_file(tmp_path, "a", session(strikes=1, snapshots=1))
    second = raw_file(tmp_path, "b", quotes((OPEN, 5700, 2.0, 1.0), (OPEN, 5700, 1.0, 1.1)))

    def imported(folder: Path, number: int | None) -> int:
        store = Store(folder)
        put(store, first)
        with pytest.MonkeyPatch.context() as patch:
            disk = KillAtDisk(patch, number, after=after)
            with suppress(Killed):
                put(store, second, check=refuse_crossed)
        return disk.touched

    touches = imported(tmp_path / "whole", None)
    expected = contents(tmp_path / "whole")
    assert touches > 15
    for number in range(touches):
        folder = tmp_path / f"killed-{number}"
        imported(folder, number)
        store = Store(folder)
        assert store.verify() == ()
        put(store, second, check=refuse_crossed)
        assert contents(folder) == expected, number


def test_a_store_that_has_months_keeps_them_until_all_new_ones_are_there(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    put(store, raw_file(tmp_path, "first", session()))
    before = scan(store, "SPXW").collect()
    with pytest.raises(Killed):
        put(store, *sources(tmp_path), check=refuse_crossed, step=KillAt(6))
    assert scan(Store(store.folder), "SPXW").collect().equals(before)
    assert Store(store.folder).verify() == ()


def test_what_was_read_to_its_end_is_not_read_again(tmp_path: Path) -> None:
    store, files, importer = Store(tmp_path / "store"), sources(tmp_path), RawFiles()
    with pytest.raises(Killed):
        # batch, manifest, batch: in the second file.
        put(store, *files, importer=importer, step=KillAt(2))
    put(store, *files, importer=importer)
    assert importer.read_paths == ["a.raw", "b.raw"]


@contextmanager
def held(folder: Path) -> Iterator[None]:
    handle = os.open(folder, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(handle)


def test_one_process_writes_at_a_time(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    put(store, raw_file(tmp_path, "a", session()))
    with held(store.folder), pytest.raises(BadData, match="another process is writing"):
        put(store, raw_file(tmp_path, "b", session(OPEN + timedelta(days=1))))
    assert len(store.overview()) == 1


def test_a_store_can_be_opened_while_another_process_commits(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    with pytest.raises(Killed):
        put(store, raw_file(tmp_path, "a", session()), step=KillAt(4))
    with held(store.folder):
        assert Store(store.folder).overview() == ()
        assert (store.folder / "commit.json").exists()
    assert len(Store(store.folder).overview()) == 1


def test_a_plan_whose_files_are_lost_says_so(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    with pytest.raises(Killed):
        put(store, raw_file(tmp_path, "a", session()), step=KillAt(4))
    assert (store.folder / "commit.json").exists()
    next((store.folder / "staging/new/chains").rglob("*.parquet")).unlink()
    with pytest.raises(BadData, match=r"neither staged nor stored; move .*commit\.json away"):
        Store(store.folder)


def test_a_full_disk_is_said_and_the_import_goes_on_when_there_is_room(tmp_path: Path) -> None:
    store, files, importer = Store(tmp_path / "store"), sources(tmp_path), RawFiles()

    def full(action: str) -> None:
        if action.startswith("merge"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(
        OperatingError, match="No space left on device; put that right and run the import again"
    ):
        put(store, *files, importer=importer, step=full)
    assert Store(store.folder).overview() == ()
    put(store, *files, importer=importer)
    assert importer.read_paths == ["a.raw", "b.raw"]


def test_a_place_that_may_not_be_written_to_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(OperatingError, match=r"file/store: Not a directory"):
        put(Store(tmp_path / "file" / "store"), raw_file(tmp_path, "a", session()))


PROGRAM = """
import os, signal, sys
from pathlib import Path
from tests.storeworlds import put, refuse_crossed
from tomking.adapters.store import Store

count = 0

def kill(action):
    global count
    count += 1
    if count == int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)

put(Store(Path(sys.argv[1])), *map(Path, sys.argv[3:]), check=refuse_crossed, step=kill)
"""


@pytest.mark.parametrize("number", [3, 9])
def test_a_real_kill_leaves_a_store_that_the_next_import_finishes(tmp_path: Path, number: int) -> None:
    files = sources(tmp_path)
    whole = Store(tmp_path / "whole")
    put(whole, *files, check=refuse_crossed)
    folder = tmp_path / "killed"
    said = [sys.executable, "-c", PROGRAM, str(folder), str(number), *map(str, files)]
    root = Path(__file__).resolve().parents[2]
    paths = os.pathsep.join([str(root), str(root / "src")])
    done = subprocess.run(said, check=False, env={**os.environ, "PYTHONPATH": paths}, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    assert (folder / "staging").exists()
    store = Store(folder)
    assert store.verify() == ()
    put(store, *files, check=refuse_crossed)
    assert contents(folder) == contents(whole.folder)
