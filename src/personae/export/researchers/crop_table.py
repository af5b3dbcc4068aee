"""The selected face crops with their embeddings, as data for machine learning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from personae.core.arrays import Float32Array, Int64Array
from personae.export.appearances import Box
from personae.export.export_format import ExportRequest
from personae.export.researchers.face_tracks import FaceTrack, load_film_tracks

if TYPE_CHECKING:
    from personae.project.crop_store import StoredCrops

CLASS_OF_UNKNOWN = -1
"""Class of crops whose character is unknown, as in scikit-learn's clusterings."""


@dataclass(frozen=True)
class CropRow:
    """What is known of one crop."""

    crop: int
    """As in the project's tables."""

    track: FaceTrack

    class_index: int
    """Index of its character among `CropTable.characters`; `CLASS_OF_UNKNOWN`."""

    frame: int

    time_s: float
    """Seconds from the container's zero."""

    box: Box
    """Of the face in its frame."""

    sharpness: float
    score: float
    frontality: float

    def rounded_box(self) -> list[float]:
        """Return the box, rounded to a hundredth of a pixel."""
        return [round(side, 2) for side in self.box]

    def describe(self) -> dict[str, object]:
        """Return plain data for JSON."""
        return {
            "crop": self.crop,
            "character": self.track.character,
            "label": self.track.label,
            "track": self.track.number,
            "shot": self.track.shot,
            "confidence": round(self.track.confidence, 4),
            "reviewed": self.track.reviewed,
            "frame": self.frame,
            "time_s": round(self.time_s, 6),
            "box": self.rounded_box(),
            "sharpness": round(self.sharpness, 2),
            "score": round(self.score, 4),
            "frontality": round(self.frontality, 4),
        }


@dataclass(frozen=True)
class CropTable:
    """The crops of the selected tracks, in order of their numbers."""

    rows: Sequence[CropRow]

    characters: tuple[str, ...]
    """P01, P02, ... of the cast: the classes, whether or not they have crops here."""

    labels: tuple[str, ...]
    """Their labels for people."""

    embeddings: Float32Array | None
    """(n, d) of the face-ID model, not normalised; None where they have to be made again."""

    images: StoredCrops
    """All crops of the film; take `images.jpeg(row.crop)`."""


def load_crop_table(request: ExportRequest) -> CropTable:
    """Load the crops of the selected tracks.

    Raises:
        ProjectError: The clustering has not finished.
        SettingError: There is no such character, or nothing of it is left.
    """
    project = request.project
    film = load_film_tracks(request)
    tracks = {track.number: track for track in film.tracks}
    class_of = {character: index for index, character in enumerate(film.labels)}
    boxes = {
        (track.number, frame): Box(*box)
        for track in film.tracks
        for frame, box in zip(track.frames.tolist(), track.boxes.tolist(), strict=True)
    }
    columns = ("crop", "track", "frame", "time_s", "sharpness", "score", "frontality")
    rows = [
        CropRow(
            crop=row["crop"],
            track=tracks[row["track"]],
            class_index=class_of.get(tracks[row["track"]].character or "", CLASS_OF_UNKNOWN),
            frame=row["frame"],
            time_s=row["time_s"],
            box=boxes[row["track"], row["frame"]],
            sharpness=row["sharpness"],
            score=row["score"],
            frontality=row["frontality"],
        )
        for row in project.table("crops", *columns).to_pylist()
        if row["track"] in tracks
    ]
    embeddings = project.track_set(with_frames=False).embeddings
    kept: Int64Array = np.array([row.crop for row in rows], dtype=np.int64)
    return CropTable(
        rows=rows,
        characters=tuple(film.labels),
        labels=tuple(film.labels.values()),
        embeddings=None if embeddings is None else embeddings[kept],
        images=project.crops(),
    )
