"""Scenarios in which levels rise and fall: VIX 15 to 40 to 20, and falls of 20 % in a day."""

from datetime import date, datetime, timedelta
from decimal import Decimal

from tomking.app.scenario.books import (
    begin,
    everything,
    hold_ipmcc,
    hold_lt112,
    hold_rungs,
    hold_strangle,
    lt112_at,
    some,
    usd,
)
from tomking.app.scenario.disturbed import Fault
from tomking.app.scenario.outcome import Outcome
from tomking.app.scenario.stage import Stage, at
from tomking.app.scenario.story import Figures, Story, implicit
from tomking.app.scenario.tape import Knot, Tape, flat, gliding, tape
from tomking.domain.book import fold
from tomking.domain.intent import Approved, Open, Verdict
from tomking.domain.order import part_nets
from tomking.risk.drawdown import size_multiplier
from tomking.risk.emergency import ramp_share
from tomking.risk.exposure import lines_of
from tomking.risk.regime import by_vix
from tomking.risk.shocks import shock_table
from tomking.risk.stress import stressed

FIRST = date(2018, 6, 22)
UP_AND_DOWN = (15.0, 18.0, 22.0, 27.0, 32.0, 36.0, 41.0, 33.0, 27.0, 23.0, 20.0)
MOVES = (0.0, -0.012, -0.013, -0.014, -0.014, -0.012, -0.015, 0.02, 0.015, 0.015, 0.01)
CRASH_DAY = date(2018, 6, 20)


def days_from(of: Tape, first: date, count: int) -> list[date]:
    """``count`` session dates from ``first`` on."""
    return [s.date for s in of.sessions.between(first, first + timedelta(days=2 * count + 10)).days[:count]]


def judged(stage: Stage, now: datetime, wish: Open) -> Verdict:
    """What the desk says of a wish now, with the book as it is."""
    return stage.desk.judge(wish, stage.book, stage.view(now), stage.net_liq(now))


def permitted(stage: Stage, now: datetime, wish: Open) -> int:
    """Units; 0 while entries are stopped."""
    if stage.desk.entries_stopped(stage.book):
        return 0
    verdict = judged(stage, now, wish)
    return verdict.units if isinstance(verdict, Approved) else 0


def probe(stage: Stage, now: datetime, product: str = "MES", days: int = 115) -> Open:
    """An LT112 as it would be built now, whatever the strategy's own filters say."""
    return next(w for w in stage.wishes(lt112_at(days), "1-1-2", now) if w.product == product)


# ------------------------------------------------------------------ VIX 15 to 40 to 20


def vix_15_40_20() -> Outcome:
    real = tape()
    days = days_from(real, FIRST, len(UP_AND_DOWN) + 6)
    vixes = (15.0, *UP_AND_DOWN, *(19.0,) * 6)
    on = tape(gliding(days, vixes, (*MOVES, *(0.001,) * 6)))
    stage = Stage(on, usd(63_500), some("friday_0dte", "lt112"))
    now = begin(stage, days[0])
    hold_lt112(stage, now, "MES", 2)
    hold_strangle(stage, now, "MCL")
    reached = dict(zip((round(v) for v in UP_AND_DOWN[:7]), days, strict=False))
    units: dict[date, int] = {}
    sizes: dict[date, Decimal] = {}
    for day in days:
        stage.play(day, until="15:59")
        instant = at(day, "15:59")
        units[day] = permitted(stage, instant, probe(stage, instant))
        stage.play(day)
        sizes[day] = _size(stage, at(day, "16:00"))
    story = stage.story
    level = {v: story.level_at("emergency", at(reached[v], "16:00")) for v in (27, 36, 41)}
    at_three = min(e.at for e in story.levels("emergency") if e.after == "3")
    drops = [
        e for e in story.levels("emergency") if e.before.isdigit() and int(e.after or 0) == int(e.before) - 1
    ]
    released = next((d for d in days if d > reached[41] and not _stopped(story, d)), days[-1])
    settings = stage.settings
    figures: Figures = {
        "zero_dte_entries": len(story.entries("friday_0dte")),
        "fridays_refused_by_vix": len({e.at.date() for e in story.declined("friday_0dte", "VIX")}),
        "level_at_27": level[27],
        "level_at_36": level[36],
        "level_at_41": level[41],
        "closed_below_level_3": _closed_by_levels(story, None, at_three),
        "closed_at_level_3": _closed_by_levels(story, at_three, None),
        "permitted_at_36": units[reached[36]] + units[reached[41]],
        "permitted_at_15": units[days[0]],
        "cap_at_32": float(by_vix(32.0, settings.vix_bounds, settings.vix_capital_share_max)),
        "level_at_end": story.level_at("emergency", at(days[-1], "16:00")),
        "level_steps_down": len(drops),
        "size_after_release": float(sizes[released]),
        **implicit(story, on.sessions),
    }
    return Outcome(figures, (("net liq", story),))


def _size(stage: Stage, now: datetime) -> Decimal:
    seen = stage.market.vix(now)
    factor = size_multiplier(stage.book, None if seen is None else seen[0], stage.settings)
    return factor * ramp_share(stage.book, stage.settings)


def _stopped(story: Story, day: date) -> bool:
    close = at(day, "16:00")
    return story.level_at("emergency", close) >= 2 or story.level_at("breaker", close) >= 2


def _closed_by_levels(story: Story, since: datetime | None, until: datetime | None) -> int:
    words = ("reduction", "emergency", "breaker", "drawdown")
    return len(
        {
            e.order.position
            for e in story.sent(since, until)
            if not e.order.opens and e.order.trigger.startswith(words)
        }
    )


# ------------------------------------------------------------------ -20 % in a day

HARVEST = ("half at 3x", "rest at 5x", "harvest half", "harvest rest", "target")
"""Triggers of the ladder's own harvest."""
HALTS = (("09:45", "10:00"), ("11:30", "11:45"), ("14:00", "16:01"))
CRASH = (
    Knot("09:30", -0.03, 30.0),
    Knot("09:36", -0.031, 31.0),
    Knot("09:45", -0.07, 45.0),
    Knot("10:00", -0.07, 47.0),
    Knot("11:30", -0.13, 62.0),
    Knot("11:45", -0.13, 64.0),
    Knot("14:00", -0.20, 82.0),
    Knot("16:00", -0.20, 82.0),
)


def crash_tape() -> tuple[Tape, list[date]]:
    real = tape()
    days = days_from(real, CRASH_DAY, 11)
    return tape({CRASH_DAY: CRASH, **flat(70.0, days[1:])}), days


def crash_stage(*, halts: bool = True) -> tuple[Stage, list[date]]:
    """The book of S-CRASH on the evening before."""
    on, days = crash_tape()
    faults = [Fault("silent", at(CRASH_DAY, a), at(CRASH_DAY, b)) for a, b in HALTS if halts]
    faults.append(Fault("wide", at(CRASH_DAY, "09:30"), at(days[1], "16:01"), 5.0))
    stage = Stage(on, usd(100_000), everything(), faults=tuple(faults))
    evening_before(stage, date(2018, 6, 19))
    return stage, days


def evening_before(stage: Stage, day: date) -> None:
    """1 IPMCC, 3 MES LT112 units, an MGC strangle and 2 hedge rungs."""
    now = begin(stage, day, "15:30")
    hold_ipmcc(stage, now)
    hold_lt112(stage, now, "MES", 3)
    hold_strangle(stage, now, "MGC")
    hold_rungs(stage, now, 2)
    stage.play(day)


def loss_in(stage: Stage, now: datetime, name: str) -> float:
    """What the book would lose in one of C.7's shocks, share of net liq."""
    view = stage.view(now)
    vix = view.vix
    assert vix is not None
    table = shock_table(vix, stage.settings)
    found = stressed(lines_of(stage.book), view, table, stage.settings)
    return float(found.losses(found.held)[found.column(name)]) / float(stage.net_liq(now))


def crash_20() -> Outcome:
    stage, days = crash_stage()
    before = at(date(2018, 6, 19), "15:59")
    estimate = loss_in(stage, before, "S-20")
    stage.play(CRASH_DAY, until="11:40")
    again = fold(stage.journal.read())
    lost = sum(
        (
            dict(again.levels) != dict(stage.book.levels),
            dict(again.positions) != dict(stage.book.positions),
            dict(again.notes) != dict(stage.book.notes),
        )
    )
    story = stage.play(CRASH_DAY, days[-1])
    began = at(CRASH_DAY, "09:30")
    halted = [e for a, b in HALTS for e in story.sent(at(CRASH_DAY, a), at(CRASH_DAY, b))]
    reached = [e.at for e in story.levels("breaker") if e.after in {"2", "3"} and e.at >= began]
    ahead = (at(CRASH_DAY, "09:45") - min(reached)).total_seconds() / 60 if reached else -1.0
    worst = story.worst_from(before)
    figures: Figures = {
        "breaker_minutes_before_7": ahead,
        "emergency_level": story.highest("emergency"),
        "orders_in_halts": len(halted),
        "entries_after": len(story.openings(began)),
        "rungs_taken": sum(o.trigger not in HARVEST for o, _ in story.closings("leap_put_hedge")),
        "estimate_20": estimate,
        "loss_over_estimate": worst / estimate if estimate > 0 else 0.0,
        "worst_stop": _worst_stop(story),
        "lost_by_restart": lost,
        **implicit(story, stage.tape.sessions),
    }
    note = f"The book lost {worst:.1%} at worst; its S-20 stress the evening before was {estimate:.1%}."
    return Outcome(figures, (("net liq", story),), (note,))


def _worst_stop(story: Story) -> float:
    """Cost of closing naked puts over their credit, the worst."""
    sold = dict(_np_nets(story, opens=True))
    return max(
        (
            -net / sold[position]
            for position, net in _np_nets(story, opens=False)
            if sold.get(position, 0) > 0
        ),
        default=0.0,
    )


def _np_nets(story: Story, *, opens: bool) -> list[tuple[str, float]]:
    """Position and points per unit of every fill of naked puts."""
    return [
        (order.position, float(net))
        for order, fill in story.fills(opens)
        for part, net in zip(order.parts, part_nets(order, fill.fill), strict=True)
        if part.role == "NP"
    ]


def crash_at_the_limit() -> Outcome:
    """Nothing can be closed: the day opens 20 % down and the exchange stays shut until the next."""
    real = tape()
    days = days_from(real, CRASH_DAY, 16)
    gap = (Knot("09:30", -0.20, 82.0), Knot("16:00", -0.20, 82.0))
    shut = Fault("silent", at(CRASH_DAY, "09:30"), at(CRASH_DAY, "16:01"))
    stage = Stage(
        tape({CRASH_DAY: gap, **flat(82.0, days[1:2]), **flat(40.0, days[2:])}),
        usd(100_000),
        everything(),
        faults=(shut,),
    )
    evening = date(2018, 6, 19)
    now = begin(stage, evening, "15:30")
    limit = float(stage.settings.stress_20_share_max[3])
    hold_lt112(stage, now, "MES", 1, days=115)
    each = loss_in(stage, now, "S-20")
    units = int(limit / each)
    for _ in range(units - 1):
        hold_lt112(stage, now, "MES", 1, days=115)
    stage.play(evening)
    estimate = loss_in(stage, at(evening, "15:59"), "S-20")
    story = stage.play(CRASH_DAY, days[-1])
    worst = story.worst_from(at(evening, "16:00"))
    lock_ends = at(CRASH_DAY, "09:30") + timedelta(days=14)
    figures: Figures = {
        "estimate_20": estimate,
        "loss": worst,
        "loss_over_estimate": worst / estimate,
        "drawdown_level": story.highest("drawdown"),
        "entries_in_lock": len(story.openings(at(CRASH_DAY, "09:30"), lock_ends)),
        "phases_lost": sum(bool(e.before) and int(e.after) < int(e.before) for e in story.levels("phase")),
        "orders_in_halt": len(story.sent(at(CRASH_DAY, "09:30"), at(CRASH_DAY, "16:01"))),
        "shorts_left": sum(leg.is_short for p in stage.book.positions.values() for leg, _ in p.legs()),
        **implicit(story, stage.tape.sessions),
    }
    note = f"{units} MES units: the most that S-20 alone lets be held."
    return Outcome(figures, (("net liq", story),), (note,))


def october_1987() -> Outcome:
    days = days_from(tape(), CRASH_DAY, 4)
    fall = (
        Knot("09:30", -0.02, 25.0),
        Knot("10:30", -0.07, 45.0),
        Knot("12:00", -0.08, 55.0),
        Knot("14:00", -0.12, 80.0),
        Knot("16:00", -0.2047, 150.0),
    )
    stage = Stage(tape({CRASH_DAY: fall, **flat(110.0, days[1:])}), usd(100_000), everything())
    evening_before(stage, date(2018, 6, 19))
    story = stage.play(CRASH_DAY, days[-1])
    figures: Figures = {
        "loss": story.worst_from(at(date(2018, 6, 19), "16:00")),
        "drawdown_level": story.highest("drawdown"),
        "entries": len(story.openings(at(CRASH_DAY, "09:30"))),
        **implicit(story, stage.tape.sessions),
    }
    return Outcome(figures, (("net liq", story),))


PLAYS = {
    "vix-15-40-20": vix_15_40_20,
    "crash-20": crash_20,
    "crash-20-at-the-limit": crash_at_the_limit,
    "october-1987": october_1987,
}
