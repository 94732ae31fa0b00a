"""Scenarios of a market that fails: empty and thin chains, outages, impossible numbers."""

from datetime import date
from decimal import Decimal

from tomking.app.scenario.books import begin, hold_lt112, some, usd
from tomking.app.scenario.disturbed import Fault
from tomking.app.scenario.outcome import Outcome
from tomking.app.scenario.play_levels import judged, probe
from tomking.app.scenario.stage import Stage, at
from tomking.app.scenario.story import Figures, Story, implicit
from tomking.app.scenario.tape import Knot, Tape, tape
from tomking.domain.calendar import new_york
from tomking.domain.intent import Approved
from tomking.strategies import build

WEDNESDAY, THURSDAY, FRIDAY = date(2018, 6, 20), date(2018, 6, 21), date(2018, 6, 22)
KNOWN_CODES = {"DATA", "LIQ", "STRUCT", "PRICE", "CAP", "CORR", "TECH", "VIX", "SIZE", "CAL", "FILL"}
KINDS = {
    "untouched": (),
    "empty": (("empty", 0.0),),
    "one_sided": (("one-sided", 0.0),),
    "wide": (("wide", 8.0),),
    "missing": (("unlisted", 0.0),),
    "bad_greeks": (("no-greeks", 0.0),),
}


def nervous() -> Tape:
    """Three days at VIX 24 that hardly move."""
    quiet = (Knot("09:30", 0.0, 24.0), Knot("12:00", 0.001, 24.0), Knot("16:00", 0.0, 24.0))
    return tape({WEDNESDAY: quiet, THURSDAY: quiet, FRIDAY: quiet})


def thin_chains() -> Outcome:
    on = nervous()
    figures: Figures = {}
    totals: dict[str, float] = {"errors": 0, "orphans": 0, "out_of_hours": 0}
    codes: set[str] = set()
    lost = 0
    stories: list[tuple[str, Story]] = []
    for name, faults in KINDS.items():
        since, until = at(WEDNESDAY, "09:45"), at(FRIDAY, "16:01")
        stage = Stage(
            on,
            usd(200_000),
            some("friday_0dte", "lt112"),
            faults=tuple(Fault(kind, since, until, size) for kind, size in faults),
        )
        held = hold_lt112(stage, begin(stage, WEDNESDAY, "09:40"), "MES", 2)
        story = stage.play(WEDNESDAY, FRIDAY)
        figures[f"entries_{name}"] = len(story.openings())
        codes |= {e.code for e in story.declined()}
        lost += held not in stage.book.positions
        for key, value in implicit(story, on.sessions).items():
            totals[key] += value or 0
        stories.append((name, story))
    figures |= {"other_codes": len(codes - KNOWN_CODES), "lost_positions": lost, **totals}
    said = ", ".join(sorted(codes))
    return Outcome(figures, tuple(stories[:2]), (f"Refusals came with {said}.",))


def data_outage() -> Outcome:
    faults = (
        Fault("vix-stale", at(FRIDAY, "10:20"), at(FRIDAY, "11:05")),
        Fault("silent", at(FRIDAY, "12:00"), at(FRIDAY, "12:30")),
        Fault("level", at(FRIDAY, "13:00"), at(FRIDAY, "13:01"), float("nan")),
        Fault("no-vix", at(FRIDAY, "13:30"), at(FRIDAY, "13:40")),
    )
    stage = Stage(nervous(), usd(200_000), some("friday_0dte", "lt112"), faults=faults)
    now = begin(stage, FRIDAY, "10:05")
    long = hold_lt112(stage, now, "MES", 2)
    condor = stage.hold(build("friday_0dte"), "0dte", now, product="ES")
    stage.play(FRIDAY, until="12:29")
    kept = {long, condor} & set(stage.book.positions)
    story = stage.play(FRIDAY)
    ends = [f.at for o, f in story.closings("friday_0dte") if o.position == condor]
    last = new_york(max(ends)) if ends else None
    alone = Stage(nervous(), usd(200_000), some("friday_0dte", "lt112"), faults=faults)
    hold_lt112(alone, begin(alone, FRIDAY, "10:05"), "MES", 2)
    without = alone.play(FRIDAY)
    figures: Figures = {
        "entries": len(story.openings()) + len(without.openings()),
        "refused_data": len(without.declined(code="DATA")),
        "orders_in_outage": len(story.sent(at(FRIDAY, "12:00"), at(FRIDAY, "12:30"))),
        "lost_positions": 2 - len(kept),
        "closed_at": None if last is None else last.hour + last.minute / 60,
        **implicit(story, stage.tape.sessions),
    }
    return Outcome(figures, (("net liq", story),))


def extreme_inputs() -> Outcome:
    """One wish, made in quiet, judged while the world is impossible."""
    on = nervous()
    worlds = (
        ("VIX 0", ("vix", 0.0), 200_000.0),
        ("VIX 5", ("vix", 5.0), 200_000.0),
        ("VIX 149.9", ("vix", 149.9), 200_000.0),
        ("VIX 500", ("vix", 500.0), 200_000.0),
        ("level 0", ("level", 0.0), 200_000.0),
        ("level NaN", ("level", float("nan")), 200_000.0),
        ("level times 10", ("level", 10.0), 200_000.0),
        ("net liq 0", None, 0.0),
        ("net liq -1,000", None, -1_000.0),
    )
    raised = allowed = count = 0
    plain = 0
    for name, fault, worth in (("untouched", None, 200_000.0), *worlds):
        until = at(FRIDAY, "16:01")
        faults = () if fault is None else (Fault(fault[0], at(FRIDAY, "10:00"), until, fault[1]),)
        stage = Stage(on, usd(200_000), faults=faults)
        wish = probe(stage, begin(stage, FRIDAY, "09:45"))
        now = at(FRIDAY, "10:01")
        if worth != 200_000.0:
            stage.move_cash(Decimal(str(worth)) - stage.net_liq(now), now)
        try:
            verdict = judged(stage, now, wish)
        except (ArithmeticError, ValueError, AssertionError):
            raised += 1
            continue
        units = verdict.units if isinstance(verdict, Approved) else 0
        if name == "untouched":
            plain = units
            continue
        count += 1
        allowed += units > 0
    return Outcome({"permitted": allowed, "raised": raised, "judged": count, "permitted_untouched": plain})


PLAYS = {
    "empty-and-thin-chains": thin_chains,
    "data-outage": data_outage,
    "extreme-inputs": extreme_inputs,
}
