"""The roll-out ladder: what each stage allows, what the next one asks for, and what takes one back."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from tests.unit.test_gate import view
from tests.unit.test_limits import SETTINGS, account, empty, lt112, open_position, wish
from tests.worlds import FRIDAY, at

from tomking.domain import events as ev
from tomking.domain.book import Book, Working, apply
from tomking.domain.intent import Approved, Open, Refused, Urgency
from tomking.domain.order import Order
from tomking.risk import rollout
from tomking.risk.gate import case_of, judge
from tomking.risk.rollout import (
    FULL,
    LEVEL,
    NORMAL,
    ONE_MICRO,
    PAPER,
    STAGES,
    TRIGGERS,
    Break,
    Evidence,
    climbed,
    evidence_of,
    fallen,
    fitting,
    follow,
    requirements,
    source_of,
    stage_allows,
)

NOW = at("15:20")


def on(stage: str, book: Book | None = None) -> Book:
    book = book or empty()
    return replace(book, levels={**book.levels, LEVEL: stage})


def units(stage: str, opening: Open, book: Book | None = None) -> int | None:
    book = on(stage, book)
    return stage_allows(case_of(opening, book, view(), account(book), SETTINGS)).units


# ------------------------------------------------------------------------------ what a stage allows


@pytest.mark.parametrize("opening", [wish("ES"), lt112(), wish("MES")])
def test_off_the_ladder_and_at_its_top_everything_is_allowed(opening: Open) -> None:
    assert units("", opening) is None
    assert units(FULL, opening) is None


@pytest.mark.parametrize("opening", [wish("MES"), wish("XSP"), lt112()])
def test_stage_paper_opens_nothing_with_money(opening: Open) -> None:
    assert units(PAPER, opening) == 0


def test_a_stage_that_nobody_knows_opens_nothing() -> None:
    assert units("everything", wish("MES")) == 0


@pytest.mark.parametrize(("product", "allowed"), [("MES", 1), ("XSP", 1), ("ES", 0), ("SPXW", 0)])
def test_one_micro_is_one_unit_of_mes_or_xsp(product: str, allowed: int) -> None:
    assert units(ONE_MICRO, wish(product)) == allowed


def test_one_micro_is_the_0dte_and_nothing_else() -> None:
    assert units(ONE_MICRO, lt112("MES")) == 0


def test_one_micro_at_a_time() -> None:
    held = replace(empty(), positions={"1": open_position("1", strategy="friday_0dte", opening=wish("MES"))})
    assert units(ONE_MICRO, wish("MES"), held) == 0
    order = Order(
        "9", "friday_0dte", "9", wish("MES").parts, 1, Decimal(5), Decimal(4), True, Urgency.ENTRY, "", "0dte"
    )  # fmt: skip
    opening = replace(empty(), orders={"9": Working(order, NOW, Decimal(5))})
    assert units(ONE_MICRO, wish("MES"), opening) == 0


def test_what_other_strategies_hold_does_not_take_the_micros_place() -> None:
    held = replace(empty(), positions={"1": open_position("1", strategy="lt112")})
    assert units(ONE_MICRO, wish("MES"), held) == 1


def test_normal_has_the_other_limits_sizes_and_not_every_strategy() -> None:
    assert units(NORMAL, wish("ES")) is None
    assert units(NORMAL, lt112()) is None
    assert units(NORMAL, wish("ES", strategy="butterfly_9b")) == 0
    assert units(FULL, wish("ES", strategy="butterfly_9b")) is None


def test_the_gate_names_the_stage_first() -> None:
    book = on(PAPER)
    answer = judge(wish("ES"), book, view(), account(book), SETTINGS)
    assert isinstance(answer, Refused)
    assert (answer.breaches[0].code, answer.breaches[0].limit) == ("SYS", "rollout")
    assert "tomking live --next-stage" in answer.breaches[0].detail


def test_the_gate_caps_the_micro_at_one_where_it_would_allow_more() -> None:
    # Without the ladder 39 MES condors of about $100 fit into 2 % of $200,000.
    free = judge(wish("MES"), empty(), view(), account(empty()), SETTINGS)
    capped = judge(wish("MES"), on(ONE_MICRO), view(), account(on(ONE_MICRO)), SETTINGS)
    assert isinstance(free, Approved)
    assert free.units > 1
    assert isinstance(capped, Approved)
    assert capped.units == 1
    assert capped.binding.startswith("rollout: stage one_micro")


def test_one_micro_is_one_also_where_sizes_are_cut() -> None:
    # A VIX of 28 leaves 0.8 or so of a size: of one unit that is none, of the 39 that fit some 30.
    book = on(ONE_MICRO)
    excited = view(vix=28.0)
    answer = judge(wish("MES"), book, excited, account(book), SETTINGS)
    assert isinstance(answer, Approved), answer
    assert answer.units == 1
    assert answer.binding.startswith("rollout: stage one_micro")


# ------------------------------------------------------------------------------ up


def evidence(stage: str, **changes: object) -> Evidence:
    enough = Evidence(stage=stage, sessions=5, trades=5, triggers=frozenset(TRIGGERS))
    return replace(enough, **changes)  # type: ignore[arg-type]


def met(found: Evidence, stage: str) -> dict[str, bool]:
    return {one.name: one.met for one in requirements(found, stage)}


@pytest.mark.parametrize("stage", STAGES[:-1])
@pytest.mark.parametrize(("sessions", "enough"), [(4, False), (5, True), (6, True)])
def test_each_stage_lasts_five_sessions(stage: str, sessions: int, enough: bool) -> None:
    found = evidence(stage, sessions=sessions)
    assert met(found, stage)["sessions"] is enough
    assert (climbed(found, stage, NOW, "anna") is not None) is enough


@pytest.mark.parametrize(
    ("stage", "trades", "enough"),
    [
        (PAPER, 0, False), (PAPER, 1, True),
        (ONE_MICRO, 0, False), (ONE_MICRO, 1, True),
        (NORMAL, 4, False), (NORMAL, 5, True), (NORMAL, 6, True),
    ],
)  # fmt: skip
def test_each_step_asks_for_closed_trades(stage: str, trades: int, enough: bool) -> None:
    found = evidence(stage, trades=trades)
    assert met(found, stage)["closed trades"] is enough
    assert (climbed(found, stage, NOW, "anna") is not None) is enough


@pytest.mark.parametrize("missing", TRIGGERS)
def test_every_safety_trigger_must_have_been_seen_on_paper(missing: str) -> None:
    found = evidence(PAPER, triggers=frozenset(TRIGGERS) - {missing})
    assert climbed(found, PAPER, NOW, "anna") is None
    (asked,) = [one for one in requirements(found, PAPER) if not one.met]
    assert asked.reached == f"not yet: {missing}"


@pytest.mark.parametrize("stage", [ONE_MICRO, NORMAL])
def test_later_stages_do_not_ask_for_the_triggers_again(stage: str) -> None:
    assert climbed(evidence(stage, triggers=frozenset()), stage, NOW, "anna") is not None


def test_a_break_on_paper_is_forgotten_after_five_sessions() -> None:
    old, new = Break(NOW, "daily loss limit", 0), Break(NOW, "daily loss limit", 1)
    assert climbed(evidence(PAPER, sessions=5, breaks=(old,)), PAPER, NOW, "anna") is None
    assert climbed(evidence(PAPER, sessions=6, breaks=(new,)), PAPER, NOW, "anna") is None
    assert climbed(evidence(PAPER, sessions=6, breaks=(old,)), PAPER, NOW, "anna") is not None


def test_the_step_says_who_took_it_and_on_what_evidence() -> None:
    step = climbed(evidence(NORMAL), NORMAL, NOW, "anna")
    assert step is not None
    assert (step.name, step.before, step.after) == (LEVEL, NORMAL, FULL)
    assert step.detail == "anna: sessions 5, closed trades 5, breaks none"


def test_there_is_nothing_above_full() -> None:
    assert requirements(evidence(FULL), FULL) == ()
    assert climbed(evidence(FULL), FULL, NOW, "anna") is None


# ------------------------------------------------------------------------------ down


@pytest.mark.parametrize(("stage", "below"), [(FULL, NORMAL), (NORMAL, ONE_MICRO), (ONE_MICRO, PAPER)])
def test_a_break_is_one_stage_down(stage: str, below: str) -> None:
    step = fallen(evidence(stage, breaks=(Break(NOW, "it broke", 0),)), NOW)
    assert step is not None
    assert (step.before, step.after, step.detail) == (stage, below, "it broke")


@pytest.mark.parametrize("stage", ["", PAPER])
def test_there_is_nothing_below_paper(stage: str) -> None:
    assert fallen(evidence(stage, breaks=(Break(NOW, "it broke", 0),)), NOW) is None


def test_without_a_break_nothing_falls() -> None:
    assert fallen(evidence(FULL), NOW) is None


def test_a_step_down_begins_a_new_count() -> None:
    book = on(NORMAL)
    found = follow(evidence(NORMAL), book, ev.Reconciled(NOW, ("P5700: 1 there, 0 here",)), SETTINGS)
    step = fallen(found, NOW)
    assert step is not None
    after = follow(found, apply(book, step), step, SETTINGS)
    assert (after.stage, after.sessions, after.trades, after.breaks) == (ONE_MICRO, 0, 0, ())
    assert fallen(after, NOW) is None, "one break is one step"


BREAKS: dict[str, ev.Event] = {
    "a difference": ev.Reconciled(NOW, ("cash: $1.00",)),
    "a parked order": ev.OrderParked(NOW, "7", "not found for ten minutes"),
    "a strategy that raised": ev.Quarantined(NOW, "lt112", "KeyError"),
    "a daily loss": ev.LevelChanged(NOW, "daily_loss", "", "2031-03-07", "lost $10,000"),
    "a deep drawdown": ev.LevelChanged(NOW, "drawdown", "YELLOW", "ORANGE", "9 %"),
    # P4: 80 % of $200,000 is $160,000.
    "margin over its limit": ev.SessionEnded(
        NOW, FRIDAY, Decimal(200_000), Decimal(160_001), Decimal(0), 20.0, 5500.0
    ),
}
NO_BREAKS: dict[str, ev.Event] = {
    "agreement": ev.Reconciled(NOW, ()),
    "a loss limit that is over": ev.LevelChanged(NOW, "daily_loss", "2031-03-07", "", "over"),
    "a shallow drawdown": ev.LevelChanged(NOW, "drawdown", "GREEN", "YELLOW", "6 %"),
    "a halt": ev.LevelChanged(NOW, "halt", "", "anna", ""),
    "margin at its limit": ev.SessionEnded(
        NOW, FRIDAY, Decimal(200_000), Decimal(160_000), Decimal(0), 20.0, 5500.0
    ),
}


@pytest.mark.parametrize("what", BREAKS)
def test_this_is_a_break(what: str) -> None:
    assert len(follow(Evidence(), on(FULL), BREAKS[what], SETTINGS).breaks) == 1


@pytest.mark.parametrize("what", NO_BREAKS)
def test_this_is_none(what: str) -> None:
    assert follow(Evidence(), on(FULL), NO_BREAKS[what], SETTINGS).breaks == ()


# ------------------------------------------------------------------------------ the evidence


def started(day: date, source: str = "sandbox") -> ev.RunStarted:
    return ev.RunStarted(at("09:25", day), 0, "config", source, ("friday_0dte",))


def a_session(day: date) -> list[ev.Event]:
    ended = ev.SessionEnded(at("16:00", day), day, Decimal(200_000), Decimal(0), Decimal(0), 20.0, 5500.0)
    return [ev.SessionBegan(at("09:30", day), day), ended]


def paper(days: int, source: str = "sandbox") -> list[ev.Event]:
    """A journal of paper: started once, every day played."""
    first = FRIDAY - timedelta(days=days)
    events: list[ev.Event] = [
        started(first, source),
        ev.CashMoved(at("09:25", first), Decimal(200_000), "cash"),
    ]
    for n in range(days):
        events += a_session(first + timedelta(days=n))
    return events


def seen(events: Sequence[ev.Event]) -> frozenset[str]:
    found, _ = evidence_of([*paper(1), *events], SETTINGS)
    return found.triggers


def test_sessions_are_counted_when_they_have_ended() -> None:
    found, book = evidence_of([*paper(3), ev.SessionBegan(NOW, FRIDAY)], SETTINGS)
    assert (found.sessions, found.stage, found.starts) == (3, "", 1)
    assert book.day.session == FRIDAY


@pytest.mark.parametrize(
    ("name", "events"),
    [
        ("restart", [started(FRIDAY)]),
        ("halt", [ev.LevelChanged(NOW, "halt", "", "anna", "")]),
        ("closing only", [ev.LevelChanged(NOW, "manual", "", "anna", "")]),
        ("closing only", [ev.LevelChanged(NOW, "trading", "", "REDUCING", "")]),
        ("refusal", [ev.Declined(NOW, "lt112", "1-1-2", "SIZE", ("too much",))]),
        ("breaker or loss limit", [ev.LevelChanged(NOW, "breaker", "", "2", "")]),
        ("breaker or loss limit", [ev.LevelChanged(NOW, "emergency", "", "2", "")]),
        ("breaker or loss limit", [ev.LevelChanged(NOW, "weekly_loss", "", "2031-W10", "")]),
    ],
)
def test_a_trigger_is_seen_in_the_journal(name: str, events: list[ev.Event]) -> None:
    assert seen(events) == {name}


def test_a_level_that_only_warns_has_stopped_nothing() -> None:
    warnings = [ev.LevelChanged(NOW, name, "", "1", "") for name in ("breaker", "emergency")]
    assert seen(warnings) == frozenset()


def test_a_strategys_own_condition_is_no_refusal_of_the_gate() -> None:
    assert seen([ev.Declined(NOW, "lt112", "1-1-2", "VIX", ("12 is below 14",))]) == frozenset()


def test_a_guardian_exit_is_seen_and_a_target_is_none() -> None:
    def closing(urgency: Urgency) -> ev.OrderSubmitted:
        order = Order("9", "friday_0dte", "1", (), 1, Decimal(-5), None, False, urgency, "", "time")
        return ev.OrderSubmitted(NOW, order)

    book = empty()
    found = [follow(Evidence(), book, closing(urgency), SETTINGS).triggers for urgency in Urgency]
    assert dict(zip(Urgency, found, strict=True)) == {
        Urgency.ENTRY: frozenset(),
        Urgency.TARGET: frozenset(),
        Urgency.RULE: {"guardian exit"},
        Urgency.STOP: {"guardian exit"},
    }


def test_every_trigger_can_be_seen() -> None:
    assert set(TRIGGERS) == {
        "restart", "halt", "closing only", "refusal", "guardian exit", "breaker or loss limit",
    }  # fmt: skip


def test_a_journals_stage_counts_from_its_change() -> None:
    up = [
        ev.LevelChanged(NOW, LEVEL, "", PAPER, "real orders begin here"),
        ev.LevelChanged(NOW, LEVEL, PAPER, ONE_MICRO, "anna"),
    ]
    found, book = evidence_of([*paper(3), *up, *a_session(FRIDAY)], SETTINGS)
    assert (found.stage, found.sessions, found.since) == (ONE_MICRO, 1, NOW)
    assert book.levels[LEVEL] == ONE_MICRO


def test_the_ladders_limit_is_in_the_gate() -> None:
    assert rollout.ROLLOUT_LIMITS[0].check is stage_allows


# ------------------------------------------------------------------------------ where it was seen


@pytest.mark.parametrize(
    ("source", "environment", "stage", "counts"),
    [
        ("sandbox", "sandbox", PAPER, True),
        ("sandbox at 60x", "sandbox", PAPER, True),  # a rehearsal may be fast
        ("sandbox at 60x", "sandbox", NORMAL, True),
        ("sandbox", "live", PAPER, False),  # real time, and yet no broker's market
        ("sandbox at 3600x", "live", PAPER, False),
        ("cert", "live", PAPER, False),  # its fills have nothing to do with quotes
        ("simulated", "live", PAPER, True),
        ("simulated at 60x", "live", PAPER, False),
        ("simulated", "live", ONE_MICRO, False),  # from there on real orders are asked for
        ("live", "live", ONE_MICRO, True),
        ("live", "live", NORMAL, True),
        ("live at 2x", "live", NORMAL, False),
        ("cert", "cert", PAPER, True),
        ("simulated", "cert", PAPER, False),
        ("", "live", PAPER, False),  # a journal of an earlier version does not say
    ],
)
def test_days_count_where_they_fit(source: str, environment: str, stage: str, counts: bool) -> None:
    found, _ = evidence_of(paper(5, source), SETTINGS, fitting(environment, stage))
    assert found.sessions == (5 if counts else 0)
    assert found.unfit == (() if counts else (source,))


def test_a_source_says_its_speed_unless_it_is_real_time() -> None:
    assert source_of("sandbox", 1.0) == "sandbox"
    assert source_of("sandbox", 60.0) == "sandbox at 60x"
    assert source_of("sandbox", 0.0) == "sandbox at 0x"


def test_only_the_days_of_fitting_runs_count_in_one_journal() -> None:
    again: list[ev.Event] = [started(FRIDAY, "simulated"), *a_session(FRIDAY)]
    found, _ = evidence_of([*paper(3), *again], SETTINGS, fitting("live", PAPER))
    assert (found.sessions, found.starts, found.triggers) == (1, 1, frozenset())
    more: list[ev.Event] = [started(FRIDAY, "simulated"), ev.LevelChanged(NOW, "halt", "", "anna", "")]
    found, _ = evidence_of([*paper(3), *again, *more], SETTINGS, fitting("live", PAPER))
    assert found.triggers == {"restart", "halt"}


def test_a_break_counts_wherever_it_was() -> None:
    broken = ev.Reconciled(NOW, ("cash: $1.00",))
    found, _ = evidence_of([*paper(3), broken], SETTINGS, fitting("live", PAPER))
    assert len(found.breaks) == 1


def test_what_comes_before_any_start_is_no_evidence() -> None:
    found, _ = evidence_of(a_session(FRIDAY), SETTINGS, fitting("live", NORMAL))
    assert found.sessions == 0
