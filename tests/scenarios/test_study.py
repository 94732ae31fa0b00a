"""The study of protections: its paths, what its rows switch off, and that an interrupted one goes on."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tomking.app.study.account import Outcome, Watch, outcome_of, play, play_path, seat
from tomking.app.study.figures import Paths, bought_by, mean_of, spread_of, tail_mean
from tomking.app.study.lines import Line, append, read
from tomking.app.study.page import Study, as_json, page
from tomking.app.study.paths import (
    CRASH_FROM,
    CRASH_TO,
    EPISODES,
    SESSIONS,
    SYNTHETIC,
    VIX_HIGH,
    VIX_LOW,
    WARM_UP,
)
from tomking.app.study.rows import ALL_OFF, ALL_ON, ALONE, BY_KEY, PROTECTIONS
from tomking.app.study.run import Plan, run, source, strategies, world_on
from tomking.domain.intent import Urgency
from tomking.risk.settings import Settings

# ---------------------------------------------------------------------------------- paths


def test_the_same_seed_and_number_make_the_same_path_and_others_another() -> None:
    first, again = source().path(7, 3), source().path(7, 3)
    assert (first.crash, first.crash_day, first.seed) == (again.crash, again.crash_day, again.seed)
    assert (first.history.spx.close == again.history.spx.close).all()
    assert (first.history.vix.high == again.history.vix.high).all()
    others = (source().path(8, 3), source().path(7, 27))
    for other in others:
        assert first.history.spx.close[-1] != other.history.spx.close[-1]


def test_a_path_is_a_quarter_after_two_years_of_real_history() -> None:
    path, real = source().path(1, 2), source().history
    assert len(path.played) == SESSIONS
    start = int(np.searchsorted(real.spx.day, path.history.spx.day[0]))
    assert (path.history.spx.close[:WARM_UP] == real.spx.close[start : start + WARM_UP]).all()
    assert str(path.played[0].date) == str(path.history.spx.day[WARM_UP])


@pytest.mark.parametrize("number", range(12))
def test_every_bar_of_a_path_holds_its_open_and_close(number: int) -> None:
    path = source().path(3, number)
    for bars in (path.history.spx, path.history.vix, path.gold, path.oil):
        assert len(bars) == WARM_UP + SESSIONS
        played = slice(WARM_UP, None)
        body = np.stack([bars.open[played], bars.close[played]])
        # The published bars of VIX and gold may lie; what a path multiplies them by does not.
        assert (bars.high[played] >= body.max(axis=0) * (1 - 1e-9)).all()
        assert (bars.low[played] <= body.min(axis=0) * (1 + 1e-9)).all()
        assert (bars.low > 0).all()
    drawn = path.history.vix.close[WARM_UP:]
    assert drawn.min() >= VIX_LOW
    assert drawn.max() <= VIX_HIGH


def test_every_second_path_has_a_crash_and_each_takes_its_turn() -> None:
    crashes = [source().path(1, number).crash for number in range(2 * (len(EPISODES) + 1))]
    assert crashes[::2] == [""] * 12
    assert sorted(crashes[1::2]) == sorted([SYNTHETIC, *(name for name, _, _ in EPISODES)])


def test_a_crash_has_the_real_returns_and_the_real_rise_of_the_vix_in_points() -> None:
    # Every second path has one: number 3 the last of the list, August 2024, four sessions from the 1st.
    path, real = source().path(1, 3), source().history
    assert path.crash == "August 2024"
    assert CRASH_FROM <= path.crash_day <= CRASH_TO
    row = WARM_UP + path.crash_day - 1
    there = int(np.searchsorted(real.spx.day, np.datetime64("2024-08-01")))
    for day in range(4):
        for ours, theirs in ((path.history.spx, real.spx),):
            made = ours.close[row + day] / ours.close[row + day - 1]
            assert made == pytest.approx(theirs.close[there + day] / theirs.close[there + day - 1])
        rise = path.history.vix.close[row + day] - path.history.vix.close[row + day - 1]
        assert rise == pytest.approx(real.vix.close[there + day] - real.vix.close[there + day - 1])


def test_the_synthetic_crash_is_a_fifth_in_a_day_and_a_vix_of_80() -> None:
    path = source().path(1, 1)
    assert path.crash == SYNTHETIC
    row = WARM_UP + path.crash_day - 1
    spx, vix = path.history.spx, path.history.vix
    assert spx.close[row] / spx.close[row - 1] == pytest.approx(0.80)
    assert vix.close[row] == pytest.approx(max(80.0, vix.close[row - 1] + 40.0))


# ---------------------------------------------------------------------------------- rows


def test_every_row_switches_something_off_and_all_off_switches_off_what_they_do() -> None:
    for row in PROTECTIONS:
        assert row.limits or row.settings or row.exits, row.key
        assert row.limits <= ALL_OFF.limits
        assert row.exits <= ALL_OFF.exits
        assert row.settings.items() <= ALL_OFF.settings.items()
        row.risk(Settings())  # every name is a setting, and the tables fit
        alone = ALONE[row.key]
        assert not alone.limits & row.limits
        assert not set(alone.settings) & set(row.settings)
    assert ALL_ON.risk(Settings()) == Settings()


def test_without_stops_what_is_left_ends_by_time_vix_or_gain() -> None:
    kept = BY_KEY["stops"].strategies(strategies())
    urgent = {way.trigger for one in kept for way in one.exits if way.urgency is Urgency.STOP}
    assert urgent == {"backstop", "VIX"}
    without = BY_KEY["dte"].strategies(strategies())
    assert not any("21 DTE" in way.trigger for one in without for way in one.exits)


@pytest.mark.slow
def test_a_row_that_counts_as_the_same_is_the_same_and_one_that_is_branched_off_too() -> None:
    # The flash crash on session 50: what only acts in it shares all sessions before.
    path = source().path(1, 15)
    world = world_on(path.market(), path.sessions, path.played[0])
    rows = [row for row in PROTECTIONS if row.key in {"spx", "emergency"}]
    on, others = play_path(rows, world, path.played)
    assert set(others) == {"emergency"}
    whole = [seat(row, world) for row in rows]
    play(whole, path.played)
    for row, one in zip(rows, whole, strict=True):
        mine = others.get(row.key, on)
        assert outcome_of(mine.watch) == outcome_of(one.watch), row.key


# ---------------------------------------------------------------------------------- figures


def test_a_red_that_one_look_alone_sees_is_none() -> None:
    day, later = source().path(1, 0).played[0].date, source().path(1, 0).played[1].date
    watch = Watch(100.0, Settings())
    for value in (95, 75, 96):
        watch.look(value, day)  # type: ignore[arg-type]
    assert watch.depth == pytest.approx(0.05)
    watch.look(75, later)  # type: ignore[arg-type]
    assert watch.depth == pytest.approx(0.05)
    watch.look(79, later)  # type: ignore[arg-type]
    # The better of the two that agree: 79 of 100.
    assert watch.depth == pytest.approx(0.21)


def line(row: str, path: int, result: float, depth: float = 0.0, crash: str = "") -> Line:
    outcome = Outcome(result, min(result, 0.0), "2031-03-07", depth, depth, 10)
    return Line(row, str(path), crash, played=True, seconds=1.0, outcome=outcome)


def test_differences_are_taken_path_by_path() -> None:
    # All-on gains 1 % everywhere; the row 2 % in quiet quarters and -30 % in the one with a crash.
    lines = [line("on", n, 0.01, crash="x" * (n == 3)) for n in range(4)]
    lines += [line("off", n, -0.30 if n == 3 else 0.02, 0.3 * (n == 3), "x" * (n == 3)) for n in range(4)]
    on, off = Paths.of(lines, "on"), Paths.of(lines, "off")
    found = bought_by(on, off, "off")
    assert found.quiet.value == pytest.approx(-0.01)
    assert found.crash.value == pytest.approx(0.31)
    assert found.mean.value == pytest.approx((3 * -0.01 + 0.31) / 4)
    assert (found.saved, found.caused, found.changed) == (1, 0, 4)
    whole = spread_of(off, "off")
    assert whole.red.value == 0.25
    assert whole.terminal == 1
    assert whole.tail == tail_mean(off.results) == -0.30
    # Wilson's interval of one in four.
    assert whole.red.low == pytest.approx(0.0456, abs=1e-4)
    assert not mean_of(np.array([-1.0, 1.0])).is_clear


# ---------------------------------------------------------------------------------- runs


def test_an_interrupted_study_goes_on_where_it_stopped(tmp_path: Path) -> None:
    file, told = tmp_path / "lines.jsonl", []
    plan = Plan(seed=1, paths=2, years=None, rows=("on", "dte"))
    lines = run(plan, file, lambda done, wanted: told.append((done, wanted)), processes=0)
    assert told == [(2, 4), (4, 4)]
    assert [(one.row, one.path) for one in lines] == [("on", "0"), ("dte", "0"), ("on", "1"), ("dte", "1")]
    assert all(abs(one.outcome.result) < 0.5 for one in lines)
    assert all(one.outcome.trades > 0 for one in lines)

    # A line that was cut off is played again, the others are not, and the figures are the same.
    whole = file.read_text(encoding="utf-8")
    file.write_text(whole[: whole.rindex('"trades"')], encoding="utf-8")
    told.clear()
    again = run(plan, file, lambda done, wanted: told.append((done, wanted)), processes=0)
    assert told == [(4, 4)]
    assert [one.outcome for one in again] == [one.outcome for one in lines]
    assert len(read(file)) == 4

    study = Study(plan=plan, lines=lines, commit="c" * 40, code="d" * 64, minutes=0.1, processes=1)
    text = page(study)
    assert "| every protection on |" in text
    assert "| 21 DTE |" in text
    assert [json.loads(row)["row"] for row in as_json(study)] == ["on", "dte"]


def test_the_page_says_which_rules_changed_nothing_and_which_help(tmp_path: Path) -> None:
    rows = ("on", "heat", "stress", "off")
    lines = [line(row, n, 0.01, crash="x" * (n % 2)) for n in range(40) for row in ("on", "heat")]
    for n in range(40):
        lines += [line("stress", n, 0.01 - 0.2 * (n % 2), 0.2 * (n % 2), "x" * (n % 2))]
        lines += [line("off", n, -0.4 * (n % 2), 0.4 * (n % 2), "x" * (n % 2))]
        alone = [ALONE["heat"].key, ALONE["stress"].key]
        lines += [line(key, n, -0.1 * (n % 2), 0.1 * (n % 2), "x" * (n % 2)) for key in alone]
    years = [replace(line(row, 0, 0.5, 0.1), path="1990-2024") for row in rows]
    plan = Plan(seed=1, paths=40, years=(1990, 2024), rows=rows, alone=40)
    study = Study(plan=plan, lines=[*lines, *years], commit="", code="", minutes=None, processes=2)
    text = page(study)
    assert "heat: changed no path" in text
    assert "stress limits: make the worst twentieth of quarters clearly better" in text
    assert "save 20 paths from RED and bring 0 there" in text
    assert "## Each rule alone, the first 40 of these quarters" in text
    assert "+50.0 % in all" in text
    prose = [row for row in text.splitlines() if not row.startswith("|")]
    assert max(map(len, prose)) <= 120
    assert len(list(as_json(study))) == len(rows) + 4
    append(tmp_path / "kept.jsonl", lines)
    assert read(tmp_path / "kept.jsonl") == lines
