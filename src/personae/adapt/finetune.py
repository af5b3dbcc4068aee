"""One iteration of self-supervised finetuning: the student follows the teacher over positive pairs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from personae.adapt.head import update_teacher
from personae.adapt.loss import entropy
from personae.adapt.pairs import PairSampler
from personae.adapt.schedule import Schedule
from personae.adapt.sources import ViewSource
from personae.adapt.training import Training, distil
from personae.core.config import AdaptConfig


@dataclass(frozen=True)
class Halfway:
    """Where an iteration stands after some of its epochs, beside the weights."""

    rows: list[dict[str, Any]]
    """The log so far, one row per epoch."""
    optimiser: dict[str, Any]
    sampler: dict[str, Any]
    rng: dict[str, Any]


def finetune(
    training: Training,
    views: ViewSource,
    sampler: PairSampler,
    plan: Schedule,
    config: AdaptConfig,
    rng: np.random.Generator,
    progress: Callable[[int, int], None],
    halfway: Halfway | None,
    keep: Callable[[Halfway], None],
) -> list[dict[str, Any]]:
    """Train student, teacher and centres in place for one iteration; returns one log row per epoch.

    AdamW at the plan's rate; the teacher follows once an epoch (paper, Sec. 3.3). `progress` gets (steps
    done, steps in all). `keep` is given the state after every epoch but the last, and the iteration goes on
    from `halfway`, where given, as if it had never stopped. Each row holds loss, rate and both entropies,
    whose fall to 0 or stay at log d tells of collapse.
    """
    student, teacher = training.student, training.teacher
    optimiser = torch.optim.AdamW(
        student.parameters(), lr=plan.peak, weight_decay=config.weight_decay, fused=True
    )
    log: list[dict[str, Any]] = []
    if halfway is not None:
        log = list(halfway.rows)
        optimiser.load_state_dict(halfway.optimiser)
        sampler.restore(halfway.sampler)
        rng.bit_generator.state = halfway.rng
    for epoch in range(len(log), plan.epochs):
        student.body.requires_grad_(epoch >= plan.head_only_epochs)
        losses, patch_losses = [], []
        for inner in range(plan.steps_per_epoch):
            number = epoch * plan.steps_per_epoch + inner
            rate = plan.learning_rate(number)
            for group in optimiser.param_groups:
                group["lr"] = rate
            batch = views.pairs(*sampler.batch(config.batch_pairs), rng).to(training.device)
            step = distil(training, batch, config, rng)
            optimiser.zero_grad(set_to_none=True)
            step.loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            losses.append(float(step.loss.detach()))
            if step.patch_loss is not None:
                patch_losses.append(step.patch_loss)
        progress((epoch + 1) * plan.steps_per_epoch, plan.steps)
        update_teacher(teacher, student, config.ema_momentum)
        row = {
            "epoch": epoch + 1,
            "steps": plan.steps_per_epoch,
            "loss": sum(losses) / len(losses),
            "rate": rate,
            "student_entropy": entropy(step.student, config.student_temperature),
            "teacher_entropy": entropy(
                step.teacher - training.centre.value, config.teacher_temperature
            ),
        }
        if patch_losses:
            row["patch_loss"] = sum(patch_losses) / len(patch_losses)
        log.append(row)
        if epoch + 1 < plan.epochs:
            generator = dict(rng.bit_generator.state)
            keep(Halfway(log, optimiser.state_dict(), sampler.state(), generator))
    return log
