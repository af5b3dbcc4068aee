"""What trains: student, teacher and the teacher's running means; and the loss of one step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from personae.adapt.head import Branch, ProjectionHead
from personae.adapt.loss import Centre, cross_entropy, patch_loss, view_pairs
from personae.adapt.masking import draw_masks
from personae.adapt.sources import N_GLOBAL
from personae.adapt.tokens import TokenBody
from personae.core.config import AdaptConfig


class Training:
    """Student and teacher with the centres of the teacher's class and patch outputs."""

    def __init__(self, student: Branch, teacher: Branch, config: AdaptConfig) -> None:
        self.student = student
        self.teacher = teacher
        self.device = next(student.parameters()).device
        dim = student.head.last.out_features
        self.centre = Centre(dim, config.centre_momentum, str(self.device))
        self.patch_centre = Centre(dim, config.centre_momentum, str(self.device))

    def state_dict(self) -> dict[str, Any]:
        """Give all weights and centres."""
        return {
            "student": self.student.state_dict(),
            "teacher": self.teacher.state_dict(),
            "centre": self.centre.value,
            "patch_centre": self.patch_centre.value,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over the weights and centres that `state_dict` gave."""
        self.student.load_state_dict(state["student"])
        self.teacher.load_state_dict(state["teacher"])
        self.centre.value = state["centre"]
        self.patch_centre.value = state["patch_centre"]


@dataclass(frozen=True)
class Step:
    """What one batch gives."""

    loss: Tensor
    """To be minimised: the class loss, plus the weighted patch loss."""
    patch_loss: float | None
    """Of the hidden patches; None without masked image modelling."""
    student: Tensor
    """(b, 6, d) embeddings."""
    teacher: Tensor
    """(b, 2, d) embeddings of the global views."""


def distil(
    training: Training, views: Tensor, config: AdaptConfig, rng: np.random.Generator
) -> Step:
    """Let the student imitate the teacher on a batch of (b, 2 + 4, ...) views; the centres take the batch in.

    The 2 global views go through the teacher, all 6 through the student, and every term but a view with
    itself counts. Of a transformer's global views the student sees masked copies, and their hidden patches
    are compared with the teacher's of the same view (paper, Sec. 3.3, and iBOT; that it is these views that
    are masked is not stated in the paper).
    """
    student, teacher, device = training.student, training.teacher, training.device
    tau = config.student_temperature, config.teacher_temperature
    half = device.type == "cuda" and torch.cuda.is_bf16_supported()
    hidden: Tensor | None = None
    with torch.autocast(device.type, dtype=torch.bfloat16, enabled=half):
        if isinstance(student.body, TokenBody) and isinstance(teacher.body, TokenBody):
            t, targets = _teacher_tokens(teacher.body, teacher.head, views[:, :N_GLOBAL])
            hidden = torch.from_numpy(draw_masks(len(targets), targets.shape[1], config, rng)).to(
                device
            )
            wide, guesses = _student_tokens(student.body, student.head, views[:, :N_GLOBAL], hidden)
            s = torch.cat([wide, _through(student, views[:, N_GLOBAL:])], dim=1)
        else:
            s = _through(student, views)
            with torch.no_grad():
                t = _through(teacher, views[:, :N_GLOBAL])
    s, t = s.float(), t.float()
    counted = view_pairs(N_GLOBAL, views.shape[1]).to(device)
    loss = cross_entropy(s, t, training.centre.value, *tau).mean(dim=0)[counted].mean()
    training.centre.update(t)
    if hidden is None:
        return Step(loss, None, s, t)
    guesses, targets = guesses.float(), targets.float()
    patches = patch_loss(guesses, targets[hidden], hidden, training.patch_centre.value, *tau)
    training.patch_centre.update(targets)
    return Step(loss + config.patch_weight * patches, float(patches.detach()), s, t)


def _through(branch: Branch, views: Tensor) -> Tensor:
    """Pass (b, v, ...) views through a branch as one batch; returns (b, v, d)."""
    flat: Tensor = branch(views.flatten(0, 1))
    return flat.reshape(*views.shape[:2], -1)


@torch.no_grad()
def _teacher_tokens(body: TokenBody, head: ProjectionHead, views: Tensor) -> tuple[Tensor, Tensor]:
    """Pass (b, v, ...) views whole through the teacher; returns (b, v, d) and patches (b v, patches, d)."""
    tokens: Tensor = head(body.tokens(views.flatten(0, 1)))
    return tokens[:, 0].reshape(*views.shape[:2], -1), tokens[:, 1:]


def _student_tokens(
    body: TokenBody, head: ProjectionHead, views: Tensor, hidden: Tensor
) -> tuple[Tensor, Tensor]:
    """Pass (b, v, ...) views through the student, patches masked where `hidden` (b v, patches).

    Returns (b, v, d), and the outputs at the m hidden patches, (m, d).
    """
    tokens = body.tokens(views.flatten(0, 1), hidden)
    return head(tokens[:, 0]).reshape(*views.shape[:2], -1), head(tokens[:, 1:][hidden])
