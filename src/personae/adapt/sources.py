"""Where a training step's views come from: a cache behind the frozen part, or drawn afresh for the whole
network."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from personae.adapt.views import GLOBAL_VIEW, LOCAL_VIEW, ViewRange, draw_view, lower_detail
from personae.core.arrays import Float32Array, Int64Array, UInt8Array
from personae.core.crops import template_square

Frozen = Callable[[UInt8Array], Tensor]
"""Maps (k, 112, 112, 3) uint8 pictures to what the trainable part takes, (k, ...)."""

LOCALS_PER_CROP = 2
"""A pair has 2 global and 4 local views (paper), split evenly over its two crops (split not stated)."""
N_GLOBAL = 2


class ViewSource(Protocol):
    """Inputs of the branches."""

    def pairs(self, first: Int64Array, second: Int64Array, rng: np.random.Generator) -> Tensor:
        """Give (b, 2 + 4, ...) views of b pairs of crops: one global of each, then two local of each."""
        ...

    def clean(self) -> Iterator[Tensor]:
        """Give the un-augmented inputs of all crops, in order and in chunks, each (k, m, ...): m readings of
        a crop."""
        ...


class CachedViews:
    """Every crop's views, drawn once and passed through the frozen part once: what makes a CPU fast
    enough."""

    def __init__(self, views: Tensor, n_global: int, clean: Tensor) -> None:
        """Take the frozen outputs of views (n, G + L, ...), G global ones first, and of the crops as they are
        (n, m, ...); L = 0 falls back on global views."""
        self._views, self._clean = views, clean
        self._n_global, self._n_local = n_global, views.shape[1] - n_global

    @classmethod
    def of_features(cls, embeddings: Float32Array) -> CachedViews:
        """Cache bare features, for data sets without pictures: variety comes from the pairs alone."""
        x = torch.from_numpy(embeddings)[:, None]
        return cls(x, 1, x)

    @classmethod
    def draw(
        cls,
        crops: Sequence[UInt8Array],
        widths: Float32Array | None,
        frozen: Frozen,
        clean: Tensor | None,
        n_global: int,
        n_local: int,
        seed: int,
        progress: Callable[[int], None],
        chunk: int = 16,
    ) -> CachedViews:
        """Draw `n_global` and `n_local` views of each crop and pass them through `frozen`.

        Half of the views are brought down to the detail of a random narrower face of the film, `widths` (n,)
        in its pixels (None: all keep theirs). `clean` (n, m, ...) is taken as given where known, else made
        from the crop and its mirror image.
        """
        rng = np.random.default_rng(seed)
        kinds: list[ViewRange] = [GLOBAL_VIEW] * n_global + [LOCAL_VIEW] * n_local
        table: Tensor | None = None
        for start in range(0, len(crops), chunk):
            block = [crops[i] for i in range(start, min(start + chunk, len(crops)))]
            pictures = []
            for crop in block:
                pictures += [draw_view(_coarser(crop, widths, rng), kind, rng) for kind in kinds]
                if clean is None:
                    square = template_square(crop)
                    pictures += [square, square[:, ::-1]]
            out = frozen(np.stack(pictures))
            out = out.reshape(len(block), -1, *out.shape[1:])
            if table is None:
                # One block of memory from the start: small parts that stay among large pictures that come and
                # go would tear the heap apart, at fifty times their size.
                table = out.new_empty(len(crops), *out.shape[1:])
            table[start : start + len(block)] = out
            progress(start + len(block))
        assert table is not None, "a film without crops is not adapted"
        n_views = n_global + n_local
        return cls(table[:, :n_views], n_global, table[:, n_views:] if clean is None else clean)

    def pairs(self, first: Int64Array, second: Int64Array, rng: np.random.Generator) -> Tensor:
        """Pick random cached views of each pair; see `ViewSource.pairs`."""
        columns = [
            (first, True, 1),
            (second, True, 1),
            (first, False, LOCALS_PER_CROP),
            (second, False, LOCALS_PER_CROP),
        ]
        rows, picks = [], []
        for crops, wide, count in columns:
            rows.append(np.repeat(crops[:, None], count, axis=1))
            picks.append(self._pick(len(crops), count, wide, rng))
        index = (
            torch.from_numpy(np.concatenate(rows, axis=1)),
            torch.from_numpy(np.concatenate(picks, axis=1)),
        )
        return self._views[index].float()

    def _pick(self, size: int, count: int, wide: bool, rng: np.random.Generator) -> Int64Array:
        if wide or not self._n_local:
            return rng.integers(self._n_global, size=(size, count))
        if self._n_local < count:
            return self._n_global + rng.integers(self._n_local, size=(size, count))
        # distinct local views of one crop
        return self._n_global + rng.random((size, self._n_local)).argsort(axis=1)[:, :count]

    def clean(self) -> Iterator[Tensor]:
        """See `ViewSource.clean`."""
        for part in torch.split(self._clean, 256):
            yield part.float()


def _coarser(crop: UInt8Array, widths: Float32Array | None, rng: np.random.Generator) -> UInt8Array:
    if widths is None or rng.random() < 0.5:
        return crop
    return lower_detail(crop, float(rng.choice(widths)))


class LiveViews:
    """Views drawn afresh at every step, for training the whole network on a GPU."""

    def __init__(self, crops: Sequence[UInt8Array], prepare: Frozen) -> None:
        """Take the crops and the encoder's `prepare`, which turns pictures into normalised images."""
        self._crops = crops
        self._prepare = prepare

    def pairs(self, first: Int64Array, second: Int64Array, rng: np.random.Generator) -> Tensor:
        """Draw the views of each pair; see `ViewSource.pairs`."""
        pictures = []
        for a, b in zip(first, second, strict=True):
            pair = self._crops[int(a)], self._crops[int(b)]
            pictures += [draw_view(crop, GLOBAL_VIEW, rng) for crop in pair]
            pictures += [
                draw_view(crop, LOCAL_VIEW, rng) for crop in pair for _ in range(LOCALS_PER_CROP)
            ]
        images = self._prepare(np.stack(pictures))
        return images.reshape(len(first), -1, *images.shape[1:])

    def clean(self) -> Iterator[Tensor]:
        """See `ViewSource.clean`; two readings a crop, as it is and mirrored."""
        for start in range(0, len(self._crops), 32):
            block = [
                template_square(self._crops[i])
                for i in range(start, min(start + 32, len(self._crops)))
            ]
            images = self._prepare(
                np.stack([view for crop in block for view in (crop, crop[:, ::-1])])
            )
            yield images.reshape(len(block), 2, *images.shape[1:])
