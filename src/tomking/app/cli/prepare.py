"""``tomking live`` and ``tomking approve``: what was typed, the ladder, and the orders that wait."""

import json
import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tomking.app.cli.configuration import read_assignments
from tomking.app.control import actor, state_folder
from tomking.app.exits import Exit
from tomking.app.problems import Problem, Problems, did_you_mean, problem

if TYPE_CHECKING:
    from tomking.app.config import Config
    from tomking.app.live.asked import Asked
    from tomking.app.prepare.approving import Offer
    from tomking.app.prepare.ladder import Ladder, Place

SANDBOX, CERT, PRODUCTION = VENUES = ("sandbox", "cert", "production")


@dataclass(frozen=True, slots=True)
class Typed:
    """The options of ``tomking live`` that say what is run."""

    venue: str
    port: int
    speed: str | None
    sessions: int | None
    strategies: str | None
    account: str | None
    confirm: str | None
    config: Path | None
    assignments: tuple[str, ...]
    fresh: bool = False


def run_live(typed: Typed, *, ladder: bool, next_stage: bool, as_json: bool) -> int:
    """Shows the ladder, takes a step on it, or trades until it is stopped."""
    from tomking.app.locks import Mode, load_for

    overrides, problems = read_assignments(list(typed.assignments))
    if typed.venue not in VENUES:
        hint = did_you_mean(typed.venue, VENUES)
        problems.append(Problem(Exit.USAGE, f"--venue {typed.venue}: unknown; {hint}"))
    if ladder and next_stage:
        problems.append(Problem(Exit.USAGE, "--ladder and --next-stage: one of them"))
    if problems:
        raise Problems(problems)
    config = load_for(Mode.LIVE, path=typed.config, overrides=overrides)
    if ladder or next_stage:
        place = _place(typed)
        if next_stage:
            _climb(place, config)
        _print_ladder(place, config, as_json=as_json)
        return int(Exit.OK)
    wanted = _with_money(typed, config) if typed.venue == PRODUCTION else _without(typed)
    return _trade(typed, wanted, as_json=as_json)


def _without(typed: Typed) -> "Asked":
    """Real orders where no money is: the sandbox's, and those of the broker's test system."""
    from tomking.app.cli.live import speed_of
    from tomking.app.live.asked import asked, with_real_orders

    fast, problems = speed_of(typed.speed)
    wanted, more = asked(typed.venue, typed.port, fast, typed.sessions, typed.account, os.environ)
    problems = [*problems, *more]
    if problems or wanted is None:
        raise Problems(problems)
    return replace(with_real_orders(wanted), fresh=typed.fresh)


def _with_money(typed: Typed, config: "Config") -> "Asked":
    """Production, once nothing speaks against it."""
    from tomking.adapters.secrets import broker_secrets
    from tomking.adapters.tastytrade.session import Environment
    from tomking.app.live.asked import with_real_money

    problems = _production(typed, config)
    if problems or typed.account is None:
        raise Problems(problems)
    secrets = broker_secrets(Environment.LIVE, os.environ)
    return with_real_money(typed.account, secrets, typed.sessions, os.environ)


def _trade(typed: Typed, wanted: "Asked", *, as_json: bool) -> int:
    from tomking.app.cli.live import names_of, trade
    from tomking.app.live.stages import configure
    from tomking.app.locks import Mode
    from tomking.app.prepare.start import check_armed
    from tomking.app.sections import Live

    overrides, _ = read_assignments(list(typed.assignments))
    configured = configure(typed.config, overrides, names_of(typed.strategies), Mode.LIVE)
    check_armed(configured.config.section("live", Live), configured.strategies)
    return trade(wanted, configured, as_json=as_json)


def _production(typed: Typed, config: "Config") -> list[Problem]:
    """Why it is refused; a person is asked last."""
    from tomking.app.prepare.production import refused

    problems = []
    if typed.speed is not None:
        problems.append(Problem(Exit.USAGE, "--speed: a real market has its own speed; leave it out"))
    if typed.fresh:
        line = "--fresh: a journal of real money is its ladder's evidence and knows what is held: it stays"
        problems.append(Problem(Exit.USAGE, line))
    if typed.sessions is not None and typed.sessions < 1:
        problems.append(Problem(Exit.USAGE, f"--sessions {typed.sessions}: not 1 or more"))
    place = None if typed.account is None else _place(typed)
    ask = _typed_number if not problems else str
    return [*problems, *refused(config, place, typed.confirm, ask, os.environ)]


def _typed_number() -> str | None:
    """What a person types; None without a terminal."""
    if not sys.stdin.isatty():
        return None
    print("Real money. Type the account's number to go on: ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip()


# ------------------------------------------------------------------------------ the ladder


def _place(typed: Typed) -> "Place":
    from tomking.adapters.tastytrade.session import Environment
    from tomking.app.live.asked import account_problems
    from tomking.app.prepare.ladder import Place
    from tomking.app.sandbox import ACCOUNT

    if typed.venue != SANDBOX and typed.account is None:
        raise problem(Exit.USAGE, f"{typed.venue}: no account is named: add --account NUMBER")
    name = typed.account or ACCOUNT
    if problems := account_problems(name):
        raise Problems(problems)
    places = {SANDBOX: Environment.SANDBOX, CERT: Environment.CERT, PRODUCTION: Environment.LIVE}
    return Place(state_folder(os.environ), places[typed.venue], name)


def _climb(place: "Place", config: "Config") -> None:
    from tomking.app.prepare.ladder import climb
    from tomking.risk.settings import Settings

    step = climb(place, config.section("risk", Settings), actor("live --next-stage"))
    print(f"roll-out: {step.before} to {step.after}; {step.detail}", file=sys.stderr)


def _print_ladder(place: "Place", config: "Config", *, as_json: bool) -> None:
    from tomking.app.prepare.ladder import ladder_of
    from tomking.risk.settings import Settings

    found = ladder_of(place, config.section("risk", Settings))
    if as_json:
        print(json.dumps(_plain_ladder(place, found), indent=2))
        return
    for line in _ladder_lines(place, found):
        print(line)


def _plain_ladder(place: "Place", found: "Ladder") -> dict[str, Any]:
    from tomking.risk.rollout import STAGES

    return {
        "account": place.folder.name,
        "stage": found.stage,
        "stages": list(STAGES),
        "since": None if found.since is None else found.since.isoformat(),
        "next": found.following or None,
        "evidence": None if found.source is None else str(found.source),
        "passed_over": list(found.evidence.unfit),
        "asked": [one._asdict() for one in found.asked],
        "met": bool(found.asked) and not found.lacking,
    }


def _ladder_lines(place: "Place", found: "Ladder") -> list[str]:
    from tomking.app.prepare.ladder import passed_over
    from tomking.domain.calendar import new_york
    from tomking.risk.rollout import STAGES

    since = "" if found.since is None else f" since {new_york(found.since):%Y-%m-%d %H:%M} New York"
    shown = " > ".join(f"[{one}]" if one == found.stage else one for one in STAGES)
    lines = [f"{place.folder.name}: {shown}{since}"]
    if not found.following:
        return [*lines, "there is nothing above it; a break takes it one stage back"]
    source = "no journal of paper yet" if found.source is None else str(found.source)
    lines.append(f"{found.following} asks for (of {source}):")
    for one in found.asked:
        mark = "yes" if one.met else "NO "
        lines.append(f"  {mark}  {one.name:<22} {one.reached}  (needed: {one.needed})")
    if found.evidence.unfit:
        lines.append(f"  ({passed_over(found.evidence)})")
    step = f"take the step: {_command(place)} --next-stage"
    return [*lines, step if not found.lacking else "not yet"]


def _command(place: "Place") -> str:
    from tomking.adapters.tastytrade.session import Environment

    if place.environment is Environment.SANDBOX:
        return "tomking live"
    venue = PRODUCTION if place.environment is Environment.LIVE else CERT
    return f"tomking live --venue {venue} --account {place.account}"


# ------------------------------------------------------------------------------ what waits


def print_waiting(*, show_all: bool, reject: bool, as_json: bool) -> None:
    """Every order that waits, as it is shown."""
    from tomking.app.prepare.approving import is_running, offers, waiting

    if reject:
        raise problem(Exit.USAGE, "--reject: which order? add its hash")
    state = state_folder(os.environ)
    found = offers(state) if show_all else waiting(state)
    if as_json:
        print(json.dumps([_plain_offer(one) for one in found], indent=2))
        return
    for one in found:
        print(f"{_headline(one)}\n{one.content.get('text', '')}\n")
    if not found:
        print("no order waits for approval")
    elif any(not is_running(one.account) for one in found):
        print("no engine has shown itself lately: what is approved is sent when one runs, if it is in time")


def run_answer(typed: str, *, accepts: bool, why: str, as_json: bool) -> None:
    """Hands the answer over, and says what happens next."""
    from tomking.app.prepare.approving import answer, is_running, named

    offer = named(state_folder(os.environ), typed)
    answer(offer, accepts=accepts, by=actor("approve" if accepts else "approve --reject"), why=why)
    if as_json:
        print(json.dumps({**_plain_offer(offer), "accepts": accepts}, indent=2))
        return
    if not accepts:
        print(f"{offer.hash} is rejected: it is not sent. The strategy may prepare another one.")
        return
    print(offer.content.get("text", ""))
    print(
        f"{offer.hash} is approved: it goes out within seconds, if the gate says yes again and nothing moved."
    )
    if not is_running(offer.account):
        print("No engine has shown itself lately: it is sent when one runs, if that is in time.")
    print("See it: tomking orders    Stop it: tomking halt")


def _headline(one: "Offer") -> str:
    answered = one.answered
    said = "" if answered is None else f", {'approved' if answered.accepts else 'rejected'} by {answered.by}"
    why = f": {one.content['why']}" if one.content.get("why") else ""
    return f"{one.account.name}: {one.state}{said}{why}"


def _plain_offer(one: "Offer") -> dict[str, Any]:
    answered = one.answered
    return {
        "account": one.account.name,
        "hash": one.hash,
        "state": one.state,
        "why": one.content.get("why", ""),
        "answered": None if answered is None else {"accepts": answered.accepts, "by": answered.by},
        "preview": one.content.get("preview"),
    }
