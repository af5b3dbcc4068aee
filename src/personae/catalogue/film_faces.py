"""The characters of a finished project folder, with the vectors by which they are compared."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from personae.core.arrays import Float32Array, Float64Array, Int64Array
from personae.core.digest import json_digest
from personae.core.grouping import group_means, unit_rows
from personae.project.edits.journal import EDITS

if TYPE_CHECKING:
    from personae.project import Character, Project

MAX_BEST_CROPS = 8
"""Faces of a character that are found by a picture, each of another track where there are such."""


@dataclass(frozen=True)
class CharacterFaces:
    """One character of a film as a catalogue knows it."""

    number: int
    label: str
    name: str | None
    reviewed: bool
    tracks: tuple[int, ...]
    seconds: float
    first_s: float
    last_s: float

    anchor_track: int
    """The most typical of its tracks."""

    centre: Float32Array | None
    """(d,) of length 1; None where none of its faces is kept."""

    crops: Int64Array
    """(k,) its best crops, the best first."""

    crop_tracks: Int64Array
    """(k,)"""

    crop_times_ms: Int64Array
    """(k,)"""

    crop_vectors: Float32Array
    """(k, d) of length 1."""


def film_digest(project: Project) -> str:
    """Return a digest of all that `read_characters` reads: the cast, its vectors and its edits.

    Raises:
        ProjectError: The film has not been clustered.
    """
    edits = project.folder / EDITS
    said = edits.read_bytes() if edits.exists() else b""
    encoded = project.manifest.stages.get("encode")
    return json_digest(
        {
            "cluster": project.require("cluster").digest,
            "encode": encoded.digest if encoded else None,
            "edits": said.decode(errors="replace"),
        }
    )


def read_characters(project: Project) -> list[CharacterFaces]:
    """Return the characters of a film, by falling screen time.

    The vectors are those of the network as it was before it learned the film: only these can be
    compared across films.

    Raises:
        ProjectError: The film has not been clustered.
    """
    tracks = project.track_set(with_frames=False)
    embeddings = tracks.require_embeddings()
    unit = unit_rows(embeddings)
    means = unit_rows(group_means(unit, tracks.track_of, tracks.n_tracks))
    quality = np.ones(tracks.n_tracks) if tracks.quality is None else tracks.quality
    counts = np.bincount(tracks.track_of, minlength=tracks.n_tracks)
    # the crops of a track are alike: the hundredth says little that the tenth has not said
    weights = np.maximum(quality, MIN_WEIGHT) * np.sqrt(counts)
    row_of = {int(track): row for row, track in enumerate(tracks.track_ids)}
    crops = project.table("crops", "track", "time_s", "sharpness", "score", "frontality")
    goodness = _rate_crops(*(crops[c].to_numpy() for c in ("score", "frontality", "sharpness")))
    times_ms = np.round(crops["time_s"].to_numpy() * 1000).astype(np.int64)
    members = tracks.members()
    found = []
    for character in project.cast():
        rows = np.array([row_of[one] for one in character.tracks if one in row_of], np.int64)
        if not len(rows):
            found.append(_without_faces(character, embeddings.shape[1]))
            continue
        centre = unit_rows((weights[rows] @ means[rows])[None])[0]
        typical = int(rows[np.argmax((means[rows] @ centre) * weights[rows])])
        chosen = _choose_crops([members[row] for row in rows.tolist()], goodness)
        found.append(
            CharacterFaces(
                **_facts(character),
                anchor_track=int(tracks.track_ids[typical]),
                centre=centre.astype(np.float32),
                crops=chosen,
                crop_tracks=tracks.track_ids[tracks.track_of[chosen]].astype(np.int64),
                crop_times_ms=times_ms[chosen],
                crop_vectors=unit[chosen].astype(np.float32),
            )
        )
    return found


MIN_WEIGHT = 0.01
"""Lowest weight of a track, so that a character of poor tracks has a centre too."""


def _without_faces(character: Character, dim: int) -> CharacterFaces:
    none = np.empty(0, np.int64)
    return CharacterFaces(
        **_facts(character),
        anchor_track=character.tracks[0],
        centre=None,
        crops=none,
        crop_tracks=none,
        crop_times_ms=none,
        crop_vectors=np.empty((0, dim), np.float32),
    )


def _facts(character: Character) -> dict[str, Any]:
    return {
        "number": int(character.label[1:]),
        "label": character.label,
        "name": character.name,
        "reviewed": character.reviewed,
        "tracks": character.tracks,
        "seconds": character.screen_time,
        "first_s": character.first_seen,
        "last_s": character.last_seen,
    }


def _rate_crops(
    score: Float64Array, frontality: Float64Array, sharpness: Float64Array
) -> Float64Array:
    """Return how good each crop is, as the scan rates them within a track."""
    typical = float(np.median(sharpness)) if len(sharpness) else 1.0
    rated: Float64Array = score * (1 + frontality) * sharpness / (sharpness + typical + 1e-9)
    return rated


def _choose_crops(tracks: Iterable[Int64Array], goodness: Float64Array) -> Int64Array:
    """Return the best crops: the best of each track before the second of any."""
    ranked = []
    for crops in tracks:
        order = crops[np.argsort(-goodness[crops], kind="stable")]
        ranked += [(place, -goodness[crop], int(crop)) for place, crop in enumerate(order)]
    return np.array([crop for *_, crop in sorted(ranked)[:MAX_BEST_CROPS]], dtype=np.int64)
