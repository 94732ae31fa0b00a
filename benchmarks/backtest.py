"""Processor seconds of one account's way through the model market, and the head of its journal.

python -m benchmarks.backtest 1996-01-03 1996-12-30 200000

Run it in turn with another copy of the source (PYTHONPATH) several times and compare the least of each: on a
machine that others use, the same run takes up to twice as long.
"""

import sys
import tempfile
import time
from pathlib import Path

from tomking.app.kernels import keep_compiled_kernels

keep_compiled_kernels()

from tomking.adapters.journal import SqliteJournal  # noqa: E402 - Numba reads its folder when imported
from tomking.app import backtest  # noqa: E402
from tomking.app.cli.backtest import Asked, make_request  # noqa: E402
from tomking.app.play import play_all  # noqa: E402


def main(start: str, end: str, capital: str) -> None:
    """Plays the default strategies; what is loaded and compiled before does not count."""
    options = {"start": start, "end": end, "capital": capital}
    request = make_request(
        Asked(options=options, assignments=(), config=None, chains=None, report=None, unknown=(), known=())
    )
    with (
        tempfile.TemporaryDirectory() as folder,
        backtest._world(request) as world,  # noqa: SLF001 - one account alone is no run of its own
        SqliteJournal(Path(folder) / "journal.sqlite", power_safe=False) as journal,
    ):
        one = backtest._player(request, world, journal, request.capital)  # noqa: SLF001
        begun = time.process_time()
        play_all([one], world.played, lambda *_: None)
        took, played = time.process_time() - begun, one.played
    print(f"{start} {end} ${capital}: {took:.2f} s, {len(journal)} events, journal {played.head[:16]}")


if __name__ == "__main__":
    main(*sys.argv[1:])
