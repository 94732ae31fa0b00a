"""Breakers, emergency levels and pauses at each step: what tightens, what it closes, what stops entries.

1. Read the tape: VIX and net liq, written down when they moved.
2. Pauses end or begin.
3. Breakers and the emergency level rise once confirmed; what they name is to be closed.
4. The emergency level steps down when it is due; breakers do at the close.

All memory is in the book.  Exits are never stopped here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from math import isnan, nan

from tomking.domain.book import Book, Position
from tomking.domain.events import Event, LevelChanged, Noted
from tomking.domain.intent import Close, Urgency
from tomking.domain.money import ZERO
from tomking.risk import assignment, breakers, drawdown, emergency
from tomking.risk.drawdown import SEEN, Why, acts, closes, lost_dollars, planned_dollars
from tomking.risk.groups import complexes_correlation, held_complexes
from tomking.risk.pauses import RUN_SEEN, WORDS, is_zero_dte, pause_events, paused, swan_events, zero_dte_ends
from tomking.risk.readings import VIX_NOTE, vix_fault
from tomking.risk.settings import Settings
from tomking.risk.tape import NOTE, Tape, begun, read, tape_of
from tomking.risk.valuation import account_of
from tomking.view import View


def guard(book: Book, view: View, net_liq: Decimal, settings: Settings, *, quick: bool = True) -> list[Event]:
    """What changes at this step; empty when nothing does.

    quick  whether a look at which nothing can change may say so at once; the answer is the same
    """
    vix, value = view.vix, float(net_liq)
    before = tape_of(book)
    tape = _read(book, view, nan if vix is None else vix, value, settings)
    events: list[Event] = []
    if tape is not before:
        events.append(Noted(view.now, NOTE, tape.text))
    if quick and _is_quiet(book, tape, vix, value, settings) and not vix_fault(view, settings):
        return [
            *events,
            *swan_events(book, view, settings),
            *assignment.delivery_events(book, view, settings),
        ]
    paused_now = list(pause_events(book, view, tape, value, settings))
    events += paused_now
    if any(
        isinstance(one, LevelChanged) and one.name == "pause.day_high" and one.after for one in paused_now
    ):
        events.append(Noted(view.now, NOTE, tape._replace(high=value).text))
    moved = tape is not before
    wait = timedelta(seconds=0 if view.market.grid_minutes > 1 else settings.confirm_seconds)
    events += assignment.delivery_events(book, view, settings)
    _break(events, book, view, tape, value, settings, moved=moved, wait=wait)
    _raise(events, book, view, tape, value, settings, wait=wait)
    if vix is not None and vix >= settings.manual_vix and not book.levels.get(emergency.MANUAL):
        words = f"VIX {vix:.2f}: closing only until a human releases it"
        events.append(LevelChanged(view.now, emergency.MANUAL, "", "VIX", words))
    return events


WATCHED = (*WORDS, breakers.LEVEL, emergency.LEVEL, emergency.MANUAL)


def _is_quiet(book: Book, tape: Tape, vix: float | None, net_liq: float, settings: Settings) -> bool:
    """Whether every measure is so far below its first threshold that only a black swan can begin."""
    levels, notes = book.levels, book.notes
    if vix is None or any(levels.get(name) for name in WATCHED) or VIX_NOTE in notes:
        return False
    if book.losing_run >= settings.losing_run_pause or RUN_SEEN in notes:
        return False
    if SEEN + breakers.LEVEL in notes or SEEN + emergency.LEVEL in notes:
        return False
    if not vix < min(settings.emergency_vix_alone[0], settings.emergency_vix_losing[0], settings.manual_vix):
        return False
    first = float(settings.breaker_warn_share) * float(settings.breaker_low_vix_share)
    rise = min(settings.vix_crash_points, settings.vix_crash_share * tape.base_vix) * first
    if not vix - tape.base_vix < min(rise, STIRRED_VIX):
        return False
    if not vix - min(mark.vix for mark in tape.marks) < settings.vix_spike_points:
        return False
    if tape.correlation >= min(
        settings.emergency_correlations[0], min(settings.correlation_breaker_shares) * first
    ):
        return False
    fall = min(float(min(settings.rapid_loss_shares)) * first, float(settings.day_high_share_max))
    if not net_liq > tape.high * (1 - fall):
        return False
    lost = min(float(min(settings.emergency_losing_shares)), 1 - STIRRED_SHARE)
    return net_liq > float(book.prior_close) * (1 - lost)


def _read(book: Book, view: View, vix: float, net_liq: float, settings: Settings) -> Tape:
    before = tape_of(book)
    if before is not None and before.day == view.today.isoformat():
        return read(before, view.now, vix, net_liq)
    found = complexes_correlation(view, held_complexes(book, settings), settings.correlation_breaker_days)
    return begun(before, view.now, vix, net_liq, nan if found is None else found)


def _break(  # noqa: PLR0917
    events: list[Event], book: Book, view: View, tape: Tape, net_liq: float, settings: Settings,
    *, moved: bool, wait: timedelta,
) -> None:  # fmt: skip
    waits = "risk.seen.breaker" in book.notes
    asks = waits or (moved and _may_have_grown(book, tape, view.vix, net_liq))
    margin = _margin(book, view, net_liq, settings) if asks else None
    found = breakers.readings(book, tape, view.now, view.vix, net_liq, margin, settings)
    level, words = breakers.level_at(found, settings)
    breached = level > breakers.level_of(book)
    if level == breakers.WARNS and breached:
        events += breakers.tightened(book, level, words, view.now)
        return
    if not acts(events, book, breakers.LEVEL, breached=breached, now=view.now, wait=wait):
        return
    events += breakers.tightened(book, level, words, view.now)
    worst = breakers.riskiest(book) if breakers.closes_riskiest(found) else None
    if worst is not None:
        events += emergency.named(book, {worst.id: 0}, view.now)


STIRRED_VIX = 2.0
"""Points above where the session began."""
STIRRED_SHARE = 0.99
"""Of the prior close's net liq."""


def _may_have_grown(book: Book, tape: Tape, vix: float | None, net_liq: float) -> bool:
    """Whether margin is worth working out: it was at the last close, and a quiet market adds none."""
    stirred = vix is not None and not vix < tape.base_vix + STIRRED_VIX
    return stirred or net_liq < STIRRED_SHARE * float(book.prior_close)


def _margin(book: Book, view: View, net_liq: float, settings: Settings) -> float:
    return float(account_of(book, view, Decimal(str(net_liq)), settings).margin) if book.positions else 0.0


def _raise(  # noqa: PLR0917
    events: list[Event], book: Book, view: View, tape: Tape, net_liq: float, settings: Settings,
    *, wait: timedelta,
) -> None:  # fmt: skip
    prior = float(book.prior_close)
    loss = (prior - net_liq) / prior if prior > 0 else 0.0  # exact where the dollars are round
    level, words, by_vix = emergency.level_at(loss, view.vix, tape.correlation, settings)
    breached = level > emergency.level_of(book)
    if acts(events, book, emergency.LEVEL, breached=breached, now=view.now, wait=wait):
        before = emergency.level_of(book)
        events += emergency.tightened(book, level, words, view.now, by_vix=by_vix)
        if level >= emergency.REDUCE > before:
            # A breaker may have named one in this very step: both notes must survive.
            known = book if not (named := _named(events)) else _with_note(book, named)
            events += emergency.named(known, emergency.half_of_short_premium(book), view.now)
        return
    if not breached:
        if level == emergency.level_of(book) and not by_vix and emergency.is_by_vix(book):
            events.append(emergency.since(view.now))  # no longer the VIX alone
        events += emergency.calmer(book, level, view.now, settings)


def _named(events: list[Event]) -> str:
    return next((e.value for e in events if isinstance(e, Noted) and e.key == emergency.TO_CLOSE), "")


def _with_note(book: Book, value: str) -> Book:
    return replace(book, notes={**book.notes, emergency.TO_CLOSE: value})


def trading_state(book: Book, settings: Settings) -> tuple[str, str]:
    """ACTIVE, REDUCING (closing only) or HALTED, and why (ruling 9).

    In all three guardian exits and what levels force still close.
    """
    why = entries_stopped(book) or drawdown.entries_stopped(book, settings)
    if book.levels.get(HALT):
        return "HALTED", str(why)
    return ("ACTIVE", "") if why is None else ("REDUCING", why)


HALT = "halt"
"""Level: who halted, and why; only a human or the kill latch sets and releases it."""


def entries_stopped(book: Book) -> str | None:
    """Why nothing may be opened (C.0: human, breakers, emergency, pauses); None while it may."""
    if book.levels.get(HALT):
        return f"halted: {book.levels[HALT]}"
    if book.levels.get(emergency.MANUAL):
        return f"closing only until a human releases it: {book.levels[emergency.MANUAL]}"
    if (level := breakers.level_of(book)) >= breakers.HALTS:
        return f"circuit breaker level {level}"
    if (level := emergency.level_of(book)) >= emergency.RESTRICT:
        return f"emergency level {level}"
    pause = paused(book)
    return None if pause is None else f"paused: {pause}"


# ------------------------------------------------------------------------------ what is closed


def forced(book: Book, values: Mapping[tuple[str, str], Decimal], settings: Settings) -> list[Close]:
    """What breakers and levels close, in the order of C.9: naked puts first, long hedges never."""
    broken, level = breakers.level_of(book), emergency.level_of(book)
    named, ends = emergency.to_close(book), zero_dte_ends(book)
    zero = ends or _zero_dte_loss(book, values, settings)
    due = assignment.named(book)
    if broken < breakers.FLATTENS and level < emergency.RESTRICT and not (named or zero or due):
        return []
    found: list[Close] = []
    for position in sorted(book.positions.values(), key=emergency.rank):
        why = _why(position, book, values, settings, zero)
        threatened = assignment.threatened(book, position) if why is None else ()
        stays = 0 if why or threatened else named.get(position.id, 0)
        if stays:
            why = HALVED
        if why is None:
            found += closes(position, threatened, DELIVERY)
            continue
        for group in emergency.naked_first(position.open_components):
            found += closes(position, group, why, stays)
    return found


HALVED = Why("reduction", "emergency level 3 halves short premium", Urgency.STOP)
DELIVERY = Why("assignment", "a short option in the money expires today and would deliver", Urgency.STOP)


def _why(
    position: Position,
    book: Book,
    values: Mapping[tuple[str, str], Decimal],
    settings: Settings,
    zero: str | None,
) -> Why | None:
    if not emergency.has_short_leg(position):
        return None
    if breakers.level_of(book) >= breakers.FLATTENS:
        return Why("breaker", "circuit breaker level 3 closes every position with a short leg", Urgency.STOP)
    level = emergency.level_of(book)
    if level >= emergency.FLATTEN:
        return Why("emergency 4", "emergency level 4 closes all short premium", Urgency.STOP)
    if emergency.to_close(book).get(position.id) == 0:
        return Why("reduction", "a breaker or emergency level 3 reduces short premium", Urgency.STOP)
    if zero and is_zero_dte(position.strategy):
        return Why("0DTE guard", f"{zero} closes every open 0DTE", Urgency.STOP)
    if level < emergency.RESTRICT or (level == emergency.RESTRICT and emergency.is_by_vix(book)):
        return None  # the VIX alone closes nothing below level 3 (ruling 11)
    lost, planned = lost_dollars(position, values), planned_dollars(position)
    if lost is None or planned <= 0 or lost < settings.emergency_stop_share * planned:
        return None
    words = f"emergency level {level} closes losers: lost ${lost:,.0f} of ${planned:,.0f} at the stop"
    return Why(f"emergency {level}", words, Urgency.STOP)


def _zero_dte_loss(book: Book, values: Mapping[tuple[str, str], Decimal], settings: Settings) -> str | None:
    """C.4: the open 0DTE together against the prior close."""
    lost = ZERO
    for position in book.of("friday_0dte"):
        lost += lost_dollars(position, values) or ZERO
    limit = settings.zero_dte_loss_share_max * book.prior_close
    if book.prior_close <= 0 or lost < limit:
        return None
    return f"a loss of ${lost:,.0f}, limit ${limit:,.0f},"


# ------------------------------------------------------------------------------ the close


def session_end(  # noqa: PLR0917 - all of them are needed
    book: Book, view: View, net_liq: Decimal, margin: Decimal, settings: Settings, reduced: Sequence[str] = ()
) -> list[Event]:
    """What the close loosens, and what advances by a session.

    reduced  ids of positions that a demotion ends from the next session on
    """
    tape = tape_of(book)
    if tape is None or tape.day != view.today.isoformat():
        tape = None
    value, vix = float(net_liq), view.vix
    level, words = 0, ""
    if tape is not None:
        found = breakers.readings(book, tape, view.now, vix, value, float(margin), settings)
        level, words = breakers.level_at(found, settings)
    if level > breakers.level_of(book):
        # At a close it acts at once; what it halts begins with the next session.
        return [*breakers.tightened(book, level, words, view.now), *_ended(book, view, reduced)]
    events = [
        *breakers.close_events(book, tape, view.now, settings, vix=vix, level_now=level),
        *_ended(book, view, reduced),
    ]
    if book.levels.get(emergency.MANUAL) == "VIX" and _releases(book, vix, settings):
        words = f"a backtest has no human: released at VIX {vix:.2f}"
        events.append(LevelChanged(view.now, emergency.MANUAL, "VIX", "", words))
    return events


def _ended(book: Book, view: View, reduced: Sequence[str]) -> list[Event]:
    return [*emergency.close_events(book, reduced, view.now), *assignment.close_events(book, view)]


def _releases(book: Book, vix: float | None, settings: Settings) -> bool:
    calm = vix is not None and not isnan(vix) and vix < settings.breaker_vix_max
    return settings.restart_after_red and calm and not emergency.level_of(book)
