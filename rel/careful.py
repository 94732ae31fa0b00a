"""The modules that must not be wrong, in groups, each with the tests that are its own.

``rel.covered`` asks that their tests take every branch of them, ``rel.mutation`` that the tests notice small
mistakes in them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "tomking"


@dataclass(frozen=True, slots=True)
class Group:
    """Modules that belong together, and the tests that are theirs."""

    modules: tuple[str, ...]
    """Patterns of paths below ``src/tomking``."""
    tests: tuple[str, ...]
    """Files below the repository's root."""
    compiled: bool = True
    """False: kernels, which are run as plain Python, or nothing could look into them."""
    is_data: bool = False
    """Numbers with their bounds, which the documents have too: covered, and not mutated unless asked for."""

    def paths(self, only: Sequence[str] = ()) -> Iterator[Path]:
        """Of those asked for by a part of their path."""
        for path in sorted(SOURCE.rglob("*.py")):
            name = str(path.relative_to(SOURCE))
            asked = not only or any(fnmatch(name, f"*{one}*") for one in only)
            if asked and any(fnmatch(name, pattern) for pattern in self.modules) and self._owns(name):
                yield path

    def _owns(self, name: str) -> bool:
        return name in self.modules or name not in APART


KERNELS = ("risk/revalue.py", "risk/scan.py")
SETTINGS = tuple(
    f"risk/{name}.py"
    for name in ("settings", "protections", "ceilings", "coordination", "precautions", "stresses")
)
APART = KERNELS + SETTINGS
"""Modules of groups of their own, though a pattern of another group fits."""


def _unit(*names: str) -> tuple[str, ...]:
    return tuple(f"tests/unit/test_{name}.py" for name in names)


GROUPS = {
    "protocol": Group(
        ("execution/protocol/*.py", "execution/wire.py"),
        _unit("protocol_values", "protocol_desk", "protocol_edges", "protocol_more", "odd_quotes_and_limits")
        + _unit("downtime", "reconcile"),
    ),
    "order": Group(
        (
            "domain/order.py",
            "domain/trading.py",
            "kernel/alarm.py",
            "execution/plan.py",
            "execution/ladder.py",
            "execution/collar.py",
            "execution/marking.py",
        ),
        _unit("alarm", "book", "collar", "corporate_action", "fills", "kernel", "latch", "order", "plan")
        + _unit("protocol_desk", "reconcile"),
    ),
    "reconcile": Group(
        (
            "execution/reconcile.py",
            "execution/differences.py",
            "execution/unbooked.py",
            "execution/comparing.py",
        ),
        _unit("reconcile", "corporate_action", "unbooked", "protocol_edges"),
    ),
    "kill": Group(
        (
            "execution/flatten*.py",
            "adapters/latch.py",
            "risk/latched.py",
            "app/control.py",
            "app/cli/control*.py",
        ),
        (*_unit("flatten", "latch"), "tests/cli/test_control_command.py"),
    ),
    "prepare": Group(
        (
            "execution/preview.py",
            "app/prepare/*.py",
            "adapters/consent.py",
            "adapters/tastytrade/dryrun.py",
        ),
        (
            *_unit(
                "intent",
                "preparation",
                "prepared_edges",
                "prepared_guards",
                "prepared_start",
                "consent",
                "tastytrade_dryrun",
                "rollout",
            ),
            "tests/cli/test_prepare_command.py",
        ),
    ),
    "lease": Group(("adapters/lease.py", "adapters/emergency.py"), _unit("lease", "emergency")),
    "settings": Group(SETTINGS, _unit("limits", "refused_settings", "risk_desk"), is_data=True),
    "risk": Group(
        ("risk/*.py",),
        _unit(
            "availability",
            "calm",
            "coordinator",
            "drawdown",
            "gate",
            "gate_answers",
            "groups",
            "kelly",
            "kernel",
            "latch",
            "limits",
            "limits_boundaries",
        )
        + _unit(
            "live_greeks",
            "locks",
            "margin",
            "margin_published",
            "phases",
            "protect",
            "readings",
            "refused_settings",
            "risk_boundaries",
            "risk_measures",
            "scan_and_revaluation",
        )
        + _unit(
            "preparation",
            "regime",
            "rollout",
            "settings",
            "risk_desk",
            "state",
            "state_machines",
            "stress",
            "structure",
            "assignment",
            "what_is_missing",
        ),
    ),
    "kernels": Group(KERNELS, _unit("scan_and_revaluation", "margin", "margin_published"), compiled=False),
}
