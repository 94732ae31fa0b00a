"""What differs between venues for a run over a line: the one place of ``app.live`` that asks where it is."""

from collections.abc import Callable
from dataclasses import dataclass

from tomking.adapters.tastytrade.session import Environment
from tomking.adapters.tastytrade.stream import SILENT
from tomking.adapters.walltime import WallTime
from tomking.app.live.clock import MarketClock, SandboxClock, WallClock


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a venue asks of the program that trades there."""

    clock: Callable[[], MarketClock]
    """The time of its market."""
    silent: float
    """Seconds of the wall without any quote after which its feed is taken for dead."""
    on_a_model: bool = False
    """Whether its market is one of ours: then sizes follow net liq, as in a backtest (decision 208)."""
    is_checked: bool = True
    """Whether clock, calendars and bars are held against others before anything trades."""
    has_metrics: bool = True
    """Whether it tells earnings and dividends."""
    walltime: Callable[[], WallTime] = WallTime
    """This machine's clock against its witnesses."""


SANDBOX_SILENT = 150.0
"""Seconds of the wall: the sandbox's market moves once a minute."""


def surroundings(environment: Environment, port: int) -> Surroundings:
    """Those of a venue; ``port`` is a sandbox's."""
    match environment:
        case Environment.SANDBOX:
            return Surroundings(lambda: SandboxClock(port), SANDBOX_SILENT, on_a_model=True, is_checked=False)
        case Environment.CERT:
            # Its quotes are late and its metrics are not served (tastytrade page, section 11).
            return Surroundings(WallClock, SILENT, has_metrics=False)
        case Environment.LIVE:
            return Surroundings(WallClock, SILENT)
