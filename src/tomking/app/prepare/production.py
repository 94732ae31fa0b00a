"""Real money: everything that must be there before a socket is opened, all that is missing said at once.

Two keys, and a person: ``live.production`` in the configuration, ``--venue production`` on the command, and
the account's number typed, at each start.  Beside them the secrets, a latch that somebody has armed, and a
stage of the roll-out that allows anything.  When in doubt it is refused.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tomking.adapters.latch import LatchFile
from tomking.adapters.secrets import NoSecret, broker_secrets
from tomking.adapters.tastytrade.session import Environment
from tomking.app.config import Config
from tomking.app.exits import Exit
from tomking.app.prepare.ladder import Place
from tomking.app.problems import Problem, Problems
from tomking.app.sections import Live
from tomking.app.standing import events_of
from tomking.risk.rollout import FULL, ONE_MICRO, PAPER, SESSIONS, SIMULATED, STAGES, evidence_of
from tomking.risk.settings import Settings

Typed = Callable[[], str | None]
"""Asks a person to type the account's number; None: there is no terminal to ask at."""


def refused(
    config: Config,
    place: Place | None,
    confirmed: str | None,
    typed: Typed,
    environment: Mapping[str, str],
) -> list[Problem]:
    """Why production is not traded now: every reason; a person is asked last, if nothing else is wrong.

    place  the account's; None: none was named
    """
    problems = [*_keys(config, place), *_secrets(environment)]
    if place is not None:
        stands, wrong = _journal(place, config.section("risk", Settings))
        problems += wrong
        # What is held is managed at any stage and under any latch: exits are never blocked (ruling 9).
        if not stands.holds:
            problems += [*_latch(place.state), *_stage(place, stands.stage)]
    if problems or place is None:
        return problems
    return _confirmation(place.account, confirmed, typed)


@dataclass(frozen=True, slots=True)
class _Stands:
    """What the account's own journal says; without one nothing."""

    stage: str = PAPER
    holds: bool = False
    """Positions, or orders under way."""


def _journal(place: Place, settings: Settings) -> tuple[_Stands, list[Problem]]:
    if not place.journal.is_file():
        return _Stands(), []
    try:
        found, book = evidence_of(events_of(place.journal), settings)
    except Problems as unreadable:
        return _Stands(FULL), list(unreadable.problems)
    return _Stands(found.stage or PAPER, bool(book.positions or book.orders)), []


def _keys(config: Config, place: Place | None) -> list[Problem]:
    problems = []
    if not config.section("live", Live).production:
        line = "production: the first key is missing: write production = true in [live] of config.toml"
        problems.append(Problem(Exit.CONFIG, line))
    if place is None:
        line = "production: no account is named: add --account NUMBER; real money has no default"
        problems.append(Problem(Exit.USAGE, line))
    return problems


def _secrets(environment: Mapping[str, str]) -> list[Problem]:
    try:
        broker_secrets(Environment.LIVE, environment)
    except NoSecret as missing:
        return [Problem(Exit.SECRET, line) for line in missing.problems]
    return []


def _latch(state: Path) -> list[Problem]:
    latch = LatchFile(state).read()
    if latch.opens:
        return []
    return [Problem(Exit.HALTED, f"production: trading is {latch.words}; arm it with: tomking resume")]


def _stage(place: Place, stage: str) -> list[Problem]:
    if STAGES.index(stage) >= STAGES.index(ONE_MICRO):
        return []
    paper = (
        ""
        if place.paper is not None
        else (f"; no day of it was traded yet: tomking paper --venue production --fills {SIMULATED}")
    )
    line = (
        f"production: the roll-out stands at {stage}, which opens nothing with money. {SESSIONS} sessions on "
        "paper come first, in real time, on the production system's quotes with simulated fills "
        f"(ruling 17){paper}. With --ladder instead this command shows what is missing, with --next-stage it "
        "takes the step"
    )
    return [Problem(Exit.REFUSED, line)]


def _confirmation(account: str, confirmed: str | None, typed: Typed) -> list[Problem]:
    said = confirmed if confirmed is not None else typed()
    if said == account:
        return []
    if said is None:
        line = "production: nobody has confirmed it: without a terminal add --confirm NUMBER"
    else:
        line = "production: what was typed is not the account's number; nothing was started"
    return [Problem(Exit.APPROVAL, line)]
