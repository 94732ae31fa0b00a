"""The strategies, one small module each, in the order they are asked."""

from collections.abc import Callable
from typing import Any, Protocol

from tomking.rules.strategy import Strategy
from tomking.strategies import (
    box_financing,
    butterfly_9b,
    calendar_spread,
    calendarized_112,
    diagonal,
    friday_0dte,
    futures_strangle,
    ipmcc,
    leap_put_hedge,
    leap_put_income,
    lt112,
    ratio_spread,
    vix_call_hedge,
    vix_spike_puts,
)


class Module(Protocol):
    """What a strategy's module has."""

    @property
    def Settings(self) -> Callable[[], Any]:  # noqa: N802 - a class
        """Frozen dataclass: the one home of its numbers."""
        ...

    @property
    def strategy(self) -> Callable[[Any], Strategy]:
        """The strategy with given settings."""
        ...


ALL: dict[str, Module] = {
    "friday_0dte": friday_0dte,
    "butterfly_9b": butterfly_9b,
    "lt112": lt112,
    "calendarized_112": calendarized_112,
    "ipmcc": ipmcc,
    "futures_strangle": futures_strangle,
    "ratio_spread": ratio_spread,
    "calendar_spread": calendar_spread,
    "diagonal": diagonal,
    "vix_spike_puts": vix_spike_puts,
    "leap_put_income": leap_put_income,
    "leap_put_hedge": leap_put_hedge,
    "vix_call_hedge": vix_call_hedge,
    "box_financing": box_financing,
}


def build(id_: str, settings: object = None) -> Strategy:
    """A strategy by its identity; with its default settings when none are given."""
    module = ALL[id_]
    return module.strategy(module.Settings() if settings is None else settings)
