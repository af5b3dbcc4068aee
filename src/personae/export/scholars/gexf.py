"""The co-appearance network as GEXF, with the times at which each node and edge is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO
from xml.etree import ElementTree

from personae.export.export_format import ExportRequest
from personae.export.scholars.co_appearance import build_graph, compute_co_appearance

if TYPE_CHECKING:
    from collections.abc import Sequence

    from personae.export.on_screen import Stretch


def write_gexf(request: ExportRequest, stream: BinaryIO) -> None:
    """Write an undirected dynamic graph: Gephi's timeline plays it like the film.

    A node is there while its character is on screen, an edge while both are, or for the shots that
    they share without meeting. Times are what a player shows, in seconds.

    Source: GEXF 1.2draft, GEXF Working Group, sections 5 and 7; written by networkx.
    """
    from networkx.readwrite.gexf import GEXFWriter

    graph, network = build_graph(request), compute_co_appearance(request)
    graph.graph["mode"] = "dynamic"
    for node in network.nodes:
        graph.nodes[node.label]["spells"] = _spells(request, node.stretches)
    shots = {row["shot"]: row for row in request.project.table("shots").to_pylist()}
    for edge in network.edges:
        spells = _spells(request, edge.stretches) or [
            _spell(request, shots[shot]["start_pts"], shots[shot]["end_pts"]) for shot in edge.shots
        ]
        graph.edges[edge.first, edge.second]["spells"] = spells
    document = GEXFWriter(graph).xml
    document.find("meta").attrib.pop("lastmodifieddate")  # the same project gives the same file
    ElementTree.indent(document)
    ElementTree.ElementTree(document).write(stream, encoding="UTF-8", xml_declaration=True)


def _spells(request: ExportRequest, stretches: Sequence[Stretch]) -> list[tuple[float, float]]:
    return [_spell(request, one.start_pts, one.end_pts) for one in stretches]


def _spell(request: ExportRequest, start_pts: int, end_pts: int) -> tuple[float, float]:
    clock = request.time
    return float(clock.player_seconds(start_pts)), float(clock.player_seconds(end_pts))
