"""State of the self-distillation, and the loss of one step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypedDict

import numpy as np
import torch
from torch import Tensor

from personae.adapt.head import Branch, ProjectionHead
from personae.adapt.loss import Centre, distillation_loss, patch_loss, view_pair_mask
from personae.adapt.masked_modelling import TokenBackbone, draw_masks
from personae.adapt.sources import N_GLOBAL_VIEWS
from personae.core.config import AdaptConfig


class DistillationState(TypedDict):
    """Weights and centres of a `SelfDistillation`."""

    student: dict[str, Any]
    teacher: dict[str, Any]
    centre: Tensor
    patch_centre: Tensor


class SelfDistillation:
    """Student and teacher, with the centres of the teacher's class and patch outputs."""

    def __init__(self, student: Branch, teacher: Branch, config: AdaptConfig) -> None:
        self.student = student
        self.teacher = teacher
        self.device = next(student.parameters()).device
        dim = student.head.last.out_features
        self.centre = Centre(dim, config.centre_momentum, str(self.device))
        self.patch_centre = Centre(dim, config.centre_momentum, str(self.device))

    def state_dict(self) -> DistillationState:
        """Return all weights and centres."""
        return {
            "student": self.student.state_dict(),
            "teacher": self.teacher.state_dict(),
            "centre": self.centre.value,
            "patch_centre": self.patch_centre.value,
        }

    def load_state_dict(self, state: DistillationState) -> None:
        """Set the weights in place, and the centres."""
        self.student.load_state_dict(state["student"])
        self.teacher.load_state_dict(state["teacher"])
        self.centre.value = state["centre"]
        self.patch_centre.value = state["patch_centre"]


@dataclass(frozen=True)
class StepOutput:
    """Loss and embeddings of one batch."""

    loss: Tensor
    """() to be minimised: the class loss, plus the weighted patch loss."""

    patch_loss: float | None
    """Loss of the masked patches; None without masked image modelling."""

    student: Tensor
    """(b, 6, d) embeddings of all views."""

    teacher: Tensor
    """(b, 2, d) embeddings of the global views."""


def distillation_step(
    model: SelfDistillation, views: Tensor, config: AdaptConfig, rng: np.random.Generator
) -> StepOutput:
    """Compute the loss of a batch, and update the centres with it.

    The global views pass through the teacher, all views through the student, and every pair of
    views but a view with itself counts. The student sees masked copies of a transformer's global
    views, and their masked patches are compared with the teacher's of the same view.

    Args:
        model: Student, teacher and centres.
        views: (b, 2 + 4, ...) global and local views of b pairs.
        config: Settings of the adaptation.
        rng: Source of the masks.

    Source:
        "VideoClusterNet", Sec. 3.3, and iBOT. Which views are masked is not stated in the paper.
    """
    student, teacher, device = model.student, model.teacher, model.device
    tau = config.student_temperature, config.teacher_temperature
    half = device.type == "cuda" and torch.cuda.is_bf16_supported()
    mask: Tensor | None = None
    with torch.autocast(device.type, dtype=torch.bfloat16, enabled=half):
        student_backbone, teacher_backbone = student.backbone, teacher.backbone
        if isinstance(student_backbone, TokenBackbone) and isinstance(
            teacher_backbone, TokenBackbone
        ):
            global_views = views[:, :N_GLOBAL_VIEWS]
            t, targets = _teacher_tokens(teacher_backbone, teacher.head, global_views)
            drawn = draw_masks(len(targets), targets.shape[1], config, rng)
            mask = torch.from_numpy(drawn).to(device)
            global_s, predictions = _student_tokens(
                student_backbone, student.head, global_views, mask
            )
            s = torch.cat([global_s, _forward_views(student, views[:, N_GLOBAL_VIEWS:])], dim=1)
        else:
            s = _forward_views(student, views)
            with torch.no_grad():
                t = _forward_views(teacher, views[:, :N_GLOBAL_VIEWS])
    s, t = s.float(), t.float()
    counted = view_pair_mask(N_GLOBAL_VIEWS, views.shape[1]).to(device)
    losses = distillation_loss(s, t, model.centre.value, *tau)
    loss = losses.mean(dim=0)[counted].mean()
    model.centre.update(t)
    if mask is None:
        return StepOutput(loss, None, s, t)
    predictions, targets = predictions.float(), targets.float()
    patches = patch_loss(predictions, targets[mask], mask, model.patch_centre.value, *tau)
    model.patch_centre.update(targets)
    total = loss + config.patch_loss_weight * patches
    return StepOutput(total, float(patches.detach()), s, t)


def _forward_views(branch: Branch, views: Tensor) -> Tensor:
    """Map (b, v, ...) views to (b, v, d) embeddings, as one batch."""
    embeddings: Tensor = branch(views.flatten(0, 1))
    return embeddings.reshape(*views.shape[:2], -1)


@torch.no_grad()
def _teacher_tokens(
    backbone: TokenBackbone, head: ProjectionHead, views: Tensor
) -> tuple[Tensor, Tensor]:
    """Map (b, v, ...) views to (b, v, d) embeddings and (b v, patches, d) patch outputs."""
    tokens: Tensor = head(backbone.forward_tokens(views.flatten(0, 1)))
    return tokens[:, 0].reshape(*views.shape[:2], -1), tokens[:, 1:]


def _student_tokens(
    backbone: TokenBackbone, head: ProjectionHead, views: Tensor, mask: Tensor
) -> tuple[Tensor, Tensor]:
    """Map (b, v, ...) masked views to (b, v, d) embeddings and (m, d) outputs at masked patches.

    Args:
        backbone: The student's.
        head: The student's.
        views: The views.
        mask: (b v, patches) booleans with m True values.
    """
    tokens = backbone.forward_tokens(views.flatten(0, 1), mask)
    return head(tokens[:, 0]).reshape(*views.shape[:2], -1), head(tokens[:, 1:][mask])
