"""The sidecar `FILM.cast.json`: cast, appearances and moving boxes for players and archives."""

from __future__ import annotations

import json
from typing import BinaryIO

from personae.export.appearances import Appearance
from personae.export.export_format import ExportRequest
from personae.export.players.box_paths import BoxPath, build_box_paths, list_paths
from personae.export.provenance import describe_provenance
from personae.export.scholars.co_appearance import CharacterNode, compute_co_appearance

SIDECAR_VERSION = 1
"""Version of the fields and of `docs/cast.schema.json`, which describes them."""

SECONDS_DIGITS = 6
"""Decimals of times in seconds."""


def write_cast_sidecar(request: ExportRequest, stream: BinaryIO) -> None:
    """Write one JSON object; times are those that a player shows, boxes shares of the frame."""
    paths = build_box_paths(request)
    nodes = compute_co_appearance(request).nodes
    document = {
        "format": "personae cast",
        "version": SIDECAR_VERSION,
        **describe_provenance(request.project),
        "characters": [_describe_character(request, node, paths) for node in nodes],
    }
    stream.write(json.dumps(document, ensure_ascii=False, indent=1).encode() + b"\n")


def _describe_character(
    request: ExportRequest, node: CharacterNode, paths: dict[int, BoxPath]
) -> dict[str, object]:
    own = [one for one in request.appearances if one.character == node.label]
    return {
        "character": node.label,
        "name": own[0].name,
        "reviewed": node.reviewed,
        "screen_time_s": round(float(node.screen_time_s), SECONDS_DIGITS),
        "appearances": [_describe_appearance(request, one, paths) for one in own],
    }


def _describe_appearance(
    request: ExportRequest, one: Appearance, paths: dict[int, BoxPath]
) -> dict[str, object]:
    clock = request.time
    return {
        "shot": one.shot,
        "start_s": round(float(clock.player_seconds(one.start_pts)), SECONDS_DIGITS),
        "end_s": round(float(clock.player_seconds(one.end_pts)), SECONDS_DIGITS),
        "first_frame": one.first_frame,
        "end_frame": one.end_frame,
        "start_timecode": one.start_timecode,
        "end_timecode": one.end_timecode,
        "confidence": round(one.confidence, 3),
        "faces": list_paths(paths, one.tracks),
    }
