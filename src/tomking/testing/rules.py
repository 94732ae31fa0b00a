"""What every strategy promises, each rule read off the journals of its trial."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from tomking.adapters.codec import decode
from tomking.domain import events as ev
from tomking.domain.book import Book, Component, fold
from tomking.domain.calendar import Sessions, dte
from tomking.domain.contract import Option
from tomking.rules.strategy import CODES, Strategy
from tomking.testing.trial import Played, Trial

EXIT_DTE = 21
"""Ruling 10."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One promise."""

    name: str
    faults: Callable[[Trial], Iterator[str]]
    """What breaks it, in words; nothing when it is kept."""


def _wishes(trial: Trial) -> Iterator[str]:
    for run in (trial.plain, trial.reborn, trial.guarded):
        yield from run.watched.faults.values()


def _orders(trial: Trial) -> Iterator[str]:
    for event in trial.plain.orders():
        order = event.order
        contracts = [contract for part in order.parts for contract in part.structure.contracts]
        if len(contracts) > 4:
            yield f"order {order.id} has {len(contracts)} legs: {order.structure}"
        if order.opens and len({contract.multiplier for contract in contracts}) > 1:
            yield f"order {order.id} mixes contract sizes: {order.structure}"


def _cover(trial: Trial) -> Iterator[str]:
    for run in (trial.plain, trial.guarded):
        yield from run.uncovered.values()


def _once(trial: Trial) -> Iterator[str]:
    """No entry that is once a session fills twice, nothing is closed beyond what was opened."""
    once = {entry.name for entry in trial.strategy.entries if entry.once}
    day, entered = date.min, set[str]()
    opened = {event.order.id: event.order for event in trial.plain.orders() if event.order.opens}
    for event in trial.plain.events:
        if isinstance(event, ev.SessionBegan):
            day, entered = event.day, set()
        if isinstance(event, ev.OrderFilled) and event.fill.order in opened:
            order = opened.pop(event.fill.order)
            if order.trigger in once and order.trigger in entered:
                yield f"{day}: {order.trigger} was entered twice in one session"
            entered.add(order.trigger)


def _closes(trial: Trial) -> Iterator[str]:
    """Nothing is left behind: what expired is settled, what was closed says by what."""
    ended, book = trial.plain.books[-1]
    for position in book.positions.values():
        for one in position.open_components:
            if one.expiry <= ended.day:
                yield f"{position.id} {one.role} is open although it expired on {one.expiry}"
    closers = {e.order.id: e.order for e in trial.plain.orders() if not e.order.opens}
    for order in closers.values():
        if not order.reason or not order.trigger:
            yield f"order {order.id} closes {', '.join(order.roles)} without a reason"
    for event in trial.plain.events:
        if isinstance(event, ev.EntryApproved) and not event.reason:
            yield f"{event.at:%Y-%m-%d}: {event.entry} is entered without a reason"


def _last_days(trial: Trial) -> Iterator[str]:
    yield from _survivors(trial.plain, trial.strategy)


def _survivors(run: Played, strategy: Strategy) -> Iterator[str]:
    """Components with a short leg, opened above 21 days, that are open after the close of their last day."""
    seen: set[tuple[str, str]] = set()
    for ended, book in run.books:
        for position in book.positions.values():
            for one in position.open_components:
                if _is_exempt(one, strategy) or not one.structure.has_short_leg:
                    continue
                if _is_over(one, ended.day, run.sessions) and (position.id, one.role) not in seen:
                    seen.add((position.id, one.role))
                    left = dte(ended.day, one.expiry)
                    yield f"{position.id} {one.role} ({one.structure}) is open on {ended.day}, {left} DTE"


def _is_over(one: Component, today: date, sessions: Sessions) -> bool:
    """Ruling 10: the first session at or below 21 DTE, or the session before if that day is closed."""
    last = one.expiry - timedelta(days=EXIT_DTE)
    due = sessions.on(last) or sessions.before(last)
    return due is not None and today >= due.date and dte(today, one.expiry) <= EXIT_DTE + 7


def _is_exempt(one: Component, strategy: Strategy) -> bool:
    if any(one.role.startswith(word) for word in strategy.settles):
        return True
    return one.opened_dte <= EXIT_DTE or one.delivered


def _guardians(trial: Trial) -> Iterator[str]:
    """A strategy that only raises is still closed: short legs by their last day, or before they expire."""
    run, strategy = trial.guarded, trial.strategy
    yield from (f"quarantined: {words}" for words in _survivors(run, strategy))
    for event in run.events:
        if not isinstance(event, ev.Settled):
            continue
        role = event.role
        sold = _sold(run, event)
        if sold and not any(role.startswith(word) for word in strategy.settles):
            yield f"quarantined: {event.position} {role}: {sold} ran into expiry, no guardian exit ended it"


def _sold(run: Played, event: ev.Settled) -> str:
    """The sold ones among what expired, in words."""
    for order in run.orders():
        for part in order.order.parts:
            if order.order.opens and part.role == event.role and order.order.position == event.position:
                legs = [leg for leg in part.structure.legs if leg.is_short and leg.contract in event.expired]
                return ", ".join(str(leg) for leg in legs if isinstance(leg.contract, Option))
    return ""


def _replay(trial: Trial) -> Iterator[str]:
    """Folded anew from its journal after every step it does the same, and says the same."""
    plain, reborn = trial.plain, trial.reborn
    for number, (one, other) in enumerate(zip(plain.texts, reborn.texts, strict=False)):
        if one != other:
            yield f"event {number} differs after restarts: {one} / {other}"
            break
    until = reborn.books[-1][0].at
    if sum(event.at <= until for event in plain.events) != len(reborn.texts):
        yield f"up to {until:%Y-%m-%d} there are more or fewer events with restarts"
    if [said for said in plain.watched.said if said[0] <= until] != reborn.watched.said:
        yield "its wishes differ after restarts"
    folded = fold(decode(text) for text in plain.texts)
    if folded != plain.book:
        yield "the book folded from the journal is another"


def _life(trial: Trial) -> Iterator[str]:
    life = trial.strategy.life
    for event in trial.plain.events:
        if isinstance(event, ev.Quarantined):
            yield f"it raised: {event.error}"
        if isinstance(event, ev.Staged):
            if life is None or event.after not in life.ways:
                yield f"stage {event.after} is in no table"
            elif event.before and event.after not in life.ways[event.before]:
                yield f"from {event.before} to {event.after} there is no way"
            if not event.trigger or not event.context:
                yield f"{event.position}: from {event.before} to {event.after} without trigger or context"
    if life is not None:
        yield from _unstaged(trial.plain.books[-1][1])


def _unstaged(book: Book) -> Iterator[str]:
    for position in book.positions.values():
        if not position.stage and not any(w.order.position == position.id for w in book.orders.values()):
            yield f"{position.id} has no stage"


def _order_of_gates(trial: Trial) -> Iterator[str]:
    for entry in trial.strategy.entries:
        codes = [condition.code for condition in entry.when]
        if sorted(codes, key=CODES.index) != codes:
            yield f"{entry.name} asks {', '.join(codes)}: not in the order of methodology B.0"


RULES = (
    Rule("each wish is fit, said once, and the same when it is asked again", _wishes),
    Rule("no order has more than four legs or more than one size", _orders),
    Rule("what is promised to be covered is covered after every fill", _cover),
    Rule("no entry fills more often than it says", _once),
    Rule("it closes what it opens, and says why it opened and closed", _closes),
    Rule("nothing with a short leg survives 21 DTE but what is exempt", _last_days),
    Rule("its guardian exits alone end every short leg", _guardians),
    Rule("replayed, with the process dying after every step, it decides the same", _replay),
    Rule("each step of its life is legal and written down with trigger and market", _life),
    Rule("its conditions are asked in the order of the pipeline", _order_of_gates),
)
