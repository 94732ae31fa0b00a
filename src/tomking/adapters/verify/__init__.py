"""What is wrong with market data: row by row on import (``check``), and over whole sessions (``examine``).

Every kind of finding, and whether its rows are kept, is in ``kinds``; docs/verifying.md explains each.
"""

from tomking.adapters.verify.across import Digest, across_findings, daily_levels, joined
from tomking.adapters.verify.context import Context, load_context
from tomking.adapters.verify.examine import examine, examine_part
from tomking.adapters.verify.findings import Finding, as_json, merged
from tomking.adapters.verify.kinds import KINDS, Kind, Severity
from tomking.adapters.verify.rows import Checked, check

__all__ = [
    "KINDS",
    "Checked",
    "Context",
    "Digest",
    "Finding",
    "Kind",
    "Severity",
    "across_findings",
    "as_json",
    "check",
    "daily_levels",
    "examine",
    "examine_part",
    "joined",
    "load_context",
    "merged",
]
