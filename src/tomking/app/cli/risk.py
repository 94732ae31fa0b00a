"""``tomking stress`` and ``tomking risk``: what the book would lose, and how far each limit is away."""

import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tomking.app.cli.configuration import read_config
from tomking.app.standing import Position, dollars, stand
from tomking.domain.calendar import new_york
from tomking.risk.phases import phase_of
from tomking.risk.portfolio import portfolio_margin
from tomking.risk.progress import Requirement, full_size_requirements, progress
from tomking.risk.protect import trading_state
from tomking.risk.standing import GROUP, Reading
from tomking.risk.state import holding
from tomking.risk.stress import Stressed

WIDTH = 110


def print_stress(
    journal: Path | None,
    chains: Path | None,
    config: Path | None,
    assignments: Sequence[str],
    *,
    as_json: bool,
) -> None:
    """The shock table, the losses by strategy and group, and the grid."""
    found = stand(journal, chains, read_config(config, assignments))
    if as_json:
        print(json.dumps({**_head(found), **_stress_json(found)}, indent=2))
        return
    _print(
        _title(found),
        _shock_table(found),
        *_sides(found),
        *_grids(found),
        _margin_grid(found),
        *found.notes,
    )


def print_risk(
    journal: Path | None,
    chains: Path | None,
    config: Path | None,
    assignments: Sequence[str],
    *,
    as_json: bool,
) -> None:
    """The trading state, every limit with what is used of it, the number of bets, the next phase."""
    found = stand(journal, chains, read_config(config, assignments))
    if as_json:
        print(json.dumps({**_head(found), **_risk_json(found)}, indent=2))
        return
    _print(_title(found), *_state(found), _limits(found), *_sentences(found), *_progress(found), *found.notes)


# ------------------------------------------------------------------------------------------- text


def _title(found: Position) -> str:
    when = new_york(found.view.now)
    count = len(found.book.positions)
    return (
        f"{found.journal}: {when:%Y-%m-%d %H:%M} New York, net liq {dollars(found.account.net_liq)}, "
        f"phase {found.book.levels.get('phase', '0')}, VIX {found.view.vix or 0:.1f}, {count} positions"
    )


def _shock_table(found: Position) -> Table:
    table, steep = found.standing.table, found.standing.steep
    limits = {one.name: one for one in found.standing.readings}
    out = _table("shock", "index", "VIX", "gain", "steeper put skew", "most it may lose", "used")
    for shock, gain, second in zip(table.shocks, _gains(table), _gains(steep), strict=True):
        cap = limits.get(f"stress {shock.name}")
        room = ("", "") if cap is None else (dollars(-cap.limit), f"{max(0.0, cap.share):.0%}")
        moved = f"{shock.move:+.0%}" if shock.move else "", f"{shock.vix:+.1f}" if shock.vix else ""
        out.add_row(shock.name, *moved, dollars(gain), dollars(second), *room)
    return out


def _sides(found: Position) -> Iterator[Table]:
    """Gains by strategy and by correlation group, a row each."""
    table = found.standing.table
    for name, sides in (("strategy", table.by_strategy()), ("group", table.by_group())):
        out = _table(name, *(shock.name for shock in table.shocks))
        for side, gains in sides.items():
            out.add_row(side, *map(dollars, gains.tolist()))
        yield out


def _grids(found: Position) -> Iterator[Table | str]:
    moves, points = found.settings.grid_moves, found.settings.grid_vix_points
    gains = -found.standing.grid.losses(found.standing.grid.held)
    blocks = gains.reshape(len(found.settings.grid_days), len(moves), len(points))
    for days, block in zip(found.settings.grid_days, blocks, strict=True):
        yield "Gain now, by move of the index and points of VIX:" if not days else f"And {days} days ahead:"
        yield _block(moves, points, block)


def _margin_grid(found: Position) -> Table:
    moves, points = found.settings.grid_moves, found.settings.grid_vix_points
    block = found.standing.margins[: len(moves) * len(points)].reshape(len(moves), len(points))
    return _block(moves, points, block, "margin")


def _block(moves: Sequence[float], points: Sequence[float], block: np.ndarray, corner: str = "gain") -> Table:
    out = _table(corner, *(f"VIX {p:+g}" for p in points))
    for move, row in zip(moves, block.tolist(), strict=True):
        out.add_row(f"{move:+.0%}", *map(dollars, row))
    return out


def _limits(found: Position) -> Table:
    out = _table("limit", "used", "of", "share", "distance", "source")
    for one in found.standing.readings:
        out.add_row(
            one.name,
            _said(one.used, one),
            _said(one.limit, one),
            f"{one.share:.0%}",
            _said(one.limit - one.used, one),
            one.source,
        )
    return out


def _state(found: Position) -> Iterator[Table | str]:
    """Whether it trades, and everything that holds now."""
    name, why = trading_state(found.book, found.settings)
    yield f"Trading state: {name}" + (f" ({why}). Exits go on." if why else ".")
    out = _table("holds", "", "does", "until")
    for one in holding(found.book, found.view.now, found.settings):
        out.add_row(one.kind, one.name, one.value, one.until)
    if out.row_count:
        yield out


def _progress(found: Position) -> Iterator[Table | str]:
    """What the next phase and full-size contracts ask for, line by line."""
    phase, gating = phase_of(found.book), found.settings.phase_gating
    rows = _next_phase(found)
    if not rows:
        yield f"Phase {phase} is the last."
    else:
        asked = "all of it" if gating == "earned" else "by value alone; the rest is shown"
        yield f"Progress from phase {phase} to {phase + 1} (phase_gating = {gating}: {asked}):"
        yield _requirements(rows)
    asked = "not asked here; paper and live ask" if gating == "value" else "asked"
    yield f"Full-size contracts (phase_gating = {gating}: {asked}):"
    yield _requirements(_full_size(found))


def _next_phase(found: Position) -> tuple[Requirement, ...]:
    return progress(found.book, found.account.net_liq, found.view.today, found.settings)


def _full_size(found: Position) -> tuple[Requirement, ...]:
    return full_size_requirements(found.book, found.account.net_liq, found.view.today, found.settings)


def _requirements(rows: Sequence[Requirement]) -> Table:
    out = _table("requirement", "needed", "reached", "")
    for row in rows:
        out.add_row(row.name, row.needed, row.reached, "met" if row.met else "not yet")
    return out


def _said(value: float, one: Reading) -> str:
    return {"$": dollars(value), "%": f"{value:.1%}"}.get(one.unit, f"{value:.3g}")


def _sentences(found: Position) -> Iterator[str]:
    group = found.standing.fullest(GROUP)
    yield "No correlation group is in use." if group is None else f"Fullest: {group.name}, {group.share:.0%}."
    yield f"Effective number of bets: {found.standing.bets:.1f} of {len(found.book.positions)} positions."
    needs = portfolio_margin(found.standing.table.exposure)
    if needs:
        listed = ", ".join(f"{family} {dollars(need)}" for family, need in needs.items())
        yield f"A portfolio margin account would ask for: {listed} (options on futures apart)."


def _table(*columns: str) -> Table:
    out = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for i, column in enumerate(columns):
        out.add_column(column, justify="right" if i else "left", no_wrap=not i)
    return out


def _print(*parts: Table | str) -> None:
    out = io.StringIO()
    console = Console(file=out, width=WIDTH, color_system=None, force_terminal=False, highlight=False)
    for part in parts:
        console.print(Text(part) if isinstance(part, str) else part, soft_wrap=isinstance(part, str))
    print("\n".join(line.rstrip() for line in out.getvalue().splitlines()))


# ------------------------------------------------------------------------------------------- JSON


def _head(found: Position) -> dict[str, object]:
    return {
        "journal": str(found.journal),
        "at": found.view.now.isoformat(),
        "net_liq": float(found.account.net_liq),
        "phase": int(found.book.levels.get("phase", "0")),
        "vix": found.view.vix,
        "positions": len(found.book.positions),
        "notes": list(found.notes),
    }


def _stress_json(found: Position) -> dict[str, object]:
    one = found.standing
    return {
        "shocks": [
            {
                "name": shock.name,
                "gain": gain,
                "gain_steeper_skew": second,
                "by_strategy": {k: round(float(v[i]), 2) for k, v in one.table.by_strategy().items()},
                "by_group": {k: round(float(v[i]), 2) for k, v in one.table.by_group().items()},
            }
            for i, (shock, gain, second) in enumerate(
                zip(one.table.shocks, _gains(one.table), _gains(one.steep), strict=True)
            )
        ],
        "grid": [
            {"days": shock.days, "move": shock.move, "vix_points": shock.vix, "gain": gain}
            for shock, gain in zip(one.grid.shocks, _gains(one.grid), strict=True)
        ],
        "margins": [
            {"move": shock.move, "vix_points": shock.vix, "margin": round(need, 2)}
            for shock, need in zip(one.grid.shocks, one.margins.tolist(), strict=False)
            if not shock.days
        ],
    }


def _gains(found: Stressed) -> list[float]:
    return [round(gain, 2) for gain in (-found.losses(found.held)).tolist()]


def _risk_json(found: Position) -> dict[str, object]:
    one = found.standing
    fullest = one.fullest(GROUP)
    return {
        "limits": [
            {"name": r.name, "used": r.used, "limit": r.limit, "unit": r.unit, "source": r.source}
            for r in one.readings
        ],
        "state": dict(zip(("name", "why"), trading_state(found.book, found.settings), strict=True)),
        "holds": [row._asdict() for row in holding(found.book, found.view.now, found.settings)],
        "next_phase": [row._asdict() for row in _next_phase(found)],
        "full_size": [row._asdict() for row in _full_size(found)],
        "fullest_group": None if fullest is None else fullest.name,
        "effective_bets": one.bets,
        "portfolio_margin": portfolio_margin(one.table.exposure),
    }
