"""What is wrong with market data: row by row on import (``check``), and over whole sessions (``examine``).

Every kind of finding, and whether its rows are kept, is in ``kinds``; docs/verifying.md explains each.
"""

from tomking.adapters.verify.context import Context, load_context
from tomking.adapters.verify.findings import Finding, as_json, merged
from tomking.adapters.verify.kinds import KINDS, Kind, Severity
from tomking.adapters.verify.rows import Checked, check

__all__ = [
    "KINDS",
    "Checked",
    "Context",
    "Finding",
    "Kind",
    "Severity",
    "as_json",
    "check",
    "load_context",
    "merged",
]
