"""MOT Challenge: a sequence folder with `gt/gt.txt` and `seqinfo.ini`."""

from __future__ import annotations

import csv
from pathlib import Path

from personae.export.export_format import ExportRequest
from personae.export.researchers.face_tracks import FilmTracks, load_film_tracks
from personae.export.researchers.frame_numbers import describe_frame_numbers

FIRST_FRAME = 1
"""Frame numbers, identities and pixel positions all count from 1 in MOT Challenge."""

EVALUATED = 1
"""Column 7 of `gt.txt`: the box counts."""

PEDESTRIAN_CLASS = 1
"""Column 8: the class that the evaluation looks at; there is none for faces."""

FULLY_VISIBLE = 1
"""Column 9: how much of the object can be seen."""


def write_mot_challenge(request: ExportRequest, folder: Path) -> None:
    """Write a sequence in MOT Challenge's layout, and `characters.csv`, which has its names.

    An identity is a face track, as in MOT Challenge, where whoever comes back is somebody new.

    Source:
        Milan et al., MOT16: A Benchmark for Multi-Object Tracking, 2016; Dendorfer et al., 2020.
    """
    film = load_film_tracks(request)
    (folder / "gt").mkdir()
    (folder / "gt" / "gt.txt").write_text("".join(_boxes(film)))
    (folder / "seqinfo.ini").write_text(_sequence_info(request, film))
    with open(folder / "characters.csv", "w", newline="", encoding="utf-8") as stream:
        rows = csv.writer(stream)
        rows.writerow(["id", "track", "character", "name", "confidence", "shot"])
        for track in film.tracks:
            name = track.label if track.label != track.character and track.character else ""
            confidence = f"{track.confidence:.4f}"
            identity = track.number + 1
            rows.writerow(
                [identity, track.number, track.character or "", name, confidence, track.shot]
            )


def _boxes(film: FilmTracks) -> list[str]:
    """Return the lines of `gt.txt`, by identity and frame."""
    constants = f"{EVALUATED},{PEDESTRIAN_CLASS},{FULLY_VISIBLE}"
    return [
        f"{frame + FIRST_FRAME},{track.number + 1},{x + 1:.2f},{y + 1:.2f},{w:.2f},{h:.2f},"
        f"{constants}\n"
        for track in film.tracks
        for frame, (x, y, w, h) in zip(track.frames.tolist(), track.boxes.tolist(), strict=True)
    ]


def _sequence_info(request: ExportRequest, film: FilmTracks) -> str:
    """Return `seqinfo.ini`; some readers want its lines in this order and a whole frame rate."""
    source = film.source
    return (
        "[Sequence]\n"
        f"name={film.stem}\n"
        "imDir=img1\n"
        f"frameRate={round(request.time.average_rate)}\n"
        f"seqLength={source.frames}\n"
        f"imWidth={source.width}\n"
        f"imHeight={source.height}\n"
        "imExt=.jpg\n"
        f"; {describe_frame_numbers(request.time, FIRST_FRAME)}\n"
    )
