"""Sources of views: a cache behind the frozen part of the network, or views drawn at every step."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from personae.adapt.views import (
    GLOBAL_VIEW,
    LOCAL_VIEW,
    ViewParameters,
    draw_view,
    reduce_resolution,
)
from personae.core.arrays import Float32Array, Int64Array, UInt8Array
from personae.core.crops import template_square

FrozenForward = Callable[[UInt8Array], Tensor]
"""Maps (k, 112, 112, 3) RGB images to the (k, ...) inputs of the trained part of the network."""

N_GLOBAL_VIEWS = 2
"""Global views of a pair, one per crop (paper: 2 in all; the split over crops is not stated)."""

LOCAL_VIEWS_PER_CROP = 2
"""Local views of each crop of a pair (paper: 4 in all; the split over crops is not stated)."""

REDUCED_RESOLUTION_PROBABILITY = 0.5
"""Probability that a cached view is reduced to the resolution of another face; not in the paper."""

CROPS_PER_FORWARD = 16
"""Crops whose views pass through the frozen part together."""

CACHED_CROPS_PER_CHUNK = 256
"""Crops of a chunk of un-augmented inputs that are read from the cache."""

LIVE_CROPS_PER_CHUNK = 32
"""Crops of a chunk of un-augmented inputs that are images."""


class ViewSource(Protocol):
    """Inputs of student and teacher."""

    def pair_views(
        self, anchors: Int64Array, positives: Int64Array, rng: np.random.Generator
    ) -> Tensor:
        """Return the views of b pairs of crops.

        Args:
            anchors: (b,) first crops.
            positives: (b,) second crops.
            rng: Source of randomness.

        Returns:
            (b, 2 + 4, ...): one global view of each crop, then two local views of each.
        """
        ...

    def unaugmented(self) -> Iterator[Tensor]:
        """Yield the un-augmented inputs of all crops, in order and in chunks.

        Yields:
            (k, m, ...): m inputs of each of k crops, whose embeddings are averaged.
        """
        ...


class CachedViews:
    """Views of every crop that were drawn and passed through the frozen part once.

    This makes a CPU fast enough.
    """

    def __init__(self, views: Tensor, n_global: int, unaugmented: Tensor) -> None:
        """Take the outputs of the frozen part.

        Args:
            views: (n, G + L, ...) outputs of the views, the global ones first. If L is 0, global
                views replace local ones.
            n_global: G.
            unaugmented: (n, m, ...) outputs of the crops themselves.
        """
        self._views, self._unaugmented = views, unaugmented
        self._n_global, self._n_local = n_global, views.shape[1] - n_global

    @classmethod
    def from_embeddings(cls, embeddings: Float32Array) -> CachedViews:
        """Use (n, d) embeddings as their own views, for data sets without images."""
        x = torch.from_numpy(embeddings)[:, None]
        return cls(x, 1, x)

    @classmethod
    def from_crops(
        cls,
        crops: Sequence[UInt8Array],
        face_widths: Float32Array | None,
        frozen_forward: FrozenForward,
        unaugmented: Tensor | None,
        n_global: int,
        n_local: int,
        seed: int,
        progress: Callable[[int], None],
        crops_per_forward: int = CROPS_PER_FORWARD,
    ) -> CachedViews:
        """Draw views of each crop and pass them through the frozen part.

        Args:
            crops: n crops, at least one.
            face_widths: (n,) widths of the faces in pixels of the film. Half of the views are
                reduced to the resolution of a random face; None: none are.
            frozen_forward: The frozen part of the network.
            unaugmented: (n, m, ...) outputs of the crops themselves, where known; None: computed
                from each crop and its mirror image.
            n_global: Global views of each crop.
            n_local: Local views of each crop.
            seed: Seed of all draws.
            progress: Called with the number of finished crops.
            crops_per_forward: Crops that pass through the frozen part together.
        """
        rng = np.random.default_rng(seed)
        kinds: list[ViewParameters] = [GLOBAL_VIEW] * n_global + [LOCAL_VIEW] * n_local
        cache: Tensor | None = None
        for start in range(0, len(crops), crops_per_forward):
            stop = min(start + crops_per_forward, len(crops))
            images = []
            for crop in [crops[i] for i in range(start, stop)]:
                for kind in kinds:
                    images.append(draw_view(_reduce_randomly(crop, face_widths, rng), kind, rng))
                if unaugmented is None:
                    square = template_square(crop)
                    images += [square, square[:, ::-1]]
            outputs = frozen_forward(np.stack(images))
            outputs = outputs.reshape(stop - start, -1, *outputs.shape[1:])
            if cache is None:
                # Allocated at once: small outputs kept between large images that come and go would
                # fragment the heap, to fifty times their size.
                cache = outputs.new_empty(len(crops), *outputs.shape[1:])
            cache[start:stop] = outputs
            progress(stop)
        assert cache is not None, "a film without crops is not adapted"
        n_views = n_global + n_local
        return cls(
            cache[:, :n_views],
            n_global,
            cache[:, n_views:] if unaugmented is None else unaugmented,
        )

    def pair_views(
        self, anchors: Int64Array, positives: Int64Array, rng: np.random.Generator
    ) -> Tensor:
        """Pick random cached views of each pair; see `ViewSource.pair_views`."""
        columns = [
            (anchors, True, 1),
            (positives, True, 1),
            (anchors, False, LOCAL_VIEWS_PER_CROP),
            (positives, False, LOCAL_VIEWS_PER_CROP),
        ]
        rows, picks = [], []
        for crops, is_global, count in columns:
            rows.append(np.repeat(crops[:, None], count, axis=1))
            picks.append(self._pick(len(crops), count, is_global, rng))
        index = (
            torch.from_numpy(np.concatenate(rows, axis=1)),
            torch.from_numpy(np.concatenate(picks, axis=1)),
        )
        return self._views[index].float()

    def _pick(
        self, n_crops: int, count: int, is_global: bool, rng: np.random.Generator
    ) -> Int64Array:
        """Pick the columns of some views of each crop, (n_crops, count), distinct if possible."""
        if is_global or not self._n_local:
            return rng.integers(self._n_global, size=(n_crops, count))
        if self._n_local < count:
            return self._n_global + rng.integers(self._n_local, size=(n_crops, count))
        return self._n_global + rng.random((n_crops, self._n_local)).argsort(axis=1)[:, :count]

    def unaugmented(self) -> Iterator[Tensor]:
        """Yield the un-augmented inputs of all crops; see `ViewSource.unaugmented`."""
        for chunk in torch.split(self._unaugmented, CACHED_CROPS_PER_CHUNK):
            yield chunk.float()


def _reduce_randomly(
    crop: UInt8Array, face_widths: Float32Array | None, rng: np.random.Generator
) -> UInt8Array:
    if face_widths is None or rng.random() < 1 - REDUCED_RESOLUTION_PROBABILITY:
        return crop
    return reduce_resolution(crop, float(rng.choice(face_widths)))


class LiveViews:
    """Views that are drawn at every step, to train the whole network on a GPU."""

    def __init__(self, crops: Sequence[UInt8Array], preprocess: FrozenForward) -> None:
        """Take the crops.

        Args:
            crops: n crops.
            preprocess: The encoder's, from RGB images to normalised tensors.
        """
        self._crops = crops
        self._preprocess = preprocess

    def pair_views(
        self, anchors: Int64Array, positives: Int64Array, rng: np.random.Generator
    ) -> Tensor:
        """Draw the views of each pair; see `ViewSource.pair_views`."""
        images = []
        for a, b in zip(anchors, positives, strict=True):
            pair = self._crops[int(a)], self._crops[int(b)]
            images += [draw_view(crop, GLOBAL_VIEW, rng) for crop in pair]
            images += [
                draw_view(crop, LOCAL_VIEW, rng)
                for crop in pair
                for _ in range(LOCAL_VIEWS_PER_CROP)
            ]
        inputs = self._preprocess(np.stack(images))
        return inputs.reshape(len(anchors), -1, *inputs.shape[1:])

    def unaugmented(self) -> Iterator[Tensor]:
        """Yield each crop and its mirror image; see `ViewSource.unaugmented`."""
        for start in range(0, len(self._crops), LIVE_CROPS_PER_CHUNK):
            stop = min(start + LIVE_CROPS_PER_CHUNK, len(self._crops))
            squares = [template_square(self._crops[i]) for i in range(start, stop)]
            images = np.stack([image for crop in squares for image in (crop, crop[:, ::-1])])
            inputs = self._preprocess(images)
            yield inputs.reshape(len(squares), 2, *inputs.shape[1:])
