"""What ``tomking paper`` was asked for, and where that leads: decided before any socket is opened."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from tomking.adapters.tastytrade.session import Destination, Environment, Secrets
from tomking.app.control import state_folder
from tomking.app.exits import Exit
from tomking.app.locks import Mode
from tomking.app.problems import Problem, did_you_mean
from tomking.app.sandbox import ACCOUNT, CLIENT_SECRET, REFRESH_TOKEN

SANDBOX = "sandbox"
PRODUCTION = ("live", "production", "prod")
"""Words for the broker's production system, and below its hosts."""
HOSTS = ("tastyworks.com", "tastytrade.com", "dxfeed.com")
TEST_SYSTEM = ("cert", "cert.tastyworks.com")
PORT, PORTS = 8700, 65_535
FASTEST = 3600.0
SECRETS = {"TOMKING_SANDBOX_SECRET": CLIENT_SECRET, "TOMKING_SANDBOX_REFRESH": REFRESH_TOKEN}
"""Where a sandbox opened by other words than its own is told so; a broker's secrets are never sent there."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One paper run, as it was typed and checked."""

    to: Destination
    secrets: Secrets
    account: str
    folder: Path
    """State of this account at this venue: journal, lease, latch, logs."""
    control: Path
    """The folder whose latch ``tomking halt`` sets."""
    speed: float | None
    """What the sandbox's clock is set to; None leaves it as it is."""
    sessions: int | None
    """Sessions to trade before it ends by itself; None: until it is stopped."""
    fresh: bool
    """Whether an earlier journal is moved aside."""
    mode: Mode = Mode.PAPER

    @property
    def world(self) -> str:
        """Whose orders and whose journal these are: paper's and real ones never meet under one name."""
        word = self.to.environment.value
        return word if self.mode is Mode.PAPER else f"{self.mode}-{word}"


def with_real_orders(paper: Asked) -> Asked:
    """The same account at the same venue, with real orders: another folder, and nothing is set aside."""
    folder = paper.control / Mode.LIVE.value / paper.folder.name
    return replace(paper, mode=Mode.LIVE, folder=folder, fresh=False)


def asked(  # noqa: PLR0917 - as it was typed
    venue: str,
    port: int,
    speed: float | None,
    sessions: int | None,
    account: str | None,
    environment: Mapping[str, str],
    *,
    fresh: bool = False,
) -> tuple[Asked | None, list[Problem]]:
    """The run, or every reason why it is none."""
    problems = [*_venue_problems(venue), *_number_problems(port, speed, sessions)]
    secrets, more = _secrets(environment)
    problems += more
    name = account or ACCOUNT
    if not (name.isascii() and name.isalnum()):
        problems.append(Problem(Exit.USAGE, f"--account {name}: not letters and digits"))
    if problems:
        return None, problems
    state = state_folder(environment)
    folder = state / "paper" / f"{SANDBOX}-{name}"
    to = Destination(Environment.SANDBOX, port)
    return Asked(to, secrets, name, folder, state, speed, sessions, fresh), []


def _venue_problems(venue: str) -> list[Problem]:
    """Paper never meets production; what is not connected yet says so."""
    word = venue.lower().removeprefix("https://").rstrip("/")
    if word == SANDBOX:
        return []
    if word in TEST_SYSTEM or "cert." in word:
        line = f"--venue {venue}: the broker's test system is not connected yet; use --venue {SANDBOX}"
        return [Problem(Exit.UNAVAILABLE, line)]
    if word in PRODUCTION or word.endswith(HOSTS):
        line = (
            f"--venue {venue}: paper never talks to the production system; "
            f"use --venue {SANDBOX} (start one with: tomking sandbox)"
        )
        return [Problem(Exit.CONFIG, line)]
    return [Problem(Exit.USAGE, f"--venue {venue}: unknown; {did_you_mean(word, [SANDBOX])}")]


def _number_problems(port: int, speed: float | None, sessions: int | None) -> list[Problem]:
    problems = []
    if not 0 < port <= PORTS:
        problems.append(Problem(Exit.USAGE, f"--port {port}: not from 1 to {PORTS}"))
    if speed is not None and not 0 < speed <= FASTEST:
        problems.append(Problem(Exit.USAGE, f"--speed {speed:g}: not above 0 and up to {FASTEST:g}"))
    if sessions is not None and sessions < 1:
        problems.append(Problem(Exit.USAGE, f"--sessions {sessions}: not 1 or more"))
    return problems


def _secrets(environment: Mapping[str, str]) -> tuple[Secrets, list[Problem]]:
    """The sandbox's words; the environment may name others, both or none of them."""
    found = {name: environment.get(name) for name in SECRETS}
    problems = []
    for name, value in found.items():
        other = next(each for each in found if each != name)
        if value is None and found[other] is not None:
            line = f"{name} is not set though {other} is: set both, or neither for the sandbox's own words"
            problems.append(Problem(Exit.SECRET, line))
        elif value is not None and (not value.strip() or any(map(str.isspace, value))):
            line = f"{name} is empty or has spaces in it: set what `tomking sandbox` printed, or unset it"
            problems.append(Problem(Exit.SECRET, line))
    secret, refresh = (found[name] or word for name, word in SECRETS.items())
    if {environment.get("TT_SECRET"), environment.get("TT_REFRESH")} & {secret, refresh}:
        named = " and ".join(name for name in SECRETS if found[name])
        line = f"the broker's own secrets (TT_SECRET, TT_REFRESH) are never sent to a sandbox: unset {named}"
        problems.append(Problem(Exit.SECRET, line))
    return Secrets(secret, refresh), problems
