"""Face tracks with their crops, the input of every method."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import Field, dataclass, field, fields, replace
from typing import Any, Self

import numpy as np

from personae.core.arrays import (
    BoolArray,
    Float32Array,
    Int32Array,
    Int64Array,
    IntArray,
    UInt8Array,
)
from personae.core.pairs import pair_matrix

PER_CROP = {"axis": "crops"}
"""Metadata of a field with one row per crop."""

PER_TRACK = {"axis": "tracks"}
"""Metadata of a field with one row per track."""

PAIRS = {"axis": "pairs"}
"""Metadata of a field that holds (m, 2) pairs of tracks."""


def per_pair(pairs: str) -> dict[str, str]:
    """Return the metadata of a field with one entry per pair of the field called `pairs`."""
    return {"axis": "entries", "pairs": pairs}


def _no_pairs() -> Int32Array:
    return np.empty((0, 2), dtype=np.int32)


@dataclass(frozen=True)
class Crops:
    """What is known of the n crops of a `TrackSet`; every field may be None."""

    images: Sequence[UInt8Array] | None = field(default=None, metadata=PER_CROP)
    """n aligned (S, S, 3) RGB crops, read lazily; see `personae.core.crops`."""

    widths: Float32Array | None = field(default=None, metadata=PER_CROP)
    """(n,) width of each crop's face box in pixels of the film."""

    sharpness: Float32Array | None = field(default=None, metadata=PER_CROP)
    """(n,) variance of the Laplacian of each aligned crop, higher is sharper."""

    boxes: Float32Array | None = field(default=None, metadata=PER_CROP)
    """(n, 4) x, y, w, h of each crop's face box in its frame, in pixels of the film."""

    thumbnails: UInt8Array | None = field(default=None, metadata=PER_CROP)
    """(n, h, w, 3) the frame that each crop is from, scaled to `core.crops.THUMBNAIL_SHAPE`."""

    clothes: Float32Array | None = field(default=None, metadata=PER_CROP)
    """(n, d) colour histogram of the clothes below each face, summing to 1; zeros where none are
    visible."""

    times_s: Float32Array | None = field(default=None, metadata=PER_CROP)
    """(n,) when each crop was seen, in seconds of the film."""

    def subset(self, rows: IntArray) -> Self:
        """Return the crops of some rows, in the order of `rows`."""
        return replace(self, **{one.name: _take(value, rows) for one, value in _given(self)})


@dataclass(frozen=True)
class TrackSet:
    """Face tracks of one film, or of a benchmark: n crops in T tracks.

    Every track 0..T-1 has at least one crop. Arrays are never written to by a method. The
    metadata of every array field states what it has rows for (`PER_CROP`, `PER_TRACK`, `PAIRS`,
    `per_pair`); the checks and `subset` follow it, in subclasses too.

    Raises:
        ValueError: A field does not fit the number of crops, tracks or pairs.
    """

    track_of: Int32Array = field(metadata=PER_CROP)
    """(n,) track 0..T-1 of each crop."""

    embeddings: Float32Array | None = field(default=None, metadata=PER_CROP)
    """(n, d) of the face-ID model in use, not normalised."""

    crops: Crops = field(default_factory=Crops)
    """What else is known of the crops; empty where only embeddings are known."""

    cannot_link: Int32Array = field(default_factory=_no_pairs, metadata=PAIRS)
    """(m, 2) pairs of tracks on screen in the same frame at clearly different places."""

    cannot_link_frames: Int32Array | None = field(default=None, metadata=per_pair("cannot_link"))
    """(m,) number of frames in which each such pair was seen together."""

    must_link: Int32Array = field(default_factory=_no_pairs, metadata=PAIRS)
    """(m, 2) pairs of tracks that a person has declared to be the same; they always hold."""

    must_not_link: Int32Array = field(default_factory=_no_pairs, metadata=PAIRS)
    """(m, 2) pairs of tracks that a person has declared to be different; they always hold."""

    quality: Float32Array | None = field(default=None, metadata=PER_TRACK)
    """(T,) track quality in 0..1, higher is better."""

    attach_only: BoolArray | None = field(default=None, metadata=PER_TRACK)
    """(T,) tracks that failed a quality filter: they may join a character but never make one."""

    def __post_init__(self) -> None:
        n_crops, n_tracks = self.n_crops, self.n_tracks
        if n_crops and (self.track_of.min() < 0 or len(np.unique(self.track_of)) != n_tracks):
            raise ValueError("track_of must number the tracks 0..T-1, each with at least one crop")
        for one, value in (*_given(self), *_given(self.crops)):
            axis = one.metadata["axis"]
            if axis == "crops" and len(value) != n_crops:
                raise ValueError(f"{one.name} has {len(value)} rows for {n_crops} crops")
            if axis == "tracks" and len(value) != n_tracks:
                raise ValueError(f"{one.name} has {len(value)} entries for {n_tracks} tracks")
            if axis == "pairs":
                if value.ndim != 2 or value.shape[1] != 2:
                    raise ValueError(f"{one.name} must have shape (m, 2), not {value.shape}")
                if len(value) and (value.min() < 0 or value.max() >= n_tracks):
                    raise ValueError(f"{one.name} names a track outside 0..{n_tracks - 1}")
            if axis == "entries":
                n_pairs = len(getattr(self, one.metadata["pairs"]))
                if len(value) != n_pairs:
                    raise ValueError(f"{one.name} has {len(value)} entries for {n_pairs} pairs")

    @property
    def n_tracks(self) -> int:
        """Number of tracks T."""
        return int(self.track_of.max()) + 1 if len(self.track_of) else 0

    @property
    def n_crops(self) -> int:
        """Number of crops n."""
        return len(self.track_of)

    def members(self) -> list[Int64Array]:
        """Return, for every track, the indices of its crops."""
        order = np.argsort(self.track_of, kind="stable")
        bounds = np.cumsum(np.bincount(self.track_of, minlength=self.n_tracks))[:-1]
        return np.split(order, bounds)

    def anchors(self) -> Int64Array:
        """Return the tracks that may make a character, or all of them where none may."""
        if self.attach_only is None or self.attach_only.all():
            return np.arange(self.n_tracks)
        return np.flatnonzero(~self.attach_only)

    def cannot_link_matrix(self) -> BoolArray:
        """Return (T, T) symmetric booleans: True where two tracks cannot be the same person."""
        return pair_matrix(self.cannot_link, self.n_tracks)

    def must_not_link_matrix(self) -> BoolArray:
        """Return (T, T) symmetric booleans: True where a person says that two tracks differ."""
        return pair_matrix(self.must_not_link, self.n_tracks)

    def require_embeddings(self) -> Float32Array:
        """Return the embeddings.

        Raises:
            ValueError: There are none.
        """
        if self.embeddings is None:
            raise ValueError("this method needs TrackSet.embeddings; encode the crops first")
        return self.embeddings

    def subset(self, tracks: IntArray | BoolArray) -> Self:
        """Return some tracks with their crops and the pairs that lie wholly among them.

        Every field follows along its own axis, those of subclasses too.

        Args:
            tracks: (K,) track numbers, each at most once, in the order wanted; or a (T,) mask.

        Returns:
            K tracks, renumbered 0..K-1 in the order given. Crops are ordered by track, and within a
            track as they were.

        Raises:
            ValueError: A track is named twice or does not exist, or the mask has another length.
        """
        given = np.asarray(tracks)
        is_mask = given.dtype == np.bool_
        if is_mask and len(given) != self.n_tracks:
            raise ValueError(f"the mask has {len(given)} entries for {self.n_tracks} tracks")
        chosen: Int64Array = np.flatnonzero(given) if is_mask else given.astype(np.int64)
        if len(chosen) and (chosen.min() < 0 or chosen.max() >= self.n_tracks):
            raise ValueError(f"a subset names a track outside 0..{self.n_tracks - 1}")
        if len(np.unique(chosen)) != len(chosen):
            raise ValueError("a subset names each track at most once")
        number = np.full(self.n_tracks, -1, dtype=np.int64)
        number[chosen] = np.arange(len(chosen))
        new_track_of = number[self.track_of]
        rows = np.flatnonzero(new_track_of >= 0)
        rows = rows[np.argsort(new_track_of[rows], kind="stable")]
        inside = {
            one.name: (number[value] >= 0).all(axis=1)
            for one, value in _given(self)
            if one.metadata["axis"] == "pairs"
        }
        changed: dict[str, Any] = {"crops": self.crops.subset(rows)}
        for one, value in _given(self):
            match one.metadata["axis"]:
                case "crops":
                    changed[one.name] = _take(value, rows)
                case "tracks":
                    changed[one.name] = _take(value, chosen)
                case "pairs":
                    changed[one.name] = number[value[inside[one.name]]].astype(value.dtype)
                case "entries":
                    changed[one.name] = value[inside[one.metadata["pairs"]]]
        changed["track_of"] = new_track_of[rows].astype(np.int32)
        return replace(self, **changed)


def _given(holder: TrackSet | Crops) -> Iterator[tuple[Field[Any], Any]]:
    """Yield the fields that have an axis and a value, with the value."""
    for one in fields(holder):
        value = getattr(holder, one.name)
        if "axis" in one.metadata and value is not None:
            yield one, value


def _take(value: Any, rows: IntArray) -> Any:
    """Pick rows of an array, or of a sequence that is no array."""
    return value[rows] if isinstance(value, np.ndarray) else [value[int(row)] for row in rows]
