"""Hand labels of a film, and how well the tracks of a run agree with them.

A label states the person and the box of a face at one moment. A run predicts tracks of boxes, some
of them assigned to a character. A labelled face belongs to the track that overlaps it most at its
time, and takes the character of that track.
"""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from personae.core.arrays import Float64Array
from personae.core.boxes import box_iou
from personae.core.errors import SettingError
from personae.metrics.clustering import PrecisionRecall, bcubed, weighted_cluster_purity

LABEL_COLUMNS = ("time_s", "x", "y", "w", "h", "person")
FACE_COLUMNS = ("time_s", "x", "y", "w", "h", "track", "character")
IGNORED_PERSON = "__ignore__"
"""The person of labels that mark something other than a face."""

MAX_INTERPOLATION_S = 0.6
"""A track is interpolated at a moment if it has boxes within this many seconds before and after."""
MAX_EXTRAPOLATION_S = 0.12
"""Otherwise a box within this many seconds on one side stands for the track."""
MIN_MATCH_IOU = 0.3
"""Boxes of one face overlap by more than this."""


@dataclass(frozen=True)
class LabelledFace:
    """A person's face at one moment of the film."""

    time_s: float
    box: tuple[float, float, float, float]
    """x, y, w, h in source pixels."""
    person: str


@dataclass(frozen=True)
class PredictedTrack:
    """A track of a run: n boxes by time, and its character."""

    times: Float64Array
    """(n,) seconds, rising."""
    boxes: Float64Array
    """(n, 4) x, y, w, h in source pixels."""
    character: str | None
    """None if the track was left out as unknown."""

    def box_at(self, time_s: float) -> Float64Array | None:
        """Return the (4,) box at a moment, interpolated linearly; None if it is not there."""
        after = int(np.searchsorted(self.times, time_s))
        before = after if after < len(self.times) and self.times[after] == time_s else after - 1
        since = time_s - self.times[before] if before >= 0 else np.inf
        until = self.times[after] - time_s if after < len(self.times) else np.inf
        if since <= MAX_INTERPOLATION_S and until <= MAX_INTERPOLATION_S:
            weight = since / (since + until) if since + until else 0.0
            step = self.boxes[after] - self.boxes[before]
            return np.asarray(self.boxes[before] + weight * step)
        if since <= MAX_EXTRAPOLATION_S:
            return np.asarray(self.boxes[before])
        return np.asarray(self.boxes[after]) if until <= MAX_EXTRAPOLATION_S else None


@dataclass(frozen=True)
class HandLabelScore:
    """Agreement of a run with hand labels; shares lie in 0..1."""

    faces: int
    """Labelled faces."""
    found: int
    """Labelled faces on a predicted track."""
    placed: int
    """Labelled faces on a track that was assigned to a character."""
    people: int
    """Distinct labelled people."""
    characters: int
    """Predicted characters that hold a labelled face."""
    strays: int
    """Predicted characters that hold none."""
    tracks: int
    """Tracks assigned to a character that hold a labelled face."""
    wcp: float
    """Weighted cluster purity of those tracks, each labelled by the majority of its faces."""
    pcr: float
    """Characters / people; 1 is best, and to be read together with `wcp`."""
    bcubed: PrecisionRecall
    """Over all labelled faces; one that was not placed is a cluster of its own."""


def read_labels(path: Path) -> list[LabelledFace]:
    """Read a label file, without the faces to be ignored.

    Args:
        path: CSV file with the columns video, time_s, x, y, w, h, person.

    Returns:
        Labelled faces in the order of the file.

    Raises:
        SettingError: A column is missing or the file labels no face.
    """
    rows = _read_rows(path, LABEL_COLUMNS)
    faces = [
        LabelledFace(float(row["time_s"]), _parse_box(row), row["person"])
        for row in rows
        if row["person"] != IGNORED_PERSON
    ]
    if not faces:
        raise SettingError(f"{path} has labels of no face.")
    return faces


def read_tracks(path: Path) -> dict[str, PredictedTrack]:
    """Read the tracks of an exported `faces.csv`.

    Returns:
        Tracks by name, in order of appearance.

    Raises:
        SettingError: A column is missing.
    """
    rows_of: defaultdict[str, list[dict[str, str]]] = defaultdict(list)
    for row in _read_rows(path, FACE_COLUMNS):
        rows_of[row["track"]].append(row)
    tracks = {}
    for name, rows in rows_of.items():
        times = np.array([float(row["time_s"]) for row in rows])
        order = np.argsort(times, kind="stable")
        boxes = np.array([_parse_box(row) for row in rows])
        tracks[name] = PredictedTrack(
            times[order], boxes[order], rows[-1]["character"].strip() or None
        )
    return tracks


def match_faces(faces: list[LabelledFace], tracks: dict[str, PredictedTrack]) -> list[str | None]:
    """Find the track that overlaps each labelled face most at its time.

    Returns:
        Name of each face's track, the first of equals; None if no IoU is above `MIN_MATCH_IOU`.
    """
    names = [name for name, track in tracks.items() if len(track.times)]
    # `box_at` decides; these bounds only skip the many tracks that are nowhere near in time.
    first = np.array([tracks[name].times[0] for name in names]) - 2 * MAX_EXTRAPOLATION_S
    last = np.array([tracks[name].times[-1] for name in names]) + 2 * MAX_EXTRAPOLATION_S
    matches: list[str | None] = []
    for face in faces:
        boxes: dict[str, Float64Array] = {}
        for i in np.flatnonzero((first <= face.time_s) & (face.time_s <= last)):
            box = tracks[names[i]].box_at(face.time_s)
            if box is not None:
                boxes[names[i]] = box
        matches.append(_best_match(face, boxes))
    return matches


def _best_match(face: LabelledFace, boxes: dict[str, Float64Array]) -> str | None:
    if not boxes:
        return None
    iou = box_iou(np.array([face.box], np.float64), np.stack(list(boxes.values())))[0]
    best = int(iou.argmax())
    return list(boxes)[best] if iou[best] > MIN_MATCH_IOU else None


def score_tracks(faces: list[LabelledFace], tracks: dict[str, PredictedTrack]) -> HandLabelScore:
    """Compare the tracks of a run with the hand labels of its film."""
    matches = match_faces(faces, tracks)
    placed = [None if name is None else tracks[name].character for name in matches]
    people = {face.person for face in faces}
    held = {character for character in placed if character}
    votes: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for name, character, face in zip(matches, placed, faces, strict=True):
        if name is not None and character:
            votes[name][face.person] += 1
    majority = [vote.most_common(1)[0][0] for vote in votes.values()]
    cluster_of = {character: i for i, character in enumerate(sorted(held))}
    track_clusters = [cluster_of[tracks[name].character or ""] for name in votes]
    face_clusters = [cluster_of[character] if character else -1 for character in placed]
    return HandLabelScore(
        faces=len(faces),
        found=sum(name is not None for name in matches),
        placed=sum(character is not None for character in placed),
        people=len(people),
        characters=len(held),
        strays=len({track.character for track in tracks.values() if track.character} - held),
        tracks=len(votes),
        wcp=weighted_cluster_purity(majority, track_clusters),
        pcr=len(held) / len(people),
        bcubed=bcubed([face.person for face in faces], face_clusters),
    )


def _read_rows(path: Path, columns: tuple[str, ...]) -> list[dict[str, str]]:
    with open(path, newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        missing = [column for column in columns if column not in (reader.fieldnames or ())]
        if missing:
            raise SettingError(f"{path} has no column {', '.join(missing)}.")
        return list(reader)


def _parse_box(row: dict[str, str]) -> tuple[float, float, float, float]:
    return float(row["x"]), float(row["y"]), float(row["w"]), float(row["h"])
