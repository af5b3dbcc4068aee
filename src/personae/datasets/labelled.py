"""Tracks whose people are known: what every reader of data sets gives, and every method is judged on."""

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
    """T tracks and who they are."""

    name: str
    """Short, for tables."""
    kind: str
    """The reader's name: clip, bbt, mfc, features, folder or simulated."""
    tracks: TrackSet
    """What the methods get; embeddings are None until a face-ID network has seen the crops."""
    truth: Int64Array
    """(T,) person of each track, an index into `people`; -1 = not labelled, and left out of every figure."""
    people: tuple[str, ...]
    """Names of the people."""
    frames: Int64Array
    """(T,) in how many frames each track is seen; the weight of a track in frame-level figures."""
    digest: str
    """Of everything that a method can see."""
    note: str = ""
    """One sentence on where the tracks and labels come from, for people."""
    protocol: str | None = None
    """Name of the published protocol these tracks and labels follow, if any; see `bench.published`."""
    simulated: bool = False
    """Whether the features are made up; every output must say so."""
    encoder: str | None = None
    """Which network made `tracks.embeddings`; None where they are absent or somebody else's features."""
    facts: dict[str, int] = field(default_factory=dict)
    """Counts worth showing."""

    @property
    def title(self) -> str:
        """The name as tables must show it."""
        return f"{self.name} (simulated features)" if self.simulated else self.name

    @property
    def n_people(self) -> int:
        """How many people have a labelled track: the K of methods that are given it."""
        return len(np.unique(self.truth[self.truth >= 0]))

    def subset(self, kept: BoolArray) -> LabelledTracks:
        """Give the tracks marked in (T,) `kept` only, renumbered; people without tracks go too."""
        names: list[str | None] = [self.people[p] if p >= 0 else None for p in self.truth[kept]]
        truth, people = number_people(names)
        mark = hashlib.sha256(self.digest.encode() + np.packbits(kept).tobytes()).hexdigest()
        return replace(
            self,
            tracks=self.tracks.subset(kept),
            truth=truth,
            people=people,
            frames=self.frames[kept],
            digest=mark,
        )


def number_people(names: Sequence[str | None]) -> tuple[Int64Array, tuple[str, ...]]:
    """Number people by name; None and "" are nobody, -1. Gives (T,) numbers and the names, sorted."""
    people = tuple(sorted({name for name in names if name}))
    place = {name: number for number, name in enumerate(people)}
    return np.array([place[name] if name else -1 for name in names], dtype=np.int64), people


def digest_of(*parts: npt.NDArray[np.generic] | bytes | str | None) -> str:
    """Hash arrays with their shapes and types, bytes and texts, in order."""
    mark = hashlib.sha256()
    for part in parts:
        if isinstance(part, np.ndarray):
            mark.update(f"{part.shape}{part.dtype}".encode())
            mark.update(np.ascontiguousarray(part).tobytes())
        else:
            mark.update(part.encode() if isinstance(part, str) else part or b"-")
        mark.update(b"\0")
    return mark.hexdigest()
