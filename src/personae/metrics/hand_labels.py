"""Hand labels of a film, and how well a run's faces agree with them.

Labels say who is where at some moments; a run gives tracks of boxes, some of them given to a character.
A labelled face belongs to the track that is at its place at its time, and takes that track's character.
"""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from personae.core.arrays import Float64Array
from personae.core.errors import SettingError
from personae.metrics import clustering as metrics

LABEL_COLUMNS = ("time_s", "x", "y", "w", "h", "person")
FACE_COLUMNS = ("time_s", "x", "y", "w", "h", "track", "character")
IGNORED = "__ignore__"
"""The person of labels that mark something which is nobody's face."""

BRIDGE_S = 0.6
"""A track is interpolated at a moment if it has boxes no further than this both before and after."""
REACH_S = 0.12
"""Otherwise its box counts if it is no further than this on one side."""
LEAST_IOU = 0.3
"""Boxes must overlap by more than this to be the same face."""


@dataclass(frozen=True)
class LabelledFace:
    """A person's face at one moment of the film."""

    time_s: float
    box: tuple[float, float, float, float]
    """x, y, w, h in source pixels."""
    person: str


@dataclass(frozen=True)
class PredictedTrack:
    """A track of a run, n boxes by time, and the character it was given to."""

    times: Float64Array
    """(n,) seconds, rising."""
    boxes: Float64Array
    """(n, 4) x, y, w, h in source pixels."""
    character: str | None
    """None where it was left out as unknown."""

    def box_at(self, time_s: float) -> Float64Array | None:
        """Give the (4,) box at a moment, interpolated linearly; None where the track is not there."""
        after = int(np.searchsorted(self.times, time_s))
        before = after if after < len(self.times) and self.times[after] == time_s else after - 1
        since = time_s - self.times[before] if before >= 0 else np.inf
        until = self.times[after] - time_s if after < len(self.times) else np.inf
        if since <= BRIDGE_S and until <= BRIDGE_S:
            share = since / (since + until) if since + until else 0.0
            return np.asarray(self.boxes[before] + share * (self.boxes[after] - self.boxes[before]))
        if since <= REACH_S:
            return np.asarray(self.boxes[before])
        return np.asarray(self.boxes[after]) if until <= REACH_S else None


@dataclass(frozen=True)
class Score:
    """How a run agrees with labels; shares lie in 0..1."""

    faces: int
    """Labelled faces."""
    found: int
    """Labelled faces on a predicted track."""
    placed: int
    """Labelled faces on a track that was given to a character."""
    people: int
    """Distinct labelled people."""
    characters: int
    """Predicted characters that hold a labelled face."""
    strays: int
    """Predicted characters that hold none."""
    tracks: int
    """Tracks given to a character that hold a labelled face."""
    wcp: float
    """Weighted cluster purity of those tracks, each counting as the person most of its faces are of."""
    pcr: float
    """Characters / people; 1 is best, and to be read together with `wcp`."""
    bcubed: metrics.PrecisionRecall
    """Over all labelled faces; one that was not placed is a cluster of its own."""


def read_labels(path: Path) -> list[LabelledFace]:
    """Read a label file (columns video, time_s, x, y, w, h, person), without the faces to be ignored.

    Raises SettingError if it is not such a file or labels nobody.
    """
    rows = _rows(path, LABEL_COLUMNS)
    faces = [
        LabelledFace(float(r["time_s"]), _box(r), r["person"])
        for r in rows
        if r["person"] != IGNORED
    ]
    if not faces:
        raise SettingError(f"{path} labels nobody's face.")
    return faces


def read_tracks(path: Path) -> dict[str, PredictedTrack]:
    """Read the tracks of an exported `faces.csv`, in order of appearance; SettingError if it is none."""
    rows = defaultdict(list)
    for row in _rows(path, FACE_COLUMNS):
        rows[row["track"]].append(row)
    tracks = {}
    for name, own in rows.items():
        times = np.array([float(r["time_s"]) for r in own])
        order = np.argsort(times, kind="stable")
        boxes = np.array([_box(r) for r in own])
        tracks[name] = PredictedTrack(
            times[order], boxes[order], own[-1]["character"].strip() or None
        )
    return tracks


def iou(a: npt.ArrayLike, b: npt.ArrayLike) -> float:
    """Intersection over union of two x, y, w, h boxes, 0..1."""
    (ax, ay, aw, ah), (bx, by, bw, bh) = np.asarray(a, float), np.asarray(b, float)
    wide, high = min(ax + aw, bx + bw) - max(ax, bx), min(ay + ah, by + bh) - max(ay, by)
    if wide <= 0 or high <= 0:
        return 0.0
    return float(wide * high / (aw * ah + bw * bh - wide * high))


def match(faces: list[LabelledFace], tracks: dict[str, PredictedTrack]) -> list[str | None]:
    """Give each labelled face the track that overlaps it best at its time, or None."""
    names = [name for name, track in tracks.items() if len(track.times)]
    # `box_at` decides; these only spare asking the many tracks that are nowhere near.
    first = np.array([tracks[name].times[0] for name in names]) - 2 * REACH_S
    last = np.array([tracks[name].times[-1] for name in names]) + 2 * REACH_S
    matches: list[str | None] = []
    for face in faces:
        best, name_of_best = LEAST_IOU, None
        for i in np.flatnonzero((first <= face.time_s) & (face.time_s <= last)):
            box = tracks[names[i]].box_at(face.time_s)
            if box is not None and (overlap := iou(face.box, box)) > best:
                best, name_of_best = overlap, names[i]
        matches.append(name_of_best)
    return matches


def score(faces: list[LabelledFace], tracks: dict[str, PredictedTrack]) -> Score:
    """Compare a run's tracks with the labels of its film."""
    matches = match(faces, tracks)
    placed = [None if name is None else tracks[name].character for name in matches]
    people = {face.person for face in faces}
    held = {character for character in placed if character}
    votes: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for name, character, face in zip(matches, placed, faces, strict=True):
        if name is not None and character:
            votes[name][face.person] += 1
    majority = [vote.most_common(1)[0][0] for vote in votes.values()]
    number = {character: i for i, character in enumerate(sorted(held))}
    of_tracks = [number[tracks[name].character or ""] for name in votes]
    of_faces = [number[character] if character else -1 for character in placed]
    return Score(
        faces=len(faces),
        found=sum(name is not None for name in matches),
        placed=sum(character is not None for character in placed),
        people=len(people),
        characters=len(held),
        strays=len({track.character for track in tracks.values() if track.character} - held),
        tracks=len(votes),
        wcp=metrics.weighted_cluster_purity(majority, of_tracks),
        pcr=len(held) / len(people),
        bcubed=metrics.bcubed([face.person for face in faces], of_faces, unknown="own"),
    )


def _rows(path: Path, columns: tuple[str, ...]) -> list[dict[str, str]]:
    with open(path, newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        missing = [column for column in columns if column not in (reader.fieldnames or ())]
        if missing:
            raise SettingError(f"{path} has no column {', '.join(missing)}.")
        return list(reader)


def _box(row: dict[str, str]) -> tuple[float, float, float, float]:
    return float(row["x"]), float(row["y"]), float(row["w"]), float(row["h"])
