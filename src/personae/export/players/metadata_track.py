"""A WebVTT track of kind metadata: who is on screen and where, as JSON for a player's script."""

from __future__ import annotations

import json
from typing import BinaryIO

from personae.export.cue_clock import format_cue_clock
from personae.export.export_format import ExportRequest
from personae.export.players.box_paths import build_box_paths, list_paths


def write_metadata_track(request: ExportRequest, stream: BinaryIO) -> None:
    """Write a cue for each appearance; cues of characters who are on screen together overlap.

    Source: WebVTT: The Web Video Text Tracks Format, W3C; HTML, text tracks of kind metadata.
    """
    paths, clock = build_box_paths(request), request.time
    stream.write(b"WEBVTT\n")
    for number, one in enumerate(request.appearances, 1):
        start = format_cue_clock(clock.player_seconds(one.start_pts))
        end = format_cue_clock(clock.player_seconds(one.end_pts))
        cue = {
            "character": one.character,
            "name": one.name,
            "shot": one.shot,
            "confidence": round(one.confidence, 3),
            "reviewed": one.reviewed,
            "faces": list_paths(paths, one.tracks),
        }
        # an arrow would end the text of the cue
        text = json.dumps(cue, ensure_ascii=False).replace(">", "\\u003e")
        stream.write(f"\n{number}\n{start} --> {end}\n{text}\n".encode())
