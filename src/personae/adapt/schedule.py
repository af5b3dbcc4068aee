"""How long and how fast to train: the paper's epochs, with their length counted in optimisation steps."""

from __future__ import annotations

import math
from dataclasses import dataclass

from personae.core.config import AdaptConfig


@dataclass(frozen=True)
class Schedule:
    """One iteration's training: `epochs` of `steps_per_epoch`, with warm-up and cosine decay (paper, Sec.
    3.3)."""

    epochs: int
    steps_per_epoch: int
    head_only_epochs: int
    peak: float
    start: float
    end: float
    warmup_epochs: int

    @property
    def steps(self) -> int:
        """Optimisation steps of the whole iteration."""
        return self.epochs * self.steps_per_epoch

    def learning_rate(self, step: int) -> float:
        """Linear from `start` to `peak` over the warm-up, then cosine to `end`; `step` counts from 0."""
        warmup = self.warmup_epochs * self.steps_per_epoch
        if step < warmup:
            return self.start + (self.peak - self.start) * step / warmup
        progress = (step - warmup) / max(1, self.steps - warmup)
        return self.end + (self.peak - self.end) * 0.5 * (1.0 + math.cos(math.pi * progress))


def schedule(config: AdaptConfig, iteration: int, n_crops: int) -> Schedule:
    """Give the schedule of `iteration` (1, 2, ...) for a film of `n_crops` crops.

    The paper counts epochs, and its films have thousands of crops. An epoch here passes `pairs_per_crop`
    pairs for every crop, but never takes fewer than `min_steps_per_epoch` steps, without which a short clip
    collapses, nor more than `max_steps_per_epoch`, beyond which a film gains nothing.
    """
    wanted = math.ceil(n_crops * config.pairs_per_crop / config.batch_pairs)
    first = iteration == 1
    return Schedule(
        epochs=config.first_epochs if first else config.later_epochs,
        steps_per_epoch=min(max(wanted, config.min_steps_per_epoch), config.max_steps_per_epoch),
        head_only_epochs=config.head_only_epochs if first else 0,
        peak=config.learning_rate,
        start=config.warmup_start,
        end=config.final_learning_rate,
        warmup_epochs=config.warmup_epochs,
    )
