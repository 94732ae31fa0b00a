"""Circuit breakers: rapid loss, VIX shock, margin, correlation (methodology C.8).

Each measures itself against its threshold: from 80 % it warns (level 1, half size), at 100 % entries halt
and the riskiest position goes (2), at 150 %, or with two at 100 % at once, everything short goes (3).  The
level is the book's ``breaker``: it tightens at any step and loosens at a close.

What moves the VIX alone closes nothing (ruling 11): its shock halts entries and counts towards two at once,
but goes no further by itself.  Neither does a correlation.  The breaker on losing closes halts the day's
entries and nothing else (``limits_breakers``), and an invalid chain is refused where it is asked for.
"""

import math
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from tomking.domain.book import Book, Position
from tomking.domain.events import Event, LevelChanged, Noted
from tomking.domain.intent import Urgency
from tomking.domain.money import ZERO
from tomking.risk.phases import PHASE_ONE, phase_of
from tomking.risk.regime import by_vix
from tomking.risk.settings import Settings
from tomking.risk.tape import Tape

LEVEL = "breaker"
SINCE = "risk.breaker_since"
"""Note: when level 2 or 3 was last reached."""
RAMP = "risk.breaker_ramp"
"""Note: sessions of the size ramp that are left."""
STRICT_PHASES = 2
"""P0 and P1 have the strict set."""
ROUNDING = 1e-9
"""So that 64 % of 80 % is 80 %, whatever binary fractions make of it."""
WARNS, HALTS, FLATTENS = 1, 2, 3


class Reading(NamedTuple):
    """One breaker now."""

    name: str
    share: float
    """Of its threshold: 1 is the threshold.  NaN: not measured."""
    words: str
    closes: bool
    """Whether it may go beyond level 2 and close by itself."""


def level_of(book: Book) -> int:
    """0 to 3."""
    return int(book.levels.get(LEVEL) or 0)


def readings(  # noqa: PLR0917 - all of them are needed, none has a default
    book: Book,
    tape: Tape,
    now: datetime,
    vix: float | None,
    net_liq: float,
    margin: float | None,
    settings: Settings,
) -> list[Reading]:
    """Every breaker against its threshold.

    net_liq  dollars
    margin   dollars that the open positions need; None: not looked at now
    """
    phase, scale = phase_of(book), _vix_scale(tape, settings)
    found = [_rapid(tape, now, net_liq, float(settings.rapid_loss_shares[phase]) * scale, settings)]
    if vix is not None and not math.isnan(tape.base_vix):
        found.append(_shock(tape, vix, scale, settings))
    if not math.isnan(tape.correlation):
        most = settings.correlation_breaker_shares[phase]
        words = f"average correlation {tape.correlation:.2f}, threshold {most:.2f}"
        found.append(Reading("correlation", tape.correlation / most, words, closes=False))
    if margin is not None and vix is not None:
        found.append(_margin(phase, vix, net_liq, margin, settings))
    return found


def _vix_scale(tape: Tape, settings: Settings) -> float:
    """Tighter in low VIX; never looser in high VIX.  Low is where the session began: a shock raises it."""
    is_low = tape.base_vix < settings.breaker_low_vix
    return float(settings.breaker_low_vix_share) if is_low else 1.0


def _rapid(tape: Tape, now: datetime, net_liq: float, threshold: float, settings: Settings) -> Reading:
    high = tape.net_liq_high(now, settings.rapid_loss_minutes)
    lost = 1 - net_liq / high if high > 0 else 0.0
    words = f"lost {lost:.1%} within {settings.rapid_loss_minutes} minutes, threshold {threshold:.1%}"
    return Reading("rapid loss", lost / threshold, words, closes=True)


def _shock(tape: Tape, vix: float, scale: float, settings: Settings) -> Reading:
    rise = vix - tape.base_vix
    share = max(rise / settings.vix_crash_points, rise / tape.base_vix / settings.vix_crash_share) / scale
    return Reading("VIX shock", share, f"VIX {vix:.2f} from {tape.base_vix:.2f}", closes=False)


def _margin(phase: int, vix: float, net_liq: float, margin: float, settings: Settings) -> Reading:
    most = float(by_vix(vix, settings.margin_breaker_bounds, settings.margin_breaker_shares))
    if phase < STRICT_PHASES:
        most = min(most, float(settings.margin_breaker_strict_share))
    share = margin / net_liq if net_liq > 0 else math.inf
    words = f"margin ${margin:,.0f} is {share:.0%} of net liq, threshold {most:.0%}"
    return Reading("margin", share / most, words, closes=True)


def level_at(found: list[Reading], settings: Settings) -> tuple[int, str]:
    """The level these readings give, and what gives it in words."""
    found = [one._replace(share=one.share + ROUNDING) for one in found]
    halting = [one for one in found if one.share >= 1]
    flattening = [one for one in halting if one.closes and one.share >= float(settings.breaker_flatten_share)]
    warning = [one for one in found if one.share >= float(settings.breaker_warn_share)]
    if flattening or len(halting) > 1:
        return FLATTENS, "; ".join(f"{one.name}: {one.words}" for one in (flattening or halting))
    if halting:
        return HALTS, "; ".join(f"{one.name}: {one.words}" for one in halting)
    words = "; ".join(f"{one.name}: {one.words}" for one in warning)
    return (WARNS, words) if warning else (0, "")


def tightened(book: Book, level: int, words: str, now: datetime) -> Iterator[Event]:
    """The level rises; from 2 on the cool-down begins, and the riskiest position is named."""
    yield LevelChanged(now, LEVEL, book.levels.get(LEVEL, ""), str(level), words)
    if level < HALTS:
        return
    yield Noted(now, SINCE, now.isoformat())
    if book.notes.get(RAMP):
        yield Noted(now, RAMP, "")


def closes_riskiest(found: list[Reading]) -> bool:
    return any(one.closes and one.share + ROUNDING >= 1 for one in found)


def riskiest(book: Book) -> Position | None:
    """Most margin for its credit among the positions with a short leg.

    Stands for "highest stress loss over credit": margin is what a shock of the broker's costs.
    """
    short = [p for p in book.positions.values() if any(c.structure.has_short_leg for c in p.open_components)]
    return max(short, key=_margin_over_credit, default=None)


def _margin_over_credit(position: Position) -> Decimal:
    credit = sum((c.entry_net * c.units * c.structure.multiplier for c in position.open_components), ZERO)
    return position.margin / credit if credit > 0 else ZERO


def close_events(
    book: Book,
    tape: Tape | None,
    now: datetime,
    settings: Settings,
    *,
    vix: float | None,
    level_now: int,
) -> Iterator[Event]:
    """What the close does: ramps advance; a warning that has passed ends; a breaker recovers (C.8)."""
    for note in (RAMP, PHASE_ONE):
        if (left := int(book.notes.get(note) or 0)) > 0:
            yield Noted(now, note, str(left - 1) if left > 1 else "")
    level = level_of(book)
    if level == WARNS and level_now == 0:
        yield LevelChanged(now, LEVEL, "1", "", "below every warning at the close")
    if level < HALTS or level_now >= HALTS:
        return
    if level == FLATTENS and not settings.restart_after_red:
        return
    if _may_recover(book, tape, now, settings, vix):
        yield LevelChanged(now, LEVEL, str(level), "", f"recovered {settings.breaker_hours} hours after")
        yield Noted(now, SINCE, "")
        steps = len(settings.breaker_ramp_shares) * settings.breaker_ramp_sessions
        yield Noted(now, RAMP, str(steps))
        if level == FLATTENS and settings.breaker_phase_sessions:
            yield Noted(now, PHASE_ONE, str(settings.breaker_phase_sessions))


def _may_recover(book: Book, tape: Tape | None, now: datetime, settings: Settings, vix: float | None) -> bool:
    """After the cool-down, which the next close but one always is, in calm and with no order under way."""
    since = datetime.fromisoformat(book.notes[SINCE])
    # Later than the day itself, so that net liq need not be back at 98 % of that day's opening.
    if now - since < timedelta(hours=settings.breaker_hours):
        return False
    if vix is None or vix >= settings.breaker_vix_max:
        return False
    if tape is not None and tape.correlation >= settings.correlation_reset_share:
        return False
    return all(working.order.urgency is Urgency.TARGET for working in book.orders.values())


def ramp_share(book: Book, settings: Settings) -> Decimal:
    """Size after a recovery: 25 %, 50 %, 75 %, each for five sessions, then all."""
    left = int(book.notes.get(RAMP) or 0)
    if not left:
        return Decimal(1)
    steps = settings.breaker_ramp_shares
    return steps[max(0, len(steps) - 1 - (left - 1) // settings.breaker_ramp_sessions)]
