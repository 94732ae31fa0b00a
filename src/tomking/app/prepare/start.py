"""What holds real orders back, made at a start of configuration, journal and the account's folder."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from tomking.adapters.consent import ConsentFolder
from tomking.adapters.lease import installation
from tomking.app.config import Config
from tomking.app.exits import Exit
from tomking.app.locks import Mode
from tomking.app.prepare.preparation import Preparation
from tomking.app.problems import Problem, Problems, did_you_mean
from tomking.app.sections import Live
from tomking.domain.events import Event
from tomking.ports import Notifier
from tomking.risk.rollout import PAPER, evidence_of, fitting
from tomking.risk.settings import Settings
from tomking.rules.strategy import Strategy
from tomking.view import View


class Asked(Protocol):
    """What is known of the run (``app.live.asked``)."""

    @property
    def mode(self) -> Mode: ...

    @property
    def world(self) -> str: ...

    @property
    def venue(self) -> str: ...

    @property
    def account(self) -> str: ...

    @property
    def folder(self) -> Path: ...


class Configured(Protocol):
    """Its configuration and strategies (``app.live.stages``)."""

    @property
    def config(self) -> Config: ...

    @property
    def strategies(self) -> tuple[Strategy, ...]: ...


@dataclass(frozen=True, slots=True)
class Windows:
    """When the entries of these strategies end."""

    strategies: tuple[Strategy, ...]

    def ends(self, strategy: str, entry: str, view: View) -> datetime:
        """The minute after the window's last; the session's close for one that has none."""
        found = [
            one.window.end
            for each in self.strategies
            for one in each.entries
            if (each.id, one.name) == (strategy, entry)
        ]
        return view.session.at(found[0]) + timedelta(minutes=1) if found else view.session.close


def preparation_for(
    asked: Asked, configured: Configured, events: Sequence[Event], notifier: Notifier
) -> Preparation | None:
    """What holds openings until they are approved; None where orders are no real ones.  ``Problems`` (3)."""
    if asked.mode is not Mode.LIVE:
        return None
    live = configured.config.section("live", Live)
    check_armed(live, configured.strategies)
    settings = configured.config.section("risk", Settings)
    stage = evidence_of(events, settings)[0].stage or PAPER
    fits = fitting(asked.venue, stage)
    evidence, _ = evidence_of(events, settings, fits)
    made = Preparation(
        installation(asked.world, asked.account),
        asked.world,
        asked.account,
        settings,
        ConsentFolder(asked.folder),
        notifier,
        armed=live.armed,
        lifetime=timedelta(minutes=live.approval_minutes),
        room=live.price_room_share,
        evidence=evidence,
    )
    made.ends = Windows(configured.strategies).ends
    return made


def check_armed(live: Live, strategies: tuple[Strategy, ...]) -> None:
    """``Problems`` (3) for armed strategies that this run does not have: a misspelt name arms nothing."""
    known = [one.id for one in strategies]
    lines = [
        f"live.armed: {name} is not traded in this run; {did_you_mean(name, known)}"
        for name in live.armed
        if name not in known
    ]
    if lines:
        raise Problems(Problem(Exit.CONFIG, line) for line in lines)
