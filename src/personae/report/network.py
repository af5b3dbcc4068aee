"""The co-appearance network: characters in a circle, lines between those who share shots."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from personae.export.scholars.co_appearance import SharedTime, compute_co_appearance
from personae.report.report_data import CharacterLink, ReportData

MAX_CHARACTERS = 24
"""Characters in the drawing; more names would not fit around the circle."""

WIDTH, HEIGHT = 640, 440
"""Size of the drawing in its own units, about pixels."""

RADIUS = 158.0
"""Distance of the characters from the middle of the drawing."""

MIN_NODE_RADIUS, MAX_NODE_RADIUS = 5.0, 20.0
MAX_EDGE_WIDTH = 9.0

LABEL_DISTANCE = 9.0
"""Between a circle and its name."""


@dataclass(frozen=True)
class NetworkNode:
    """A character in the drawing; its area is in proportion to its screen time."""

    link: CharacterLink
    screen_time_s: float
    x: float
    y: float
    radius: float
    label_x: float
    label_y: float
    anchor: str
    """SVG's text-anchor of the name: start, middle or end."""


@dataclass(frozen=True)
class NetworkEdge:
    """Two characters who share shots; its width is in proportion to their time together."""

    first: NetworkNode
    second: NetworkNode
    n_shots: int
    seconds: float
    width: float
    """0 where they share shots without meeting."""


@dataclass(frozen=True)
class CharacterNetwork:
    """The drawing."""

    width: int
    height: int
    nodes: list[NetworkNode]
    edges: list[NetworkEdge]
    """The longest together last, so that they lie on top."""

    n_left_out: int
    """Characters beyond `MAX_CHARACTERS`."""


def make_network(data: ReportData) -> CharacterNetwork:
    """Lay out the characters with the most screen time, and the lines between them."""
    found = compute_co_appearance(data.everything)
    labels = [one.label for one in data.characters[:MAX_CHARACTERS]]
    screen_times = {node.label: float(node.screen_time_s) for node in found.nodes}
    pairs = {(one.first, one.second): one for one in found.edges}
    longest = max(screen_times.values(), default=0.0) or 1.0
    ordered = order_by_company(labels, found.edges)
    nodes = {
        label: _place(data.links[label], screen_times.get(label, 0.0), place, len(ordered), longest)
        for place, label in enumerate(ordered)
    }
    most = max((float(one.seconds) for one in found.edges), default=0.0) or 1.0
    edges = [
        NetworkEdge(
            first=nodes[first],
            second=nodes[second],
            n_shots=len(one.shots),
            seconds=float(one.seconds),
            width=round(MAX_EDGE_WIDTH * float(one.seconds) / most, 1),
        )
        for (first, second), one in pairs.items()
        if first in nodes and second in nodes
    ]
    return CharacterNetwork(
        width=WIDTH,
        height=HEIGHT,
        nodes=list(nodes.values()),
        edges=sorted(edges, key=lambda one: one.seconds),
        n_left_out=len(data.characters) - len(labels),
    )


def order_by_company(labels: Sequence[str], edges: Sequence[SharedTime]) -> list[str]:
    """Order characters so that those who are much together are neighbours.

    The first character begins a chain; whoever is longest together with one of its two ends is put
    there next, of equals the one given first.
    """
    together: dict[tuple[str, str], tuple[float, int]] = {}
    for one in edges:
        weight = (float(one.seconds), len(one.shots))
        together[one.first, one.second] = together[one.second, one.first] = weight
    chain, waiting = list(labels[:1]), list(labels[1:])
    while waiting:
        at_end = max(waiting, key=lambda label: together.get((chain[-1], label), (0.0, 0)))
        at_start = max(waiting, key=lambda label: together.get((chain[0], label), (0.0, 0)))
        end_weight = together.get((chain[-1], at_end), (0.0, 0))
        if together.get((chain[0], at_start), (0.0, 0)) > end_weight:
            chain.insert(0, at_start)
            waiting.remove(at_start)
        else:
            chain.append(at_end)
            waiting.remove(at_end)
    return chain


def _place(
    link: CharacterLink, screen_time_s: float, place: int, count: int, longest: float
) -> NetworkNode:
    """Put a character on the circle, the first at the top and the others clockwise."""
    angle = 2 * math.pi * place / count
    right, down = math.sin(angle), -math.cos(angle)
    radius = max(MIN_NODE_RADIUS, MAX_NODE_RADIUS * math.sqrt(screen_time_s / longest))
    distance = RADIUS + radius + LABEL_DISTANCE
    anchor = "middle" if abs(right) < 0.2 else "start" if right > 0 else "end"
    return NetworkNode(
        link=link,
        screen_time_s=screen_time_s,
        x=round(WIDTH / 2 + RADIUS * right, 1),
        y=round(HEIGHT / 2 + RADIUS * down, 1),
        radius=round(radius, 1),
        label_x=round(WIDTH / 2 + distance * right, 1),
        label_y=round(HEIGHT / 2 + distance * down, 1),
        anchor=anchor,
    )
