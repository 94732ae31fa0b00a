"""Strategies of other packages: a small distribution on the path is found, examined and configured."""

import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tomking.app.config import Override, check_config, load_config
from tomking.app.outside import outside, places, strategy_ids
from tomking.app.sections import STRATEGIES
from tomking.risk.availability import PLACES
from tomking.testing import conformance

WEEKLY = '''
"""Sells a put vertical on XSP each Tuesday and closes it a week later, far above 21 days."""

from dataclasses import dataclass
from datetime import time
from decimal import Decimal

from tomking.domain.contract import Right
from tomking.domain.intent import Open, Part, Pass
from tomking.domain.settings import setting
from tomking.domain.structure import Leg, Structure
from tomking.risk.availability import Place
from tomking.rules import entry as when
from tomking.rules import exits as out
from tomking.rules import select
from tomking.rules.schedule import Days, Window
from tomking.rules.strategy import Claim, Entry, Strategy, Watch

PLACE = Place((frozenset(),) + (frozenset({"XSP"}),) * 4, lambda settings: (0, 1, 2, 3, 3))


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    delta: float = setting(0.25, low=0.1, high=0.4, source="ours", doc="The put that is sold.")


def strategy(settings):
    window = Window(time(11, 0), time(11, 30))
    return Strategy(
        id="weekly_vertical",
        title="Weekly vertical",
        priority=100,
        claim=Claim(None, "none"),
        entries=(
            Entry("vertical", window, Days(1), (when.has_market(),), lambda v, o: build(settings, v, o)),
        ),
        exits=(
            out.days_left("21 DTE", 21, time(10, 0)),
            out.keeps("target", Decimal("0.5")),
            out.stop_loss("stop", Decimal(2)),
        ),
        watch=Watch(30, time(9, 45), time(15, 45)),
        covered=("",),
    )


def build(settings, view, own):
    expiry = select.expiry_near(view.expiries("XSP"), view.today, 45, low=30, high=60)
    chain = None if expiry is None else view.chain("XSP", expiry)
    short = None if chain is None else select.nearest_delta(chain, Right.PUT, settings.delta)
    long = None if short is None else select.wing(chain, short, select.scaled(100, view.spot(), "XSP"))
    if long is None:
        return Pass(own.strategy, "vertical", "STRUCT", "no put vertical")
    spread = Structure("spread", (Leg(short, -1), Leg(long, +1)))
    quote = select.priced(view, spread)
    if quote is None or quote.mid <= 0:
        return Pass(own.strategy, "vertical", "PRICE", "no credit")
    return Open(
        strategy=own.strategy,
        entry="vertical",
        parts=(Part("spread", spread),),
        ceiling=2,
        planned_loss=2 * quote.mid,
        target_gain=quote.mid / 2,
        least_net=spread.tick,
        reason=f"{quote.mid:.2f} for a quarter delta",
    )
'''


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Puts a module and its entry point on the path, as an installed distribution has them."""
    added: list[str] = []

    def put(name: str, source: str, *, module: str | None = None, dist: str = "fake") -> None:
        module = module or name
        (tmp_path / f"{module}.py").write_text(source, encoding="utf-8")
        info = tmp_path / f"{dist}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {dist}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[tomking.strategies]\n{name} = {module}\n")
        added.append(module)

    monkeypatch.syspath_prepend(str(tmp_path))
    yield put
    for module in added:
        sys.modules.pop(module, None)


def overrides(*pairs: str) -> list[Override]:
    parted = (pair.partition("=") for pair in pairs)
    return [Override(key, value, "--set") for key, _, value in parted]


def said(*pairs: str) -> list[str]:
    _, problems = check_config(environment={"TOMKING_HOME": "/nowhere"}, overrides=overrides(*pairs))
    return [problem.line for problem in problems]


def test_nothing_is_installed_and_ours_are_all_there_are() -> None:
    assert outside() == {}
    assert strategy_ids() == STRATEGIES
    assert places(STRATEGIES) == {}


def test_it_is_found_by_its_entry_point_and_its_settings_are_a_section(install: Any) -> None:
    install("weekly_vertical", WEEKLY)
    assert strategy_ids() == (*STRATEGIES, "weekly_vertical")
    asked = overrides("backtest.strategies=lt112,weekly_vertical", "weekly_vertical.delta=0.3")
    config = load_config(environment={"TOMKING_HOME": "/nowhere"}, overrides=asked)
    settings = config.values["strategies.weekly_vertical"]
    assert outside()["weekly_vertical"].build(settings).id == "weekly_vertical"
    assert getattr(settings, "delta", None) == 0.3
    assert set(places(["lt112", "weekly_vertical"])) == {"weekly_vertical"}


def test_its_settings_are_held_to_their_ranges(install: Any) -> None:
    install("weekly_vertical", WEEKLY)
    wrong = said("weekly_vertical.delta=0.9")[0]
    assert wrong.startswith('strategies.weekly_vertical.delta = "0.9" (--set): must be a number from 0.1')
    assert 'did you mean "delta"' in said("weekly_vertical.detla=0.2")[0]


def test_it_is_not_traded_until_it_is_named(install: Any) -> None:
    install("weekly_vertical", WEEKLY)
    config = load_config(environment={"TOMKING_HOME": "/nowhere"}, overrides=[])
    assert "weekly_vertical" not in config.values["backtest"].strategies  # type: ignore[attr-defined]


def test_it_passes_the_conformance_suite(install: Any) -> None:
    install("weekly_vertical", WEEKLY)
    conformance(outside()["weekly_vertical"].module, ((date(2012, 1, 3), date(2012, 3, 30)),))


def test_a_name_nobody_offers_is_met_with_the_nearest(install: Any) -> None:
    install("weekly_vertical", WEEKLY)
    assert 'did you mean "weekly_vertical"' in said("backtest.strategies=weekly_verticle")[0]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("PLACE = Place(", "PLACES = Place(", "has no PLACE"),
        ('id="weekly_vertical"', 'id="lt112"', "must give a Strategy with the id 'weekly_vertical'"),
        ("priority=100", "priority=1", "strategies from outside ask from 100 on"),
        ('{"XSP"}', '{"VX"}', "PLACE names VX: VX (VIX futures) is never traded"),
        ('{"XSP"}', '{"ABCDEFG"}', "PLACE names ABCDEFG, which is no product of the table"),
        ("(0, 1, 2, 3, 3))", "(0, 1, 2, 3, 3), budgeted=True)", "without a budget of its own"),
        ("(0, 1, 2, 3, 3))", "(0, 1))", "for each of the 5 phases"),
        ("from decimal", "from no_such_thing", "cannot be used: ModuleNotFoundError"),
        ("= setting(0.25", "= float(0.25", "cannot be used: TypeError"),
    ],
)
def test_what_is_not_fit_is_refused_when_it_is_named_and_only_then(
    install: Any, old: str, new: str, words: str
) -> None:
    source = WEEKLY.replace(old, new, 1)
    assert source != WEEKLY
    install("weekly_vertical", source)
    assert said() == []
    refused = said("backtest.strategies=weekly_vertical")
    assert refused[0].startswith("backtest.strategies (--set): weekly_vertical: ")
    assert words in refused[0]


def test_a_name_of_ours_or_one_offered_twice_is_refused(install: Any) -> None:
    install("lt112", WEEKLY, module="other")
    assert "its name must be one of its own" in outside()["lt112"].faults[0]
    assert said() == []
    install("weekly_vertical", WEEKLY, dist="one")
    install("weekly_vertical", WEEKLY, module="copy", dist="two")
    assert "offered twice, by copy, weekly_vertical" in outside()["weekly_vertical"].faults[0]


def test_its_place_adds_to_ours_and_replaces_none() -> None:
    assert set(PLACES) == set(STRATEGIES)
