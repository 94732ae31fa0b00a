"""Which sections the configuration has, and the small ones that belong to no ring of the core."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from importlib import import_module

from tomking.domain.settings import setting

STRATEGIES = (
    "friday_0dte",
    "butterfly_9b",
    "lt112",
    "calendarized_112",
    "ipmcc",
    "futures_strangle",
    "ratio_spread",
    "calendar_spread",
    "diagonal",
    "vix_spike_puts",
    "leap_put_income",
    "leap_put_hedge",
    "vix_call_hedge",
    "box_financing",
)
"""Identities of the strategies, in the order they are asked; each has a section ``strategies.<id>``."""

DEFAULT_OFF = ("vix_spike_puts", "leap_put_income", "box_financing")
"""Traded only when they are named: the methodology has them off."""
DEFAULT_ON = tuple(id_ for id_ in STRATEGIES if id_ not in DEFAULT_OFF)

HISTORY_FIRST = date(1990, 1, 2)
HISTORY_LAST = date(2024, 12, 30)
"""The sessions of the history inside the package (docs/data.md)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What the run starts with."""

    capital: Decimal = setting(
        Decimal(200_000),
        low=Decimal(1),
        high=Decimal(1_000_000_000),
        source="0.4, ruling 4",
        doc="Starting cash in US dollars.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtest:
    """Which days, which strategies, which path."""

    start: date | None = setting(
        None, source="0.4, ruling 4", doc="First session that may trade; none for the first of the data."
    )
    end: date | None = setting(
        None, source="0.4, ruling 4", doc="Last session; none for the last of the data."
    )
    seed: int = setting(1, low=0, high=2**63 - 1, source="0.4, ruling 3", doc="Of the modelled paths.")
    strategies: tuple[str, ...] = setting(
        DEFAULT_ON, choices=STRATEGIES, source="B.0", doc="Which strategies are asked."
    )

    events: str | None = setting(
        None,
        source="C.10, ruling 6",
        doc="A file of earnings, dividends, splits, mergers and decisions (docs/products.md); none for none.",
    )

    def __post_init__(self) -> None:
        if self.start is not None and self.end is not None and self.end < self.start:
            raise ValueError(
                f"the end {self.end} is before the start {self.start}; give an end on or after it"
            )
        if not self.strategies:
            raise ValueError(f"no strategy is named; name one or more of {', '.join(STRATEGIES)}")
        if len(set(self.strategies)) < len(self.strategies):
            raise ValueError(f"a strategy is named twice in {','.join(self.strategies)}; name each once")


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """What real orders ask of a person."""

    production: bool = setting(
        default=False,
        source="D.9",
        doc="The first of two keys: whether this installation may trade the production system at all.",
    )
    armed: tuple[str, ...] = setting(
        (),
        source="D.9, S0",
        doc="Strategies whose openings are sent without approval, once the dry run is clean.",
    )
    approval_minutes: int = setting(
        10, low=1, high=120, source="D.9", doc="How long a prepared order waits for its approval."
    )
    price_room_share: Decimal = setting(
        Decimal("0.05"),
        low=Decimal(0),
        high=Decimal("0.20"),
        source="D.9, D.3",
        doc="How far the market may move from the first limit, as a share of it, until the order is sent.",
    )


def sections() -> dict[str, type]:
    """Section name to the dataclass of its settings, in the order they are shown.

    Imported when asked for: the command line's help needs none of them.
    """
    found: dict[str, type] = {"account": Account, "backtest": Backtest, "live": Live}
    modules = {"risk": "tomking.risk.settings"} | {
        f"strategies.{s}": f"tomking.strategies.{s}" for s in STRATEGIES
    }
    for name, module in modules.items():
        kind = import_module(module).Settings
        assert isinstance(kind, type)
        found[name] = kind
    return found
