"""One iteration of self-supervised finetuning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from personae.adapt.head import update_teacher
from personae.adapt.loss import mean_entropy
from personae.adapt.pairs import PairSampler, SamplerState
from personae.adapt.result import EpochLog
from personae.adapt.schedule import Schedule
from personae.adapt.sources import ViewSource
from personae.adapt.training import SelfDistillation, distillation_step
from personae.core.config import AdaptConfig


@dataclass(frozen=True)
class TrainingCursor:
    """Position inside an iteration after one of its epochs, beside weights and centres."""

    log: list[EpochLog]
    """One row per finished epoch."""

    optimiser: dict[str, Any]
    """State of the optimiser."""

    sampler: SamplerState

    rng: dict[str, Any]
    """State of the bit generator of views and masks."""


class Finetuning:
    """Finetuning of one student for one iteration, epoch by epoch.

    Source:
        "VideoClusterNet", Sec. 3.3: AdamW, teacher update once an epoch.
    """

    def __init__(
        self,
        model: SelfDistillation,
        views: ViewSource,
        sampler: PairSampler,
        schedule: Schedule,
        config: AdaptConfig,
        rng: np.random.Generator,
        cursor: TrainingCursor | None = None,
    ) -> None:
        """Take what is trained.

        Args:
            model: Student, teacher and centres, which are trained in place.
            views: Source of views.
            sampler: Source of positive pairs.
            schedule: Epochs, steps and learning rates.
            config: Settings of the adaptation.
            rng: Source of randomness of views and masks.
            cursor: Where to continue, with the same result as without a break; None: from the
                start.
        """
        self._model, self._views, self._sampler = model, views, sampler
        self._schedule, self._config, self._rng = schedule, config, rng
        self._optimiser = torch.optim.AdamW(
            model.student.parameters(),
            lr=schedule.peak_rate,
            weight_decay=config.weight_decay,
            fused=True,
        )
        self.log: list[EpochLog] = []
        """One row per finished epoch."""
        if cursor is not None:
            self.log = list(cursor.log)
            self._optimiser.load_state_dict(cursor.optimiser)
            sampler.load_state_dict(cursor.sampler)
            rng.bit_generator.state = cursor.rng

    def train_epoch(self) -> None:
        """Train for the next epoch."""
        epoch, config, schedule = len(self.log), self._config, self._schedule
        student, teacher = self._model.student, self._model.teacher
        student.backbone.requires_grad_(epoch >= schedule.head_only_epochs)
        losses, patch_losses = [], []
        for step in range(schedule.steps_per_epoch):
            rate = schedule.learning_rate(epoch * schedule.steps_per_epoch + step)
            for group in self._optimiser.param_groups:
                group["lr"] = rate
            pairs = self._sampler.sample(config.batch_size)
            batch = self._views.pair_views(*pairs, self._rng).to(self._model.device)
            output = distillation_step(self._model, batch, config, self._rng)
            self._optimiser.zero_grad(set_to_none=True)
            output.loss.backward()  # type: ignore[no-untyped-call]
            self._optimiser.step()
            losses.append(float(output.loss.detach()))
            if output.patch_loss is not None:
                patch_losses.append(output.patch_loss)
        update_teacher(teacher, student, config.ema_momentum)
        centred = output.teacher - self._model.centre.value
        row: EpochLog = {
            "epoch": epoch + 1,
            "steps": schedule.steps_per_epoch,
            "loss": sum(losses) / len(losses),
            "rate": rate,
            "student_entropy": mean_entropy(output.student, config.student_temperature),
            "teacher_entropy": mean_entropy(centred, config.teacher_temperature),
        }
        if patch_losses:
            row["patch_loss"] = sum(patch_losses) / len(patch_losses)
        self.log.append(row)

    def cursor(self) -> TrainingCursor:
        """Return the position after the last finished epoch."""
        rng_state = dict(self._rng.bit_generator.state)
        return TrainingCursor(
            list(self.log), self._optimiser.state_dict(), self._sampler.state_dict(), rng_state
        )
