"""The co-appearance network as GraphML."""

from __future__ import annotations

from typing import BinaryIO

from personae.export.export_format import ExportRequest
from personae.export.scholars.co_appearance import build_graph


def write_graphml(request: ExportRequest, stream: BinaryIO) -> None:
    """Write an undirected graph.

    Source: U. Brandes et al.: GraphML Progress Report, Graph Drawing 2001; written by networkx.
    """
    from networkx.readwrite.graphml import write_graphml_xml

    write_graphml_xml(build_graph(request), stream)
