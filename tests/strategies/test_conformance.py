"""What every strategy promises (``tomking.testing``), checked over all of them; and that the suite bites."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from tests.strategies import golden
from tests.strategies.world import Desk, World
from tests.worlds import weekdays

from tomking.domain.calendar import new_york
from tomking.domain.intent import Open, Pass
from tomking.rules.life import Life
from tomking.rules.strategy import Strategy
from tomking.strategies import ALL, build, calendarized_112, lt112
from tomking.testing import RULES, Rule, Unfit, conformance, faults, trial

SESSIONS = weekdays(date(2030, 6, 3), 300)
SPRING = ((date(2012, 1, 3), date(2012, 6, 29)),)
"""An LT112 and a calendarized 1-1-2 are opened in January, and their 21 DTE has come."""
WEEKS = ((date(2012, 1, 3), date(2012, 2, 29)),)


@pytest.mark.slow
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
@pytest.mark.parametrize("id_", ALL)
def test_it_keeps_the_rules(id_: str, rule: Rule) -> None:
    assert not faults(ALL[id_], rule)


def test_they_ask_in_order_of_their_priority() -> None:
    built = [build(id_) for id_ in ALL]
    assert [s.priority for s in built] == sorted(s.priority for s in built)
    assert [s.id for s in built] == list(ALL)


@pytest.mark.parametrize("id_", ALL)
@pytest.mark.parametrize("grid", [0, 1, 15, 390])
def test_it_never_wakes_in_the_past_or_after_the_close(id_: str, grid: int) -> None:
    desk = Desk(build(id_), World({}), SESSIONS)
    own = desk.own(SESSIONS.days[150].open)
    for session in SESSIONS.days[150:180]:
        now: datetime = session.open - timedelta(hours=3)
        while (wake := desk.strategy.next_wake(session, own, now, grid)) is not None:
            assert now < wake < session.close
            assert new_york(wake).date() == session.date
            now = wake


@pytest.mark.parametrize("id_", ALL)
def test_a_claim_is_a_share_or_none(id_: str) -> None:
    claim = build(id_).claim
    assert claim.win_rate is None or 0 < claim.win_rate < 1
    assert (claim.win_rate is None) == (claim.source == "none")


# ------------------------------------------------------------------------- strategies that break them


@dataclass(frozen=True)
class Broken:
    """A module whose strategy is another's with one thing wrong."""

    of: Any
    spoil: Callable[[Strategy], Strategy]
    Settings: Any = dict

    def strategy(self, _: object) -> Strategy:
        return self.spoil(self.of.strategy(self.of.Settings()))


def short(rule: Rule) -> str:
    words = rule.name.split(" ")
    return f"{words[0]} .. {words[-1]}"


FIT, SIZES, COVER, TIMES, CLOSED, DTE_21, GUARD, REPLAY, LIFE, ORDER = map(short, RULES)


def broken_rules(of: Any, spoil: Callable[[Strategy], Strategy], spans: Any = WEEKS) -> set[str]:
    module: Any = Broken(of, spoil)
    assert trial(module, spans) is not None, "it must trade to show anything"
    return {short(rule) for rule in RULES if faults(module, rule, spans)}


def test_without_exits_short_legs_survive_21_dte() -> None:
    found = broken_rules(calendarized_112, lambda s: replace(s, exits=()), SPRING)
    assert found >= {DTE_21, GUARD}


def test_exits_that_are_no_guardians_do_not_run_when_it_is_quarantined() -> None:
    def spoil(whole: Strategy) -> Strategy:
        return replace(whole, exits=tuple(replace(e, guardian=False) for e in whole.exits))

    assert broken_rules(calendarized_112, spoil, SPRING) == {GUARD}


def test_naked_puts_are_not_covered() -> None:
    assert broken_rules(lt112, lambda s: replace(s, covered=("",))) == {COVER}


def test_a_way_that_the_table_of_life_has_not() -> None:
    def spoil(whole: Strategy) -> Strategy:
        life = whole.life
        assert life is not None
        return replace(whole, life=Life(dict.fromkeys(life.ways, ()), life.reading))

    assert LIFE in broken_rules(calendarized_112, spoil)


def test_conditions_out_of_order() -> None:
    def spoil(whole: Strategy) -> Strategy:
        return replace(whole, entries=tuple(replace(e, when=e.when[::-1]) for e in whole.entries))

    assert ORDER in broken_rules(lt112, spoil)


def test_an_entry_without_a_reason() -> None:
    assert {FIT, CLOSED} <= broken_rules(lt112, lambda s: reasons(s, lambda _: ""))


def test_memory_outside_the_journal_is_found_out() -> None:
    def spoil(whole: Strategy) -> Strategy:
        asked: list[int] = []

        def reason(wish: Open) -> str:
            asked.append(1)
            return f"wish number {len(asked) // 2} of this process"

        return reasons(whole, reason)

    assert broken_rules(lt112, spoil) >= {FIT, REPLAY}


def reasons(whole: Strategy, reason: Callable[[Open], str]) -> Strategy:
    """The same with other words for why it enters."""

    def said(build: Callable[..., Any]) -> Callable[..., Any]:
        def wish(view: Any, own: Any) -> Any:
            found = build(view, own)
            if isinstance(found, Pass):
                return found
            return next(replace(one, reason=reason(one)) for one in getattr(found, "choices", (found,)))

        return wish

    return replace(whole, entries=tuple(replace(e, build=said(e.build)) for e in whole.entries[:1]))


def test_a_strategy_that_never_trades_is_not_waved_through() -> None:
    module: Any = Broken(lt112, lambda s: replace(s, entries=()))
    with pytest.raises(Unfit, match=r"it opened nothing in 2012-01-03 to 2012-02-29: name other spans"):
        conformance(module, WEEKS)


# -------------------------------------------------------------------------------- golden decisions


@pytest.mark.slow
@pytest.mark.parametrize("id_", ALL)
def test_its_decisions_are_those_that_were_read_and_kept(id_: str) -> None:
    kept = golden.FOLDER / f"{id_}.txt"
    remedy = f"read the difference, then `python -m tests.strategies.golden {id_}`"
    assert kept.exists(), f"no kept decisions of {id_}: {remedy}"
    assert golden.document(id_) == kept.read_text(encoding="utf-8"), remedy
