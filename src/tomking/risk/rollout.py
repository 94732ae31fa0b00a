"""The roll-out ladder: what real orders may be, until the journal shows that they may be more (ruling 17).

    paper      nothing is opened with money; five sessions on paper, every safety trigger seen, no break
    one_micro  0DTE only, one unit of MES or XSP at a time
    normal     the strategies that need no more than a phase, at the sizes of the other limits
    full       whatever is configured

The stage is the book's level ``rollout``; a book without one is not on the ladder (a backtest, paper).  A
step up needs its evidence from the journal and a person; a broken limit or a difference with the broker's
account is one step down at once, by itself.  The evidence is a fold of the journal, beside the book.

What counts depends on where it was seen (decision 802): each start writes its source into the journal, and
days, trades and triggers count only from runs of a fitting one.  Breaks count always.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from tomking.domain import events as ev
from tomking.domain.book import Book, apply
from tomking.domain.intent import Urgency
from tomking.domain.money import ZERO
from tomking.domain.trading import TRADING
from tomking.risk import breakers, emergency
from tomking.risk.case import Allowance, Case, Limit, allowed, openings, refused
from tomking.risk.phases import phase_of
from tomking.risk.progress import Requirement
from tomking.risk.protect import HALT
from tomking.risk.settings import Settings

LEVEL = "rollout"
PAPER, ONE_MICRO, NORMAL, FULL = STAGES = ("paper", "one_micro", "normal", "full")
"""From nothing to everything."""
FIRST_STRATEGY = "friday_0dte"
FIRST_PRODUCTS = frozenset({"MES", "XSP"})
NORMAL_STRATEGIES = frozenset(
    {"friday_0dte", "lt112", "futures_strangle", "ipmcc", "leap_put_hedge", "vix_call_hedge"}
)
SESSIONS = 5
"""That each stage lasts at least, and without a break."""
TRIGGERS: dict[str, str] = {
    "restart": "stop the engine and start it again on the same journal",
    "halt": "tomking halt, then tomking resume",
    "closing only": "tomking reduce, then tomking resume",
    "refusal": "an entry that a limit of the gate refuses: any busy day has some",
    "guardian exit": "a stop, a 21 DTE or a time exit: the Friday 0DTE has one every time",
    "breaker or loss limit": "play a day that has one, such as tomking sandbox --date 2020-03-12",
}
"""The safety triggers that must have been seen to work, and how to see each."""
REHEARSED = frozenset({"breaker or loss limit"})
"""Triggers that may have been seen in a sandbox: nobody can order a crash of a real market."""
LOSSES = frozenset({"daily_loss", "weekly_loss", "monthly_loss"})
DEEP = frozenset({"ORANGE", "RED", "TERMINAL"})
HALTING = frozenset({"2", "3", "4"})
"""Levels of breakers and emergencies that end entries; level 1 warns."""
GATE = frozenset({"SYS", "PHASE", "CAP", "CORR", "SIZE", "GREEKS"})
"""Codes that only the gate, and no strategy's own condition, refuses with as a rule."""
Fits = Callable[[str], bool]
"""Whether what a run from that source shows is evidence here."""
SIMULATED = "simulated"
"""The source of a run on the production system's quotes in real time, with simulated fills."""


def source_of(venue: str, speed: float) -> str:
    """The source that a start writes down: the venue, and its clock's speed where that is not real time."""
    return venue if speed == 1.0 else f"{venue} at {speed:g}x"


def fitting(environment: str, stage: str) -> Fits:
    """What the step from ``stage`` accepts as evidence for an environment ("sandbox", "cert", "live").

    A sandbox rehearses, at any speed.  For money only real time counts: first on the production system's own
    quotes with simulated fills, then the account's own days.  The broker's test system has fills that have
    nothing to do with quotes: its days count for itself.
    """
    if environment == "sandbox":
        return lambda source: source.split(" at ", maxsplit=1)[0] == environment
    wanted = SIMULATED if environment == "live" and stage == PAPER else environment
    return lambda source: source == wanted


@dataclass(frozen=True, slots=True)
class Rung:
    """What the next stage asks for."""

    to: str
    trades: int
    """Closed in this stage."""
    triggers: bool = False
    """Whether every safety trigger must have been seen."""


RUNGS = {PAPER: Rung(ONE_MICRO, 1, triggers=True), ONE_MICRO: Rung(NORMAL, 1), NORMAL: Rung(FULL, 5)}


@dataclass(frozen=True, slots=True)
class Break:
    """A broken limit, or a book that was not the broker's."""

    at: datetime
    text: str
    after: int
    """Sessions of the stage that had ended before it."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a journal shows since its stage began; of one without stages, since its beginning."""

    stage: str = ""
    since: datetime | None = None
    starts: int = 0
    sessions: int = 0
    trades: int = 0
    """Closed."""
    breaks: tuple[Break, ...] = ()
    triggers: frozenset[str] = frozenset()
    """Seen at any time."""
    counts: bool = True
    """Whether the run under way is evidence."""
    unfit: tuple[str, ...] = ()
    """Sources whose days were passed over, in their order."""

    @property
    def recent(self) -> tuple[Break, ...]:
        """Breaks of the last five sessions and of the one under way."""
        return tuple(one for one in self.breaks if one.after >= self.sessions - SESSIONS)


# ------------------------------------------------------------------------------ the fold


def evidence_of(
    events: Iterable[ev.Event], settings: Settings, fits: Fits | None = None
) -> tuple[Evidence, Book]:
    """Of a whole journal, and its book.

    fits  which runs count; None: every one, as where only the stage is asked for
    """
    found, book = Evidence(counts=fits is None), Book()
    for event in events:
        book = apply(book, event)
        found = follow(found, book, event, settings, fits)
    return found, book


def follow(
    found: Evidence, book: Book, event: ev.Event, settings: Settings, fits: Fits | None = None
) -> Evidence:
    """The evidence after one more event; ``book`` has it already."""
    if isinstance(event, ev.LevelChanged) and event.name == LEVEL:
        return replace(found, stage=event.after, since=event.at, sessions=0, trades=0, breaks=())
    counts, unfit = found.counts, found.unfit
    if isinstance(event, ev.RunStarted) and fits is not None:
        counts = fits(event.data_digest)
        if not counts and event.data_digest not in unfit:
            unfit = (*unfit, event.data_digest)
    starts = found.starts + (counts and isinstance(event, ev.RunStarted))
    seen = _trigger(event, starts) if counts else ""
    broken = _broken(event, book, settings)
    breaks = (*found.breaks, Break(event.at, broken, found.sessions)) if broken else found.breaks
    return Evidence(
        stage=found.stage,
        since=found.since or event.at,
        starts=starts,
        sessions=found.sessions + (counts and isinstance(event, ev.SessionEnded)),
        trades=found.trades + (len(book.just_closed) if counts else 0),
        breaks=breaks,
        triggers=found.triggers | {seen} if seen else found.triggers,
        counts=counts,
        unfit=unfit,
    )


def _trigger(event: ev.Event, starts: int) -> str:
    """The safety trigger that an event shows at work; empty: none."""
    match event:
        case ev.RunStarted() if starts > 1:
            return "restart"
        case ev.LevelChanged(_, name, _, after):
            return _trigger_of_level(name, after)
        case ev.Declined(_, _, _, code) if code in GATE:
            return "refusal"
        case ev.OrderSubmitted(_, order) if not order.opens and order.urgency in {
            Urgency.RULE,
            Urgency.STOP,
        }:
            return "guardian exit"
        case _:
            return ""


def _trigger_of_level(name: str, after: str) -> str:
    if name == HALT and after:
        return "halt"
    if (name == emergency.MANUAL and after) or (name == TRADING and after == "REDUCING"):
        return "closing only"
    halts = name in {breakers.LEVEL, emergency.LEVEL} and after in HALTING
    if halts or (name in LOSSES and after) or (name == "drawdown" and after in DEEP):
        return "breaker or loss limit"
    return ""


def _broken(event: ev.Event, book: Book, settings: Settings) -> str:
    """What an event says is broken; empty: nothing."""
    match event:
        case ev.Reconciled(_, differences) if differences:
            return f"book and broker differed: {'; '.join(differences)}"
        case ev.OrderParked(_, order, why):
            return f"the fate of order {order} was not found: {why}"
        case ev.Quarantined(_, strategy, error):
            return f"{strategy} raised {error}"
        case ev.LevelChanged(_, name, _, after, detail) if name in LOSSES and after:
            return f"{name.replace('_', ' ')} limit: {detail}"
        case ev.LevelChanged(_, "drawdown", _, after, detail) if after in DEEP:
            return f"drawdown {after}: {detail}"
        case ev.SessionEnded():
            return _over(event, book, settings)
        case _:
            return ""


def _over(day: ev.SessionEnded, book: Book, settings: Settings) -> str:
    """Shares of net liq that were above their limit at a close."""
    phase = phase_of(book)
    limits = (
        ("margin", day.margin, settings.margin_share_max[phase]),
        ("capital in use", day.capital, settings.capital_share_max[phase]),
    )
    said = [
        f"{name} ${used:,.0f} at the close of {day.day}, limit ${share * day.net_liq:,.0f}"
        for name, used, share in limits
        if used > max(ZERO, share * day.net_liq)
    ]
    return "; ".join(said)


# ------------------------------------------------------------------------------ up and down


def requirements(found: Evidence, stage: str) -> tuple[Requirement, ...]:
    """What the stage after ``stage`` asks for, met or not; empty at the top."""
    rung = RUNGS.get(stage)
    if rung is None:
        return ()
    count, broken = found.sessions, found.recent if stage == PAPER else found.breaks
    asked = [
        Requirement("sessions", f"{SESSIONS}", f"{count}", count >= SESSIONS),
        Requirement("closed trades", f"{rung.trades}", f"{found.trades}", found.trades >= rung.trades),
        Requirement("breaks", "none", "; ".join(b.text for b in broken) or "none", not broken),
    ]
    if rung.triggers:
        missing = [name for name in TRIGGERS if name not in found.triggers]
        words = f"not yet: {', '.join(missing)}" if missing else "all"
        asked.append(Requirement("safety triggers seen", "all", words, not missing))
    return tuple(asked)


def climbed(found: Evidence, stage: str, now: datetime, by: str) -> ev.LevelChanged | None:
    """The step up from ``stage``, with its evidence in words; None where some of it is missing."""
    asked = requirements(found, stage)
    if not asked or not all(one.met for one in asked):
        return None
    shown = ", ".join(f"{one.name} {one.reached}" for one in asked)
    return ev.LevelChanged(now, LEVEL, stage, RUNGS[stage].to, f"{by}: {shown}")


def fallen(found: Evidence, now: datetime) -> ev.LevelChanged | None:
    """The step down that a break asks for; None: there was none, or nothing is below."""
    if not found.breaks or found.stage not in STAGES[1:]:
        return None
    below = STAGES[STAGES.index(found.stage) - 1]
    return ev.LevelChanged(now, LEVEL, found.stage, below, found.breaks[0].text)


# ------------------------------------------------------------------------------ the limit


def stage_allows(case: Case) -> Allowance:
    """What the stage allows of the wish; everything where the book is not on the ladder."""
    stage = case.book.levels.get(LEVEL, "")
    match stage:
        case "" | "full":
            return allowed()
        case "normal":
            return _normal(case)
        case "one_micro":
            return _one_micro(case)
        case "paper":
            return refused("stage paper: nothing is opened with money before tomking live --next-stage")
        case _:
            return refused(f"stage {stage!r} is not known")


def _normal(case: Case) -> Allowance:
    name = case.wish.strategy
    if name in NORMAL_STRATEGIES:
        return allowed()
    return refused(f"stage normal: {name} waits for stage full")


def _one_micro(case: Case) -> Allowance:
    wish = case.wish
    if wish.strategy != FIRST_STRATEGY:
        return refused(f"stage one_micro: {FIRST_STRATEGY} only, not {wish.strategy}")
    if wish.product not in FIRST_PRODUCTS:
        return refused(f"stage one_micro: {' or '.join(sorted(FIRST_PRODUCTS))}, not {wish.product}")
    held = sum(1 for position in case.book.positions.values() if position.strategy == FIRST_STRATEGY) + sum(
        1 for working, _ in openings(case.book) if working.order.strategy == FIRST_STRATEGY
    )
    words = f"stage one_micro: one unit at a time, {held} held or being opened"
    return Allowance(max(0, 1 - held), words, is_cap=True)


ROLLOUT_LIMITS = (Limit("rollout", "SYS", "ruling 17", stage_allows),)
