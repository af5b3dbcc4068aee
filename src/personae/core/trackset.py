"""The one object that travels: face tracks with their crops, as every adapting or clustering method takes
them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int32]
FloatArray = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]


def _no_pairs() -> IntArray:
    return np.empty((0, 2), dtype=np.int32)


@dataclass(frozen=True)
class TrackSet:
    """Face tracks of one film (or of a benchmark), n crops in T tracks.

    Every track 0..T-1 has at least one crop. Arrays are never written to by a method.
    """

    track_of: IntArray
    """(n,) which track each crop belongs to, 0..T-1."""

    crops: Sequence[npt.NDArray[np.uint8]] | None = None
    """n aligned (S, S, 3) RGB crops, read lazily; see `personae.core.crops`. None if only features are
    known."""

    embeddings: FloatArray | None = None
    """(n, d) of the face-ID model in use, not normalised."""

    cannot_link: IntArray = field(default_factory=_no_pairs)
    """(m, 2) pairs of tracks on screen in the same frame at clearly different places."""

    cannot_link_frames: IntArray | None = None
    """(m,) in how many frames each such pair was seen together."""

    must_link: IntArray = field(default_factory=_no_pairs)
    """(m, 2) pairs of tracks a person has declared to be the same."""

    quality: FloatArray | None = None
    """(T,) track quality in 0..1, higher is better."""

    weak: BoolArray | None = None
    """(T,) tracks that failed a quality filter: they may join a character but never make one."""

    width: FloatArray | None = None
    """(n,) width of each crop's face box in pixels of the film."""

    sharpness: FloatArray | None = None
    """(n,) variance of the Laplacian of each aligned crop, higher is sharper."""

    place: FloatArray | None = None
    """(n, 4) x, y, w, h of each crop's face box in its picture, in pixels of the film."""

    picture: npt.NDArray[np.uint8] | None = None
    """(n, h, w, 3) the whole picture that each crop is from, squeezed to `core.crops.PICTURE_SHAPE`."""

    time_s: FloatArray | None = None
    """(n,) when each crop was seen, in seconds of the film."""

    def __post_init__(self) -> None:
        n, tracks = len(self.track_of), self.n_tracks
        if n and (self.track_of.min() < 0 or len(np.unique(self.track_of)) != tracks):
            raise ValueError("track_of must number the tracks 0..T-1, each with at least one crop")
        for name in ("crops", "embeddings", "width", "sharpness", "place", "picture", "time_s"):
            value = getattr(self, name)
            if value is not None and len(value) != n:
                raise ValueError(f"{name} has {len(value)} rows for {n} crops")
        for name in ("quality", "weak"):
            value = getattr(self, name)
            if value is not None and len(value) != tracks:
                raise ValueError(f"{name} has {len(value)} entries for {tracks} tracks")
        for name in ("cannot_link", "must_link"):
            pairs = getattr(self, name)
            if pairs.ndim != 2 or pairs.shape[1] != 2:
                raise ValueError(f"{name} must have shape (m, 2), not {pairs.shape}")
            if len(pairs) and (pairs.min() < 0 or pairs.max() >= tracks):
                raise ValueError(f"{name} names a track outside 0..{tracks - 1}")

    @property
    def n_tracks(self) -> int:
        """T."""
        return int(self.track_of.max()) + 1 if len(self.track_of) else 0

    @property
    def n_crops(self) -> int:
        """n."""
        return len(self.track_of)

    def members(self) -> list[npt.NDArray[np.int64]]:
        """List, for every track, the indices of its crops."""
        order = np.argsort(self.track_of, kind="stable")
        bounds = np.cumsum(np.bincount(self.track_of, minlength=self.n_tracks))[:-1]
        return np.split(order, bounds)

    def anchors(self) -> npt.NDArray[np.int64]:
        """List the tracks that are not weak, or all of them where none is left."""
        if self.weak is None or self.weak.all():
            return np.arange(self.n_tracks)
        return np.flatnonzero(~self.weak)

    def require_embeddings(self) -> FloatArray:
        """Give the embeddings, or raise ValueError where there are none."""
        if self.embeddings is None:
            raise ValueError("this method needs TrackSet.embeddings; embed the crops first")
        return self.embeddings
