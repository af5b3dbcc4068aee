"""The self-distillation loss: the student imitates the centred, sharpened teacher."""

from __future__ import annotations

import torch
from torch import Tensor


def cross_entropy(
    student: Tensor, teacher: Tensor, centre: Tensor, tau_s: float, tau_t: float
) -> Tensor:
    """Give L(t -> s) = - sum_d softmax((t - c) / tau_t)_d log_softmax(s / tau_s)_d for every pair of rows.

    `student` is (b, s, d) and `teacher` (b, t, d) unnormalised embeddings, `centre` (d,); the result is (b,
    t, s). Form and temperatures: the paper's slides; the centre as in DINO and iBOT. No gradient reaches the
    teacher.
    """
    target = torch.softmax((teacher.detach() - centre) / tau_t, dim=-1)
    guess = torch.log_softmax(student / tau_s, dim=-1)
    return -torch.einsum("btd,bsd->bts", target, guess)


def patch_loss(
    student: Tensor, teacher: Tensor, hidden: Tensor, centre: Tensor, tau_s: float, tau_t: float
) -> Tensor:
    """Give the masked patches' loss: `cross_entropy` between the two branches' tokens of one patch.

    `hidden` (v, patches) marks the patches masked in each of v views, `student` and `teacher` (m, d) hold the
    head's outputs for these m patches in its order, `centre` (d,) is the patches' own. The loss is the mean
    over a view's masked patches, then over all views, of which one with nothing masked counts 0 (iBOT).
    """
    terms = cross_entropy(student[:, None], teacher[:, None], centre, tau_s, tau_t).flatten()
    weight = 1.0 / hidden.sum(dim=1, keepdim=True).clamp_min(1) / len(hidden)
    return (terms * weight.expand_as(hidden)[hidden]).sum()


def view_pairs(n_teacher: int, n_student: int) -> Tensor:
    """Mark which (teacher view, student view) terms count: all but a view with itself.

    The teacher's views are the student's first `n_teacher`. For 2 global and 4 local views: 10 terms (iBOT's
    reading; the paper says "each possible pair").
    """
    keep = torch.ones(n_teacher, n_student, dtype=torch.bool)
    keep[torch.arange(n_teacher), torch.arange(n_teacher)] = False
    return keep


class Centre:
    """Running mean of the teacher's outputs, c <- m c + (1 - m) mean(batch), starting at 0."""

    def __init__(self, dim: int, momentum: float, device: str = "cpu") -> None:
        self.value = torch.zeros(dim, device=device)
        self.momentum = momentum

    @torch.no_grad()
    def update(self, teacher: Tensor) -> None:
        """Take in one batch of teacher outputs (..., d)."""
        mean = teacher.detach().reshape(-1, teacher.shape[-1]).mean(dim=0)
        self.value = self.momentum * self.value + (1.0 - self.momentum) * mean


def entropy(logits: Tensor, tau: float) -> float:
    """Mean entropy in nats of softmax(logits / tau); near 0 or near log d it tells of collapse."""
    log_p = torch.log_softmax(logits.detach() / tau, dim=-1)
    return float(-(log_p.exp() * log_p).sum(dim=-1).mean())
