"""The co-appearance network: who shares shots with whom, and for how long."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from typing import TYPE_CHECKING

from personae.export.export_format import ExportRequest
from personae.export.on_screen import Stretch, list_stretches
from personae.export.titles import distinct_titles

if TYPE_CHECKING:
    import networkx


@dataclass(frozen=True)
class CharacterNode:
    """A character of the network."""

    label: str
    title: str
    reviewed: bool

    shots: frozenset[int]
    """The shots that it appears in."""

    stretches: tuple[Stretch, ...]
    """When it is on screen, in order of time."""

    screen_time_s: Fraction


@dataclass(frozen=True)
class SharedTime:
    """An edge of the network: two characters with at least one shot in common."""

    first: str
    """Label of the character, before `second` in their order."""

    second: str

    shots: tuple[int, ...]
    """The shots in which both appear, at the same time or not."""

    stretches: tuple[Stretch, ...]
    """When both are on screen at the same time."""

    seconds: Fraction
    """For how long they are."""


@dataclass(frozen=True)
class CoAppearanceNetwork:
    """Characters in the order of their labels, and the pairs that share a shot."""

    nodes: tuple[CharacterNode, ...]
    edges: tuple[SharedTime, ...]


def compute_co_appearance(request: ExportRequest) -> CoAppearanceNetwork:
    """Return the network of the selected characters, from the frames of their tracks.

    Gaps over which appearances are joined do not count: nobody is on screen in them.
    """
    tracks, time_base = request.tracks, request.time.time_base
    shots: dict[str, set[int]] = defaultdict(set)
    for track in tracks:
        shots[track.character].add(track.shot)
    alone: dict[str, list[Stretch]] = defaultdict(list)
    together: dict[tuple[str, str], list[Stretch]] = defaultdict(list)
    for stretch in list_stretches(tracks):
        for label in stretch.characters:
            alone[label].append(stretch)
        for pair in combinations(stretch.characters, 2):
            together[pair].append(stretch)
    reviewed = {track.character: track.reviewed for track in tracks}
    nodes = tuple(
        CharacterNode(
            label=label,
            title=title,
            reviewed=reviewed[label],
            shots=frozenset(shots[label]),
            stretches=_join_touching(alone[label]),
            screen_time_s=_sum_ticks(alone[label]) * time_base,
        )
        for label, title in distinct_titles(tracks).items()
    )
    edges = tuple(
        SharedTime(
            first=one.label,
            second=other.label,
            shots=tuple(sorted(one.shots & other.shots)),
            stretches=_join_touching(together[one.label, other.label]),
            seconds=_sum_ticks(together[one.label, other.label]) * time_base,
        )
        for one, other in combinations(nodes, 2)
        if one.shots & other.shots
    )
    return CoAppearanceNetwork(nodes, edges)


def build_graph(request: ExportRequest) -> networkx.Graph:
    """Return the network as a graph whose nodes and edges have their figures as attributes.

    The weight of an edge is its number of shared shots, which is never 0.
    """
    import networkx

    network = compute_co_appearance(request)
    graph = networkx.Graph(name=request.time.file)
    for node in network.nodes:
        graph.add_node(
            node.label,
            label=node.title,
            screen_time_s=float(node.screen_time_s),
            shots=len(node.shots),
            reviewed="yes" if node.reviewed else "no",  # GraphML's readers differ on booleans
        )
    for edge in network.edges:
        graph.add_edge(
            edge.first,
            edge.second,
            weight=len(edge.shots),
            shared_shots=len(edge.shots),
            seconds_together=float(edge.seconds),
        )
    return graph


def _sum_ticks(stretches: list[Stretch]) -> int:
    return sum(one.end_pts - one.start_pts for one in stretches)


def _join_touching(stretches: list[Stretch]) -> tuple[Stretch, ...]:
    """Join stretches that others, who come and go, had divided."""
    joined: list[Stretch] = []
    for one in stretches:
        if joined and joined[-1].end_pts == one.start_pts:
            joined[-1] = joined[-1]._replace(end_pts=one.end_pts)
        else:
            joined.append(one)
    return tuple(joined)
