"""Result of a clustering: labels, confidence and doubtful decisions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

import numpy as np

from personae.cluster.review_items import ReviewItem
from personae.core.arrays import Float32Array, Int64Array
from personae.core.labels import Labels


@dataclass(frozen=True)
class Clustering:
    """Labels of T tracks with their confidence."""

    labels: Labels
    """(T,) 0.. by falling size, -1 = unknown."""

    confidence: Float32Array
    """(T,) probability in 0..1 that the track is its character; of an unknown one, the nearest."""

    runner_up: Int64Array
    """(T,) the second most probable character, -1 = none."""

    review_items: list[ReviewItem] = field(default_factory=list)
    """Doubtful decisions, the least certain first."""

    facts: dict[str, object] = field(default_factory=dict)
    """Figures of the method for the manifest, by name."""

    @classmethod
    def from_labels(cls, labels: Labels, **facts: object) -> Self:
        """Wrap (T,) labels of a method without probabilities.

        Args:
            labels: (T,) 0.. by falling size, -1 = unknown.
            **facts: Figures of the method for the manifest.

        Returns:
            A clustering without runners-up; confidence is 1, and 0 for unknown tracks.
        """
        confidence = (labels >= 0).astype(np.float32)
        return cls(labels, confidence, np.full(len(labels), -1, dtype=np.int64), facts=facts)
