"""One picture a scenario, as SVG text: net liq, VIX and index, positions and levels, one above the other."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tomking.app.scenario.story import Moment, Story
from tomking.domain.calendar import new_york

Floats = NDArray[np.float64]

WIDTH, LEFT, RIGHT, TOP, PANEL, GAP = 760, 70, 16, 34, 118, 30
INK, GRID, PAPER = "#333333", "#dddddd", "#ffffff"
COLOURS = ("#1f6fb4", "#d9730d", "#6a3d9a", "#2e8b57", "#8a8a8a")
LEVELS_TOP = 4.0
OPEN, SESSION = 570, 390
"""Minutes of the day, and of a session."""
POINTS_MAX = 260
"""Per line: more is not seen."""


@dataclass(frozen=True, slots=True)
class _Line:
    name: str
    y: Floats
    stepped: bool = False


@dataclass(frozen=True, slots=True)
class _Panel:
    title: str
    lines: tuple[_Line, ...]
    low: float | None = None
    high: float | None = None


def picture(title: str, stories: Sequence[tuple[str, Story]]) -> str:
    """The main story's panels, and the others' net liq beside its own."""
    name, main = stories[0]
    moments = _thinned(main.moments)
    days = [new_york(m.at).strftime("%m-%d") for m in moments]
    across = _across(moments)
    worth = [_Line(name, np.array([m.net_liq for m in moments]) / 1000)]
    for other, story in stories[1:]:
        worth.append(_Line(other, _on(moments, story.moments) / 1000))
    panels = [
        _Panel("net liq, $1,000", tuple(worth)),
        _Panel("VIX", (_Line("VIX", _column([m.vix for m in moments])),)),
        _Panel("index, points", (_Line("SPX", _column([m.spot for m in moments])),)),
        _Panel(
            "positions and levels",
            (
                _Line("positions", np.array([float(m.positions) for m in moments]), stepped=True),
                _Line("emergency", np.array([float(m.emergency) for m in moments]), stepped=True),
                _Line("breaker", np.array([float(m.breaker) for m in moments]), stepped=True),
                _Line("drawdown", np.array([_DEPTH[m.drawdown] for m in moments]), stepped=True),
            ),
            low=0.0,
            high=max(LEVELS_TOP, *(float(m.positions) for m in moments)) if moments else LEVELS_TOP,
        ),
    ]
    height = TOP + len(panels) * (PANEL + GAP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}">',
        '<g font-family="sans-serif" font-size="11">',
        f'<rect width="100%" height="100%" fill="{PAPER}"/>',
        f'<text x="{LEFT}" y="18" font-weight="bold" font-size="13">{title}</text>',
    ]
    for i, panel in enumerate(panels):
        parts += _drawn(panel, TOP + i * (PANEL + GAP), days, across)
    return "\n".join([*parts, "</g>", "</svg>", ""])


_DEPTH = {"GREEN": 0.0, "YELLOW": 1.0, "ORANGE": 2.0, "RED": 3.0, "TERMINAL": 4.0}


def _thinned(moments: Sequence[Moment]) -> list[Moment]:
    """At most ``POINTS_MAX``, of each stretch the one with the least net liq: the worst is never left out."""
    if len(moments) <= POINTS_MAX:
        return list(moments)
    edges = np.linspace(0, len(moments), POINTS_MAX + 1).astype(int)
    return [min(moments[a:b], key=lambda m: m.net_liq) for a, b in pairwise(edges.tolist()) if b > a]


def _on(moments: Sequence[Moment], others: Sequence[Moment]) -> Floats:
    """The other story's net liq at the main one's moments: the last known."""
    at = np.array([m.at.timestamp() for m in others])
    worth = np.array([m.net_liq for m in others])
    rows = np.searchsorted(at, [m.at.timestamp() for m in moments], side="right") - 1
    return np.where(rows < 0, np.nan, worth[np.maximum(rows, 0)])


def _column(values: Sequence[float | None]) -> Floats:
    return np.array([np.nan if v is None else v for v in values], np.float64)


def _across(moments: Sequence[Moment]) -> list[float]:
    """Pixels: sessions are equally wide, and a moment lies at its part of its own."""
    walls = [new_york(m.at) for m in moments]
    order = {day: i for i, day in enumerate(dict.fromkeys(w.date() for w in walls))}
    parts = [order[w.date()] + min(1.0, max(0.0, (w.hour * 60 + w.minute - OPEN) / SESSION)) for w in walls]
    width = max(1, len(order))
    return [LEFT + part / width * (WIDTH - LEFT - RIGHT) for part in parts]


def _drawn(panel: _Panel, top: float, days: Sequence[str], across: Sequence[float]) -> list[str]:
    known = np.concatenate([line.y for line in panel.lines]) if panel.lines else np.zeros(0)
    known = known[np.isfinite(known)]
    if not known.size:
        return []
    low = float(known.min()) if panel.low is None else panel.low
    high = float(known.max()) if panel.high is None else panel.high
    room = 0.06 * (high - low) or 1.0
    low, high = low - room, high + room
    parts = [f'<text x="{LEFT}" y="{top + 10:.0f}" fill="{INK}">{panel.title}</text>']
    for tick in _ticks(low, high):
        y = _down(tick, low, high, top)
        parts.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="{GRID}"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end" fill="{INK}">{tick:g}</text>')
    for i, day in _labels(days):
        x = across[i]
        parts.append(f'<path d="M{x:.1f} {top + 14:.0f}V{top + PANEL:.0f}" stroke="{GRID}"/>')
        parts.append(
            f'<text x="{x:.1f}" y="{top + PANEL + 12:.0f}" text-anchor="middle" fill="{INK}">{day}</text>'
        )
    for i, line in enumerate(panel.lines):
        points = [
            (across[j], _down(float(y), low, high, top)) for j, y in enumerate(line.y) if np.isfinite(y)
        ]
        parts.append(
            f'<path d="{_path(points, stepped=line.stepped)}" fill="none" '
            f'stroke="{COLOURS[i]}" stroke-width="1.5"/>'
        )
        parts.append(
            f'<text x="{WIDTH - RIGHT - 130 * (len(panel.lines) - 1 - i)}" y="{top + 10:.0f}" '
            f'text-anchor="end" fill="{COLOURS[i]}">{line.name}</text>'
        )
    return parts


def _path(points: Sequence[tuple[float, float]], *, stepped: bool) -> str:
    if not points:
        return ""
    first, *rest = points
    words = [f"M{first[0]:.1f} {first[1]:.1f}"]
    words += [f"H{x:.1f}V{y:.1f}" if stepped else f"L{x:.1f} {y:.1f}" for x, y in rest]
    return "".join(words)


def _labels(days: Sequence[str], most: int = 10) -> list[tuple[int, str]]:
    firsts = [(i, day) for i, day in enumerate(days) if i == 0 or day != days[i - 1]]
    every = -(-len(firsts) // most)
    return firsts[::every] if every else []


def _ticks(low: float, high: float, about: int = 4) -> list[float]:
    rough = (high - low) / about
    unit = 10.0 ** np.floor(np.log10(rough))
    step = float(unit * min((s for s in (1, 2, 5, 10) if s * unit >= rough), default=10))
    return [
        round(float(n * step), 10) + 0.0 for n in np.arange(np.ceil(low / step), np.floor(high / step) + 1)
    ]


def _down(value: float, low: float, high: float, top: float) -> float:
    return top + PANEL - (value - low) / (high - low) * (PANEL - 16)
