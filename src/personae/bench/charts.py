"""Charts as inline SVG: plates of points, curves with error bars, histograms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from personae.core.arrays import Float64Array, FloatArray

COLOURS = 12
SHAPES = ("circle", "square", "diamond", "triangle")
"""Colours and shapes together tell 48 people apart."""

WIDE, HIGH, LEFT, BOTTOM, TOP = 420, 220, 46, 34, 12


@dataclass(frozen=True)
class Curve:
    """A line with a spread."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    deviation: Sequence[float]


def plate(places: Float64Array, numbers: Sequence[int], names: Sequence[str], title: str) -> str:
    """Draw (m, 2) points in 0..1, coloured and shaped by their (m,) numbers; -1 is a hollow grey ring."""
    side, edge = 360, 12
    marks = []
    for (x, y), number, name in zip(places, numbers, names, strict=True):
        cx, cy = edge + x * (side - 2 * edge), edge + y * (side - 2 * edge)
        tip = f"<title>{escape(name)}</title>"
        if number < 0:
            marks.append(
                f'<circle class="nobody" cx="{cx:.1f}" cy="{cy:.1f}" r="3.5">{tip}</circle>'
            )
            continue
        shape = SHAPES[number // COLOURS % len(SHAPES)]
        marks.append(f'<g class="k{number % COLOURS}">{_mark(shape, cx, cy)}{tip}</g>')
    return _svg(side, side, title, "".join(marks))


def _mark(shape: str, x: float, y: float) -> str:
    if shape == "circle":
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4"/>'
    if shape == "square":
        return f'<rect x="{x - 3.5:.1f}" y="{y - 3.5:.1f}" width="7" height="7"/>'
    steps = (
        [(0, -5), (5, 0), (0, 5), (-5, 0)] if shape == "diamond" else [(0, -5), (4.6, 4), (-4.6, 4)]
    )
    points = " ".join(f"{x + dx:.1f},{y + dy:.1f}" for dx, dy in steps)
    return f'<polygon points="{points}"/>'


def curves(lines: Sequence[Curve], title: str, x_name: str, level: float | None = None) -> str:
    """Draw lines over whole x with error bars of one standard deviation; `level` draws a dashed line."""
    xs = sorted({x for line in lines for x in line.x})
    tops = [y + d for line in lines for y, d in zip(line.y, line.deviation, strict=True)]
    low, high = 0.0, max([*tops, level or 0.0, 1e-9]) * 1.05
    span = max(xs[-1] - xs[0], 1)

    def at(x: float, y: float) -> tuple[float, float]:
        return (
            LEFT + (x - xs[0]) / span * (WIDE - LEFT - 14),
            HIGH - BOTTOM - (y - low) / (high - low) * (HIGH - BOTTOM - TOP),
        )

    body = [_axes(_ticks(high), high, [(at(x, 0)[0], f"{x:g}") for x in xs], x_name)]
    if level is not None:
        y = at(xs[0], level)[1]
        body.append(f'<line class="level" x1="{LEFT}" x2="{WIDE - 14}" y1="{y:.1f}" y2="{y:.1f}"/>')
    for number, line in enumerate(lines):
        points = [at(x, y) for x, y in zip(line.x, line.y, strict=True)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        drawn = [f'<polyline points="{path}"/>']
        for x, y, d in zip(line.x, line.y, line.deviation, strict=True):
            (px, above), (_, below) = at(x, y + d), at(x, max(y - d, low))
            drawn.append(f'<line x1="{px:.1f}" x2="{px:.1f}" y1="{above:.1f}" y2="{below:.1f}"/>')
            drawn.append(_mark("circle", *at(x, y)))
        tip = f"<title>{escape(line.name)}</title>"
        body.append(f'<g class="curve k{number % COLOURS}">{tip}{"".join(drawn)}</g>')
    return _svg(WIDE, HIGH, title, "".join(body))


def histogram(values: FloatArray, title: str, x_name: str, bins: int = 20) -> str:
    """Draw how many tracks fall into each of `bins` equal parts of the range of values."""
    counts, edges = np.histogram(values, bins=bins)
    highest = max(int(counts.max()), 1)
    room, width = HIGH - BOTTOM - TOP, (WIDE - LEFT - 14) / bins
    bars = []
    for number, count in enumerate(counts.tolist()):
        tall = count / highest * room
        tip = f"<title>{edges[number]:.3f} to {edges[number + 1]:.3f}: {count} tracks</title>"
        x, y = LEFT + number * width, HIGH - BOTTOM - tall
        size = f'width="{width - 1:.1f}" height="{tall:.1f}"'
        bars.append(f'<rect class="bar" x="{x:.1f}" y="{y:.1f}" {size}>{tip}</rect>')
    labels = [
        (LEFT + part * (WIDE - LEFT - 14), f"{edges[0] + part * (edges[-1] - edges[0]):.2f}")
        for part in (0, 0.5, 1)
    ]
    axes = _axes([0, highest], highest, labels, x_name)
    return _svg(WIDE, HIGH, title, axes + "".join(bars))


def _ticks(high: float) -> list[float]:
    step = next(
        step
        for step in (0.05, 0.1, 0.2, 0.25, 0.5, 1, 2, 5, 10, 20, 50, 100, 1e9)
        if high / step <= 6
    )
    return [step * number for number in range(int(high / step) + 1)]


def _axes(
    ticks: Sequence[float], high: float, labels: Sequence[tuple[float, str]], x_name: str
) -> str:
    parts = []
    for tick in ticks:
        y = HIGH - BOTTOM - tick / high * (HIGH - BOTTOM - TOP)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDE - 14}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(
            f'<text class="tick" x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{tick:g}</text>'
        )
    for x, text in labels:
        parts.append(
            f'<text class="tick" x="{x:.1f}" y="{HIGH - BOTTOM + 15}" text-anchor="middle">{text}</text>'
        )
    middle = (LEFT + WIDE - 14) / 2
    parts.append(
        f'<text class="tick" x="{middle}" y="{HIGH - 3}" text-anchor="middle">{escape(x_name)}</text>'
    )
    return "".join(parts)


def _svg(width: int, height: int, title: str, body: str) -> str:
    return (
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(title)}">'
        f"<title>{escape(title)}</title>{body}</svg>"
    )
