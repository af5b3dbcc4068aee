"""Charts as inline SVG: scatter plots, line charts with error bars, histograms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from personae.core.arrays import Float64Array, FloatArray

N_LABEL_COLOURS = 12
MARKERS = ("circle", "square", "diamond", "triangle")
"""Colours and markers together distinguish 48 people."""

WIDTH, HEIGHT = 420, 220
"""Size of line charts and histograms in units of the drawing."""
MARGIN_LEFT, MARGIN_RIGHT, MARGIN_BOTTOM, MARGIN_TOP = 46, 14, 34, 12
SCATTER_SIDE, SCATTER_MARGIN = 360, 12

_TICK_STEPS = (0.05, 0.1, 0.2, 0.25, 0.5, 1, 2, 5, 10, 20, 50, 100, 1e9)
_MAX_TICKS = 6


@dataclass(frozen=True)
class Line:
    """A line of a chart, with the standard deviation of each point."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    deviation: Sequence[float]


def scatter_plot(
    points: Float64Array, labels: Sequence[int], names: Sequence[str], title: str
) -> str:
    """Draw points with a colour and a marker for each label.

    Args:
        points: (m, 2) x, y in 0..1.
        labels: (m,) labels; -1 is drawn as a hollow grey ring.
        names: (m,) tooltips.
        title: Accessible title.

    Returns:
        An SVG element.
    """
    marks = []
    for (x, y), label, name in zip(points, labels, names, strict=True):
        cx = SCATTER_MARGIN + x * (SCATTER_SIDE - 2 * SCATTER_MARGIN)
        cy = SCATTER_MARGIN + y * (SCATTER_SIDE - 2 * SCATTER_MARGIN)
        tooltip = f"<title>{escape(name)}</title>"
        if label < 0:
            marks.append(
                f'<circle class="unknown" cx="{cx:.1f}" cy="{cy:.1f}" r="3.5">{tooltip}</circle>'
            )
            continue
        marker = MARKERS[label // N_LABEL_COLOURS % len(MARKERS)]
        colour = label % N_LABEL_COLOURS
        marks.append(f'<g class="k{colour}">{_marker(marker, cx, cy)}{tooltip}</g>')
    return _svg(SCATTER_SIDE, SCATTER_SIDE, title, "".join(marks))


def _marker(shape: str, x: float, y: float) -> str:
    if shape == "circle":
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4"/>'
    if shape == "square":
        return f'<rect x="{x - 3.5:.1f}" y="{y - 3.5:.1f}" width="7" height="7"/>'
    corners = (
        [(0, -5), (5, 0), (0, 5), (-5, 0)] if shape == "diamond" else [(0, -5), (4.6, 4), (-4.6, 4)]
    )
    points = " ".join(f"{x + dx:.1f},{y + dy:.1f}" for dx, dy in corners)
    return f'<polygon points="{points}"/>'


def line_chart(
    lines: Sequence[Line],
    title: str,
    x_name: str,
    reference: float | None = None,
    lowest: float = 0.0,
) -> str:
    """Draw lines over whole numbers x, with error bars of one standard deviation.

    Args:
        lines: At least one line.
        title: Accessible title.
        x_name: Name of the horizontal axis.
        reference: Height of a dashed horizontal line.
        lowest: Value at the foot of the chart; lower ones are drawn there, too.

    Returns:
        An SVG element.
    """
    xs = sorted({x for line in lines for x in line.x})
    upper = [y + d for line in lines for y, d in zip(line.y, line.deviation, strict=True)]
    low = lowest
    high = low + (max([*upper, reference or 0.0, low + 1e-9]) - low) * 1.05
    span = max(xs[-1] - xs[0], 1)

    def position(x: float, y: float) -> tuple[float, float]:
        return (
            MARGIN_LEFT + (x - xs[0]) / span * (WIDTH - MARGIN_LEFT - MARGIN_RIGHT),
            HEIGHT
            - MARGIN_BOTTOM
            - (max(y, low) - low) / (high - low) * (HEIGHT - MARGIN_BOTTOM - MARGIN_TOP),
        )

    labels = [(position(x, low)[0], f"{x:g}") for x in xs]
    body = [_axes(_ticks(low, high), low, high, labels, x_name)]
    if reference is not None:
        y = position(xs[0], reference)[1]
        x1, x2 = MARGIN_LEFT, WIDTH - MARGIN_RIGHT
        body.append(f'<line class="reference" x1="{x1}" x2="{x2}" y1="{y:.1f}" y2="{y:.1f}"/>')
    for number, line in enumerate(lines):
        points = [position(x, y) for x, y in zip(line.x, line.y, strict=True)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        parts = [f'<polyline points="{path}"/>']
        for x, y, d in zip(line.x, line.y, line.deviation, strict=True):
            (px, top), (_, bottom) = position(x, y + d), position(x, y - d)
            parts.append(f'<line x1="{px:.1f}" x2="{px:.1f}" y1="{top:.1f}" y2="{bottom:.1f}"/>')
            parts.append(_marker("circle", *position(x, y)))
        tooltip = f"<title>{escape(line.name)}</title>"
        body.append(f'<g class="curve k{number % N_LABEL_COLOURS}">{tooltip}{"".join(parts)}</g>')
    return _svg(WIDTH, HEIGHT, title, "".join(body))


def histogram(values: FloatArray, title: str, x_name: str, bins: int = 20) -> str:
    """Draw the number of tracks in each of `bins` equal parts of the range of values.

    Returns:
        An SVG element.
    """
    counts, edges = np.histogram(values, bins=bins)
    highest = max(int(counts.max()), 1)
    plot_height = HEIGHT - MARGIN_BOTTOM - MARGIN_TOP
    bar_width = (WIDTH - MARGIN_LEFT - MARGIN_RIGHT) / bins
    bars = []
    for number, count in enumerate(counts.tolist()):
        height = count / highest * plot_height
        tooltip = f"<title>{edges[number]:.3f} to {edges[number + 1]:.3f}: {count} tracks</title>"
        x, y = MARGIN_LEFT + number * bar_width, HEIGHT - MARGIN_BOTTOM - height
        size = f'width="{bar_width - 1:.1f}" height="{height:.1f}"'
        bars.append(f'<rect class="bar" x="{x:.1f}" y="{y:.1f}" {size}>{tooltip}</rect>')
    labels = [
        (
            MARGIN_LEFT + part * (WIDTH - MARGIN_LEFT - MARGIN_RIGHT),
            f"{edges[0] + part * (edges[-1] - edges[0]):.2f}",
        )
        for part in (0, 0.5, 1)
    ]
    axes = _axes([0, highest], 0, highest, labels, x_name)
    return _svg(WIDTH, HEIGHT, title, axes + "".join(bars))


def _ticks(low: float, high: float) -> list[float]:
    step = next(step for step in _TICK_STEPS if (high - low) / step <= _MAX_TICKS)
    return [low + step * number for number in range(int((high - low) / step) + 1)]


def _axes(
    ticks: Sequence[float],
    low: float,
    high: float,
    labels: Sequence[tuple[float, str]],
    x_name: str,
) -> str:
    left, right, bottom = MARGIN_LEFT, WIDTH - MARGIN_RIGHT, HEIGHT - MARGIN_BOTTOM
    parts = []
    for tick in ticks:
        y = bottom - (tick - low) / (high - low) * (bottom - MARGIN_TOP)
        parts.append(f'<line class="grid" x1="{left}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(
            f'<text class="tick" x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{tick:g}</text>'
        )
    anchor = 'text-anchor="middle"'
    for x, text in labels:
        parts.append(f'<text class="tick" x="{x:.1f}" y="{bottom + 15}" {anchor}>{text}</text>')
    middle, name = (left + right) / 2, escape(x_name)
    parts.append(f'<text class="tick" x="{middle}" y="{HEIGHT - 3}" {anchor}>{name}</text>')
    return "".join(parts)


def _svg(width: int, height: int, title: str, body: str) -> str:
    return (
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(title)}">'
        f"<title>{escape(title)}</title>{body}</svg>"
    )
