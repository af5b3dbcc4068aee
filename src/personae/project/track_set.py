"""From the tables of a project to the `TrackSet` that adaptation and clustering take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from personae.core.arrays import Float32Array, Int32Array, UInt8Array
from personae.core.colour_histogram import unpack_histograms
from personae.core.crops import THUMBNAIL_SHAPE
from personae.core.trackset import PER_TRACK, Crops, TrackSet

if TYPE_CHECKING:
    import pyarrow as pa

BOX = ("x", "y", "w", "h")
"""Columns of a face box, in pixels of the film."""

THUMBNAIL = "thumbnail"
"""Column of the crops that holds their frame, scaled down."""

CLOTHES = "clothes"
"""Column of the crops that holds the packed colour histogram of the clothes."""


@dataclass(frozen=True)
class ProjectTracks(TrackSet):
    """A film's tracks; row t of every (T,) array is the table's track `track_ids[t]`."""

    track_ids: Int32Array = field(kw_only=True, metadata=PER_TRACK)
    """(T,) the tracks' numbers in the project's tables, ascending."""


def build_track_set(
    tracks: pa.Table,
    crops: pa.Table,
    cannot_links: pa.Table,
    images: Sequence[UInt8Array] | None = None,
    faces: pa.Table | None = None,
    embeddings: Float32Array | None = None,
) -> ProjectTracks:
    """Build the set of the tracks that have crops, renumbered.

    Args:
        tracks: The table of all tracks.
        crops: The table of crops, ordered by track; its columns `thumbnail` and
            `clothes` may be left out.
        cannot_links: The table of pairs of tracks; those with a track without crops are dropped.
        images: The n aligned crops.
        faces: Table with the columns `crop`, `x`, `y`, `w`, `h`; without it there are no boxes.
        embeddings: (n, d) of the crops.

    Returns:
        The tracks in ascending order of their numbers in the tables.
    """
    track_ids, track_of = np.unique(crops["track"].to_numpy(), return_inverse=True)
    table_row = {int(number): row for row, number in enumerate(tracks["track"].to_numpy())}
    rows = [table_row[int(number)] for number in track_ids]
    status = tracks["status"].to_pylist()
    pairs, frames = _pairs_among(track_ids, cannot_links)
    return ProjectTracks(
        track_of=track_of.astype(np.int32),
        crops=Crops(
            images=images,
            widths=crops["width"].to_numpy().astype(np.float32),
            sharpness=crops["sharpness"].to_numpy().astype(np.float32),
            boxes=None if faces is None else _boxes_of_crops(faces),
            thumbnails=_thumbnails(crops) if THUMBNAIL in crops.column_names else None,
            clothes=(
                unpack_histograms(crops[CLOTHES].to_pylist())
                if CLOTHES in crops.column_names
                else None
            ),
            times_s=crops["time_s"].to_numpy().astype(np.float32),
        ),
        embeddings=embeddings,
        cannot_link=pairs,
        cannot_link_frames=frames,
        quality=tracks["quality"].to_numpy()[rows].astype(np.float32),
        attach_only=np.array([status[row] != "kept" for row in rows], dtype=np.bool_),
        track_ids=track_ids.astype(np.int32),
    )


def _pairs_among(track_ids: Int32Array, cannot_links: pa.Table) -> tuple[Int32Array, Int32Array]:
    """Return the (m, 2) pairs that lie among `track_ids`, as rows of it, and their (m,) frames."""
    row_of = {int(number): row for row, number in enumerate(track_ids)}
    columns = (cannot_links[name].to_pylist() for name in ("track_a", "track_b", "frames"))
    pairs, frames = [], []
    for a, b, together in zip(*columns, strict=True):
        if a in row_of and b in row_of:
            pairs.append((row_of[a], row_of[b]))
            frames.append(together)
    return np.array(pairs, dtype=np.int32).reshape(-1, 2), np.array(frames, dtype=np.int32)


def _boxes_of_crops(faces: pa.Table) -> Float32Array:
    """Return the (n, 4) face boxes of the crops, in the order of the crops' numbers."""
    crop_of_face = faces["crop"].to_numpy()
    rows = np.flatnonzero(crop_of_face >= 0)
    rows = rows[np.argsort(crop_of_face[rows])]
    return np.column_stack([faces[name].to_numpy()[rows] for name in BOX])


def _thumbnails(crops: pa.Table) -> UInt8Array:
    """Return the (n, h, w, 3) frame thumbnails of the crops."""
    flat = np.frombuffer(b"".join(crops[THUMBNAIL].to_pylist()), dtype=np.uint8)
    return flat.reshape(-1, *THUMBNAIL_SHAPE)
