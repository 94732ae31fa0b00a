"""Which ways lead to a person, and what a start and a run do when something is wrong around them.

``TOMKING_ALERT_URL``      an https address that takes JSON (a messenger's or a pager's webhook)
``TOMKING_ALERT_COMMAND``  a program with its arguments that gets the words as its input

They stand in the environment, not in the configuration: an address is as good as a password.
"""

import shlex
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from tomking.adapters.alerts import Alerts, Channel, Command, Webhook
from tomking.adapters.clock import wall_now
from tomking.adapters.latch import LatchFile
from tomking.adapters.starts import Starts, storm
from tomking.app.exits import Exit
from tomking.app.live.latch import WHO
from tomking.app.live.telling import Teller
from tomking.app.problems import Problem, Problems, problem
from tomking.domain.errors import BadData
from tomking.domain.trading import Trading

URL, COMMAND = "TOMKING_ALERT_URL", "TOMKING_ALERT_COMMAND"


def channels(environment: Mapping[str, str]) -> list[Channel]:
    """Those that are named.  ``Problems`` (3) with every one that cannot be used."""
    found: list[Channel] = []
    problems: list[Problem] = []
    if address := environment.get(URL):
        try:
            found.append(Webhook(address))
        except BadData as error:
            problems += [Problem(Exit.CONFIG, f"{URL}: {line}") for line in error.problems]
    if line := environment.get(COMMAND):
        try:
            words = tuple(shlex.split(line))
        except ValueError as error:
            words = ()
            problems.append(Problem(Exit.CONFIG, f"{COMMAND}: {error}"))
        if words:
            found.append(Command(words))
    if problems:
        raise Problems(problems)
    return found


def alerting(ways: list[Channel], folder: Path, own: LatchFile, tell: Teller) -> Alerts:
    """Alerts of what is told from now on; after a quarter of an hour without any way it closes only."""

    def silent(seconds: float) -> None:
        words = f"no alert has got through for {seconds / 60:.0f} minutes"
        own.tighten(Trading.REDUCING, WHO, words, wall_now())
        tell.notify("critical", f"{words}: closing only until tomking resume", tell.now())

    alerts = Alerts(ways, folder, silent)
    tell.page = alerts.notify
    alerts.start()
    return alerts


def count_start(folder: Path, own: LatchFile, tell: Teller) -> None:
    """Counts a start that has passed its stages; after three that did not end in order it closes only."""
    try:
        words = storm(Starts(folder).began(wall_now()))
    except OSError as error:
        line = f"{folder}: the start cannot be noted ({error.strerror}): make room, or give the folder back"
        raise problem(Exit.DATA, line) from error
    if words:
        own.tighten(Trading.REDUCING, WHO, words, wall_now())
        tell.notify("critical", words, tell.now())


def count_end(folder: Path) -> None:
    """An orderly end: what came before is no storm."""
    with suppress(OSError):  # then the next starts count it, which is the safe side
        Starts(folder).ended()
