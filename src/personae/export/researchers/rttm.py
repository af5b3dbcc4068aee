"""RTTM: who is on screen when, in the lines that pyannote and other diarization tools read."""

from __future__ import annotations

import re
from typing import BinaryIO

from personae.export.export_format import ExportRequest
from personae.export.researchers.face_tracks import label_characters


def write_rttm(request: ExportRequest, stream: BinaryIO) -> None:
    """Write a SPEAKER line for each appearance; times count from a player's zero.

    That is also the first sample of the film's sound once it is extracted, so that the lines can
    be compared with those of a diarization.

    Source:
        NIST, The 2009 Rich Transcription Meeting Recognition Evaluation Plan, appendix A.
    """
    labels = label_characters(request.project.cast())
    recording = _as_word(request.time.file.rsplit(".", 1)[0])
    for one in request.appearances:
        start_s = float(request.time.player_seconds(one.start_pts))
        duration_s = float(one.end_s - one.start_s)
        who = _as_word(labels[one.character])
        line = f"SPEAKER {recording} 1 {start_s:.3f} {duration_s:.3f} <NA> <NA> {who} <NA> <NA>\n"
        stream.write(line.encode())


def _as_word(text: str) -> str:
    """Return a text without white space, which separates the fields of a line."""
    return re.sub(r"\s+", "_", text.strip())
