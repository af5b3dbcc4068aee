"""Students that learn one film side by side, each from its own beginning; they are averaged.

What a student learns depends a little on how its head begins and which pairs it is shown. Errors of
that kind are not shared by two of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from personae.adapt.branches import make_branches
from personae.adapt.finetune import Finetuning
from personae.adapt.quality import average_crop_quality, crop_quality
from personae.adapt.result import Iteration
from personae.adapt.sources import ViewSource
from personae.adapt.training import SelfDistillation
from personae.core.compute import configure_torch, count_usable_cores, single_threaded
from personae.core.config import AdaptConfig
from personae.core.memory import CHUNK_SIZE
from personae.core.trackset import TrackSet

if TYPE_CHECKING:
    from personae.encode.encoder import Encoder


def make_students(
    tracks: TrackSet, encoder: Encoder | None, config: AdaptConfig, count: int
) -> list[SelfDistillation]:
    """Make students with their teachers; the first is the same however many there are."""
    seeds = [config.seed, *(iteration_seed(config, 0, k) for k in range(1, count))]
    settings = (config.model_copy(update={"seed": seed}) for seed in seeds)
    return [SelfDistillation(*make_branches(tracks, encoder, own), config) for own in settings]


def iteration_seed(config: AdaptConfig, iteration: int, student: int) -> int:
    """Return the seed of what a student, counted from 0, draws in an iteration, 0: before all."""
    sequence = np.random.SeedSequence([config.seed, iteration, student])
    return int(sequence.generate_state(1)[0])


TrainEpoch = Callable[[Sequence[Finetuning]], None]
"""Trains several students for one epoch."""


@contextmanager
def side_by_side(students: Sequence[SelfDistillation], config: AdaptConfig) -> Iterator[TrainEpoch]:
    """Yield what trains all students for an epoch: one core each, where that is the fastest.

    The batches are small, so a second thread gains nothing within a student. At depth full one
    student keeps all cores busy, as one does a GPU.
    """
    is_small = config.depth != "full"
    on_cpu = students[0].device.type == "cpu"
    workers = min(len(students), count_usable_cores()) if is_small and on_cpu else 1

    def one_by_one(runs: Sequence[Finetuning]) -> None:
        for run in runs:
            run.train_epoch()

    with single_threaded(is_small):
        if workers == 1:
            yield one_by_one
            return
        # Denormal numbers are flushed, and threads are counted, thread by thread.
        with ThreadPoolExecutor(workers, initializer=configure_torch, initargs=(1,)) as pool:

            def at_once(runs: Sequence[Finetuning]) -> None:
                list(pool.map(Finetuning.train_epoch, runs))

            yield at_once


@torch.inference_mode()
def embed_crops(
    students: Sequence[SelfDistillation], views: ViewSource, tracks: TrackSet, config: AdaptConfig
) -> Iteration:
    """Embed all crops with the students and measure their quality; no pair is matched yet."""
    embeddings, quality = [], []
    for one in students:
        head = one.student.head
        features = torch.cat(
            [_mean_output(one.student.backbone, part) for part in views.unaugmented()]
        )
        outputs = (head(part).cpu().numpy() for part in torch.split(features, CHUNK_SIZE))
        embeddings.append(np.concatenate(list(outputs)).astype(np.float32, copy=False))
        crops = crop_quality(head, features, seed=config.seed)
        quality.append(average_crop_quality(crops, tracks.track_of))
    return Iteration(
        np.concatenate(embeddings, axis=1),
        np.concatenate([one.centre.value.cpu().numpy() for one in students]),
        np.mean(quality, axis=0, dtype=np.float32),
        np.empty((0, 2), dtype=np.int32),
    )


def _mean_output(backbone: torch.nn.Module, inputs: Tensor) -> Tensor:
    """Average the backbone's outputs over the m inputs of each crop: (k, m, ...) -> (k, d)."""
    device = next(backbone.parameters(), inputs).device
    outputs: Tensor = backbone(inputs.flatten(0, 1).to(device))
    return outputs.reshape(*inputs.shape[:2], -1).mean(dim=1)
