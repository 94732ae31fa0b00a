"""Historic days, played from a book that the gate itself permitted, with every strategy at work."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from tomking.app.scenario.books import begin, everything, hold_rungs, strangle, usd
from tomking.app.scenario.disturbed import Fault
from tomking.app.scenario.outcome import Outcome
from tomking.app.scenario.play_levels import judged, probe
from tomking.app.scenario.stage import Stage, at
from tomking.app.scenario.story import Figures, Story, implicit
from tomking.app.scenario.tape import Knot, Told, tape
from tomking.domain.calendar import new_york
from tomking.domain.intent import Approved, Open
from tomking.risk.drawdown import size_multiplier
from tomking.risk.emergency import ramp_share

CAPITAL = 200_000


@dataclass(frozen=True, slots=True)
class Episode:
    """When the book is made, what is played, and what is wrong with the market meanwhile."""

    opened: date
    """The book is made at 10:35 of this session."""
    last: date
    told: Told
    faults: tuple[Fault, ...] = ()


def played(episode: Episode) -> tuple[Stage, str]:
    """The book as the gate permits it, one thing after the other, then every session to the last."""
    stage = Stage(tape(episode.told or None), usd(CAPITAL), everything(), faults=episode.faults)
    said = permitted_book(stage, episode.opened)
    stage.play(episode.opened, episode.last)
    return stage, said


def permitted_book(stage: Stage, day: date) -> str:
    """An LT112, an MGC strangle, an IPMCC and hedge rungs, each in the units that the gate allows."""
    now = begin(stage, day, "10:35")
    words: list[str] = []
    for product in ("ES", "MES"):
        if _taken(stage, now, probe(stage, now, product), words):
            break
    for product in ("MGC", "GC"):
        if _taken(stage, now, strangle(stage, now, product), words):
            break
    pairs = stage.wishes("ipmcc", "LEAP and weekly", now)
    if stage.book.of("ipmcc"):
        words.append("an IPMCC that it had bought itself")
    elif not pairs:
        words.append("no IPMCC (its own conditions)")
    else:
        _taken(stage, now, pairs[0], words)
    try:
        hold_rungs(stage, now, 3)
        words.append("3 hedge rungs")
    except AssertionError:
        hold_rungs(stage, now, 1)
        words.append("1 hedge rung, as the VIX is above 25")
    return "Held at the start: " + ", ".join(words) + "."


def _taken(stage: Stage, now: datetime, wish: Open, words: list[str]) -> bool:
    """Takes what the gate permits of a wish; minutes between entries and the market's hours do not count."""
    verdict = judged(stage, now, wish)
    breaches = (
        [] if isinstance(verdict, Approved) else [b for b in verdict.breaches if b.limit != "entry spacing"]
    )
    if breaches:
        words.append(f"no {wish.strategy} in {wish.product} ({breaches[0].limit})")
        return False
    units = verdict.units if isinstance(verdict, Approved) else 1
    stage.take(wish, now, units)
    words.append(f"{units} {wish.product} {wish.strategy}")
    return True


# ------------------------------------------------------------------ what is asked of every episode


def _span(
    day: date, wall: str = "09:30", *, until: date | None = None, end: str = "16:01"
) -> tuple[datetime, datetime]:
    return at(day, wall), at(until or day, end)


def _common(story: Story, stage: Stage) -> Figures:
    """What every historic day claims (H.4)."""
    return {
        "short_vol": max(m.short_vol for m in story.moments),
        "worst_session": min(story.days().values()),
        **implicit(story, stage.tape.sessions),
    }


def _opened(story: Story, since: datetime, until: datetime) -> int:
    return len(story.openings(since, until))


def size_at(stage: Stage, now: datetime) -> float:
    """The multiplier of drawdown, VIX and ramps."""
    seen = stage.market.vix(now)
    factor = size_multiplier(stage.book, None if seen is None else seen[0], stage.settings)
    return float(factor * ramp_share(stage.book, stage.settings))


def august_2024() -> Outcome:
    stage = Stage(tape(), usd(CAPITAL), everything())
    said = permitted_book(stage, date(2024, 7, 31))
    stage.play(date(2024, 7, 31), date(2024, 8, 9))
    size = size_at(stage, at(date(2024, 8, 9), "15:59"))
    story = stage.play(date(2024, 8, 12), date(2024, 8, 30))
    fifth = date(2024, 8, 5)
    figures: Figures = {
        "move": stage.tape.move(fifth),
        "loss": _loss(story, date(2024, 7, 31), date(2024, 8, 8)),
        "worst_day": min(story.days().values()),
        "emergency_level": story.highest("emergency", *_span(fifth)),
        "entries_5_to_7": _opened(story, *_span(fifth, until=date(2024, 8, 7))),
        "liquidated_before_open": len(story.sent(at(fifth, "00:00"), at(fifth, "09:30"))),
        "size_after": size,
        "entries_later": _opened(story, *_span(date(2024, 8, 9), until=date(2024, 8, 30))),
        "drawdown_level": story.highest("drawdown"),
        "drawdown_level_most": story.highest("drawdown"),
        **_common(story, stage),
    }
    return Outcome(figures, (("net liq", story),), (said,))


NARRATIVE = {
    date(2024, 8, 5): (
        Knot("09:30", -0.045, 65.0),
        Knot("12:00", -0.045, 65.0),
        Knot("16:00", -0.02997, 38.57),
    )
}


def august_narrative() -> Outcome:
    stage, said = played(Episode(date(2024, 7, 31), date(2024, 8, 9), NARRATIVE))
    story, fifth = stage.story, date(2024, 8, 5)
    spot = stage.tape.market.spot("SPX", at(fifth, "09:30"))
    figures: Figures = {
        "move_at_open": (spot or 0.0) / stage.tape.close(date(2024, 8, 2)) - 1,
        "loss": _loss(story, date(2024, 7, 31), date(2024, 8, 8)),
        "emergency_level": story.highest("emergency", *_span(fifth)),
        "entries_5_to_7": _opened(story, *_span(fifth, until=date(2024, 8, 7))),
        **_common(story, stage),
    }
    return Outcome(figures, (("net liq", story),), (said,))


def _loss(story: Story, first: date, last: date) -> float:
    """Greatest fall below the close of ``first``, to the close of ``last``."""
    return story.worst_from(at(first, "16:00"), at(last, "16:01"))


COVID_HALTS = (
    (date(2020, 3, 9), "09:34", "09:49"),
    (date(2020, 3, 12), "09:35", "09:50"),
    (date(2020, 3, 16), "09:30", "09:45"),
    (date(2020, 3, 18), "12:56", "13:11"),
)


def covid_2020() -> Outcome:
    halts = tuple(Fault("silent", at(day, a), at(day, b)) for day, a, b in COVID_HALTS)
    stage, said = played(Episode(date(2020, 2, 19), date(2020, 4, 30), {}, halts))
    story = stage.story
    figures: Figures = {
        "move": stage.tape.close(date(2020, 3, 23)) / stage.tape.close(date(2020, 2, 19)) - 1,
        "level_from_27_february": story.highest(
            "emergency", *_span(date(2020, 2, 27), until=date(2020, 3, 6))
        ),
        "loss": _loss(story, date(2020, 2, 19), date(2020, 4, 30)),
        "reds": sum(e.after == "RED" for e in story.levels("drawdown")),
        "entries_above_40": _above(stage, 40.0),
        "orders_in_halts": sum(len(story.sent(f.since, f.until)) for f in halts),
        "hedge_gain": _won(stage, "leap_put_hedge"),
        **_common(story, stage),
    }
    return Outcome(figures, (("net liq", story),), (said,))


def _above(stage: Stage, vix: float) -> int:
    seen = [stage.market.vix(e.at) for e in stage.story.openings()]
    return sum(one is not None and one[0] >= vix for one in seen)


def _won(stage: Stage, strategy: str) -> float:
    """Dollars of everything a strategy has closed."""
    return float(sum(r.won - r.lost for k, r in stage.book.records.items() if k.startswith(f"{strategy}:")))


def volmageddon_2018() -> Outcome:
    fifth = date(2018, 2, 5)
    told = {
        fifth: (
            Knot("09:30", -0.005, 18.8),
            Knot("12:00", -0.006, 18.5),
            Knot("14:40", -0.018, 22.0),
            Knot("15:10", -0.0455, 32.0),
            Knot("15:25", -0.030, 29.0),
            Knot("16:00", -0.04098, 37.32),
        )
    }
    stage, said = played(Episode(date(2018, 2, 2), date(2018, 2, 16), told))
    story = stage.story
    flags = [e.at for e in story.levels("pause.vix_crash") if e.after and e.at >= at(fifth, "09:30")]
    since = min(flags, default=at(fifth, "09:30"))
    figures: Figures = {
        "move": stage.tape.move(fifth),
        "crash_flag": sum(new_york(one).date() == fifth for one in flags),
        "breaker_level": story.highest("breaker", *_span(fifth)),
        "loss": _loss(story, date(2018, 2, 2), date(2018, 2, 16)),
        "entries_5_to_7": _opened(story, since, at(date(2018, 2, 6), "16:01")),
        **_common(story, stage),
    }
    return Outcome(figures, (("net liq", story),), (said,))


def august_2015() -> Outcome:
    monday = date(2015, 8, 24)
    faults = (
        Fault("no-vix", at(monday, "09:30"), at(monday, "10:00")),
        Fault("wide", at(monday, "09:30"), at(monday, "10:15"), 10.0),
    )
    stage, said = played(Episode(date(2015, 8, 20), date(2015, 9, 4), {}, faults))
    story = stage.story
    early = [e for e in story.sent(at(monday, "09:30"), at(monday, "10:15")) if not e.order.opens]
    figures: Figures = {
        "move": stage.tape.move(monday),
        "entries_24": _opened(story, *_span(monday)),
        "paid_over_model": _worst_paid(story, at(monday, "09:30"), at(monday, "10:15")),
        "emergency_level": story.highest("emergency", *_span(monday)),
        "loss": _loss(story, date(2015, 8, 20), date(2015, 9, 4)),
        **_common(story, stage),
    }
    note = f"Closing orders sent before 10:15: {len(early)}."
    return Outcome(figures, (("net liq", story),), (said, note))


def flash_crash_2010() -> Outcome:
    day = date(2010, 5, 6)
    told = {
        day: (
            Knot("09:30", -0.002, 25.5),
            Knot("12:00", -0.008, 26.5),
            Knot("14:00", -0.024, 29.5),
            Knot("14:32", -0.032, 31.5),
            Knot("14:40", -0.052, 36.0),
            Knot("14:45", -0.08585, 40.71),
            Knot("14:50", -0.060, 38.0),
            Knot("15:00", -0.038, 34.0),
            Knot("16:00", -0.03240, 32.80),
        )
    }
    wide = Fault("wide", at(day, "14:40"), at(day, "15:00"), 10.0)
    stage, said = played(Episode(date(2010, 5, 5), date(2010, 5, 14), told, (wide,)))
    story = stage.story
    reached = [
        new_york(e.at) for e in story.levels("breaker") if e.after in {"2", "3"} and e.at >= at(day, "09:30")
    ]
    figures: Figures = {
        "move": stage.tape.move(day),
        "breaker_level": story.highest("breaker", *_span(day)),
        "breaker_hour": min((r.hour + r.minute / 60 for r in reached), default=None),
        "opened_in_crash": _opened(story, at(day, "14:30"), at(day, "16:01")),
        "paid_over_model": _worst_paid(story, at(day, "14:30"), at(day, "15:30")),
        "loss": _loss(story, date(2010, 5, 5), date(2010, 5, 14)),
        **_common(story, stage),
    }
    return Outcome(figures, (("net liq", story),), (said,))


def _worst_paid(story: Story, since: datetime, until: datetime) -> float:
    """The most that a closing in [since, until) paid over the mids; 1 when none paid anything."""
    paid = [
        _paid_over_mid(f.fill.leg_prices, f.fill.leg_mids, [leg.ratio for leg in o.structure.legs])
        for o, f in story.closings()
        if since <= f.at < until
    ]
    return max(paid, default=1.0)


def _paid_over_mid(prices: Sequence[object], mids: Sequence[object], ratios: Sequence[int]) -> float:
    """What was paid on closing over the mids: 1.2 is a fifth too much."""
    paid = sum(r * float(str(p)) for r, p in zip(ratios, prices, strict=True))
    fair = sum(r * float(str(m)) for r, m in zip(ratios, mids, strict=True))
    return paid / fair if fair > 0 else 1.0


def december_2018() -> Outcome:
    stage = Stage(tape(), usd(CAPITAL), everything())
    said = permitted_book(stage, date(2018, 10, 3))
    past = 0
    for session in stage.tape.sessions.between(date(2018, 10, 3), date(2018, 12, 31)):
        stage.play(session.date)
        past += sum(
            one.structure.has_short_leg and one.opened_dte > 21 and (one.expiry - session.date).days <= 21
            for p in stage.book.positions.values()
            for one in p.open_components
            if p.strategy != "futures_strangle"
        )
    story = stage.story
    figures: Figures = {
        "move": stage.tape.move(date(2018, 12, 24)),
        "loss": _loss(story, date(2018, 10, 3), date(2018, 12, 31)),
        "held_past_21": past,
        "drawdown_level": story.highest("drawdown"),
        **_common(story, stage),
    }
    return Outcome(figures, (("net liq", story),), (said,))


APRIL = (
    (-0.0484, 21.5, 30.0),
    (-0.0597, 33.0, 45.31),
    (-0.0023, 60.13, 46.98),
    (-0.0157, 44.0, 52.33),
    (0.0952, 52.0, 33.62),
)
"""Moves of 3, 4, 7, 8 and 9 April 2025, with VIX near the open and at the close."""


def april_2025() -> Outcome:
    days = [s.date for s in tape().sessions.between(date(2024, 4, 3), date(2024, 4, 30)).days[:10]]
    told = {
        day: (
            Knot("09:30", move / 2, first),
            Knot("13:00", move * 0.4, (first + last) / 2),
            Knot("16:00", move, last),
        )
        for day, (move, first, last) in zip(days, APRIL, strict=False)
    }
    calm = {
        day: (Knot("09:30", 0.0, vix), Knot("16:00", 0.003, vix))
        for day, vix in zip(days[5:], (38, 35, 32, 30, 28), strict=True)
    }
    stage, said = played(Episode(date(2024, 4, 2), days[-1], {**told, **calm}))
    story, up = stage.story, days[4]
    figures: Figures = {
        "up_move": stage.tape.move(up),
        "emergency_level": story.highest("emergency"),
        "rolled_losers": sum(e.order.strategy == "ipmcc" for e in story.openings(*_span(up))),
        "worst_day": min(story.days().values()),
        "loss": _loss(story, date(2024, 4, 2), days[-1]),
        **_common(story, stage),
    }
    return Outcome(figures, (("net liq", story),), (said,))


PLAYS = {
    "august-2024": august_2024,
    "august-2024-narrative": august_narrative,
    "covid-2020": covid_2020,
    "volmageddon-2018": volmageddon_2018,
    "august-2015": august_2015,
    "flash-crash-2010": flash_crash_2010,
    "december-2018": december_2018,
    "april-2025": april_2025,
}
