"""Exits fire at their thresholds and not before: quotes by hand over a quiet Friday."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

import numpy as np

from tomking.app.scenario.books import begin, hold_lt112, some, usd, without_weeklies
from tomking.app.scenario.disturbed import Disturbed
from tomking.app.scenario.outcome import Outcome
from tomking.app.scenario.play_market import FRIDAY, nervous
from tomking.app.scenario.stage import Stage, at
from tomking.app.scenario.story import Figures, Story
from tomking.app.scenario.tape import flat, tape
from tomking.app.wiring import simulated_broker
from tomking.domain.calendar import new_york
from tomking.domain.chain import Quote
from tomking.domain.contract import Contract
from tomking.domain.intent import Open

Cost = Callable[[datetime], float]
CREDIT = 10.0


@dataclass(slots=True, eq=False)
class ByHand(Disturbed):
    """The market, but for the legs of one structure, whose mids are told; a tick either side."""

    mids: Mapping[Contract, Cost]

    def quotes(self, contracts: Sequence[Contract], now: datetime) -> list[Quote | None]:
        found = self.market.quotes(contracts, now)
        for i, contract in enumerate(contracts):
            if contract in self.mids:
                mid = Decimal(str(round(self.mids[contract](now), 4)))
                found[i] = Quote(max(Decimal(0), mid - contract.tick), mid + contract.tick, now)
        return found

    def marks(self, contracts: Sequence[Contract], now: datetime) -> "np.typing.NDArray[np.float64]":
        out = self.market.marks(contracts, now).copy()
        for i, contract in enumerate(contracts):
            if contract in self.mids:
                out[i] = self.mids[contract](now)
        return out


def _condor(cost: Cost) -> Story:
    """A condor sold for 10.00 at 10:35 that costs ``cost(now)`` from then on."""
    first = Stage(nervous(), usd(200_000), some("friday_0dte"))
    wish = next(w for w in first.wishes("friday_0dte", "0dte", _print(first)) if w.product == "ES")
    stage = Stage(nervous(), usd(200_000), some("friday_0dte"))
    told = _mids(wish, cost)
    stage.market = ByHand(stage.tape.market, (), told)
    stage.broker = simulated_broker(stage.market, stage.tape.sessions)
    stage.born()
    now = begin(stage, FRIDAY, "10:01")
    stage.take(wish, now, 1)
    stage.play(FRIDAY)
    return stage.story


def _print(stage: Stage) -> datetime:
    return begin(stage, FRIDAY, "10:01")


def _mids(wish: Open, cost: Cost) -> dict[Contract, Cost]:
    """The bought legs are worth a tick, the sold ones share the rest of the cost."""
    legs = wish.structure.legs
    shorts = [leg for leg in legs if leg.is_short]
    tick = float(wish.structure.tick)
    wings = 2 * tick * (len(legs) - len(shorts))

    def short(now: datetime) -> float:
        return (cost(now) + wings) / len(shorts)

    return {leg.contract: short if leg.is_short else (lambda _: 2 * tick) for leg in legs}


def _steps(*steps: tuple[str, float]) -> Cost:
    """The condor's cost from each wall time on; 10.00 before the first."""

    def cost(now: datetime) -> float:
        wall = f"{new_york(now):%H:%M}"
        reached = [value for since, value in steps if wall >= since]
        return reached[-1] if reached else CREDIT

    return cost


def exit_thresholds() -> Outcome:
    stop = _condor(_steps(("11:00", 29.95), ("11:30", 30.05)))
    target = _condor(_steps(("10:50", 5.30), ("11:20", 4.00)))
    timed = _condor(_steps(("11:00", 9.0)))
    both = _condor(_steps(("15:00", 31.0)))
    before, after = _dte()
    figures: Figures = {
        "stop_below": _ended(stop, "10:40", "11:30"),
        "stop_at": _ended(stop, "11:30", "11:40"),
        "target_below": _ended(target, "10:40", "11:20"),
        "target_at": _ended(target, "11:20", "11:30"),
        "time_before": _ended(timed, "10:40", "15:00"),
        "time_at": _ended(timed, "15:00", "15:10"),
        "dte_22": before,
        "dte_21": after,
        "one_group": len([e for e in both.sent(at(FRIDAY, "15:00")) if not e.order.opens]),
    }
    return Outcome(figures, (("stop", stop), ("target", target), ("time", timed)))


def _ended(story: Story, since: str, until: str) -> int:
    """Closing fills in [since, until)."""
    return sum(at(FRIDAY, since) <= fill.at < at(FRIDAY, until) for _, fill in story.closings("friday_0dte"))


def _dte() -> tuple[int, int]:
    """Closings of an LT112 at 22 and, or over the weekend before, at 21 days to its expiry."""
    days = [s.date for s in tape().sessions.between(date(2018, 6, 20), date(2018, 10, 31)).days]
    stage = Stage(tape(flat(13.0, days)), usd(200_000), (without_weeklies(),))
    id_ = hold_lt112(stage, begin(stage, days[0]), "ES", 1, days=70)
    expiry = min(c.expiry for c in stage.book.positions[id_].open_components)
    due = next(d for d in days if (expiry - d).days <= 21)
    before = max(d for d in days if d < due)
    stage.play(days[0], before)
    early = sum(o.trigger == "21 DTE" for o, _ in stage.story.closings("lt112"))
    open_before = id_ in stage.book.positions
    stage.play(due)
    return early, int(open_before and id_ not in stage.book.positions)


PLAYS = {"exit-thresholds": exit_thresholds}
