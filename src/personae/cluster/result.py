"""What a clustering says of every track, and which of its decisions a person should look at first."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from personae.core.arrays import Float32Array, Int64Array
from personae.core.labels import Labels


@dataclass(frozen=True)
class Check:
    """A decision near the edge."""

    kind: Literal["merge", "split", "unknown"]
    """Two parts that were joined, two characters that were kept apart, or a track left unknown."""
    tracks: tuple[int, ...]
    """For `merge` and `split` one typical track of each side; for `unknown` the track, then the nearest
    character's."""
    probability: float
    """That the two sides are one person."""
    text: str
    """One sentence for the report."""


@dataclass(frozen=True)
class Clustering:
    """Labels of T tracks with their confidence."""

    labels: Labels
    """(T,) 0.. by falling size, -1 = unknown."""
    confidence: Float32Array
    """(T,) probability in 0..1 that the track is its character; of an unknown track, of the nearest one."""
    runner_up: Int64Array
    """(T,) the next best character, -1 = none."""
    checks: list[Check] = field(default_factory=list)
    """The decisions nearest to the edge, least certain first."""
    facts: dict[str, Any] = field(default_factory=dict)


def plain(labels: Labels, **facts: Any) -> Clustering:
    """Wrap the labels of a method that gives no probabilities: confidence 1 where placed, 0 where unknown."""
    confidence = (labels >= 0).astype(np.float32)
    return Clustering(labels, confidence, np.full(len(labels), -1, dtype=np.int64), facts=facts)
