"""Labelled tracks: the result of every reader, and the input of every evaluation."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from personae.core.arrays import BoolArray, Int64Array
from personae.core.trackset import TrackSet


@dataclass(frozen=True)
class LabelledTracks:
    """T face tracks with their ground-truth people."""

    name: str
    """Short name for tables."""
    kind: str
    """Name of the reader in `DATASETS`."""
    tracks: TrackSet
    """The input of the methods; embeddings are None until an encoder has seen the crops."""
    truth: Int64Array
    """(T,) person of each track, an index into `people`; -1 = unlabelled, not evaluated."""
    people: tuple[str, ...]
    """Names of the people."""
    frame_counts: Int64Array
    """(T,) number of frames of each track; its weight in frame-level metrics."""
    digest: str
    """Hash of everything that a method can see; labels are not part of it."""
    note: str = ""
    """One sentence on where the tracks and labels come from."""
    protocol: str | None = None
    """Name of the published protocol that tracks and labels follow; see `bench.published`."""
    simulated: bool = False
    """Whether the features are simulated; every output has to say so."""
    encoder: str | None = None
    """Network behind `tracks.embeddings`; None where they are absent or read from a file."""
    facts: dict[str, int] = field(default_factory=dict)
    """Counts to show beside the results."""

    @property
    def title(self) -> str:
        """Name for tables, which marks simulated features."""
        return f"{self.name} (simulated features)" if self.simulated else self.name

    @property
    def n_people(self) -> int:
        """Number of people with a labelled track: K of the methods that need it."""
        return len(np.unique(self.truth[self.truth >= 0]))

    def subset(self, selected: BoolArray) -> LabelledTracks:
        """Return the tracks marked in the (T,) mask, renumbered; people without tracks go too."""
        names: list[str | None] = [self.people[p] if p >= 0 else None for p in self.truth[selected]]
        truth, people = factorize_people(names)
        mask_bytes = np.packbits(selected).tobytes()
        return replace(
            self,
            tracks=self.tracks.subset(selected),
            truth=truth,
            people=people,
            frame_counts=self.frame_counts[selected],
            digest=hashlib.sha256(self.digest.encode() + mask_bytes).hexdigest(),
        )


def factorize_people(names: Sequence[str | None]) -> tuple[Int64Array, tuple[str, ...]]:
    """Encode names as indices into the sorted list of distinct names.

    Args:
        names: T names; None and "" mean unlabelled.

    Returns:
        (T,) indices, -1 where unlabelled, and the distinct names.
    """
    people = tuple(sorted({name for name in names if name}))
    index = {name: number for number, name in enumerate(people)}
    return np.array([index[name] if name else -1 for name in names], dtype=np.int64), people


def content_digest(*parts: npt.NDArray[np.generic] | bytes | str | None) -> str:
    """Return the sha256 of arrays (with shapes and types), bytes and texts, in order."""
    sha256 = hashlib.sha256()
    for part in parts:
        if isinstance(part, np.ndarray):
            sha256.update(f"{part.shape}{part.dtype}".encode())
            sha256.update(np.ascontiguousarray(part).tobytes())
        else:
            sha256.update(part.encode() if isinstance(part, str) else part or b"-")
        sha256.update(b"\0")
    return sha256.hexdigest()
