"""What ``tomking paper`` or ``live`` was asked for, and where that leads: decided before any socket opens.

sandbox                       the local venue: its quotes, its fills
cert                          the broker's test system: delayed quotes, fills that are toys
production, --fills simulated the production system's quotes, read only; fills are worked out here
production                    real money: ``tomking live`` alone, after ``app.prepare.production``
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

from tomking.adapters.secrets import NoSecret, broker_secrets
from tomking.adapters.tastytrade.session import Destination, Environment, Secrets
from tomking.app.control import state_folder
from tomking.app.exits import Exit
from tomking.app.locks import Mode
from tomking.app.problems import Problem, Problems, did_you_mean, problem
from tomking.app.sandbox import ACCOUNT, CLIENT_SECRET, REFRESH_TOKEN

SANDBOX, CERT = "sandbox", "cert"
SIMULATED = "simulated"
"""Fills that are worked out here, and the name of such an account's folder."""
SIMULATED_ACCOUNT = "SIM00001"
FILLS = ("broker", SIMULATED)
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
    simulated: bool = False
    """Whether fills are worked out here, on the venue's quotes."""
    cash: Decimal = Decimal(0)
    """What a simulated account begins with."""

    @property
    def venue(self) -> str:
        """Where it trades: of quotes without a broker's account "simulated"."""
        return SIMULATED if self.simulated else self.to.environment.value

    @property
    def world(self) -> str:
        """Whose orders and whose journal these are: paper's and real ones never meet under one name."""
        return self.venue if self.mode is Mode.PAPER else f"{self.mode}-{self.venue}"


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
    fills: str = "broker",
) -> tuple[Asked | None, list[Problem]]:
    """A paper run, or every reason why it is none."""
    word = _word(venue)
    simulated = fills == SIMULATED and word in PRODUCTION
    problems = [*_fills_problems(venue, fills), *_number_problems(port, speed, sessions)]
    if not simulated:
        problems += _venue_problems(venue)
    if word in TEST_SYSTEM or simulated:
        return _of_broker(
            Destination(Environment.LIVE, reads_only=True) if simulated else Destination(Environment.CERT),
            account or (SIMULATED_ACCOUNT if simulated else None),
            (speed, sessions, fresh),
            environment,
            problems,
        )
    secrets, more = _secrets(environment)
    problems += more
    name = account or ACCOUNT
    problems += account_problems(name)
    if problems:
        return None, problems
    state = state_folder(environment)
    folder = state / "paper" / f"{SANDBOX}-{name}"
    to = Destination(Environment.SANDBOX, port)
    return Asked(to, secrets, name, folder, state, speed, sessions, fresh), []


def _of_broker(
    to: Destination,
    account: str | None,
    pace: tuple[float | None, int | None, bool],
    environment: Mapping[str, str],
    problems: list[Problem],
) -> tuple[Asked | None, list[Problem]]:
    """Paper on a broker's own quotes, in real time.  pace: speed, sessions, whether anew."""
    speed, sessions, fresh = pace
    if speed is not None:
        line = "--speed: only a sandbox's market can be hurried; leave it out"
        problems.append(Problem(Exit.USAGE, line))
    if account is None:
        problems.append(Problem(Exit.USAGE, f"--account: name the account of {to.environment.value}"))
    else:
        problems += account_problems(account)
    secrets = None
    try:
        secrets = broker_secrets(to.environment, environment)
    except NoSecret as missing:
        problems += [Problem(Exit.SECRET, line) for line in missing.problems]
    if problems or account is None or secrets is None:
        return None, problems
    state, simulated = state_folder(environment), to.reads_only
    folder = state / "paper" / f"{SIMULATED if simulated else to.environment.value}-{account}"
    made = Asked(to, secrets, account, folder, state, None, sessions, fresh, Mode.PAPER, simulated)
    return made, []


def with_real_money(
    account: str, secrets: Secrets, sessions: int | None, environment: Mapping[str, str]
) -> Asked:
    """Production: what ``app.prepare.production`` has let pass."""
    state = state_folder(environment)
    folder = state / Mode.LIVE.value / f"{Environment.LIVE.value}-{account}"
    to = Destination(Environment.LIVE)
    return Asked(to, secrets, account, folder, state, None, sessions, fresh=False, mode=Mode.LIVE)


def asked_again(folder: Path, port: int, environment: Mapping[str, str]) -> Asked:
    """The run whose files a folder has (``state/MODE/VENUE-ACCOUNT``).  ``Problems`` (3, 4) where none is."""
    venue, _, account = folder.name.partition("-")
    mode = next((one for one in (Mode.PAPER, Mode.LIVE) if one.value == folder.parent.name), None)
    known = {SANDBOX, CERT, SIMULATED, Environment.LIVE.value}
    if mode is None or venue not in known or account_problems(account):
        raise problem(Exit.CONFIG, f"{folder}: not the folder of an account that was traded from here")
    if venue == Environment.LIVE.value:
        try:
            secrets = broker_secrets(Environment.LIVE, environment)
        except NoSecret as missing:
            raise Problems(Problem(Exit.SECRET, line) for line in missing.problems) from None
        return with_real_money(account, secrets, None, environment)
    place, fills = ("production", SIMULATED) if venue == SIMULATED else (venue, "broker")
    wanted, problems = asked(place, port, None, None, account, environment, fills=fills)
    if wanted is None:
        raise Problems(problems)
    return wanted if mode is Mode.PAPER else with_real_orders(wanted)


def account_problems(name: str) -> list[Problem]:
    if name.isascii() and name.isalnum():
        return []
    return [Problem(Exit.USAGE, f"--account {name}: not letters and digits")]


def _word(venue: str) -> str:
    return venue.lower().removeprefix("https://").rstrip("/")


def _fills_problems(venue: str, fills: str) -> list[Problem]:
    if fills not in FILLS:
        return [Problem(Exit.USAGE, f"--fills {fills}: unknown; {did_you_mean(fills, list(FILLS))}")]
    if fills == SIMULATED and _word(venue) not in PRODUCTION:
        line = f"--fills simulated: {venue} fills orders itself; leave it out, or add --venue production"
        return [Problem(Exit.USAGE, line)]
    return []


def _venue_problems(venue: str) -> list[Problem]:
    """Paper never sends an order to production."""
    word = _word(venue)
    if word == SANDBOX or word in TEST_SYSTEM:
        return []
    if word in PRODUCTION or word.endswith(HOSTS):
        line = (
            f"--venue {venue}: paper never talks to the production system with orders; use --venue sandbox "
            "(start one with: tomking sandbox), or --venue production --fills simulated for its quotes alone"
        )
        return [Problem(Exit.CONFIG, line)]
    return [Problem(Exit.USAGE, f"--venue {venue}: unknown; {did_you_mean(word, [SANDBOX, CERT])}")]


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
