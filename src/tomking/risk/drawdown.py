"""Drawdown levels and loss limits: what tightens while money is lost (methodology C.4).

``guard`` runs at every step and only tightens; ``session_end_levels`` runs once at the close and
may loosen.  All memory is in the book: the levels ``drawdown``, ``daily_loss``, ``weekly_loss``,
``monthly_loss`` and the notes below; nothing is remembered here.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from tomking.domain.book import Book, Component, Position
from tomking.domain.calendar import new_york
from tomking.domain.events import Event, LevelChanged, Noted, PeakReset
from tomking.domain.intent import Close, Urgency
from tomking.domain.kept import by_identity
from tomking.domain.money import ZERO
from tomking.risk.phases import RED_SINCE
from tomking.risk.regime import regime_events, vix_size
from tomking.risk.settings import Settings

LEVELS = ("GREEN", "YELLOW", "ORANGE", "RED", "TERMINAL")
LEVEL = "drawdown"
WEEK = "weekly_loss"
MONTH = "monthly_loss"
CALM = "risk.calm_closes"
"""Note: closes below the line that leaves the present level."""
RAMP = "risk.ramp_sessions"
"""Note: sessions at reduced size that are left."""
OLD_PEAK = "risk.all_time_peak"
"""Note: the highest peak before a reset, less the deposits of then."""
SEEN = "risk.seen."
"""Notes: since when a breach that is not yet confirmed has been seen."""
ONE = Decimal(1)


class Period(NamedTuple):
    """A loss limit over a stretch of time."""

    level: str
    key: str
    """Names the stretch: a date, a week, a month."""
    base: Decimal
    """Net liq it began with."""
    share: Decimal


def drawdown_level(book: Book) -> str:
    return book.levels.get(LEVEL) or "GREEN"


def drawdown(book: Book, net_liq: Decimal) -> Decimal:
    """1 - net liq / peak, at least 0.  The peak is that of closes, moved by deposits."""
    return max(ZERO, 1 - net_liq / book.peak) if book.peak > 0 else ZERO


def periods(book: Book, settings: Settings) -> list[Period]:
    """The day, the week and the month under way, as far as their beginning is known."""
    day = book.day.session
    if day is None:
        return []
    found = [Period("daily_loss", day.isoformat(), book.prior_close, settings.daily_loss_share_max)]
    keys = (
        (WEEK, week_of(day), settings.weekly_loss_share_max),
        (MONTH, month_of(day), settings.monthly_loss_share_max),
    )
    for level, key, share in keys:
        noted, _, base = book.notes.get(f"risk.{level}", "").partition(" ")
        if noted == key:
            found.append(Period(level, key, Decimal(base) + book.deposits, share))
    return found


def week_of(day: date) -> str:
    """2031-W10."""
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02d}"


def month_of(day: date) -> str:
    """2031-03."""
    return f"{day.year}-{day.month:02d}"


def guard(
    book: Book,
    net_liq: Decimal,
    now: datetime,
    settings: Settings,
    *,
    vix: float | None = None,
    grid_minutes: int = 1,
) -> list[Event]:
    """What tightens at this step; empty when nothing changes.

    A breach acts when it is still there 30 seconds later, at the next step, or at once where the
    data's grid is coarser than a minute (ruling 7).  New weeks and months note their beginning.
    """
    wait = timedelta(seconds=0 if grid_minutes > 1 else settings.confirm_seconds)
    events = [*_beginnings(book, now), *regime_events(book, vix, now, settings, at_close=False)]
    level, deep = drawdown_level(book), _depth(book, net_liq, settings)
    breached = LEVELS.index(deep) > LEVELS.index(level)
    if acts(events, book, LEVEL, breached=breached, now=now, wait=wait):
        events += _deeper(book, deep, net_liq, now)
    for period in periods(book, settings):
        if book.levels.get(period.level) == period.key:
            continue
        loss = period.base - net_liq
        breached = period.base > 0 and loss >= period.share * period.base
        if acts(events, book, period.level, breached=breached, now=now, wait=wait):
            share = f"{loss / period.base:.1%}, limit {period.share:.0%}"
            detail = f"lost ${loss:,.0f} of ${period.base:,.0f}, {share}"
            before = book.levels.get(period.level, "")
            events.append(LevelChanged(now, period.level, before, period.key, detail))
    return events


def next_look(book: Book, settings: Settings) -> datetime | None:
    """When the oldest first sight of a breach may be confirmed; None when none waits."""
    seen = _first_seen(book.notes)
    return None if seen is None else seen + timedelta(seconds=settings.confirm_seconds)


@by_identity
def _first_seen(notes: Mapping[str, str]) -> datetime | None:
    seen = [datetime.fromisoformat(text) for key, text in notes.items() if key.startswith(SEEN)]
    return min(seen, default=None)


def entries_stopped(book: Book, settings: Settings) -> str | None:
    """Why nothing may be opened, working entry orders included (C.4); None while it may."""
    level = drawdown_level(book)
    if level not in {"GREEN", "YELLOW"}:
        return f"drawdown level {level}"
    over = (p for p in periods(book, settings) if book.levels.get(p.level) == p.key)
    return next((f"{p.level.replace('_', ' ')} limit reached in {p.key}" for p in over), None)


def session_end_levels(
    book: Book, net_liq: Decimal, now: datetime, settings: Settings, *, vix: float | None = None
) -> list[Event]:
    """What the close does: deeper at once, milder after two calm closes, restart after RED's lock.

    May run before or after the close's ``SessionEnded``, and beside ``session_end_phase``.
    """
    events = regime_events(book, vix, now, settings, at_close=True)
    if (left := int(book.notes.get(RAMP) or 0)) > 0:
        events.append(Noted(now, RAMP, str(left - 1) if left > 1 else ""))
    level, deep = drawdown_level(book), _depth(book, net_liq, settings)
    if LEVELS.index(deep) > LEVELS.index(level):
        return [*events, *_deeper(book, deep, net_liq, now)]
    if level == "RED":
        return [*events, *_restart(book, net_liq, now, settings)]
    return [*events, *_milder(book, level, net_liq, now, settings)]


def _beginnings(book: Book, now: datetime) -> list[Event]:
    day = book.day.session
    if day is None or book.prior_close <= 0:
        return []
    events: list[Event] = []
    for level, key in ((WEEK, week_of(day)), (MONTH, month_of(day))):
        if not book.notes.get(f"risk.{level}", "").startswith(key):
            events.append(Noted(now, f"risk.{level}", f"{key} {book.prior_close - book.deposits}"))
    return events


def _depth(book: Book, net_liq: Decimal, settings: Settings) -> str:
    """The level that the drawdown alone would give."""
    share = drawdown(book, net_liq)
    if share >= settings.terminal_share or _below_all_time(book, net_liq, settings):
        return "TERMINAL"
    if share >= settings.red_share:
        return "RED"
    if share >= settings.orange_share:
        return "ORANGE"
    return "YELLOW" if share >= settings.yellow_share else "GREEN"


def _below_all_time(book: Book, net_liq: Decimal, settings: Settings) -> bool:
    old = book.notes.get(OLD_PEAK)
    if old is None or settings.terminal_peak == "since_reset":
        return False
    return net_liq <= (Decimal(old) + book.deposits) * (1 - settings.terminal_share)


def acts(
    events: list[Event], book: Book, name: str, *, breached: bool, now: datetime, wait: timedelta
) -> bool:
    """Whether a breach is confirmed; otherwise its first sight is noted, or forgotten again."""
    seen = book.notes.get(SEEN + name)
    if seen and new_york(datetime.fromisoformat(seen)).date() != new_york(now).date():
        seen = None  # a sight of another session confirms nothing
    if not breached:
        if seen:
            events.append(Noted(now, SEEN + name, ""))
        return False
    if seen is None and wait:
        events.append(Noted(now, SEEN + name, now.isoformat()))
        return False
    if seen and now - datetime.fromisoformat(seen) < wait:
        return False
    if seen:
        events.append(Noted(now, SEEN + name, ""))
    return True


def _deeper(book: Book, level: str, net_liq: Decimal, now: datetime) -> list[Event]:
    before = book.levels.get(LEVEL, "")
    detail = f"net liq ${net_liq:,.0f} is {drawdown(book, net_liq):.1%} below the peak of ${book.peak:,.0f}"
    events: list[Event] = [LevelChanged(now, LEVEL, before, level, detail), *_forget(book, CALM, now)]
    if level in {"RED", "TERMINAL"} and before not in {"RED", "TERMINAL"}:
        events.append(Noted(now, RED_SINCE, now.isoformat()))
    return events


def _milder(book: Book, level: str, net_liq: Decimal, now: datetime, settings: Settings) -> list[Event]:
    lines = {"YELLOW": settings.yellow_leave_share, "ORANGE": settings.orange_leave_share}
    if level not in lines or drawdown(book, net_liq) >= lines[level]:
        return _forget(book, CALM, now)
    calm = int(book.notes.get(CALM) or 0) + 1
    if calm < settings.leave_closes:
        return [Noted(now, CALM, str(calm))]
    detail = f"drawdown {drawdown(book, net_liq):.1%}, below {lines[level]:.0%} at {calm} closes"
    after = LEVELS[LEVELS.index(level) - 1]
    return [LevelChanged(now, LEVEL, level, after, detail), *_forget(book, CALM, now)]


def _restart(book: Book, net_liq: Decimal, now: datetime, settings: Settings) -> list[Event]:
    since = datetime.fromisoformat(book.notes[RED_SINCE])
    if not settings.restart_after_red or now - since < timedelta(days=settings.red_lock_days):
        return []
    peaks = [book.peak - book.deposits]
    if old := book.notes.get(OLD_PEAK):
        peaks.append(Decimal(old))
    detail = f"{settings.red_lock_days} days after RED; peak reset to ${net_liq:,.0f}"
    return [
        Noted(now, OLD_PEAK, str(max(peaks))),
        PeakReset(now, net_liq),
        LevelChanged(now, LEVEL, "RED", "GREEN", detail),
        Noted(now, RED_SINCE, ""),
        Noted(now, RAMP, str(settings.ramp_sessions) if settings.ramp_sessions else ""),
        *_forget(book, CALM, now),
    ]


def _forget(book: Book, key: str, now: datetime) -> list[Event]:
    return [Noted(now, key, "")] if key in book.notes else []


def forced_closes(
    book: Book, values: Mapping[tuple[str, str], Decimal], now: datetime, settings: Settings
) -> list[Close]:
    """What the levels close, whatever the strategies think; one order per trade of a position.

    RED and TERMINAL: every position with a short leg; long-only ones stay.  ORANGE: positions that
    have lost half of their planned stop.  Daily loss: components that expire today.
    values  (position, role) -> points per unit received for closing now, as ``Own.values``
    """
    level, today = drawdown_level(book), new_york(now).date()
    daily = book.levels.get("daily_loss") == today.isoformat()
    if level in {"GREEN", "YELLOW"} and not daily:
        return []
    found: list[Close] = []
    for position in book.positions.values():
        why = _why(position, values, settings, level)
        if why is not None:
            found += closes(position, position.open_components, why)
        elif daily:
            expiring = [one for one in position.open_components if one.expiry == today]
            found += closes(position, expiring, DAILY)
    return found


class Why(NamedTuple):
    """What makes a forced close."""

    trigger: str
    reason: str
    urgency: Urgency


DAILY = Why("daily loss", "the daily loss limit closes what expires today", Urgency.STOP)


def _why(
    position: Position, values: Mapping[tuple[str, str], Decimal], settings: Settings, level: str
) -> Why | None:
    """What the drawdown says to a whole position."""
    if level in {"RED", "TERMINAL"}:
        if not any(one.structure.has_short_leg for one in position.open_components):
            return None
        return Why(level, f"drawdown {level} closes every position with a short leg", Urgency.STOP)
    if level != "ORANGE":
        return None
    lost, planned = lost_dollars(position, values), planned_dollars(position)
    if lost is None or planned <= 0 or lost < settings.orange_close_share * planned:
        return None
    words = f"drawdown ORANGE closes losers: lost ${lost:,.0f} of ${planned:,.0f} at the stop"
    return Why("ORANGE", words, Urgency.RULE)


def planned_dollars(position: Position) -> Decimal:
    """Dollars that what was filled of its opening order loses at the planned stop."""
    opened = [one for one in position.components.values() if one.trade == position.id]
    return max(
        (one.planned_loss * one.filled_units * one.structure.multiplier for one in opened), default=ZERO
    )


def lost_dollars(position: Position, values: Mapping[tuple[str, str], Decimal]) -> Decimal | None:
    """Dollars lost so far, closed components included; None when a value is missing."""
    gained = sum((one.dollars for one in position.components.values()), ZERO)
    for one in position.open_components:
        value = values.get((position.id, one.role))
        if value is None:
            return None
        gained += value * one.units * one.structure.multiplier
    return -gained


def closes(position: Position, components: Sequence[Component], why: Why, leaves: int = 0) -> list[Close]:
    """One order per trade, for what nothing closes yet; of each component ``leaves`` units stay."""
    trades: dict[tuple[str, int | None], list[str]] = {}
    for one in components:
        if one.closing is None and one.units > leaves:
            units = one.units - leaves if leaves else None
            trades.setdefault((one.trade, units), []).append(one.role)
    return [
        Close(position.strategy, position.id, tuple(roles), why.urgency, why.trigger, why.reason, units=units)
        for (_, units), roles in trades.items()
    ]


def tightened_keep(book: Book, keep: Decimal, settings: Settings | None = None) -> Decimal:
    """The share of the credit to keep at a profit target: 25 % at most from ORANGE on."""
    if drawdown_level(book) in {"GREEN", "YELLOW"}:
        return keep
    return min(keep, (settings or _DEFAULTS).orange_keep_share)


_DEFAULTS = Settings()


def size_multiplier(book: Book, vix: float | None, settings: Settings) -> Decimal:
    """What new sizes are multiplied by, 0 to 1: drawdown x VIX x ramp after a restart.

    Without a VIX it is 0: no default value ever stands in for it.
    """
    if vix is None:
        return ZERO
    level = drawdown_level(book)
    if level not in {"GREEN", "YELLOW"}:
        return ZERO
    share = settings.yellow_size_share if level == "YELLOW" else ONE
    ramp = settings.ramp_size_share if book.notes.get(RAMP) else ONE
    return share * ramp * vix_size(vix, settings)
