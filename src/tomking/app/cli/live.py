"""``tomking paper``: what was asked, the stages as they pass, and the screen while it runs."""

import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from tomking.app.cli.configuration import read_assignments
from tomking.app.exits import Exit
from tomking.app.problems import Problem, Problems, problem

if TYPE_CHECKING:
    from tomking.app.live.asked import Asked
    from tomking.app.live.engine import Engine
    from tomking.app.live.picture import Picture
    from tomking.app.live.stages import Configured
    from tomking.app.live.telling import Said, Teller

LONG = 10.0
"""Seconds of a start after which it is said why."""
WIDE = 100
"""Columns that the screen needs; below it there are plain lines."""


def run_paper(  # noqa: PLR0917 - as it was typed
    venue: str,
    port: int,
    speed: str | None,
    sessions: int | None,
    strategies: str | None,
    account: str | None,
    config: Path | None,
    assignments: list[str],
    *,
    fills: str,
    fresh: bool,
    as_json: bool,
) -> int:
    """Trades until it is stopped, or until the sessions asked for are over."""
    from dataclasses import replace

    from tomking.app.live.asked import asked
    from tomking.app.live.stages import configure
    from tomking.app.sections import Account

    fast, problems = speed_of(speed)
    wanted, more = asked(venue, port, fast, sessions, account, os.environ, fresh=fresh, fills=fills)
    overrides, wrong = read_assignments(assignments)
    problems = [*problems, *more, *wrong]
    if problems or wanted is None:
        raise Problems(problems)
    configured = configure(config, overrides, names_of(strategies))
    wanted = replace(wanted, cash=configured.config.section("account", Account).capital)
    return trade(wanted, configured, as_json=as_json)


def trade(wanted: "Asked", configured: "Configured", *, as_json: bool) -> int:
    """Starts and runs; the exit code of its end."""
    from tomking.app.live.engine import Engine
    from tomking.app.live.stages import start

    bell, output = threading.Event(), _Output(as_json=as_json)
    with _asking_for_patience():
        ready = start(wanted, configured, output.stage, output.teller, bell.set)
    try:
        engine = Engine(ready, bell)
        with _stopped_by_signals(engine) as stopped, output.screen(engine):
            engine.run()
    finally:
        ready.close()
        output.close()
    return int(stopped[0]) if stopped else int(Exit.OK)


@contextmanager
def _asking_for_patience() -> Iterator[None]:
    """Says why a start takes long, once it does."""
    words = "              (the first start of a version compiles its kernels: a minute or so, once)"
    timer = threading.Timer(LONG, print, (words,), {"file": sys.stderr, "flush": True})
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def speed_of(text: str | None) -> tuple[float | None, list[Problem]]:
    if text is None:
        return None, []
    try:
        return float(text), []
    except ValueError:
        line = f"--speed {text}: not a number, market seconds in a second; for example --speed 60"
        return None, [Problem(Exit.USAGE, line)]


def names_of(strategies: str | None) -> tuple[str, ...] | None:
    if strategies is None:
        return None
    names = tuple(one.strip() for one in strategies.split(",") if one.strip())
    if not names:
        raise problem(Exit.USAGE, "--strategies: none is named")
    return names


@contextmanager
def _stopped_by_signals(engine: "Engine") -> Iterator[list[Exit]]:
    """The first SIGINT or SIGTERM asks for an orderly end; what it was is the exit code."""
    stopped: list[Exit] = []

    def stop(number: int, _frame: FrameType | None) -> None:
        stopped.append(Exit.INTERRUPTED if number == signal.SIGINT else Exit.TERMINATED)
        engine.stop()

    before = {one: signal.signal(one, stop) for one in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stopped
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


class _Output:
    """A page on a terminal, lines anywhere else, JSON where it is asked for."""

    def __init__(self, *, as_json: bool) -> None:
        from rich.console import Console

        from tomking.app.live.aside import Aside

        self._aside = Aside()
        self._json = as_json
        self._console = Console(stderr=False)
        self._page = not as_json and self._console.is_terminal and self._console.width >= WIDE
        self._is_drawn = False
        self._count = 0

    def stage(self, name: str, found: str) -> None:
        self._count += 1
        print(f"{self._count}/5 {name:<13} {found}", file=sys.stderr, flush=True)

    def teller(self, log: Path, now: Callable[[], datetime]) -> "Teller":
        from tomking.app.live.telling import Teller

        return Teller(log, now, self._line)

    @contextmanager
    def screen(self, engine: "Engine") -> Iterator[None]:
        """Draws while the block runs."""
        if not self._page:
            yield
            return
        from rich.live import Live

        from tomking.app.live.aside import Aside
        from tomking.app.live.screen import page

        lines = engine.ready.teller.lines
        with Live(console=self._console, auto_refresh=False, screen=False) as live:
            self._is_drawn = True

            def show(picture: "Picture") -> None:
                drawn = page(picture, tuple(lines))
                self._aside.draw(lambda: live.update(drawn, refresh=True))

            engine.show = show
            try:
                yield
            finally:
                self._aside.close()
                self._aside = Aside()
                self._is_drawn = False

    def close(self) -> None:
        """Waits a little for the last lines."""
        self._aside.close()

    def _line(self, said: "Said") -> None:
        if not self._is_drawn:
            self._aside.do(partial(self._print, said))

    def _print(self, said: "Said") -> None:
        if self._json:
            plain: dict[str, Any] = {"at": said.at.isoformat(), "level": said.level, "text": said.text}
            print(json.dumps(plain), flush=True)
            return
        mark = {"critical": "!! ", "warning": "!  "}.get(said.level, "   ")
        print(f"{said.clock} {mark}{said.text}", flush=True)
