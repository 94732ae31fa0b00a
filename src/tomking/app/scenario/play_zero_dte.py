"""The Friday 0DTE: its gates to the hundredth, and its three kinds of day."""

from datetime import date

from tomking.app.scenario.books import some, usd
from tomking.app.scenario.outcome import Outcome
from tomking.app.scenario.stage import Stage
from tomking.app.scenario.story import Figures, Story, implicit
from tomking.app.scenario.tape import Knot, Tape, tape
from tomking.domain.calendar import new_york
from tomking.domain.contract import Option, Right
from tomking.rules.indicators import atr

THURSDAY, FRIDAY = date(2018, 6, 21), date(2018, 6, 22)


def _friday(*knots: Knot) -> Tape:
    """Thursday ends at the VIX that Friday begins with, so that no gap of it flags a crash."""
    first = knots[0].vix
    eve = (Knot("09:30", 0.0, first), Knot("16:00", 0.0, first))
    return tape({THURSDAY: eve, FRIDAY: knots})


def _played(*knots: Knot) -> Stage:
    stage = Stage(_friday(*knots), usd(200_000), some("friday_0dte"))
    stage.play(THURSDAY, FRIDAY)
    return stage


def _quiet(vix: float) -> tuple[Knot, ...]:
    return (Knot("09:30", 0.0, vix), Knot("12:00", 0.001, vix), Knot("16:00", 0.0, vix))


def _entries(story: Story) -> int:
    """Positions it opened."""
    return sum(o.strategy == "friday_0dte" for o, _ in story.fills(opens=True))


def vix_gate() -> Outcome:
    stages = [_played(*_quiet(vix)) for vix in (21.90, 22.00, 22.01)]
    low, edge, high = (_entries(stage.story) for stage in stages)
    figures: Figures = {
        "entries_2190": low,
        "entries_2200": edge,
        "entries_2201": high,
        **implicit(stages[2].story, stages[2].tape.sessions),
    }
    return Outcome(figures, (("VIX 22.01", stages[2].story),))


def up_2() -> Outcome:
    stage = _played(
        Knot("09:30", 0.0, 26.0),
        Knot("10:30", 0.007, 26.0),
        Knot("12:00", 0.020, 25.0),
        Knot("16:00", 0.020, 25.0),
    )
    story = stage.story
    opened = [o for o, _ in story.fills(opens=True)]
    rights = {
        leg.contract.right for o in opened for leg in o.structure.legs if isinstance(leg.contract, Option)
    }
    ends = [new_york(f.at) for _, f in story.closings("friday_0dte")]
    lost = 1 - float(stage.book.cash) / 200_000
    figures: Figures = {
        "entries": len(opened),
        "call_side_only": float(rights == {Right.CALL}),
        "loss_share_least": lost,
        "loss_share": lost,
        "closed_before_15": float(bool(ends) and max(ends).hour < 15),
        **implicit(story, stage.tape.sessions),
    }
    return Outcome(figures, (("net liq", story),))


def flat_day() -> Outcome:
    stage = _played(
        Knot("09:30", 0.0, 24.0),
        Knot("11:00", 0.002, 24.0),
        Knot("13:00", -0.002, 23.0),
        Knot("16:00", 0.001, 22.5),
    )
    story = stage.story
    opened = [(o, f) for o, f in story.fills(opens=True)]
    figures: Figures = {
        "entries": len(opened),
        "short_distance": _distance(stage),
        "closed_by_target_or_time": float(
            any(
                o.trigger in {"target", "time", "noon profit", "late profit", "near strike"}
                for o, _ in story.closings()
            )
        ),
        "gain": float(stage.book.cash) - 200_000,
        **implicit(story, stage.tape.sessions),
    }
    return Outcome(figures, (("net liq", story),))


def _distance(stage: Stage) -> float | None:
    """Of the nearer short from the index, in ATRs of 14 sessions; the index is the future's level here."""
    for order, fill in stage.story.fills(opens=True):
        spot = stage.market.spot("SPX", fill.at)
        size = atr(stage.market.bars("SPX", fill.at), 14)
        shorts = [leg.contract for leg in order.structure.legs if leg.is_short]
        if spot is None or size is None:
            return None
        ratios = [abs(float(c.strike) / _level(c, spot) - 1) for c in shorts if isinstance(c, Option)]
        return min(ratios) * spot / size
    return None


def _level(option: Option, spot: float) -> float:
    """The index in the option's points: XSP and SPY are a tenth."""
    return spot if abs(float(option.strike) / spot - 1) < 0.5 else spot / 10


def gaps() -> Outcome:
    small, large = (
        _played(Knot("09:30", gap, 24.0), Knot("12:00", gap + 0.001, 24.0), Knot("16:00", gap, 24.0))
        for gap in (0.014, 0.016)
    )
    figures: Figures = {
        "entries_14": _entries(small.story),
        "entries_16": _entries(large.story),
        "declined_gap": sum("gap" in e.details[0] for e in large.story.declined("friday_0dte")),
        **implicit(large.story, large.tape.sessions),
    }
    return Outcome(figures, (("gap of 1.4 %", small.story), ("gap of 1.6 %", large.story)))


PLAYS = {"vix-gate": vix_gate, "zero-dte-up-2": up_2, "zero-dte-flat": flat_day, "gap-1.5": gaps}
