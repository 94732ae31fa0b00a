"""Small line charts as SVG text, written by hand so that no plotting package is needed."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

WIDTH, HEIGHT, MARGIN = 380, 250, 46
INK, GRID, PAPER = "#333333", "#dddddd", "#ffffff"
BLUE, ORANGE, GREY = "#1f6fb4", "#d9730d", "#8a8a8a"


@dataclass(frozen=True, slots=True)
class Line:
    """One series of a panel; ``dots`` draws marks instead of a line."""

    name: str
    colour: str
    x: Floats
    y: Floats
    dots: bool = False


@dataclass(frozen=True, slots=True)
class Panel:
    title: str
    across: str
    up: str
    lines: Sequence[Line]
    from_zero: bool = False


def picture(panels: Sequence[Panel], columns: int = 2) -> str:
    """The panels in rows of ``columns``, as one SVG document."""
    rows = -(-len(panels) // columns)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH * columns} {HEIGHT * rows}">',
        '<g font-family="sans-serif" font-size="11">',
        f'<rect width="100%" height="100%" fill="{PAPER}"/>',
    ]
    for n, panel in enumerate(panels):
        parts.append(f'<g transform="translate({n % columns * WIDTH},{n // columns * HEIGHT})">')
        parts += [*_panel(panel), "</g>"]
    return "\n".join([*parts, "</g>", "</svg>", ""])


def _panel(panel: Panel) -> list[str]:
    x = np.concatenate([line.x for line in panel.lines])
    y = np.concatenate([line.y for line in panel.lines])
    left, right, bottom, top = *_span(x), *_span(np.append(y, 0.0) if panel.from_zero else y)
    parts = [
        f'<text x="{WIDTH / 2}" y="16" text-anchor="middle" font-weight="bold">{panel.title}</text>',
        f'<text x="{WIDTH / 2}" y="{HEIGHT - 6}" text-anchor="middle" fill="{INK}">{panel.across}</text>',
        f'<text x="6" y="30" fill="{INK}">{panel.up}</text>',
    ]
    for tick in _ticks(bottom, top):
        at = _down(tick, bottom, top)
        parts.append(f'<path d="M{MARGIN} {at:.1f}H{WIDTH - 12}" stroke="{GRID}"/>')
        parts.append(
            f'<text x="{MARGIN - 5}" y="{at + 4:.1f}" text-anchor="end" fill="{INK}">{tick:g}</text>'
        )
    for tick in _ticks(left, right):
        at = _over(tick, left, right)
        parts.append(f'<path d="M{at:.1f} 36V{HEIGHT - 36}" stroke="{GRID}"/>')
        parts.append(
            f'<text x="{at:.1f}" y="{HEIGHT - 22}" text-anchor="middle" fill="{INK}">{tick:g}</text>'
        )
    for n, line in enumerate(panel.lines):
        points = [
            (_over(a, left, right), _down(b, bottom, top))
            for a, b in zip(line.x.tolist(), line.y.tolist(), strict=True)
        ]
        parts += _series(line, points)
        parts.append(
            f'<text x="{WIDTH - 16}" y="{48 + 14 * n}" text-anchor="end" fill="{line.colour}">'
            f"{line.name}</text>"
        )
    return parts


def _series(line: Line, points: list[tuple[float, float]]) -> list[str]:
    if line.dots:
        return [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="1.6" fill="{line.colour}"/>' for x, y in points]
    path = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    return [f'<path d="M{path}" fill="none" stroke="{line.colour}" stroke-width="1.6"/>']


def _span(values: Floats) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    room = 0.05 * (high - low) or 1.0
    return low - room, high + room


def _ticks(low: float, high: float) -> list[float]:
    rough = (high - low) / 7
    unit = 10.0 ** np.floor(np.log10(rough))
    step = float(unit * min((s for s in (1, 2, 5, 10) if s * unit >= rough), default=10))
    first = np.ceil(low / step)
    return [round(float(n * step), 10) + 0.0 for n in np.arange(first, np.floor(high / step) + 1)]


def _over(value: float, left: float, right: float) -> float:
    return MARGIN + (value - left) / (right - left) * (WIDTH - 12 - MARGIN)


def _down(value: float, bottom: float, top: float) -> float:
    return HEIGHT - 36 - (value - bottom) / (top - bottom) * (HEIGHT - 72)
