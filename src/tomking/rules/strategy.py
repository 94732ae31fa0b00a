"""A strategy as a value: entries, exits, facts to remember, and when it wants to be asked.

``decide`` and ``guard`` are pure: the view and the own holdings go in, wishes come out.  What a
strategy must remember travels as ``Mark`` intents into the journal and comes back in ``own.notes``:

    "open"            "2031-03-07 5500.25"      a fact of one session: its date, then its text
    "<position>|..."  "..."                     a fact of one position; forgotten with it
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from functools import lru_cache

from tomking.domain.book import Component, Position
from tomking.domain.calendar import Session
from tomking.domain.intent import Alternatives, Close, Intent, Mark, Open, Pass, Step, Urgency
from tomking.domain.kept import by_identity
from tomking.domain.order import Order
from tomking.rules.life import Life
from tomking.rules.schedule import (
    LOOK_MINUTES,
    MINUTE,
    OPEN_MINUTE,
    Days,
    Window,
    minute_of,
    next_look,
    wall_minute,
)
from tomking.view import Own, View

# fmt: off
CODES = (
    "SYS", "CAL", "DATA", "VIX", "EVT", "PHASE", "TECH", "CAP",
    "CORR", "STRUCT", "LIQ", "PRICE", "SIZE", "GREEKS", "LOCK", "BROKER",
)
# fmt: on
"""Gates in the order of methodology B.0."""
GRID_MINUTE = OPEN_MINUTE + 30
"""Ten o'clock: looks at what is held lie whole intervals from it."""
STOP_NOTE = "|stop|"
"""In the key of a note: a first observation that waits for its confirmation."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What the source says of the strategy: measured, never believed (methodology J)."""

    win_rate: float | None
    """Share of closed trades that win, 0 to 1; None where no source claims one."""
    source: str


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing that must hold before an entry is built."""

    code: str
    """Of methodology B.0."""
    check: Callable[[View, Own], str | None]
    """None when it holds; else why not, with the numbers."""


Wish = Open | Alternatives | Pass | Sequence[Open | Alternatives | Mark]


@dataclass(frozen=True, slots=True)
class Entry:
    """One way in."""

    name: str
    window: Window
    days: Days
    when: tuple[Condition, ...]
    """In the order of methodology B.0; the first that fails is the reason."""
    build: Callable[[View, Own], Wish]
    once: bool = True
    """At most one fill in a session."""
    wanted: Callable[[date, Own], bool] | None = None
    """Whether anything could come of it today, from the own holdings alone; None: always."""
    every: int = LOOK_MINUTES
    """Minutes between looks into the window, from its start."""


@dataclass(frozen=True, slots=True)
class Held:
    """A position and those of its components that may be closed now.

    They are open, trade today, and no rule exit works on them.  What an exercise left behind is not
    among them: the kernel closes delivered futures at once.
    """

    position: Position
    by_role: dict[str, Component]
    parts: tuple[Component, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "parts", tuple(self.by_role.values()))

    def part(self, role: str) -> tuple[Component, ...]:
        """The part of that role, alone, or nothing."""
        one = self.by_role.get(role)
        return () if one is None else (one,)


def held_now(position: Position, today: date) -> Held:
    held = _free(position)
    if all(one.expiry >= today for one in held.parts):
        return held
    return Held(position, {one.role: one for one in held.parts if one.expiry >= today})


@by_identity
def _free(position: Position) -> Held:
    """Those that nothing works on, whether or not they trade any more."""
    free = (one for one in position.open_components if one.closing is None and not one.delivered)
    return Held(position, {one.role: one for one in free})


@dataclass(frozen=True, slots=True)
class Exit:
    """One way out."""

    trigger: str
    urgency: Urgency
    guardian: bool
    """Runs on even when the strategy is quarantined: stops and times."""
    check: Callable[[View, Own, Held], list[Close | Mark]]


@dataclass(frozen=True, slots=True)
class Fact:
    """Something to write down once a session, such as the 09:30 print."""

    key: str
    window: Window
    days: Days
    read: Callable[[View], str | None]
    """Its text; None while it is missing."""


@dataclass(frozen=True, slots=True)
class Running:
    """A fact of one session that is kept up to date while its window lasts, such as the range so far."""

    key: str
    window: Window
    days: Days
    every: int
    """Minutes between looks."""
    write: Callable[[View, Own, str | None], str | None]
    """Its text now, of what it was (None: nothing yet); the same or None writes nothing."""
    once: bool = False
    """Whether its first text stands."""


@dataclass(frozen=True, slots=True)
class Watch:
    """When the strategy looks at what it holds."""

    minutes: int
    """Between looks."""
    first: time
    last: time
    also: tuple[time, ...] = ()
    """Further fixed times."""


@dataclass(frozen=True, slots=True, eq=False)
class Strategy:
    """A whole strategy.  Known by identity, so that what a day asks of it is worked out once."""

    id: str
    title: str
    priority: int
    """Who asks first: the lower number (methodology E.5)."""
    claim: Claim
    entries: tuple[Entry, ...]
    exits: tuple[Exit, ...]
    """In order of priority: a component follows the first that closes it."""
    watch: Watch
    facts: tuple[Fact, ...] = field(default=())
    running: tuple[Running, ...] = ()
    life: Life | None = None
    """The stages of its positions, where it has any of its own (methodology E.3)."""
    default_on: bool = True
    """Whether it trades unless the configuration says otherwise."""
    covered: tuple[str, ...] = ()
    """How roles begin among which, at any time, no more options are sold than bought: of each right, counted
    in units, the bought ones expiring no earlier.  ("",) are all roles.  The conformance suite holds it to
    this."""
    settles: tuple[str, ...] = ()
    """How roles begin whose short legs run into their settlement: no exit need end them before (ruling 10:
    boxes, and what was opened within 21 days)."""

    def decide(self, view: View, own: Own) -> tuple[Intent, ...]:
        """Everything it wishes now: notes and exits first, then entries."""
        wishes: list[Intent] = [*_forgotten(own), *self._captured(view, own)]
        wishes += self._leaving(self.exits, view, own)
        for entry in self.entries:
            if entry.window.contains(view) and entry.days.meant(view.today, view.sessions):
                wishes += _entering(entry, view, own)
        if not wishes:
            return ()
        if not any(_joined(wish) for wish in wishes):
            return tuple(wishes)
        gone = set(_closed_whole(wishes, own))
        return tuple(wish for wish in wishes if _joined(wish) not in gone)

    def steps(self, view: View, own: Own) -> tuple[Step, ...]:
        """The positions whose stage of life has changed since it was last written down."""
        life = self.life
        if life is None or not own.positions:
            return ()
        found = [life.step(view, own, position) for position in own.positions]
        return tuple([step for step in found if step is not None])

    def guard(self, view: View, own: Own) -> tuple[Intent, ...]:
        """The guardian exits alone."""
        return tuple(self._leaving([e for e in self.exits if e.guardian], view, own))

    def next_wake(self, session: Session, own: Own, now: datetime, grid_minutes: int) -> datetime | None:
        """The next instant after ``now`` in this session at which it wants to be asked."""
        since = max(wall_minute(session, now) + 1, OPEN_MINUTE)
        agenda = _agenda(self, session.date, session.closed_before)
        times = [m for m in self._wakes(agenda, session.date, own, since, grid_minutes) if m >= since]
        first = min(times, default=None)
        looks = [
            (look, i)
            for i, entry in enumerate(agenda.entries)
            for look in next_look(entry.window, since, grid_minutes, entry.every)
        ]
        for look, i in sorted(looks):
            # Whether anything could come of it is asked of those alone that would be the next.
            if first is not None and first <= look:
                break
            if _is_wanted(agenda.entries[i], session.date, own):
                first = look
        if first is None:
            return None
        wake = session.open + (first - OPEN_MINUTE) * MINUTE
        return wake if wake < session.close else None

    def _leaving(self, exits: Sequence[Exit], view: View, own: Own) -> list[Intent]:
        """Not before the first look: the first quotes of a session are the worst to judge a stop by."""
        early = wall_minute(view.session, view.now) < minute_of(self.watch.first)
        return [] if early else _leaving(exits, view, own)

    def _captured(self, view: View, own: Own) -> Iterator[Mark]:
        agenda = _agenda(self, view.today, view.session.closed_before)
        for fact in agenda.facts:
            if fact.window.contains(view):
                text = None if today_s(own, fact.key, view.today) else fact.read(view)
                if text is not None:
                    yield Mark(self.id, fact.key, f"{view.today} {text}")

        for one in agenda.running:
            if one.window.contains(view):
                seen = today_s(own, one.key, view.today)
                text = one.write(view, own, seen)
                if text is not None and text != seen:
                    yield Mark(self.id, one.key, f"{view.today} {text}")

    def _wakes(self, agenda: "_Agenda", day: date, own: Own, since: int, grid: int) -> Iterator[int]:
        """The next minute of each kind but entries, from ``since`` on; what lies before it does not count."""
        for fact in agenda.facts:
            if today_s(own, fact.key, day) is None:
                yield from next_look(fact.window, since, grid, LOOK_MINUTES if grid > 1 else 1)
        for one in agenda.running:
            if not (one.once and today_s(own, one.key, day)):
                yield from next_look(one.window, since, grid, LOOK_MINUTES if grid > 1 else one.every)
        if own.positions:
            first, last = minute_of(self.watch.first), minute_of(self.watch.last)
            # Data rarer than the looks comes at an instant nobody knows: it is looked for.
            every = (
                self.watch.minutes if grid <= self.watch.minutes else min(self.watch.minutes, LOOK_MINUTES)
            )
            # The first look, then one grid for all strategies, counted from ten o'clock: what looks at the
            # same minute looks at the same quotes, and shares it with what begins then.
            look = first if since <= first else GRID_MINUTE + -(-(since - GRID_MINUTE) // every) * every
            if look <= last:
                yield look
            yield from (minute_of(t) for t in self.watch.also)
            if waits_for_confirmation(own):
                yield since


def best_of(own: Own, entry: str, wishes: Sequence[Open | Pass]) -> Alternatives | Pass:
    """The wishes that can be had, or of all refusals those that came furthest in B.0's order."""
    good = tuple(wish for wish in wishes if isinstance(wish, Open))
    refused = [wish for wish in wishes if isinstance(wish, Pass)]
    if good:
        return Alternatives(good, tuple(wish.detail for wish in refused))
    code = max((wish.code for wish in refused), key=CODES.index)
    said = "; ".join(wish.detail for wish in refused if wish.code == code)
    return Pass(own.strategy, entry, code, said)


def today_s(own: Own, key: str, today: date) -> str | None:
    """The text of a fact captured today, or None."""
    day, _, text = own.notes.get(key, "").partition(" ")
    return text if day == today.isoformat() else None


def position_note(position: Position, *words: str) -> str:
    """The key of a note that is forgotten with its position."""
    return "|".join((position.id, *words))


def waits_for_confirmation(own: Own) -> bool:
    """Whether a stop was seen once, of a component that nothing closes yet."""
    for key in own.notes:
        if STOP_NOTE in key:
            component = _watched(key, own)
            if component is not None and component.closing is None:
                return True
    return False


def _watched(key: str, own: Own) -> Component | None:
    """The open component that a note of a stop speaks of."""
    id_, role = key.partition("|")[0], key.rpartition("|")[2]
    for position in own.positions:
        if position.id == id_:
            component = position.components.get(role)
            return component if component is not None and component.is_open else None
    return None


def _forgotten(own: Own) -> Iterator[Mark]:
    """Notes of what is closed: a first observation must not confirm anything later."""
    ids: set[str] | None = None
    for key in own.notes:
        if "|" not in key:
            continue
        ids = {position.id for position in own.positions} if ids is None else ids
        if key.partition("|")[0] not in ids or (STOP_NOTE in key and _watched(key, own) is None):
            yield Mark(own.strategy, key, "")


def _closed_whole(wishes: Sequence[Intent], own: Own) -> Iterator[str]:
    """Positions of which these wishes leave nothing open: nothing may join them in the same breath."""
    for position in own.positions:
        roles = {
            role for w in wishes if isinstance(w, Close) and w.position == position.id for role in w.roles
        }
        if roles and roles >= {one.role for one in position.open_components}:
            yield position.id


def _joined(wish: Intent) -> str:
    """The position that it would become part of; "" for all others."""
    first = wish.choices[0] if isinstance(wish, Alternatives) else wish
    return (first.joins or "") if isinstance(first, Open) else ""


def _leaving(exits: Sequence[Exit], view: View, own: Own) -> list[Intent]:
    wishes: list[Intent] = []
    for position in own.positions:
        held = held_now(position, view.today)
        taken: set[str] = set()
        for exit_ in exits if held.by_role else ():
            for wish in exit_.check(view, own, held):
                if isinstance(wish, Mark):
                    wishes.append(wish)
                    continue
                roles = tuple(role for role in wish.roles if role not in taken)
                taken.update(roles)
                if roles:
                    wishes.append(wish if roles == wish.roles else replace(wish, roles=roles))
    return wishes


def _entering(entry: Entry, view: View, own: Own) -> Sequence[Intent]:
    if not _is_wanted(entry, view.today, own):
        return ()
    if own.barred:
        return (Pass(own.strategy, entry.name, "PHASE", own.barred),)
    for condition in entry.when:
        why_not = condition.check(view, own)
        if why_not is not None:
            return (Pass(own.strategy, entry.name, condition.code, why_not),)
    wish = entry.build(view, own)
    return (wish,) if isinstance(wish, Open | Alternatives | Pass) else wish


def _is_wanted(entry: Entry, day: date, own: Own) -> bool:
    if entry.once and (entry.name in own.entered or any(_opens(w.order, entry) for w in own.orders)):
        return False
    return entry.wanted is None or entry.wanted(day, own)


def _opens(order: Order, entry: Entry) -> bool:
    return order.opens and order.trigger == entry.name


@dataclass(frozen=True, slots=True)
class _Agenda:
    """What a session can ask of a strategy at all."""

    facts: tuple[Fact, ...]
    running: tuple[Running, ...]
    entries: tuple[Entry, ...]
    """Whose rule names the day, or may mean it for one that was closed."""


@lru_cache(maxsize=128)
def _agenda(strategy: Strategy, day: date, closed_before: int) -> _Agenda:
    """closed_before: weekdays without a session just before ``day``."""

    def may_mean(days: Days) -> bool:
        back = days.weekdays_back(day)
        return back is not None and (back <= closed_before or days.earlier)

    return _Agenda(
        tuple(fact for fact in strategy.facts if fact.days.named(day)),
        tuple(one for one in strategy.running if one.days.named(day)),
        tuple(entry for entry in strategy.entries if may_mean(entry.days)),
    )
