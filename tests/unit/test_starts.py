"""A crash loop does not go on trading (F44): real files, and real processes that are killed."""

import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tomking.adapters.starts import FILE, MOST, Starts, storm

START = datetime(2031, 3, 7, 15, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def test_the_fourth_start_in_ten_minutes_is_a_storm(tmp_path: Path) -> None:
    starts = Starts(tmp_path)
    assert [starts.began(START + n * MINUTE) for n in range(4)] == [0, 1, 2, 3]
    assert [bool(storm(n)) for n in range(5)] == [False, False, False, True, True]


def test_what_was_longer_ago_does_not_count(tmp_path: Path) -> None:
    starts = Starts(tmp_path)
    # At 0, 4, 8 and 12 minutes: the first is twelve minutes old by then.
    assert [starts.began(START + 4 * n * MINUTE) for n in range(4)] == [0, 1, 2, 2]


def test_an_orderly_end_ends_the_count(tmp_path: Path) -> None:
    starts = Starts(tmp_path)
    for n in range(MOST):
        starts.began(START + n * MINUTE)
    starts.ended()
    assert starts.began(START + 4 * MINUTE) == 0


@pytest.mark.parametrize("content", [b"", b"[", b'{"a": 1}', b'["yesterday"]', b'["2031-03-07T15:00:00"]'])
def test_a_file_that_a_crash_has_left_unreadable_counts_as_a_storm(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    assert storm(Starts(tmp_path).began(START))
    # And what it has written itself can be read again.
    assert Starts(tmp_path).began(START + MINUTE) == 1


def test_a_clock_that_was_set_back_hides_no_start(tmp_path: Path) -> None:
    starts = Starts(tmp_path)
    for n in range(MOST):
        starts.began(START + n * MINUTE)
    assert starts.began(START - 5 * MINUTE) == MOST


KILLED = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from tomking.adapters.starts import Starts
Starts(Path(sys.argv[1])).began(datetime(2031, 3, 7, 15, 2, tzinfo=UTC))
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_start_that_a_kill_ended_counts(tmp_path: Path) -> None:
    assert [Starts(tmp_path).began(START + n * MINUTE) for n in range(2)] == [0, 1]
    ended = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)
    assert ended.returncode == -signal.SIGKILL
    words = storm(Starts(tmp_path).began(START + 3 * MINUTE))
    assert words.startswith("started 4 times in 10 minutes")
