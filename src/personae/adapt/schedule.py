"""Epochs, steps and learning rate of each iteration."""

from __future__ import annotations

import math
from dataclasses import dataclass

from personae.core.config import AdaptConfig


@dataclass(frozen=True)
class Schedule:
    """Training schedule of one iteration, with linear warm-up and cosine decay.

    Source:
        "VideoClusterNet", Sec. 3.3.
    """

    epochs: int

    steps_per_epoch: int

    head_only_epochs: int
    """First epochs, in which the backbone is frozen."""

    peak_rate: float
    """Learning rate after the warm-up."""

    initial_rate: float
    """Learning rate of step 0."""

    final_rate: float
    """Learning rate at the end of the decay."""

    warmup_epochs: int

    @property
    def n_steps(self) -> int:
        """Optimisation steps of the whole iteration."""
        return self.epochs * self.steps_per_epoch

    def learning_rate(self, step: int) -> float:
        """Return the learning rate of a step, counted from 0."""
        warmup = self.warmup_epochs * self.steps_per_epoch
        if step < warmup:
            return self.initial_rate + (self.peak_rate - self.initial_rate) * step / warmup
        progress = (step - warmup) / max(1, self.n_steps - warmup)
        cosine = 0.5 * (1.0 + math.cos(math.pi * progress))
        return self.final_rate + (self.peak_rate - self.final_rate) * cosine


def make_schedule(
    config: AdaptConfig, iteration: int, n_crops: int, has_learned: bool = False
) -> Schedule:
    """Make the schedule of an iteration.

    The paper counts epochs, and its films have thousands of crops. An epoch here draws
    `pairs_per_crop` pairs per crop, within bounds on its steps: a short clip collapses with fewer
    than `min_steps_per_epoch`, and a film gains nothing beyond `max_steps_per_epoch`.

    Args:
        config: Settings of the adaptation.
        iteration: Number of the iteration, counted from 1.
        n_crops: Crops of the tracks that are trained on.
        has_learned: Whether the network has learned another film before, so that the first
            iteration is like a later one.
    """
    steps = math.ceil(n_crops * config.pairs_per_crop / config.batch_size)
    is_first = iteration == 1 and not has_learned
    return Schedule(
        epochs=config.first_epochs if is_first else config.later_epochs,
        steps_per_epoch=min(max(steps, config.min_steps_per_epoch), config.max_steps_per_epoch),
        head_only_epochs=config.head_only_epochs if is_first else 0,
        peak_rate=config.learning_rate,
        initial_rate=config.initial_learning_rate,
        final_rate=config.final_learning_rate,
        warmup_epochs=config.warmup_epochs,
    )
