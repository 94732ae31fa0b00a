"""``python -m rel.line --sessions 20 --seed 1``: accelerated sessions over sockets that are cut and stalled.

The whole of ``tomking paper`` (start, engine, kernel, gate, order desk, the broker's SDK) trades at a venue
behind a proxy.  Drawn by seed: connections cut, stalled, torn and refused; 5xx, 429 and 401; answers late,
lost and garbled; tokens that expire.  After each session the book is held against the venue's truth.

Prints one line of JSON.  Exit 1 on an order that is double or lost, on a book that is not the venue's, on an
error that nobody handled, on too few orders to show anything, or beyond sixty minutes.
"""

import argparse
import json
import logging
import sys
import tempfile
import threading
import traceback
from collections import Counter
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from time import monotonic
from typing import Any

from rel import line_traders
from rel.line_check import Errors, Found
from rel.line_faults import KINDS, Blows, drawn
from rel.line_proxy import Proxy
from tomking.adapters.calendars import load_sessions
from tomking.adapters.history import load_history
from tomking.adapters.tastytrade.session import Destination, Environment, Secrets
from tomking.app.backtest import LISTED_AHEAD
from tomking.app.config import Config
from tomking.app.live import stages
from tomking.app.live.asked import Asked
from tomking.app.live.engine import Engine
from tomking.app.live.stages import Configured, Ready, configure, start
from tomking.app.live.telling import Teller
from tomking.app.markets import model_market
from tomking.app.parity.serving import Served, a_house, served
from tomking.app.sandbox import ACCOUNT, CLIENT_SECRET, REFRESH_TOKEN
from tomking.app.sections import HISTORY_FIRST, HISTORY_LAST
from tomking.domain.calendar import Session, Sessions
from tomking.risk.settings import Settings
from tomking.sim.floor import Pace
from tomking.venue.house import House

FIRST = date(2023, 3, 1)
CASH = Decimal(4_000_000)
SPEED = 3600.0
MOST_TOLD = 20
"""Of each kind of trouble, in the JSON."""


@dataclass(frozen=True, slots=True)
class Loose(Config):
    """The configuration as shipped, but for the gate's counts of entries."""

    def section(self, name: str, kind: type[Any]) -> Any:  # noqa: ANN401 - as it is
        return line_traders.settings() if kind is Settings else Config.section(self, name, kind)


@dataclass
class Watched(Engine):
    """The engine; tells when a session is over, before its night is skipped."""

    def _skip_night(self, now: datetime) -> None:
        self.over(now)  # type: ignore[attr-defined]
        if not self._ending:
            Engine._skip_night(self, now)


@dataclass
class Run:
    """One call of this command."""

    wanted: int
    seed: int
    first: date
    kinds: tuple[str, ...] = KINDS
    found: Found = field(default_factory=Found)
    said: Counter[str] = field(default_factory=Counter)
    struck: Counter[str] = field(default_factory=Counter)
    proxied: Counter[str] = field(default_factory=Counter)
    verbose: bool = False

    def play(self, home: Path) -> None:
        sessions = load_sessions(HISTORY_FIRST, HISTORY_LAST + LISTED_AHEAD)
        days = sessions.between(self.first, HISTORY_LAST).days[: self.wanted]
        market = model_market(load_history(), sessions, self.seed, real_sizes=True)
        house = a_house(market, sessions, days[0].open - timedelta(minutes=8), CASH, Pace())
        with ExitStack() as opened:
            ports: list[int] = []
            proxy = Proxy(lambda: ports[0])
            proxy.start()
            opened.callback(proxy.close)
            venue = opened.enter_context(served(house, behind=proxy.port))
            ports.append(venue.port)
            self._listen(opened)
            self._trade(venue, proxy, home, days, sessions)
            self.proxied = proxy.counts

    def _listen(self, opened: ExitStack) -> None:
        errors = Errors(self.found.unhandled)
        for name in ("", "uvicorn", "uvicorn.error"):
            logger = logging.getLogger(name)
            logger.addHandler(errors)
            opened.callback(logger.removeHandler, errors)
        before = threading.excepthook
        threading.excepthook = errors.thread
        opened.callback(setattr, threading, "excepthook", before)

    def _trade(
        self, venue: Served, proxy: Proxy, home: Path, days: tuple[Session, ...], sessions: Sessions
    ) -> None:
        bell = threading.Event()
        asked = Asked(
            Destination(Environment.SANDBOX, proxy.port),
            Secrets(CLIENT_SECRET, REFRESH_TOKEN),
            ACCOUNT,
            home / "paper" / "sandbox",
            home,
            SPEED,
            None,
            fresh=False,
        )
        # They are no package of their own with an entry point, by which places are found.
        stages.places = lambda names: line_traders.places()  # type: ignore[attr-defined]  # noqa: ARG005
        ready = start(asked, configured(), self._stage, self._teller, bell.set)
        engine = Watched(ready, bell)
        control = f"http://127.0.0.1:{venue.port}/_sandbox"
        blows = Blows(control, proxy, ready.clock.now)
        left = list(enumerate(days))

        def plan() -> None:
            n, session = left[0]
            minutes = int((session.close - session.open).total_seconds() // 60)
            blows.plan(session, drawn(self.seed, n, minutes, self.kinds))

        def over(now: datetime) -> None:
            session = left.pop(0)[1]
            self._check(session.date, ready, venue.house)
            if left:
                plan()
            else:
                engine.stop()

        engine.over = over  # type: ignore[attr-defined]
        plan()
        blows.start()
        try:
            engine.run()
        except Exception as error:  # noqa: BLE001 - it is what this command looks for
            last = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{Path(last.filename).name}:{last.lineno}"
            self.found.unhandled.append(f"engine: {type(error).__name__}: {error} at {where}"[:300])
        finally:
            blows.close()
            self.struck = blows.struck
            self.found.unhandled += [f"control: {one}" for one in blows.failed]
            ready.close()

    def _stage(self, stage: str, text: str) -> None:
        if self.verbose:
            sys.stderr.write(f"{stage}: {text}\n")

    def _teller(self, log: Path, now: Any) -> Teller:  # noqa: ANN401 - a clock
        def out(said: Any) -> None:  # noqa: ANN401 - a line
            if said.level != "info":
                self.said[said.text.partition(":")[0][:60]] += 1
            if self.verbose and said.level != "info":
                sys.stderr.write(f"{said.at:%m-%d %H:%M:%S} {said.level} {said.text[:200]}\n")

        return Teller(log, now, out)

    def _check(self, day: date, ready: Ready, house: House) -> None:
        book, found = ready.trading.kernel.book, self.found
        found.look(day, book, list(ready.journal.read()), house)
        if ready.journal.failed:
            found.unhandled.append(f"{day}: journal: {ready.journal.failed}")
        if self.verbose:
            sys.stderr.write(
                f"{day}: {found.orders} orders, {found.fills} fills, cash {book.cash}, "
                f"{len(found.double)} double, {len(found.lost)} lost, {len(found.unlike)} unlike\n"
            )

    def figures(self, minutes: float) -> dict[str, object]:
        found = self.found
        return {
            "sessions": found.sessions,
            "seed": self.seed,
            "minutes": round(minutes, 1),
            "orders": found.orders,
            "attempts": found.attempts,
            "fills": found.fills,
            "doubts": found.doubts,
            "faults": sum(self.struck.values()),
            "kinds": len(self.struck),
            "struck": dict(sorted(self.struck.items())),
            "refused": dict(found.refused.most_common(5)),
            "proxy": dict(sorted(self.proxied.items())),
            "double": found.double[:MOST_TOLD],
            "lost": found.lost[:MOST_TOLD],
            "unlike": found.unlike[:MOST_TOLD],
            "unhandled": found.unhandled[:MOST_TOLD],
            "misses": found.misses(self.wanted, minutes),
        }


def configured() -> Configured:
    """The traders of this command, under a gate that lets them trade often."""
    shipped = configure(None, [], ("friday_0dte",))
    loose = Loose(**{name: getattr(shipped.config, name) for name in Config.__dataclass_fields__})
    return _Traders(loose, line_traders.traders())  # type: ignore[arg-type]


class _Traders(Configured):
    def products(self) -> frozenset[str]:
        return frozenset({line_traders.PRODUCT})


def parser() -> argparse.ArgumentParser:
    found = argparse.ArgumentParser(prog="python -m rel.line", description=(__doc__ or "").splitlines()[0])
    found.add_argument("--sessions", type=int, default=20)
    found.add_argument("--seed", type=int, default=1)
    found.add_argument("--first", type=date.fromisoformat, default=FIRST, help="the first session's day")
    found.add_argument("--calm", action="store_true", help="nothing goes wrong")
    found.add_argument("--only", help="kinds of trouble, by commas")
    found.add_argument("--verbose", action="store_true")
    return found


def main(arguments: list[str]) -> int:
    asked = parser().parse_args(arguments)
    kinds = () if asked.calm else tuple(asked.only.split(",")) if asked.only else KINDS
    run = Run(asked.sessions, asked.seed, asked.first, kinds, verbose=asked.verbose)
    began = monotonic()
    # What was seen by then is told when it is interrupted.
    with tempfile.TemporaryDirectory(prefix="rel-line-") as home, suppress(KeyboardInterrupt):
        run.play(Path(home))
    minutes = (monotonic() - began) / 60
    sys.stdout.write(json.dumps(run.figures(minutes)) + "\n")
    return 1 if run.found.misses(asked.sessions, minutes) else 0


__all__ = ["Run", "main"]

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
