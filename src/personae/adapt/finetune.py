"""One iteration of self-supervised finetuning."""

from __future__ import annotations

from collections.abc import Callable
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


def finetune(
    model: SelfDistillation,
    views: ViewSource,
    sampler: PairSampler,
    schedule: Schedule,
    config: AdaptConfig,
    rng: np.random.Generator,
    progress: Callable[[int, int], None],
    cursor: TrainingCursor | None,
    save_cursor: Callable[[TrainingCursor], None],
) -> list[EpochLog]:
    """Train student, teacher and centres in place for one iteration.

    Args:
        model: Student, teacher and centres.
        views: Source of views.
        sampler: Source of positive pairs.
        schedule: Epochs, steps and learning rates.
        config: Settings of the adaptation.
        rng: Source of randomness of views and masks.
        progress: Called with the finished steps and all steps.
        cursor: Where to continue, with the same result as without a break; None: from the start.
        save_cursor: Called with the position after every epoch but the last.

    Returns:
        One row per epoch.

    Source:
        "VideoClusterNet", Sec. 3.3: AdamW, teacher update once an epoch.
    """
    student, teacher = model.student, model.teacher
    optimiser = torch.optim.AdamW(
        student.parameters(), lr=schedule.peak_rate, weight_decay=config.weight_decay, fused=True
    )
    log: list[EpochLog] = []
    if cursor is not None:
        log = list(cursor.log)
        optimiser.load_state_dict(cursor.optimiser)
        sampler.load_state_dict(cursor.sampler)
        rng.bit_generator.state = cursor.rng
    for epoch in range(len(log), schedule.epochs):
        student.backbone.requires_grad_(epoch >= schedule.head_only_epochs)
        losses, patch_losses = [], []
        for step in range(schedule.steps_per_epoch):
            rate = schedule.learning_rate(epoch * schedule.steps_per_epoch + step)
            for group in optimiser.param_groups:
                group["lr"] = rate
            batch = views.pair_views(*sampler.sample(config.batch_size), rng).to(model.device)
            output = distillation_step(model, batch, config, rng)
            optimiser.zero_grad(set_to_none=True)
            output.loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            losses.append(float(output.loss.detach()))
            if output.patch_loss is not None:
                patch_losses.append(output.patch_loss)
        progress((epoch + 1) * schedule.steps_per_epoch, schedule.n_steps)
        update_teacher(teacher, student, config.ema_momentum)
        centred = output.teacher - model.centre.value
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
        log.append(row)
        if epoch + 1 < schedule.epochs:
            rng_state = dict(rng.bit_generator.state)
            save_cursor(
                TrainingCursor(log, optimiser.state_dict(), sampler.state_dict(), rng_state)
            )
    return log
