"""The broker's own JavaScript client, unmodified, against the venue on a real socket.

Its packages come from the registry that npm is set up for, once, into the user's cache.  Without Node or npm
the test is skipped; ``.ci/run`` requires it.
"""

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path

import platformdirs
import pytest
from filelock import FileLock
from tests.venue.venueserver import REFRESH, SECRET, running

pytestmark = [pytest.mark.enable_socket, pytest.mark.slow]
HERE = Path(__file__).parent / "js"
REQUIRED = "REQUIRE_NODE"
"""Set by ``.ci/run``: a missing Node is then a failure."""
FILES = ("package.json", "package-lock.json", "client.mjs")
SHORT, LONG = "SPXW  240607P05320000", "SPXW  240607P05300000"


def missing(what: str) -> None:
    if os.environ.get(REQUIRED):
        pytest.fail(f"{what}, and {REQUIRED} is set")
    pytest.skip(what)


def installed() -> Path:
    """A folder with the script and its packages; made once for a lock file."""
    digest = hashlib.sha256(b"".join((HERE / name).read_bytes() for name in FILES)).hexdigest()[:16]
    folder = platformdirs.user_cache_path("tomking") / "venue-js" / digest
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_suffix(".lock")):
        if not (folder / "installed").exists():
            for name in FILES:
                shutil.copy(HERE / name, folder / name)
            npm = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
            done = subprocess.run(npm, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
            if done.returncode:
                missing(f"npm ci failed: {done.stderr.strip()[-300:]}")
            (folder / "installed").touch()
    return folder


def test_the_javascript_client_reads_streams_trades_and_is_refused() -> None:
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            missing(f"{program} is not installed")
    folder = installed()
    with running() as venue:
        words = [str(venue.port), SECRET, REFRESH, "SPX", ".SPXW240607P5320", SHORT, LONG]
        done = subprocess.run(
            ["node", "client.mjs", *words],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout.splitlines()[-1])
    (index_bid, index_ask), (bid, ask) = seen.pop("quotes")
    assert 5300 < index_bid < index_ask < 5400
    assert 0 < bid < ask < 10
    assert seen == {
        "account": "5WT00001",
        "netLiq": "200000.00",
        "positionsBefore": 0,
        "roots": ["SPX", "SPXW"],
        "metrics": 1,
        "connected": "connect",
        "dryRunEffect": "Debit",
        # Filled is said with the first leg, and again with the second (T5).
        "statuses": ["Routed", "Live", "Filled", "Filled"],
        "positionsAfter": 2,
        "replaces": True,
        "ended": "Cancelled",
        "live": ["Cancelled", "Cancelled", "Filled"],
        "history": 2,
        "refusal": [422, "cannot_update_order"],
    }
