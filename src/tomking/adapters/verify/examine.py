"""Session-level checks of quotes that passed the row-level ones; nothing is taken out here."""

from collections.abc import Mapping

import polars as pl

from tomking.adapters.verify.across import Digest, across_findings, digest
from tomking.adapters.verify.arbitrage import arbitrage_findings
from tomking.adapters.verify.context import Context
from tomking.adapters.verify.findings import Finding
from tomking.adapters.verify.sessions import in_regular_hours, snapshot_findings, with_session
from tomking.adapters.verify.still import still_findings


def examine(
    quotes: pl.DataFrame, context: Context, *, daily: Mapping[str, pl.DataFrame] | None = None
) -> tuple[Finding, ...]:
    """Everything found in whole sessions or months of quotes.

    ``quotes`` has the columns of ``QUOTES`` (``line`` and ``member`` may be missing); ``daily`` is what
    ``daily_levels`` gives.
    """
    found, summary = examine_part(quotes, context)
    return (*found, *across_findings(summary, context, daily or {}))


def examine_part(quotes: pl.DataFrame, context: Context) -> tuple[tuple[Finding, ...], Digest]:
    """What is found within the sessions of one part (whole sessions), and what of it the rest needs.

    For data that do not fit into memory: the digests of all parts go to ``across_findings`` together.
    """
    dated = with_session(quotes)
    regular = in_regular_hours(dated, context)
    found = (*snapshot_findings(regular, context), *still_findings(regular), *arbitrage_findings(dated))
    return found, digest(dated)
