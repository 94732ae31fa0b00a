"""Drawdown levels, loss limits and what they force (methodology C.4)."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from tests.worlds import FRIDAY, at

from tomking.domain.book import Book, Component, Day, Position, apply
from tomking.domain.events import CashMoved, Event, SessionBegan
from tomking.domain.intent import Urgency
from tomking.domain.lifecycle import State
from tomking.domain.structure import Structure
from tomking.risk.drawdown import (
    drawdown_level,
    entries_stopped,
    forced_closes,
    guard,
    next_look,
    session_end_levels,
    size_multiplier,
    tightened_keep,
)
from tomking.risk.settings import Settings

SETTINGS = Settings()
START = Decimal(100_000)
STEP = timedelta(minutes=1)


def fresh(**changes: object) -> Book:
    book = Book(deposits=START, prior_close=START, peak=START, levels={"phase": "3"}, day=Day(session=FRIDAY))
    return replace(book, **changes)  # type: ignore[arg-type]


def after(book: Book, events: Iterable[Event]) -> Book:
    for event in events:
        book = apply(book, event)
    return book


def watched(book: Book, *dollars: int, start: str = "11:00", settings: Settings = SETTINGS) -> Book:
    """The book after steps a minute apart at these net liqs."""
    for n, net_liq in enumerate(dollars):
        book = after(book, guard(book, Decimal(net_liq), at(start) + n * STEP, settings))
    return book


def closed(book: Book, net_liq: int, now: datetime) -> Book:
    return after(book, session_end_levels(book, Decimal(net_liq), now, SETTINGS))


@pytest.mark.parametrize(
    ("net_liq", "level"),
    [
        (90_001, "GREEN"),
        (90_000, "YELLOW"),
        (85_001, "YELLOW"),
        (85_000, "ORANGE"),
        (80_000, "RED"),
        (70_000, "TERMINAL"),
    ],
)
def test_a_level_begins_at_its_drawdown(net_liq: int, level: str) -> None:
    assert drawdown_level(watched(fresh(), net_liq, net_liq)) == level


def test_one_look_is_not_enough_intraday() -> None:
    once = watched(fresh(), 84_000)
    assert drawdown_level(once) == "GREEN"
    assert drawdown_level(watched(once, 99_000, 84_000, start="11:01")) == "GREEN"
    assert drawdown_level(watched(once, 84_000, start="11:01")) == "ORANGE"


def test_thirty_seconds_must_pass_between_the_two_looks() -> None:
    book = watched(fresh(), 84_000)
    soon = at("11:00") + timedelta(seconds=29)
    assert drawdown_level(after(book, guard(book, Decimal(84_000), soon, SETTINGS))) == "GREEN"
    later = at("11:00") + timedelta(seconds=30)
    assert drawdown_level(after(book, guard(book, Decimal(84_000), later, SETTINGS))) == "ORANGE"


def test_a_first_sight_names_the_instant_of_its_confirmation() -> None:
    book = fresh()
    assert next_look(book, SETTINGS) is None
    book = after(book, guard(book, Decimal(89_000), at("11:00"), SETTINGS))
    assert next_look(book, SETTINGS) == at("11:00:30")
    assert entries_stopped(book, SETTINGS) is None
    book = after(book, guard(book, Decimal(84_000), at("11:00:30"), SETTINGS))
    assert entries_stopped(book, SETTINGS) == "drawdown level ORANGE"


def test_a_sight_of_another_session_confirms_nothing() -> None:
    book = fresh()
    book = after(book, guard(book, Decimal(89_000), at("15:59:50"), SETTINGS))
    monday = at("09:30", FRIDAY + timedelta(days=3))
    book = after(book, guard(book, Decimal(89_000), monday, SETTINGS))
    assert entries_stopped(book, SETTINGS) is None
    assert drawdown_level(book) == "GREEN"


def test_on_a_coarse_grid_one_look_confirms() -> None:
    book = fresh()
    events = guard(book, Decimal(84_000), at("11:00"), SETTINGS, grid_minutes=15)
    assert drawdown_level(after(book, events)) == "ORANGE"


def test_nothing_is_said_when_nothing_changes() -> None:
    book = watched(fresh(), 99_000)
    assert guard(book, Decimal(98_000), at("11:05"), SETTINGS) == []


def test_yellow_ends_after_two_closes_below_eight_per_cent() -> None:
    book = closed(fresh(), 89_000, at("16:00"))
    assert drawdown_level(book) == "YELLOW"
    # 92,000 is exactly 8 %: not below it.
    book = closed(book, 92_000, at("16:00"))
    book = closed(book, 93_000, at("16:00"))
    assert drawdown_level(closed(book, 91_000, at("16:00"))) == "YELLOW"
    assert drawdown_level(closed(book, 93_000, at("16:00"))) == "GREEN"


def test_orange_becomes_yellow_first() -> None:
    book = closed(fresh(), 84_000, at("16:00"))
    book = closed(closed(book, 95_000, at("16:00")), 95_000, at("16:00"))
    assert drawdown_level(book) == "YELLOW"
    book = closed(closed(book, 95_000, at("16:00")), 95_000, at("16:00"))
    assert drawdown_level(book) == "GREEN"


def test_levels_never_loosen_intraday() -> None:
    book = closed(fresh(), 84_000, at("16:00"))
    assert drawdown_level(watched(book, *[100_000] * 5)) == "ORANGE"


def test_red_locks_fourteen_days_then_restarts_from_a_new_peak_at_half_size() -> None:
    book = closed(fresh(), 79_000, at("16:00"))
    assert drawdown_level(closed(book, 79_000, at("16:00") + timedelta(days=13))) == "RED"
    book = closed(book, 79_000, at("16:00") + timedelta(days=14))
    assert drawdown_level(book) == "GREEN"
    assert book.peak == 79_000
    assert size_multiplier(book, 15.0, SETTINGS) == Decimal("0.5")
    for n in range(20):
        assert size_multiplier(book, 15.0, SETTINGS) == Decimal("0.5")
        book = closed(book, 79_000, at("16:00") + timedelta(days=15 + n))
    assert size_multiplier(book, 15.0, SETTINGS) == 1


def test_without_the_research_switch_red_waits_for_a_human() -> None:
    settings = replace(SETTINGS, restart_after_red=False)
    book = closed(fresh(), 79_000, at("16:00"))
    much_later = at("16:00") + timedelta(days=400)
    assert session_end_levels(book, Decimal(99_000), much_later, settings) == []


def restarted(net_liq: int) -> Book:
    book = closed(fresh(), net_liq, at("16:00"))
    return closed(book, net_liq, at("16:00") + timedelta(days=14))


def test_terminal_is_measured_from_the_highest_peak_ever() -> None:
    # 20 % below the new peak of 79,000 is RED, but 30 % below 100,000 comes first.
    book = restarted(79_000)
    assert drawdown_level(closed(book, 70_001, at("16:00"))) == "YELLOW"
    book = closed(book, 70_000, at("16:00"))
    assert drawdown_level(book) == "TERMINAL"
    assert drawdown_level(closed(book, 99_000, at("16:00") + timedelta(days=90))) == "TERMINAL"


def test_a_deposit_moves_the_remembered_peak() -> None:
    book = after(restarted(79_000), [CashMoved(at("16:00"), Decimal(50_000), "deposit")])
    # The old peak is now 150,000: 30 % below it is 105,000.
    assert drawdown_level(closed(book, 105_001, at("16:00"))) != "TERMINAL"
    assert drawdown_level(closed(book, 105_000, at("16:00"))) == "TERMINAL"


def test_five_per_cent_in_a_day_is_remembered_to_its_end() -> None:
    book = watched(fresh(), 95_000, 95_000, 100_000)
    assert book.levels["daily_loss"] == FRIDAY.isoformat()


def test_weeks_and_months_are_measured_from_their_first_session() -> None:
    book = watched(fresh(), 100_000)
    assert book.notes["risk.weekly_loss"] == "2031-W10 0"
    monday = FRIDAY + timedelta(days=3)
    book = after(replace(book, prior_close=Decimal(97_000)), [SessionBegan(at("09:30", monday), monday)])
    # The first step notes where the week began, the second sees the loss, the third confirms it.
    for n in range(3):
        book = after(book, guard(book, Decimal(87_300), at("10:00", monday) + n * STEP, SETTINGS))
    # 87,300 is 10 % below the week's 97,000, and 12.7 % below the month's 100,000.
    assert book.levels["weekly_loss"] == "2031-W11"
    assert "monthly_loss" not in book.levels


SPREAD = "-1 ES {0} P5400 / +1 ES {0} P5370"


def component(role: str, text: str, *, trade: str = "P1", closing: str | None = None) -> Component:
    """One unit sold for 10 points ($500), with a planned stop of 20 points ($1,000)."""
    return Component(
        role=role,
        trade=trade,
        kind="any",
        structure=Structure.parse(role, text),
        units=1,
        filled_units=1,
        entry_net=Decimal(10),
        opened=at("10:30"),
        opened_dte=0,
        dollars=Decimal(500),
        fees=Decimal(0),
        closing=closing,
        planned_loss=Decimal(20),
    )


def holding(*components: Component) -> Book:
    position = Position(
        id="P1",
        strategy="any",
        product="ES",
        state=State.ACTIVE,
        opened=at("10:30"),
        components={one.role: one for one in components},
        units=1,
        margin=Decimal(1000),
        planned_loss=Decimal(1000),
    )
    return fresh(positions={"P1": position})


def at_level(book: Book, level: str) -> Book:
    return replace(book, levels={**book.levels, "drawdown": level})


JULY = "2031-07-03"


def test_orange_closes_what_has_lost_half_of_its_stop() -> None:
    book = at_level(holding(component("spread", SPREAD.format(JULY))), "ORANGE")
    # Sold for 10: at 20 to close it has lost 10 points, half of the 20 at the stop.
    (close,) = forced_closes(book, {("P1", "spread"): Decimal(-20)}, at("11:00"), SETTINGS)
    assert (close.roles, close.urgency, close.trigger) == (("spread",), Urgency.RULE, "ORANGE")
    assert close.reason == "drawdown ORANGE closes losers: lost $500 of $1,000 at the stop"
    assert forced_closes(book, {("P1", "spread"): Decimal("-19.95")}, at("11:00"), SETTINGS) == []
    assert forced_closes(book, {}, at("11:00"), SETTINGS) == []


def test_red_closes_shorts_by_trade_and_leaves_long_only_positions() -> None:
    short = holding(
        component("PDS", SPREAD.format(JULY)),
        component("NP", "-2 ES 2031-07-03 P4600"),
        component("weekly", SPREAD.format("2031-03-14"), trade="P1/weekly"),
    )
    closes = forced_closes(at_level(short, "RED"), {}, at("11:00"), SETTINGS)
    assert [close.roles for close in closes] == [("PDS", "NP"), ("weekly",)]
    assert all(close.urgency is Urgency.STOP for close in closes)
    hedge = at_level(holding(component("hedge", "+1 ES 2031-07-03 P4600")), "RED")
    assert forced_closes(hedge, {}, at("11:00"), SETTINGS) == []


def test_what_is_being_closed_is_not_closed_again() -> None:
    book = at_level(holding(component("spread", SPREAD.format(JULY), closing="O9")), "RED")
    assert forced_closes(book, {}, at("11:00"), SETTINGS) == []


def test_the_daily_loss_closes_only_what_expires_today() -> None:
    book = watched(
        holding(
            component("main", SPREAD.format(JULY)),
            component("0DTE", SPREAD.format(FRIDAY.isoformat()), trade="P1/0DTE"),
        ),
        95_000,
        95_000,
    )
    (close,) = forced_closes(book, {}, at("11:02"), SETTINGS)
    assert close.roles == ("0DTE",)
    assert forced_closes(book, {}, at("11:02") + timedelta(days=3), SETTINGS) == []


def test_targets_tighten_from_orange_on() -> None:
    assert tightened_keep(fresh(), Decimal("0.5")) == Decimal("0.5")
    assert tightened_keep(at_level(fresh(), "YELLOW"), Decimal("0.5")) == Decimal("0.5")
    assert tightened_keep(at_level(fresh(), "ORANGE"), Decimal("0.5")) == Decimal("0.25")
    assert tightened_keep(at_level(fresh(), "ORANGE"), Decimal("0.1")) == Decimal("0.1")


def test_sizes_are_halved_in_yellow_and_nothing_without_a_vix() -> None:
    assert size_multiplier(fresh(), 15.0, SETTINGS) == 1
    assert size_multiplier(at_level(fresh(), "YELLOW"), 27.5, SETTINGS) == Decimal("0.4375")
    assert size_multiplier(at_level(fresh(), "ORANGE"), 15.0, SETTINGS) == 0
    assert size_multiplier(fresh(), None, SETTINGS) == 0
