"""Real money: everything that must be there before a socket is opened, all that is missing said at once.

Two keys, and a person: ``live.production`` in the configuration, ``--venue production`` on the command, and
the account's number typed, at each start.  Beside them the secrets, a latch that somebody has armed, and a
stage of the roll-out that allows anything.  When in doubt it is refused.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

from tomking.adapters.latch import LatchFile
from tomking.adapters.secrets import NoSecret, broker_secrets
from tomking.adapters.tastytrade.session import Environment
from tomking.app.config import Config
from tomking.app.exits import Exit
from tomking.app.problems import Problem, Problems
from tomking.app.sections import Live
from tomking.app.standing import events_of
from tomking.risk.rollout import ONE_MICRO, PAPER, STAGES, evidence_of
from tomking.risk.settings import Settings

Typed = Callable[[], str | None]
"""Asks a person to type the account's number; None: there is no terminal to ask at."""
NOT_CONNECTED = (
    "production: this version has no market clock and no market data of the production system, so nothing is "
    "started; use --venue sandbox"
)


def refused(  # noqa: PLR0917 - each is one of the keys
    config: Config,
    state: Path,
    journal: Path,
    account: str | None,
    confirmed: str | None,
    typed: Typed,
    environment: Mapping[str, str],
) -> list[Problem]:
    """Why production is not traded now: every reason; a person is asked last, if nothing else is wrong."""
    problems = [*_keys(config, account), *_secrets(environment), *_latch(state), *_stage(config, journal)]
    if problems or account is None:
        return problems
    return _confirmation(account, confirmed, typed) or [Problem(Exit.UNAVAILABLE, NOT_CONNECTED)]


def _keys(config: Config, account: str | None) -> list[Problem]:
    problems = []
    if not config.section("live", Live).production:
        line = "production: the first key is missing: write production = true in [live] of config.toml"
        problems.append(Problem(Exit.CONFIG, line))
    if account is None:
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


def _stage(config: Config, journal: Path) -> list[Problem]:
    """The stage of the roll-out; without a journal it is the lowest."""
    stage = PAPER
    if journal.is_file():
        try:
            found, _ = evidence_of(events_of(journal), config.section("risk", Settings))
        except Problems as unreadable:
            return list(unreadable.problems)
        stage = found.stage or PAPER
    if STAGES.index(stage) >= STAGES.index(ONE_MICRO):
        return []
    line = (
        f"production: the roll-out stands at {stage}, which opens nothing with money: tomking live --ladder "
        "shows what is missing, tomking live --next-stage takes the step"
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
