"""``trades.csv``, ``run.json`` and the page, written together at the end or not at all."""

import csv
import io
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import asdict, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from math import isfinite
from pathlib import Path
from typing import Any

from tomking.adapters.codec import instant
from tomking.app.report.findings import Findings
from tomking.app.report.page import render
from tomking.domain.errors import OperatingError
from tomking.domain.record import Trade
from tomking.sim.metrics import TradeStats

SCHEMA_VERSION = 1
"""Of run.json."""

COLUMNS = (
    "id",
    "strategy",
    "entry",
    "product",
    "legs",
    "units",
    "opened",
    "closed",
    "closed_by",
    "entry_net_points",
    "gross_usd",
    "fees_usd",
    "slippage_usd",
    "net_usd",
    "parts_usd",
)


def write_report(
    report: Path, main: Findings, small: Findings | None = None, *, journal: Path | None = None
) -> dict[str, Any]:
    """Writes the page to ``report`` and the other files beside it; returns what ``run.json`` holds.

    ``journal`` is the finished journal's file: it is moved to ``journal.sqlite`` beside the report.
    Everything is made in a folder of its own first, then put in place, the page last.
    ``OperatingError`` when it cannot be written; nothing is left behind then.
    """
    run = run_facts(main, small)
    texts = {
        "trades.csv": trades_csv(main.run.history.trades),
        "run.json": json.dumps(run, indent=2, allow_nan=False) + "\n",
        report.name: render(main, small),
    }
    try:
        _put_in_place(report.parent, texts, journal)
    except OSError as error:
        raise OperatingError(
            f"{report}: the report cannot be written ({error.strerror or error});"
            " choose another place with --report"
        ) from error
    return run


def trades_csv(trades: Iterable[Trade]) -> str:
    """One row a trade in the order they closed; amounts with all their digits, instants in UTC."""
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(COLUMNS)
    for t in trades:
        parts = "; ".join(f"{role} {net:f}" for role, net in t.parts)
        opened, closed = instant(t.opened), instant(t.closed)
        amounts = (t.entry_net, t.gross, t.fees, t.slippage, t.net)
        what = (t.id, t.strategy, t.kind, t.product, t.legs, t.units, opened, closed, t.trigger)
        table.writerow((*what, *(f"{a:f}" for a in amounts), parts))
    return out.getvalue()


def run_facts(main: Findings, small: Findings | None = None) -> dict[str, Any]:
    """What ``run.json`` holds: plain values in a fixed order, nothing of this machine or its clock."""
    run, identity = main.run, main.run.identity
    facts = {
        "schema_version": SCHEMA_VERSION,
        "prices": "modelled on real underlying history" if run.modelled else "recorded quotes",
        "version": identity.version,
        "git_commit": identity.git_commit,
        "seed": run.seed,
        "config_hash": identity.config_digest,
        "data_hash": identity.data_digest,
        "journal_digest": identity.journal_head,
        "start": run.start,
        "end": run.end,
        "strategies": list(run.strategies),
        "research_switches": list(run.research),
        "command": run.command,
        "account": _account(main),
        "small_account": None if small is None else _account(small),
        "settings": {row.key: row.value for row in run.settings},
        "notes": list(run.notes),
    }
    plain: dict[str, Any] = _plain(facts)
    return plain


def _account(one: Findings) -> dict[str, Any]:
    history = one.run.history
    return {
        "label": one.run.label,
        "journal_digest": one.run.identity.journal_head,
        "journal_events": history.events,
        "capital": one.run.capital,
        "sessions": len(history.days),
        "final_net_liq": one.final,
        "net_profit": one.net_profit,
        "open_positions": history.open_positions,
        "performance": one.performance,
        "time_in_market": one.in_market,
        "bp_use_average": one.bp_average,
        "bp_use_most": one.bp_most,
        "slippage": one.slippage,
        "trades": one.total,
        "by_strategy": {
            name: _stats(stats)
            | {
                "slippage": history.slippage.get(name, Decimal(0)),
                "time_in_market": one.in_market_by_strategy[name],
            }
            for name, stats in one.by_strategy.items()
        },
        "by_entry": _nested(one.by_kind),
        "by_exit": _nested(one.by_exit),
        "claims": [
            {
                "strategy": m.claim.strategy,
                "claimed": [m.claim.low, m.claim.high],
                "source": m.claim.source,
                "measured": m.stats.win_rate,
                "interval": m.stats.interval,
                "claim_lies": m.verdict,
                "words": m.words,
            }
            for m in one.measured
        ]
        + [asdict(c) for c in one.compared],
        "declined": [asdict(r) for r in history.refusals],
        "monthly_returns": {f"{year}-{month:02d}": value for (year, month), value in one.monthly.items()},
        "yearly_returns": {str(year): value for year, value in one.yearly.items()},
    }


def _stats(stats: TradeStats) -> dict[str, Any]:
    return asdict(stats)


def _nested(groups: Mapping[tuple[str, str], TradeStats]) -> dict[str, Any]:
    nested: dict[str, Any] = {}
    for (outer, inner), stats in groups.items():
        nested.setdefault(outer, {})[inner] = stats
    return nested


def _plain(value: Any) -> Any:  # noqa: ANN401 - any value of the findings
    """Values JSON knows: amounts as exact strings, other numbers to ten places, days as ISO."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return round(value, 10) if isfinite(value) else None
        case Decimal():
            return f"{value:f}"
        case datetime():
            return instant(value)
        case date():
            return value.isoformat()
        case dict():
            return {str(key): _plain(one) for key, one in value.items()}
        case list() | tuple():
            return [_plain(one) for one in value]
        case _:
            assert is_dataclass(value), f"run.json has no form for {type(value)}"
            assert not isinstance(value, type), "a value, not its class"
            return _plain(asdict(value))


def _put_in_place(folder: Path, texts: Mapping[str, str], journal: Path | None) -> None:
    """Makes every file beside its place, then renames them; removes what it made when that fails."""
    made = _make_folders(folder)
    placed: list[Path] = []
    try:
        staging = Path(tempfile.mkdtemp(prefix=".report-", dir=folder))
        try:
            for name, text in texts.items():
                _write_through(staging / name, text)
            if journal is not None:
                shutil.copyfile(journal, staging / "journal.sqlite")
            for name in (*(["journal.sqlite"] if journal else []), *texts):
                (staging / name).replace(folder / name)
                placed.append(folder / name)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    except OSError:
        for one in placed:  # files of two runs side by side would be worse than none
            one.unlink()
        for one in made:
            one.rmdir()
        raise
    if journal is not None:
        journal.unlink(missing_ok=True)


def _make_folders(folder: Path) -> list[Path]:
    """Creates the folder and its parents; those that were new, innermost first."""
    missing = [p for p in (folder, *folder.parents) if not p.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return missing


def _write_through(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
