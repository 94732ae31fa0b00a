"""Pauses of entries that end by themselves: VIX flags, a fall from the day's high, a losing run, a swan.

Each is a level of the book whose value is the instant until which it lasts, in ISO form.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from math import isnan

from tomking.domain.book import Book
from tomking.domain.events import Event, LevelChanged, Noted
from tomking.risk.readings import VIX, bad_of, counted, vix_fault
from tomking.risk.settings import Settings
from tomking.risk.tape import Tape
from tomking.view import View

SPIKE, CRASH, DAY_HIGH, SWAN, RUN, UNSEEN = (
    "pause.vix_spike",
    "pause.vix_crash",
    "pause.day_high",
    "pause.black_swan",
    "pause.losing_run",
    "pause.no_vix",
)
WORDS = {
    CRASH: "VIX crash",
    SWAN: "black swan",
    RUN: "losing run",
    DAY_HIGH: "fall from the day's high",
    SPIKE: "VIX spike",
    UNSEEN: "no VIX to be trusted",
}
RUN_SEEN = "risk.losing_run"
"""Note: the length of the losing run that has already paused entries."""
INDEX = "SPX"


def is_on(book: Book, name: str) -> bool:
    return bool(book.levels.get(name))


def paused(book: Book) -> str | None:
    """The pause that holds now, in words; None without one."""
    return next((f"{WORDS[name]} until {book.levels[name]}" for name in WORDS if is_on(book, name)), None)


def pause_events(book: Book, view: View, tape: Tape, net_liq: float, settings: Settings) -> Iterator[Event]:
    """Pauses that are over end, those that are due begin."""
    now = view.now
    for name in WORDS:
        until = book.levels.get(name)
        if until and now >= datetime.fromisoformat(until):
            yield LevelChanged(now, name, until, "", "over")
    yield from _unseen_vix(book, view, settings)
    yield from _vix_flags(book, view, tape, settings)
    fall = (tape.high - net_liq) / tape.high if tape.high > 0 else 0.0
    if fall >= float(settings.day_high_share_max) and not is_on(book, DAY_HIGH):
        words = f"net liq ${net_liq:,.0f} is {fall:.1%} below the day's high of ${tape.high:,.0f}"
        yield _begun(book, view, DAY_HIGH, now + timedelta(minutes=settings.day_high_pause_minutes), words)
    yield from swan_events(book, view, settings)
    yield from _losing_run(book, view, settings)


def _vix_flags(book: Book, view: View, tape: Tape, settings: Settings) -> Iterator[Event]:
    vix = view.vix
    if vix is None or isnan(tape.base_vix):
        return
    rise, base = vix - tape.base_vix, tape.base_vix
    if not is_on(book, CRASH) and (
        rise >= settings.vix_crash_points or rise >= settings.vix_crash_share * base
    ):
        words = f"VIX {vix:.2f} from {base:.2f}, {rise / base:+.0%}"
        yield _begun(book, view, CRASH, view.session.close, words)
    low = tape.vix_low(view.now, settings.vix_spike_minutes)
    if vix - low >= settings.vix_spike_points and not is_on(book, SPIKE):
        words = f"VIX {vix:.2f} from {low:.2f} within {settings.vix_spike_minutes} minutes"
        until = view.now + timedelta(minutes=settings.vix_spike_minutes)
        yield _begun(book, view, SPIKE, until, words)


def _unseen_vix(book: Book, view: View, settings: Settings) -> Iterator[Event]:
    """Three bad minutes of the VIX in a row, and each one after them, pause for half an hour (C.9, C.11)."""
    fault = vix_fault(view, settings)
    seen = list(counted(book, VIX, view.now, is_bad=bool(fault)))
    yield from seen
    known, before = bad_of(book, VIX), book.levels.get(UNSEEN, "")
    times = 1 if known is None else known.times + 1
    if fault and seen and times >= settings.bad_readings_max:
        if before and view.now >= datetime.fromisoformat(before):
            before = ""  # it has just been written down as over
        until = (view.now + timedelta(minutes=settings.vix_calm_minutes)).isoformat()
        yield LevelChanged(view.now, UNSEEN, before, until, f"{fault}, {times} minutes in a row")


def swan_events(book: Book, view: View, settings: Settings) -> Iterator[Event]:
    """The index against its prior close.  Most of a move is left to the tape's cheaper questions."""
    if is_on(book, SWAN):
        return
    spot, bars = view.spot(INDEX), view.bars(INDEX)
    if spot is None or not len(bars):
        return
    move = spot / float(bars.close[-1]) - 1
    if abs(move) > settings.black_swan_share:
        until = view.now + timedelta(hours=settings.black_swan_hours)
        yield _begun(book, view, SWAN, until, f"{INDEX} {spot:,.2f}, {move:+.1%} in a day")


def _losing_run(book: Book, view: View, settings: Settings) -> Iterator[Event]:
    """The rest of the day and the next session; once for each further loss."""
    run, seen = book.losing_run, book.notes.get(RUN_SEEN, "")
    if run < settings.losing_run_pause:
        if seen:
            yield Noted(view.now, RUN_SEEN, "")
        return
    if seen == str(run):
        return
    following = view.sessions.after(view.today)
    until = following.close if following else view.now + timedelta(days=1)
    yield _begun(book, view, RUN, until, f"{run} losing closes in a row")
    yield Noted(view.now, RUN_SEEN, str(run))


def _begun(book: Book, view: View, name: str, until: datetime, words: str) -> LevelChanged:
    return LevelChanged(view.now, name, book.levels.get(name, ""), until.isoformat(), words)


def zero_dte_ends(book: Book) -> str | None:
    """Why every open 0DTE is closed now (C.1, C.9)."""
    return next((WORDS[name] for name in (CRASH, SWAN) if is_on(book, name)), None)


def is_zero_dte(strategy: str) -> bool:
    return strategy == "friday_0dte"
