"""From a project's tables to the `TrackSet` that methods take: only tracks that have crops, numbered anew."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from personae.core.arrays import Float32Array, Int32Array, UInt8Array
from personae.core.crops import THUMBNAIL_SHAPE
from personae.core.trackset import Crops, TrackSet

if TYPE_CHECKING:
    import pyarrow as pa

    from personae.project.folder import Project


@dataclass(frozen=True)
class ProjectTracks(TrackSet):
    """A film's tracks; row t of every (T,) array is the table's track `track_ids[t]`."""

    track_ids: Int32Array = field(
        default_factory=lambda: np.empty(0, dtype=np.int32), metadata={"axis": "tracks"}
    )
    """(T,) the tracks' numbers in the project's tables, ascending."""


def read_tracks(project: Project, embedded: bool, placed: bool) -> ProjectTracks:
    """Assemble the tracks that have crops, where wished for with embeddings, once finished, and places."""
    tracks, links = project.table("tracks"), project.table("links")
    pictures = ("picture",) if placed else ()
    crops = project.table("crops", "track", "time_s", "width", "sharpness", *pictures)
    owner = crops["track"].to_numpy()
    track_ids, track_of = np.unique(owner, return_inverse=True)
    described = {int(number): row for row, number in enumerate(tracks["track"].to_numpy())}
    rows = [described[int(number)] for number in track_ids]
    status = tracks["status"].to_pylist()
    row_of = {int(number): row for row, number in enumerate(track_ids)}
    pairs, frames = [], []
    for a, b, together in zip(
        *(links[name].to_pylist() for name in ("track_a", "track_b", "frames")), strict=True
    ):
        if a in row_of and b in row_of:
            pairs.append((row_of[a], row_of[b]))
            frames.append(together)
    return ProjectTracks(
        track_of=track_of.astype(np.int32),
        crops=Crops(
            images=project.crops(),
            widths=crops["width"].to_numpy().astype(np.float32),
            boxes=_places(project) if placed else None,
            thumbnails=_pictures(crops) if placed else None,
            times_s=crops["time_s"].to_numpy().astype(np.float32),
        ),
        embeddings=_embeddings(project) if embedded else None,
        cannot_link=np.array(pairs, dtype=np.int32).reshape(-1, 2),
        cannot_link_frames=np.array(frames, dtype=np.int32),
        quality=tracks["quality"].to_numpy()[rows].astype(np.float32),
        attach_only=np.array([status[row] != "kept" for row in rows], dtype=np.bool_),
        track_ids=track_ids.astype(np.int32),
    )


def _places(project: Project) -> Float32Array:
    """Find the (n, 4) face boxes of the crops, whose numbers are those of their rows."""
    faces = project.table("faces", "crop", "x", "y", "w", "h")
    of_face = faces["crop"].to_numpy()
    face = np.flatnonzero(of_face >= 0)
    face = face[np.argsort(of_face[face])]
    return np.column_stack([faces[name].to_numpy()[face] for name in ("x", "y", "w", "h")])


def _pictures(crops: pa.Table) -> UInt8Array:
    """Put together the (n, h, w, 3) small pictures that the crops are from."""
    flat = np.frombuffer(b"".join(crops["picture"].to_pylist()), dtype=np.uint8)
    return flat.reshape(-1, *THUMBNAIL_SHAPE)


def _embeddings(project: Project) -> Float32Array | None:
    from personae.core.errors import ProjectError
    from personae.project.folder import EMBEDDINGS

    if "embed" not in project.manifest.stages:
        return None
    try:
        project.require("embed")
    except ProjectError:
        return None
    from safetensors.numpy import load_file

    base: Float32Array = load_file(project.file("embed", EMBEDDINGS))["base"]
    return base
