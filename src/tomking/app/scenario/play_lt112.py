"""LT112's life: half its credit, 21 days to go, a fall of a tenth, and what it may sell beside it."""

from datetime import date

from tomking.app.scenario.books import begin, hold_lt112, some, usd, without_weeklies
from tomking.app.scenario.outcome import Outcome
from tomking.app.scenario.stage import Stage, at
from tomking.app.scenario.story import Figures, implicit
from tomking.app.scenario.tape import Told, gliding, tape
from tomking.domain.contract import Option, Right
from tomking.domain.money import ZERO
from tomking.domain.order import part_dollars

FIRST = date(2018, 6, 20)
CAPITAL = 200_000


def _days(count: int) -> list[date]:
    return [s.date for s in tape().sessions.between(FIRST, date(2018, 12, 31)).days[:count]]


def _told(vixes: list[float], moves: list[float]) -> Told:
    days = _days(len(moves))
    return gliding(days, [13.0, *vixes], moves)


def at_45_dte() -> Outcome:
    days = _days(62)
    stage = Stage(tape(_told([12.0] * 62, [0.0008] * 62)), usd(CAPITAL), (without_weeklies(),))
    id_ = hold_lt112(stage, begin(stage, FIRST), "ES", 1, days=120)
    opened = stage.book.positions[id_]
    credit = sum((c.entry_net * c.structure.multiplier for c in opened.components.values()), ZERO)
    expiry = min(c.expiry for c in opened.components.values())
    best = 0.0
    whole = 0
    for day in days:
        if (expiry - day).days <= 24:
            break
        stage.play(day)
        now = at(day, "15:59")
        gained = float(stage.net_liq(now)) - CAPITAL
        best = max(best, gained / float(credit))
    for order, _ in stage.story.closings("lt112"):
        whole += len(order.parts) > 1
    figures: Figures = {
        "best_share": best,
        "closed_as_whole": whole,
        **implicit(stage.story, stage.tape.sessions),
    }
    return Outcome(figures, (("net liq", stage.story),))


def at_21_dte() -> Outcome:
    days = _days(60)
    count = len(days)
    vixes = [16.0, 18.0, 20.0, *[22.0] * (count - 3)]
    moves = [-0.002] * 30 + [-0.0015] * 15 + [0.0] * (count - 45)
    stage = Stage(tape(_told(vixes, moves)), usd(CAPITAL), (without_weeklies(),))
    id_ = hold_lt112(stage, begin(stage, FIRST), "ES", 1, days=60)
    expiry = min(c.expiry for c in stage.book.positions[id_].components.values())
    due = next(d for d in days if (expiry - d).days <= 21)
    stage.play(days[0], due)
    story = stage.story
    shorts = sum(leg.is_short for p in stage.book.positions.values() for leg, _ in p.legs())
    last = [f.at for _, f in story.closings("lt112")]
    figures: Figures = {
        "closed_on_the_day": float(id_ not in stage.book.positions and bool(last)),
        "short_below_21": shorts,
        **implicit(story, stage.tape.sessions),
    }
    said = ", ".join(dict.fromkeys(o.trigger for o, _ in story.closings("lt112")))
    return Outcome(figures, (("net liq", story),), (f"Closed by: {said}; due on {due}.",))


def minus_10() -> Outcome:
    vixes = [20.0, 26.0, 31.0, 36.0, 33.0, 30.0, 28.0]
    moves = [-0.025, -0.026, -0.027, -0.027, 0.005, 0.005, 0.005]
    stage = Stage(tape(_told(vixes, moves)), usd(CAPITAL), some("lt112"))
    id_ = hold_lt112(stage, begin(stage, FIRST), "ES", 1, days=60)
    days = _days(7)
    story = stage.play(days[0], days[-1])
    dollars: dict[str, float] = {}
    for order, fill in story.fills():
        if order.position == id_:
            for part, amount in zip(order.parts, part_dollars(order, fill.fill), strict=True):
                dollars[part.role] = dollars.get(part.role, 0.0) + float(amount)
    now = at(days[-1], "15:59")
    values = stage.own("lt112", now).values
    held = stage.book.positions.get(id_)
    for one in held.open_components if held else ():
        worth = values[id_, one.role] * one.units * one.structure.multiplier
        dollars[one.role] = dollars.get(one.role, 0.0) + float(worth)
    figures: Figures = {
        "np_closed": sum(any(p.role == "NP" for p in o.parts) for o, _ in story.closings("lt112")),
        "pds_gain": dollars.get("PDS", 0.0),
        "loss_share": story.worst_from(at(FIRST, "09:40")),
        **implicit(story, stage.tape.sessions),
    }
    said = ", ".join(dict.fromkeys(o.trigger for o, _ in story.closings("lt112")))
    return Outcome(figures, (("net liq", story),), (f"Closed by: {said}.",))


def weekly_calls() -> Outcome:
    stage = Stage(tape(), usd(CAPITAL), some("lt112"))
    hold_lt112(stage, begin(stage, FIRST), "ES", 1, days=120)
    monday = date(2018, 7, 23)
    stage.play(FIRST, monday)
    below = uncovered = 0
    wishes = stage.wishes("lt112", "weekly", at(monday, "09:40"))
    sold = [o.structure for o, _ in stage.story.fills(opens=True) if o.trigger == "weekly"]
    spot = stage.market.spot("SPX", at(monday, "09:40")) or 0.0
    for structure in (*sold, *(w.structure for w in wishes)):
        calls = [
            (leg.contract, leg.ratio)
            for leg in structure.legs
            if isinstance(leg.contract, Option) and leg.contract.right is Right.CALL
        ]
        below += any(ratio < 0 and float(call.strike) <= spot for call, ratio in calls)
        uncovered += sum(ratio for _, ratio in calls) < 0
    note = f"{len(sold)} sold by {monday}, {len(wishes)} more could be built then."
    return Outcome({"below_spot": below, "uncovered": uncovered}, (("net liq", stage.story),), (note,))


PLAYS = {
    "lt112-45-dte-half": at_45_dte,
    "lt112-21-dte": at_21_dte,
    "lt112-minus-10": minus_10,
    "weekly-call-uncovered": weekly_calls,
}
