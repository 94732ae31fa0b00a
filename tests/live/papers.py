"""A paper run over sockets: the venue in a thread, the engine in the test's own, as fast as it goes."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from datetime import time as wall_time
from pathlib import Path

from tests.venue.venueserver import ACCOUNT, REFRESH, SECRET, Running, _house, running, sessions

from tomking.adapters.tastytrade.session import Destination, Environment, Secrets
from tomking.app.live.asked import Asked
from tomking.app.live.engine import Engine
from tomking.app.live.stages import Ready, configure, start
from tomking.app.live.telling import Teller
from tomking.domain.calendar import wall_instant

SPEED = 3600.0


@dataclass
class Paper:
    """A run that is ready, and what it said."""

    venue: Running
    ready: Ready
    engine: Engine
    stages: list[tuple[str, str]]
    day: date

    def play(self, until: wall_time) -> None:
        """Runs the engine until a time of the market."""
        end = wall_instant(self.day, until)

        def stop(_picture: object) -> None:
            if self.ready.clock.now() >= end:
                self.engine.stop()

        self.engine.show = stop
        self.engine.run()


@contextmanager
def paper(
    home: Path,
    day: date,
    at: wall_time,
    strategies: Sequence[str],
    wrap: Callable[[Asked], Asked] = lambda a: a,
) -> Iterator[Paper]:
    """A venue on a fresh account, and everything started on it."""
    session = sessions().on(day)
    assert session is not None
    house = _house(session.at(at), 0.0, time.monotonic)
    with running(house) as venue:
        folder = home / "paper" / f"sandbox-{ACCOUNT}"
        to = Destination(Environment.SANDBOX, venue.port)
        asked = wrap(Asked(to, Secrets(SECRET, REFRESH), ACCOUNT, folder, home, SPEED, None, fresh=False))
        stages: list[tuple[str, str]] = []
        bell = threading.Event()
        ready = start(
            asked,
            configure(None, [], tuple(strategies), asked.mode),
            lambda stage, text: stages.append((stage, text)),
            Teller,
            bell.set,
        )
        try:
            yield Paper(venue, ready, Engine(ready, bell), stages, day)
        finally:
            ready.close()
