"""One iteration of self-supervised finetuning: the student follows the teacher over positive pairs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from personae.adapt.head import Branch, update_teacher
from personae.adapt.loss import Centre, cross_entropy, entropy, view_pairs
from personae.adapt.pairs import PairSampler
from personae.adapt.schedule import Schedule
from personae.adapt.sources import N_GLOBAL, ViewSource
from personae.core.config import AdaptConfig


def finetune(
    student: Branch,
    teacher: Branch,
    centre: Centre,
    views: ViewSource,
    sampler: PairSampler,
    plan: Schedule,
    config: AdaptConfig,
    rng: np.random.Generator,
    progress: Callable[[int, int], None],
) -> list[dict[str, Any]]:
    """Train `student`, `teacher` and `centre` in place for one iteration; returns one log row per epoch.

    Per step: 2 global views go through the teacher, all 6 through the student, and every term but a view
    with itself counts. AdamW at the plan's rate; the teacher follows once an epoch (paper, Sec. 3.3).
    `progress` gets (steps done, steps in all). Each row holds loss, rate and both entropies, whose fall to 0
    or stay at log d tells of collapse.
    """
    device = next(student.head.parameters()).device
    optimiser = torch.optim.AdamW(
        student.parameters(), lr=plan.peak, weight_decay=config.weight_decay, fused=True
    )
    mask = view_pairs(N_GLOBAL, 6).to(device)
    log: list[dict[str, Any]] = []
    half = device.type == "cuda" and torch.cuda.is_bf16_supported()
    for epoch in range(plan.epochs):
        student.body.requires_grad_(epoch >= plan.head_only_epochs)
        total = 0.0
        for inner in range(plan.steps_per_epoch):
            step = epoch * plan.steps_per_epoch + inner
            rate = plan.learning_rate(step)
            for group in optimiser.param_groups:
                group["lr"] = rate
            batch = views.pairs(*sampler.batch(config.batch_pairs), rng).to(device)
            with torch.autocast(device.type, dtype=torch.bfloat16, enabled=half):
                s = _through(student, batch)
                with torch.no_grad():
                    t = _through(teacher, batch[:, :N_GLOBAL])
            loss = (
                cross_entropy(
                    s.float(), t.float(), centre.value, config.student_temperature, config.teacher_temperature
                )
                .mean(dim=0)[mask]
                .mean()
            )
            optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            centre.update(t.float())
            total += float(loss.detach())
            progress(step + 1, plan.steps)
        update_teacher(teacher, student, config.ema_momentum)
        log.append(
            {
                "epoch": epoch + 1,
                "steps": plan.steps_per_epoch,
                "loss": total / plan.steps_per_epoch,
                "rate": rate,
                "student_entropy": entropy(s.float(), config.student_temperature),
                "teacher_entropy": entropy(t.float() - centre.value, config.teacher_temperature),
            }
        )
    return log


def _through(branch: Branch, views: Tensor) -> Tensor:
    """Pass (b, v, ...) views through a branch as one batch; returns (b, v, d)."""
    flat: Tensor = branch(views.flatten(0, 1))
    return flat.reshape(*views.shape[:2], -1)
