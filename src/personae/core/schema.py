"""Tables of a project folder: their columns, types and units."""

from __future__ import annotations

import math

import pyarrow as pa

from personae.core.colour_histogram import CLOTHES_BYTES
from personae.core.crops import THUMBNAIL_SHAPE

SHOTS = pa.schema(
    [
        ("shot", pa.int32()),
        ("first_frame", pa.int64()),
        ("last_frame", pa.int64()),  # inclusive
        ("start_pts", pa.int64()),
        ("end_pts", pa.int64()),  # exclusive: first pts after the shot
        ("start_s", pa.float64()),
        ("end_s", pa.float64()),
    ]
)
"""One row per shot."""

FACES = pa.schema(
    [
        ("face", pa.int64()),
        ("frame", pa.int64()),
        ("pts", pa.int64()),
        ("time_s", pa.float64()),
        ("shot", pa.int32()),
        ("track", pa.int32()),  # -1: belongs to no track
        ("x", pa.float32()),  # source pixels, as displayed (after rotation)
        ("y", pa.float32()),
        ("w", pa.float32()),
        ("h", pa.float32()),
        ("score", pa.float32()),  # detector confidence; NaN where interpolated
        ("landmarks", pa.list_(pa.float32(), 10)),  # x, y of eyes, nose, mouth; null: interpolated
        ("interpolated", pa.bool_()),
        ("crop", pa.int64()),  # -1: not sampled
    ]
)
"""One row per detected or interpolated face box, ordered by frame."""

TRACKS = pa.schema(
    [
        ("track", pa.int32()),
        ("shot", pa.int32()),
        ("first_frame", pa.int64()),
        ("last_frame", pa.int64()),
        ("start_s", pa.float64()),
        ("end_s", pa.float64()),  # exclusive: time of the frame after the last
        ("faces", pa.int32()),  # detected, not interpolated
        ("crops", pa.int32()),
        ("median_width", pa.float32()),
        ("quality", pa.float32()),  # 0..1, see personae.scan.track_quality
        ("status", pa.string()),  # one of TRACK_STATUS
    ]
)
"""One row per face track."""

TRACK_STATUS = ("kept", "small", "blurred", "short", "low_quality")
"""`kept`, or the first filter that the track failed; such a track only attaches to a character."""

CROPS = pa.schema(
    [
        ("crop", pa.int64()),
        ("track", pa.int32()),
        ("frame", pa.int64()),
        ("time_s", pa.float64()),
        ("width", pa.float32()),  # of the face box, source pixels
        ("sharpness", pa.float32()),  # variance of the Laplacian of the aligned crop
        ("score", pa.float32()),
        ("frontality", pa.float32()),  # 0 profile .. 1 frontal, from the landmarks
        ("image", pa.binary()),  # JPEG of the CROP_SIZE square
        ("thumbnail", pa.binary(math.prod(THUMBNAIL_SHAPE))),  # RGB bytes of the whole frame
        ("clothes", pa.binary(CLOTHES_BYTES)),  # packed colour histogram; null: none visible
    ]
)
"""One row per sampled, aligned crop, ordered by track then frame."""

CANNOT_LINKS = pa.schema(
    [
        ("track_a", pa.int32()),
        ("track_b", pa.int32()),
        ("frames", pa.int32()),  # in which both were detected, without overlap
    ]
)
"""One row per pair of tracks that cannot be one person, track_a < track_b."""

CHARACTERS = pa.schema(
    [
        ("track", pa.int32()),
        ("character", pa.string()),  # "P01", "P02", ...; null = unknown or ignored
        ("confidence", pa.float32()),  # 0..1 that the track belongs to its character
        ("runner_up", pa.string()),  # the next best character, or null
        ("ignored", pa.bool_()),  # a person has left the track out of the cast
    ]
)
"""One row per track."""

NUMBERS = pa.schema(
    [
        ("character", pa.string()),  # "P01", "P02", ...
        ("current", pa.bool_()),  # the latest clustering has a character of that number
        ("track", pa.int32()),
        ("start_s", pa.float64()),
        ("end_s", pa.float64()),
        ("boxes", pa.list_(pa.float32())),  # of some faces: time_s, x, y, w, h, one after the other
        ("scan", pa.string()),  # digest of the scan that the tracks are of
    ]
)
"""One row per track of every character number ever given, when it was last given."""
