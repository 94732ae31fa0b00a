"""Strategies of other packages: found by their entry points, looked at before anything of them is traded.

A package offers one with::

    [project.entry-points."tomking.strategies"]
    my_strategy = "my_package.my_strategy"

where the module has what ours have, ``Settings`` and ``strategy(settings)``, and its ``PLACE`` in risk.
It is traded when ``backtest.strategies`` names it, and judged by the same gate as ours.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from tomking.app.sections import STRATEGIES
from tomking.domain.products import PRODUCTS, never_traded
from tomking.domain.settings import settings_of
from tomking.risk.availability import Place
from tomking.risk.settings import PHASES
from tomking.risk.settings import Settings as RiskSettings
from tomking.rules.strategy import Strategy

GROUP = "tomking.strategies"
FIRST_PRIORITY = 100
"""Ours are asked first."""


@dataclass(frozen=True, slots=True)
class Outside:
    """One entry point, and its module where it is fit to be traded."""

    name: str
    module: Any
    """None where it has faults."""
    faults: tuple[str, ...]

    @property
    def settings(self) -> type | None:
        kind: type | None = getattr(self.module, "Settings", None)
        return kind

    @property
    def place(self) -> Place:
        place: Place = self.module.PLACE
        return place

    def build(self, settings: object) -> Strategy:
        """The strategy with these settings."""
        built: Strategy = self.module.strategy(settings)
        return built


def outside() -> dict[str, Outside]:
    """By name, in the order of names; looked up anew each time: what is installed may change in a test."""
    found: dict[str, list[EntryPoint]] = {}
    for each in entry_points(group=GROUP):
        found.setdefault(each.name, []).append(each)
    return {name: _examined(name, found[name]) for name in sorted(found)}


def strategy_ids() -> tuple[str, ...]:
    """Every name that a configuration may enable, ours first."""
    return (*STRATEGIES, *(name for name in sorted({e.name for e in entry_points(group=GROUP)})))


def places(names: Iterable[str]) -> dict[str, Place]:
    """What those of ``names`` that are from outside declare."""
    asked = set(names) - set(STRATEGIES)
    return {name: one.place for name, one in outside().items() if name in asked} if asked else {}


def _examined(name: str, points: list[EntryPoint]) -> Outside:
    if len(points) > 1:
        offered = ", ".join(sorted(point.value for point in points))
        return Outside(name, None, (f"offered twice, by {offered}: uninstall one",))
    if name in STRATEGIES or not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        return Outside(name, None, ("its name must be one of its own, in small letters, digits and _",))
    module = None
    try:
        module = points[0].load()
        faults = tuple(_faults(name, module))
    except Exception as error:  # noqa: BLE001 - whatever is wrong there, it is theirs
        faults = (f"{points[0].value} cannot be used: {type(error).__name__}: {error}",)
    return Outside(name, None if faults else module, faults)


def _faults(name: str, module: Any) -> Iterator[str]:  # noqa: ANN401 - a module is what it has
    missing = [word for word in ("Settings", "strategy", "PLACE") if not hasattr(module, word)]
    if missing:
        yield f"{module.__name__} has no {', no '.join(missing)}"
        return
    settings_of(module.Settings)
    built = module.strategy(module.Settings())
    if not isinstance(built, Strategy) or built.id != name:
        yield f"strategy(Settings()) must give a Strategy with the id {name!r}"
    elif built.priority < FIRST_PRIORITY:
        yield f"its priority is {built.priority}: strategies from outside ask from {FIRST_PRIORITY} on"
    yield from _place_faults(module.PLACE)


def _place_faults(place: object) -> Iterator[str]:
    """A place asks for products and a number of positions; exceptions from the gate are not to be had."""
    if not isinstance(place, Place):
        yield "PLACE must be a tomking.risk.availability.Place"
        return
    if place.budgeted or place.high_priority or not place.counts:
        yield "PLACE must count as a position, without a budget of its own and without high priority"
    if place.most is None or len(place.most(RiskSettings())) != PHASES:
        yield f"PLACE.most must give a number of positions for each of the {PHASES} phases"
    for product in sorted({product for phase in place.products for product in phase}):
        if product not in PRODUCTS:
            yield f"PLACE names {product}, which is no product of the table"
        elif (why := never_traded(product)) is not None:
            yield f"PLACE names {product}: {why}"
