"""What every strategy promises, checked over all of them on the same made-up quarter."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache

import numpy as np
import pytest
from tests.strategies.world import Desk, World, rising_bars, skewed
from tests.worlds import weekdays

from tomking.domain.bars import Bars
from tomking.domain.calendar import Session, new_york
from tomking.domain.intent import Alternatives, Close, Intent, Mark, Open, Pass, Step
from tomking.rules.strategy import CODES, Strategy
from tomking.strategies import ALL, build

FIRST = date(2031, 1, 2)
SESSIONS = weekdays(date(2030, 6, 3), 500)
DAYS = [s for s in SESSIONS if FIRST <= s.date <= date(2031, 8, 1)]
FRIDAYS = tuple(s.date for s in SESSIONS if s.date.weekday() == 4)


def walk(seed: int) -> tuple[dict[date, float], Bars]:
    """A closing level a session, 0.8 % a day, and the bars of it."""
    random = np.random.default_rng(seed)
    before = rising_bars(FIRST, 5500.0, count=300)
    levels = 5500.0 * np.exp(np.cumsum(0.008 * random.standard_normal(len(DAYS))))
    days = np.array([s.date for s in DAYS], dtype="datetime64[D]")
    close = np.concatenate([before.close, levels])
    bars = Bars(np.concatenate([before.day, days]), close, close * 1.006, close * 0.994, close)
    return dict(zip([s.date for s in DAYS], levels, strict=True)), bars


def quarter(id_: str, seed: int) -> Desk:
    """The level walks from close to close, each wish is obeyed at the mid."""
    levels, bars = walk(seed)
    market = World(dict.fromkeys(("ES", "MES"), FRIDAYS), vol=skewed, rate=0.045, daily=bars)
    desk = Desk(build(id_), market, SESSIONS)
    last = 5500.0
    for session in DAYS if id_ == "lt112" else DAYS[:45]:
        desk.run(session, moving(desk, session, last, levels[session.date], checked))
        last = levels[session.date]
    return desk


def moving(
    desk: Desk, session: Session, start: float, end: float, check: Callable[[Desk, datetime], None]
) -> Callable[[datetime], None]:
    def to(now: datetime) -> None:
        share = (now - session.open) / (session.close - session.open)
        desk.market.moved(level=start + share * (end - start))
        if now.minute % 5 == 1:
            check(desk, now)

    return to


def checked(desk: Desk, now: datetime) -> None:
    """Deciding is pure, and once what it wished is noted it wishes no mark again."""
    first, again = desk.decide(now), desk.decide(now)
    assert first == again
    assert len({repr(w) for w in first}) == len(first), "nothing twice"
    for wish in first:
        fits(wish, desk.strategy)
    guarded = desk.strategy.guard(desk.view(now), desk.own(now))
    assert all(isinstance(w, Close | Mark) for w in guarded)


def fits(wish: Intent, strategy: Strategy) -> None:
    assert wish.strategy == strategy.id
    match wish:
        case Alternatives(choices):
            for choice in choices:
                fits(choice, strategy)
        case Open():
            assert len(wish.structure.legs) <= 4
            assert wish.ceiling >= 1
            assert min(wish.planned_loss, wish.target_gain) > 0
            assert wish.least_net % wish.structure.tick == 0
            assert wish.entry in {e.name for e in strategy.entries}
            assert {r for t in wish.targets for r in t.roles} <= {p.role for p in wish.parts}
        case Close():
            assert wish.reason
            assert wish.trigger in {e.trigger for e in strategy.exits}
        case Pass():
            assert wish.code in CODES
            assert wish.detail
        case Mark():
            assert wish.key
        case Step():
            assert strategy.life is not None
            assert wish.after in strategy.life.ways


@lru_cache
def run(id_: str, seed: int) -> Desk:
    return quarter(id_, seed)


@pytest.mark.parametrize("id_", ALL)
def test_it_opens_and_closes_what_it_opened_by_its_horizon(id_: str) -> None:
    desk = run(id_, 1)
    assert any(isinstance(w, Open | Alternatives) for _, w in desk.said), "the quarter shows nothing"
    for position in desk.positions.values():
        for part in position.open_components:
            assert part.expiry > DAYS[-1].date
            assert part.opened_dte <= 21 or (part.expiry - DAYS[-1].date).days > 21


@pytest.mark.parametrize("id_", ALL)
def test_the_same_market_gives_the_same_wishes(id_: str) -> None:
    assert run(id_, 1).said == quarter(id_, 1).said


@pytest.mark.parametrize("id_", ALL)
def test_another_path_gives_other_wishes(id_: str) -> None:
    assert run(id_, 1).said != run(id_, 2).said


@pytest.mark.parametrize("id_", ALL)
def test_after_obeying_it_wishes_nothing_more_on_the_same_quotes(id_: str) -> None:
    desk = run(id_, 1)
    by_instant: dict[datetime, list[Intent]] = {}
    for now, wish in desk.said:
        if not isinstance(wish, Pass):
            by_instant.setdefault(now, []).append(wish)
    for wishes in by_instant.values():
        closes = [(w.position, role) for w in wishes if isinstance(w, Close) for role in w.roles]
        assert len(closes) == len(set(closes)), "a component is closed once"


@pytest.mark.parametrize("id_", ALL)
def test_conditions_are_asked_in_the_order_of_the_pipeline(id_: str) -> None:
    for entry in build(id_).entries:
        codes = [CODES.index(c.code) for c in entry.when]
        assert codes == sorted(codes), f"{id_} {entry.name}"


@pytest.mark.parametrize("id_", ALL)
@pytest.mark.parametrize("grid", [0, 1, 15, 390])
def test_it_never_wakes_in_the_past_or_after_the_close(id_: str, grid: int) -> None:
    desk = Desk(build(id_), World({}), SESSIONS)
    own = desk.own(DAYS[0].open)
    for session in DAYS[:30]:
        now: datetime = session.open - timedelta(hours=3)
        while (wake := desk.strategy.next_wake(session, own, now, grid)) is not None:
            assert now < wake < session.close
            assert new_york(wake).date() == session.date
            now = wake


def test_they_ask_in_order_of_their_priority() -> None:
    built = [build(id_) for id_ in ALL]
    assert [s.priority for s in built] == sorted(s.priority for s in built)
    assert [s.id for s in built] == list(ALL)


@pytest.mark.parametrize("id_", ALL)
def test_stops_and_last_days_are_guarded(id_: str) -> None:
    guarded = {e.trigger for e in build(id_).exits if e.guardian}
    expected = {"friday_0dte": {"stop", "time", "backstop"}, "lt112": {"NP stop", "21 DTE", "weekly time"}}
    assert expected[id_] <= guarded
    assert all(Decimal(0) <= Decimal(str(build(i).claim.win_rate)) <= 1 for i in ALL)
