"""``tomking sandbox``: what was asked, what a client must know, and a line of what goes on."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from tomking.app.exits import Exit
from tomking.app.problems import Problem, Problems

if TYPE_CHECKING:
    from tomking.app.sandbox import Sandbox, Wanted

T = TypeVar("T")
FASTEST = 3600.0
PORTS = 65_535


@dataclass(frozen=True, slots=True)
class Typed:
    """The options as they were typed."""

    day: str
    at: str
    speed: str
    port: int
    capital: str
    seed: int
    account: str | None
    state: Path | None
    chains: Path | None


def run_sandbox(typed: Typed) -> None:
    """Serves until it is stopped."""
    wanted = _wanted(typed)
    from tomking.app.sandbox import Sandbox, listening

    socket = listening(typed.port)
    try:
        _say("opening the market, and listing the first chains (some seconds; the first time about a minute)")
        sandbox = Sandbox(wanted, socket)
        sandbox.warm_up()
    except BaseException:
        socket.close()
        raise
    print("\n".join(_notice(sandbox)), flush=True)
    sandbox.serve(_Watch(sandbox).look)


def _notice(sandbox: "Sandbox") -> list[str]:
    """What a client needs: all of it is public, and opens nothing but this process."""
    from tomking.app.sandbox import CLIENT_SECRET, REFRESH_TOKEN
    from tomking.venue.server import HOST

    wanted, here = sandbox.wanted, f"{HOST}:{sandbox.port}"
    state = f"kept in {wanted.state}" if wanted.state else "kept until it stops"
    return [
        f"sandbox ready: {wanted.day:%A} {wanted.day} {wanted.at:%H:%M} New York, "
        + (f"speed {wanted.speed:g} from the first login on" if wanted.speed else "its clock stands"),
        f"  REST             http://{here}",
        f"  account streamer ws://{here}/streamer",
        f"  DXLink           ws://{here}/realtime",
        f"  control          http://{here}/_sandbox",
        f"  account          {wanted.account}, {wanted.capital:,} dollars; orders and positions {state}",
        f"  client secret    {CLIENT_SECRET}",
        f"  refresh token    {REFRESH_TOKEN}",
        "  stop it with Ctrl-C",
    ]


class _Watch:
    """The line at the bottom of a terminal, and above it a line for each order that changed."""

    def __init__(self, sandbox: "Sandbox") -> None:
        self._house = sandbox.house
        self._shown: dict[str, str] = {}

    def look(self, now: datetime) -> None:
        for id_, ticket in list(self._house.account.tickets.items()):
            order = ticket.shown.last
            if self._shown.get(id_) != order.status.value:
                self._shown[id_] = order.status.value
                legs = " ".join(f"{leg.ratio:+d} {leg.contract}" for leg in order.legs)
                limit = f"limit {order.limit:+}"
                _clear()
                _say(f"{_wall(now)} order {id_[1:]} {order.status.value}: {order.units} x {legs}, {limit}")
        self._line(now)

    def _line(self, now: datetime) -> None:
        if not sys.stderr.isatty():
            return
        tickets = self._house.account.tickets.values()
        working = sum(not ticket.is_over for ticket in tickets)
        held = len(self._house.account.shown.held)
        worth = self._house.valuation().net_liq
        words = f"{_wall(now)}  x{self._house.clock.speed:g}  {working} working  {held} held  {worth:,.2f}"
        print(f"\r\x1b[2K{words}", end="", file=sys.stderr, flush=True)


def _wall(now: datetime) -> str:
    from tomking.domain.calendar import new_york

    return f"{new_york(now):%a %H:%M:%S}"


def _clear() -> None:
    if sys.stderr.isatty():
        print("\r\x1b[2K", end="", file=sys.stderr)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _wanted(typed: Typed) -> "Wanted":
    problems: list[Problem] = []

    def wrong(option: str, text: object, why: str) -> None:
        problems.append(Problem(Exit.USAGE, f"--{option} {text}: {why} (see tomking sandbox -h)"))

    days = _read(date.fromisoformat, typed.day)
    if days is None:
        wrong("date", typed.day, "not a date; write it like 2022-05-13")
    clock = _read(time.fromisoformat, typed.at)
    if clock is None or clock.tzinfo is not None:
        wrong("time", typed.at, "not a New York time; write it like 09:25")
    fast = _read(float, typed.speed)
    if fast is None or not isfinite(fast) or not 0 <= fast <= FASTEST:
        wrong("speed", typed.speed, f"not a number from 0 (stands still) to {FASTEST:g}")
    money = _read(Decimal, typed.capital)
    if money is None or not money.is_finite() or money <= 0 or money != round(money, 2):
        wrong("capital", typed.capital, "not an amount of dollars above 0, in whole cents and without commas")
    if not 0 <= typed.port <= PORTS:
        wrong("port", typed.port, f"not from 0 to {PORTS}")
    if typed.account is not None and not (typed.account.isascii() and typed.account.isalnum()):
        wrong("account", typed.account, "not letters and digits")
    if typed.state is not None and not typed.state.absolute().parent.is_dir():
        wrong("state", typed.state, f"there is no folder {typed.state.absolute().parent}")
    if problems:
        raise Problems(problems)
    from tomking.app.sandbox import ACCOUNT, Wanted

    assert days is not None and clock is not None and fast is not None and money is not None  # noqa: PT018
    return Wanted(
        days,
        clock,
        fast,
        money,
        typed.seed,
        typed.account or ACCOUNT,
        typed.state,
        typed.chains,
    )


def _read(parse: Callable[[str], T], text: str) -> T | None:
    try:
        return parse(text)
    except (ValueError, InvalidOperation):
        return None
