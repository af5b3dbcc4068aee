"""Label Studio: a task whose predictions are the face tracks, and the labelling set-up for it."""

from __future__ import annotations

import colorsys
import json
from importlib.metadata import version
from math import ceil
from pathlib import Path
from xml.sax.saxutils import quoteattr

import numpy as np

from personae.core.arrays import Float64Array, Int64Array
from personae.export.export_format import ExportRequest
from personae.export.film_time import FilmTime
from personae.export.researchers.face_tracks import (
    IGNORED,
    UNKNOWN,
    FaceTrack,
    FilmTracks,
    load_film_tracks,
)
from personae.export.researchers.frame_numbers import describe_frame_numbers

TASKS_FILE = "tasks.json"
"""To be imported into the project."""

LABELLING_FILE = "labelling.xml"
"""To be pasted as the code of the project's labelling interface."""

LOCAL_FILES_PREFIX = "/data/local-files/?d="
"""Where Label Studio serves the files of a folder on its own machine."""

BOX_CONTROL = "box"
VIDEO_OBJECT = "video"
LABELS_CONTROL = "character"
"""Names of the tags of the labelling set-up, which results refer to."""

REGION_PREFIX = "track-"
"""A region's id is this and the track's number in the project."""

PERCENT_DIGITS = 6
"""Decimals of positions and sizes, which are in percent of the picture."""

GOLDEN_RATIO = 0.618034
"""Steps of the hue that keep neighbouring labels apart."""


def write_label_studio(request: ExportRequest, folder: Path) -> None:
    """Write the selected face tracks as predictions of a video task, ready to be corrected.

    Every character of the cast is a label, so that a track can be given to any of them. Label
    Studio finds a frame by its time, and so frames are counted by time here, from 1.

    Source:
        Label Studio's manual, *VideoRectangle* and *Import pre-annotated data*.
    """
    film = load_film_tracks(request)
    labels = [*film.labels.values(), UNKNOWN, IGNORED]
    rate = float(request.time.average_rate)
    (folder / LABELLING_FILE).write_text(_labelling(labels, rate), encoding="utf-8")
    task = {
        "data": {
            "video": LOCAL_FILES_PREFIX + film.file_name,
            "film": film.file_name,
            "content_hash": film.source.content_hash,
            "frame_numbers": describe_frame_numbers(request.time, 1),
        },
        "predictions": [
            {
                "model_version": f"personae {version('personae')}",
                "score": _mean_confidence(film),
                "result": [_region(track, film, request.time) for track in film.tracks],
            }
        ],
    }
    text = json.dumps([task], ensure_ascii=False)
    (folder / TASKS_FILE).write_text(text + "\n", encoding="utf-8")


def frame_numbers(pts: Int64Array, time: FilmTime) -> Int64Array:
    """Return the numbers, from 1, under which Label Studio shows some frames.

    At a constant rate they count the frames; at a variable rate several may have one number.
    """
    seconds = np.array([float(time.player_seconds(int(tick))) for tick in pts])
    return np.rint(seconds * float(time.average_rate)).astype(np.int64) + 1


def _mean_confidence(film: FilmTracks) -> float:
    """Return the mean confidence of the tracks, which Label Studio sorts tasks by."""
    confidences = [track.confidence for track in film.tracks if track.character]
    return round(float(np.mean(confidences)), 4) if confidences else 0.0


def _region(track: FaceTrack, film: FilmTracks, time: FilmTime) -> dict[str, object]:
    """Return a track as a region; only its keyframes are stored."""
    numbers = frame_numbers(track.pts, time)
    first_of_number = np.diff(numbers, prepend=0) > 0
    keyframes = np.flatnonzero(track.keyframes(numbers) & first_of_number)
    run_ends = {run.stop - 1 for run in track.runs()}
    # a run's last frame may share its number with the one before
    ends = {int(np.searchsorted(numbers, numbers[row])) for row in run_ends}
    duration_s = float(time.player_seconds(time.end_pts))
    return {
        "id": f"{REGION_PREFIX}{track.number}",
        "from_name": BOX_CONTROL,
        "to_name": VIDEO_OBJECT,
        "type": "videorectangle",
        "origin": "prediction",
        "score": round(track.confidence, 4),
        "meta": {"text": [f"track {track.number}, confidence {track.confidence:.2f}"]},
        "value": {
            "framesCount": ceil(round(duration_s * float(time.average_rate), 3)),
            "duration": round(duration_s, 6),
            "labels": [track.label],
            "sequence": [
                {
                    "frame": int(numbers[row]),
                    "time": round(float(time.player_seconds(int(track.pts[row]))), 6),
                    "enabled": int(row) not in ends,
                    "rotation": 0,
                    **_percentages(track.boxes[row], film),
                }
                for row in keyframes
            ],
        },
    }


def _percentages(box: Float64Array, film: FilmTracks) -> dict[str, float]:
    """Return the part of a box within the picture, in percent of the picture's sides."""
    size = np.array([film.source.width, film.source.height])
    low = np.clip(box[:2], 0, size)
    high = np.clip(box[:2] + box[2:], 0, size)
    x, y = (100 * low / size).tolist()
    width, height = (100 * (high - low) / size).tolist()
    named = {"x": x, "y": y, "width": width, "height": height}
    return {name: round(value, PERCENT_DIGITS) for name, value in named.items()}


def _labelling(labels: list[str], rate: float) -> str:
    """Return the labelling set-up: the video, boxes in it, and a label for each character."""
    lines = [
        f"    <Label value={quoteattr(label)} background={quoteattr(_colour(number))}/>"
        for number, label in enumerate(labels)
    ]
    return "\n".join(
        [
            "<View>",
            f'  <Video name="{VIDEO_OBJECT}" value="$video" framerate="{rate:.6f}"/>',
            f'  <VideoRectangle name="{BOX_CONTROL}" toName="{VIDEO_OBJECT}"/>',
            f'  <Labels name="{LABELS_CONTROL}" toName="{VIDEO_OBJECT}" allowEmpty="true">',
            *lines,
            "  </Labels>",
            "</View>",
            "",
        ]
    )


def _colour(number: int) -> str:
    """Return the colour of the n-th label, unlike those of its neighbours."""
    red, green, blue = colorsys.hls_to_rgb(number * GOLDEN_RATIO % 1, 0.5, 0.65)
    return "#{:02x}{:02x}{:02x}".format(*(round(255 * part) for part in (red, green, blue)))
