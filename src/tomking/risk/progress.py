"""Phases earned by trading: requirement by requirement, what an account still lacks (methodology A.2).

Phases follow net liq; what is earned decides which full-size contracts may be traded (ruling 5), and with
``phase_gating = earned`` every promotion.  All facts are in the book: its records of closed trades, the
worst close, and the note ``risk.earned`` with when the account and its phase began and how deep it was.
"""

from collections.abc import Iterator
from datetime import date, datetime
from decimal import ROUND_UP, Decimal
from typing import NamedTuple

from tomking.domain.book import Book, record_key
from tomking.domain.calendar import new_york
from tomking.domain.events import Event, Noted
from tomking.domain.money import ZERO
from tomking.domain.products import micro_of
from tomking.domain.record import Record
from tomking.risk.drawdown import drawdown
from tomking.risk.phases import phase_floors, phase_of
from tomking.risk.settings import Settings

NOTE = "risk.earned"
DEPTH_STEP = Decimal("0.005")
"""The greatest drawdown is noted in steps of half a per cent, rounded up."""
LT112_CYCLES = 2
"""Closed by rule before P3 (A.2)."""
LOSS_SHARE_MAX = Decimal("0.05")
"""Of one position, before P2."""
TRADES_TO_JUDGE = 10
"""Of a strategy, before P4 asks whether it gains."""
TENTHS = {"SPX": "XSP", "SPXW": "XSP"}
"""Index options with a tenth beside them: to a full-size contract they are twice an ES."""
FUTURES = ("friday_0dte", "lt112", "calendarized_112", "futures_strangle")
"""Strategies whose closed trades count as futures trades."""


class Requirement(NamedTuple):
    """One line of the progress table."""

    name: str
    needed: str
    reached: str
    met: bool


class Memory(NamedTuple):
    began: date
    """First session of the account."""
    phase_began: date
    phase: int
    depth: Decimal
    """Greatest drawdown at a close of this phase, 0 to 1."""


def progress(book: Book, net_liq: Decimal, today: date, settings: Settings) -> tuple[Requirement, ...]:
    """What the next phase asks for and what is reached; empty in the last one."""
    phase = phase_of(book)
    floors = phase_floors(settings)
    if phase + 1 >= len(floors):
        return ()
    floor = floors[phase + 1]
    value = Requirement("net liq", f"${floor:,.0f}", f"${net_liq:,.0f}", net_liq >= floor)
    return (value, *requirements(book, phase + 1, today, settings, in_phase=True))


def requirements(
    book: Book, phase: int, today: date, settings: Settings, *, in_phase: bool
) -> tuple[Requirement, ...]:
    """What ``phase`` asks for besides value.

    in_phase  months are counted in the present phase (to rise from it), else since the account began (to
              have earned what its value already allows)
    """
    return tuple(_requirements(book, phase, today, settings, in_phase=in_phase))


def _requirements(
    book: Book, phase: int, today: date, settings: Settings, *, in_phase: bool
) -> Iterator[Requirement]:
    trades = sum(record.trades for record in book.records.values())
    wins = sum(record.wins for record in book.records.values())
    if needed := settings.earned_trades[phase]:
        yield Requirement("closed trades", f"{needed}", f"{trades}", trades >= needed)
    if share := settings.earned_win_shares[phase]:
        rate = wins / trades if trades else 0.0
        yield Requirement("win rate", f"{share:.0%}", f"{rate:.0%}", bool(trades) and rate >= share)
    memory = _memory(book)
    if needed := settings.earned_months[phase]:
        since = today if memory is None else memory.phase_began if in_phase else memory.began
        months = _months(since, today)
        yield Requirement("months", f"{needed}", f"{months}", months >= needed)
    most = settings.earned_drawdown_shares[phase]
    if most < 1:
        depth = ZERO if memory is None else memory.depth
        yield Requirement("greatest drawdown", f"{most:.0%} at most", f"{depth:.1%}", depth <= most)
    yield from _conduct(book, phase)


def _conduct(book: Book, phase: int) -> Iterator[Requirement]:
    """The last column of A.2; every lower phase's demand stays."""
    if phase >= 2:
        worst = book.worst_close_share
        met = worst <= LOSS_SHARE_MAX
        yield Requirement("worst position", f"{LOSS_SHARE_MAX:.0%} at most", f"{worst:.1%}", met)
    if phase >= 3:
        cycles = book.records.get(record_key("lt112", "1-1-2"), Record()).trades
        yield Requirement("LT112 cycles", f"{LT112_CYCLES}", f"{cycles}", cycles >= LT112_CYCLES)
    if phase >= 4:
        losing = sorted(name for name, net in _judged(book).items() if net <= 0)
        words = ", ".join(losing) or "none loses"
        yield Requirement("strategies gain", f"each from {TRADES_TO_JUDGE} trades", words, not losing)


def _judged(book: Book) -> dict[str, Decimal]:
    """Net dollars of each strategy with enough closed trades."""
    trades: dict[str, int] = {}
    net: dict[str, Decimal] = {}
    for key, record in book.records.items():
        strategy = key.partition(":")[0]
        trades[strategy] = trades.get(strategy, 0) + record.trades
        net[strategy] = net.get(strategy, ZERO) + record.won - record.lost
    return {name: net[name] for name, count in trades.items() if count >= TRADES_TO_JUDGE}


def earned_phase(book: Book, today: date, settings: Settings) -> int:
    """The highest phase up to the account's own whose criteria, and those below it, are met."""
    earned = min(phase_of(book), 1)
    for phase in range(2, phase_of(book) + 1):
        if not all(one.met for one in requirements(book, phase, today, settings, in_phase=False)):
            break
        earned = phase
    return earned


def may_rise(book: Book, today: date, settings: Settings) -> bool:
    """Whether a promotion is held back by nothing but value."""
    if settings.phase_gating != "earned":
        return True
    asked = requirements(book, min(phase_of(book) + 1, 4), today, settings, in_phase=True)
    return all(one.met for one in asked)


# ------------------------------------------------------------------------------ full-size contracts


def small_of(product: str) -> str | None:
    """The micro, or the tenth, that is traded until a full-size contract is earned; None: it is none."""
    return micro_of(product) or TENTHS.get(product)


def full_size_requirements(
    book: Book, net_liq: Decimal, today: date, settings: Settings
) -> tuple[Requirement, ...]:
    """What any full-size contract asks for (C.13), its phase being the one that is earned (A.2, ruling 5)."""
    least, phase, most = settings.full_size_usd, settings.full_size_phase, settings.full_size_trades
    earned, record = earned_phase(book, today, settings), futures_record(book)
    rate, share = (record.wins / record.trades if record.trades else 0.0), settings.full_size_wins
    return (
        Requirement("net liq", f"more than ${least:,.0f}", f"${net_liq:,.0f}", net_liq > least),
        Requirement("earned phase", f"{phase}", f"{earned}", earned >= phase),
        Requirement("closed futures trades", f"more than {most}", f"{record.trades}", record.trades > most),
        Requirement("of them won", f"more than {share:.0%}", f"{rate:.0%}", rate > share),
    )


def futures_record(book: Book) -> Record:
    """Closed trades and wins of the strategies that trade options on futures."""
    mine = [one for key, one in book.records.items() if key.partition(":")[0] in FUTURES]
    return Record(sum(one.trades for one in mine), sum(one.wins for one in mine))


# ------------------------------------------------------------------------------ the memory


def close_events(book: Book, net_liq: Decimal, now: datetime, *, phase: int) -> Iterator[Event]:
    """What the close adds: a new phase begins a new count, a deeper drawdown is kept.

    phase  after this close
    """
    today, memory = new_york(now).date(), _memory(book)
    depth = _stepped(drawdown(book, net_liq))
    if memory is None or memory.phase != phase:
        began = today if memory is None else memory.began
        yield _noted(now, Memory(began, today, phase, depth))
    elif depth > memory.depth:
        yield _noted(now, memory._replace(depth=depth))


def _stepped(depth: Decimal) -> Decimal:
    return (depth / DEPTH_STEP).quantize(Decimal(1), ROUND_UP) * DEPTH_STEP


def _noted(now: datetime, memory: Memory) -> Noted:
    return Noted(now, NOTE, f"{memory.began} {memory.phase_began} {memory.phase} {memory.depth}")


def _memory(book: Book) -> Memory | None:
    text = book.notes.get(NOTE)
    if not text:
        return None
    began, phase_began, phase, depth = text.split()
    return Memory(date.fromisoformat(began), date.fromisoformat(phase_began), int(phase), Decimal(depth))


def _months(since: date, today: date) -> int:
    """Whole months."""
    return (today.year - since.year) * 12 + today.month - since.month - (1 if today.day < since.day else 0)
