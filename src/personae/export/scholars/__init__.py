"""Formats for scholars, one a module."""

from __future__ import annotations

from personae.export.export_format import ExportFormat
from personae.export.scholars.elan import write_eaf
from personae.export.scholars.gexf import write_gexf
from personae.export.scholars.graphml import write_graphml
from personae.export.scholars.iiif import write_iiif_manifest
from personae.export.scholars.praat import write_textgrid
from personae.export.scholars.presence_matrix import write_presence_matrix
from personae.export.scholars.screen_time import write_screen_time
from personae.export.scholars.subrip import write_subrip
from personae.export.scholars.web_annotation import write_web_annotations
from personae.export.scholars.webvtt import write_webvtt

FORMATS: tuple[ExportFormat, ...] = (
    ExportFormat(
        name="eaf",
        extension=".eaf",
        exports="appearances",
        users="scholars",
        holds="ELAN annotations: a tier of shots and a tier a character, linked to the film",
        loses="boxes, confidence, review; times are rounded to milliseconds",
        write=write_eaf,
    ),
    ExportFormat(
        name="textgrid",
        extension=".TextGrid",
        exports="appearances",
        users="scholars",
        holds="Praat TextGrid: a tier of shots and an interval tier a character",
        loses="boxes, confidence, review",
        write=write_textgrid,
    ),
    ExportFormat(
        name="vtt",
        extension=".vtt",
        exports="appearances",
        users="scholars",
        holds="WebVTT subtitles: who is on screen",
        loses="labels of named characters, shots, boxes, confidence, review; times are rounded "
        "down to milliseconds",
        write=write_webvtt,
    ),
    ExportFormat(
        name="srt",
        extension=".srt",
        exports="appearances",
        users="scholars",
        holds="SubRip subtitles: who is on screen",
        loses="labels of named characters, shots, boxes, confidence, review, < > { } in names; "
        "times are rounded down to milliseconds",
        write=write_subrip,
    ),
    ExportFormat(
        name="web-annotation",
        extension=".jsonld",
        exports="appearances",
        users="scholars",
        holds="W3C Web Annotations (JSON-LD): a media fragment in time and place an appearance",
        loses="shots; boxes are means, in whole pixels",
        write=write_web_annotations,
        has_addresses=True,
    ),
    ExportFormat(
        name="iiif",
        extension=".manifest.json",
        exports="appearances",
        users="scholars",
        holds="IIIF Presentation 3 manifest: the film, an annotation an appearance, a range a "
        "character",
        loses="shots; boxes are means, in whole pixels; without --base-url its addresses are of "
        "this machine",
        write=write_iiif_manifest,
        has_addresses=True,
    ),
    ExportFormat(
        name="graphml",
        extension=".graphml",
        exports="appearances",
        users="scholars",
        holds="co-appearance network (Gephi, Cytoscape, igraph, networkx): screen time, shared "
        "shots, seconds together",
        loses="when and where; --gap has no effect",
        write=write_graphml,
    ),
    ExportFormat(
        name="gexf",
        extension=".gexf",
        exports="appearances",
        users="scholars",
        holds="co-appearance network over time (Gephi): the same with the times of nodes and edges",
        loses="boxes and confidence; --gap has no effect",
        write=write_gexf,
    ),
    ExportFormat(
        name="presence-matrix",
        extension=".csv",
        exports="appearances",
        users="scholars",
        holds="CSV table of shots by characters: seconds on screen",
        loses="when within the shot; --gap has no effect",
        write=write_presence_matrix,
    ),
    ExportFormat(
        name="screen-time",
        extension=".csv",
        exports="appearances",
        users="scholars",
        holds="CSV table of screen-time statistics, a row a character",
        loses="the single appearances",
        write=write_screen_time,
    ),
)
"""In the order in which `personae export --list` shows them."""
