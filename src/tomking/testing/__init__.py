"""The conformance suite: what a strategy must keep to be traded, ours and anybody's.

In a test of your own::

    import pytest
    from tomking.testing import RULES, faults

    import my_strategy

    @pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
    def test_it_conforms(rule):
        assert not faults(my_strategy, rule)

or all at once: ``conformance(my_strategy)``.
"""

from datetime import date
from functools import cache
from typing import Any

from tomking.rules.strategy import Strategy
from tomking.strategies import Module
from tomking.testing.rules import RULES, Rule
from tomking.testing.trial import SPANS, Trial, trial_of

__all__ = ["RULES", "SPANS", "Rule", "Trial", "Unfit", "conformance", "faults", "trial"]

Spans = tuple[tuple[date, date], ...]


class Unfit(AssertionError):
    """The strategy breaks rules; says which, and where."""


def conformance(module: Module, spans: Spans = SPANS) -> None:
    """Tries the module's strategy, with its default settings, by every rule.  ``Unfit`` names all faults.

    ``spans``: first and last days within the history; the first span in which it opens anything is used.
    """
    found = {rule.name: faults(module, rule, spans) for rule in RULES}
    lines = [f"{name}:\n  " + "\n  ".join(each) for name, each in found.items() if each]
    if lines:
        raise Unfit("\n".join(lines))


def faults(module: Module, rule: Rule, spans: Spans = SPANS) -> list[str]:
    """What breaks one rule; the trial behind it is made once."""
    tried = trial(module, spans)
    if tried is None:
        return [f"it opened nothing in {', '.join(f'{a} to {b}' for a, b in spans)}: name other spans"]
    return list(rule.faults(tried))


def trial(module: Module, spans: Spans = SPANS) -> Trial | None:
    """The runs of the module's strategy; None where it opens nothing."""
    made: Any = module
    return _trial(made, spans)


@cache
def _trial(module: Any, spans: Spans) -> Trial | None:  # noqa: ANN401 - a module is what it has
    def make() -> Strategy:
        built = module.strategy(module.Settings())
        assert isinstance(built, Strategy), f"{module}: strategy(Settings()) gave {built!r}"
        return built

    return trial_of(make, getattr(module, "PLACE", None), spans)
