"""Two starters: two hundred races of two processes for one lease, exactly one trader each.

``python -m rel.lease --n 200``.  Both start together and hold what they got until both have tried.  In a
quarter of the races the winner is killed and the loser tries again: it must get the lease, with a higher
epoch.  All epochs given out must be different and rise.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TRY = """
import sys
from pathlib import Path
from tomking.adapters.lease import take
from tomking.domain.errors import OperatingError
print("ready", flush=True)
for line in sys.stdin:
    word = line.strip()
    if word == "take":
        try:
            lease = take(Path(sys.argv[1]), account="5WX00000", environment="paper")
            print(lease.epoch, flush=True)
        except OperatingError as error:
            print("no", flush=True)
    elif word == "back":
        lease.give_back()
        print("back", flush=True)
"""


class Starter:
    """One process that wants to trade."""

    def __init__(self, folder: Path) -> None:
        words = [sys.executable, "-c", TRY, str(folder)]
        self._process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.heard() == "ready"

    def say(self, word: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{word}\n")
        self._process.stdin.flush()

    def heard(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()


def races(folder: Path, count: int) -> tuple[list[int], list[str]]:
    """(the epochs given out, in order; what went wrong)."""
    epochs: list[int] = []
    wrong: list[str] = []
    starters = [Starter(folder), Starter(folder)]
    for race in range(count):
        for one in starters if race % 2 else reversed(starters):
            one.say("take")
        answers = [one.heard() for one in starters]
        winners = [n for n, answer in enumerate(answers) if answer != "no"]
        if len(winners) != 1:
            wrong.append(f"race {race}: {answers}")
            break
        (winner,) = winners
        epochs.append(int(answers[winner]))
        if race % 4:
            starters[winner].say("back")
            starters[winner].heard()
            continue
        starters[winner].kill()
        loser = starters[1 - winner]
        loser.say("take")
        answer = loser.heard()
        if answer == "no":
            wrong.append(f"race {race}: the killed one still holds it")
            break
        epochs.append(int(answer))
        loser.say("back")
        loser.heard()
        starters[winner] = Starter(folder)
    for one in starters:
        one.kill()
    if epochs != sorted(set(epochs)):
        wrong.append(f"epochs repeat or fall: {epochs}")
    return epochs, wrong


def main() -> int:
    """Prints one line of JSON; 1 when a race had no trader, or two."""
    parser = argparse.ArgumentParser(prog="python -m rel.lease", description=__doc__)
    parser.add_argument("--n", type=int, default=200)
    asked = parser.parse_args()
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="tomking-lease-") as folder:
        epochs, wrong = races(Path(folder), asked.n)
    figures = {
        "command": "rel.lease",
        "races": asked.n,
        "leases": len(epochs),
        "kills": sum(1 for race in range(asked.n) if race % 4 == 0),
        "wrong": wrong,
        "seconds": round(time.perf_counter() - began, 1),
    }
    print(json.dumps(figures))
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
