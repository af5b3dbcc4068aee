"""The self-distillation loss: the student predicts the centred and sharpened teacher."""

from __future__ import annotations

import torch
from torch import Tensor


def distillation_loss(
    student: Tensor, teacher: Tensor, centre: Tensor, tau_s: float, tau_t: float
) -> Tensor:
    """Compute the cross-entropy of every teacher view with every student view.

    L(t -> s) = -sum_d softmax((t - c) / tau_t)_d log_softmax(s / tau_s)_d. No gradient reaches the
    teacher.

    Args:
        student: (b, s, d) unnormalised embeddings.
        teacher: (b, t, d) unnormalised embeddings.
        centre: (d,) running mean c of the teacher.
        tau_s: Temperature of the student.
        tau_t: Temperature of the teacher.

    Returns:
        (b, t, s) losses in nats.

    Source:
        "VideoClusterNet", Sec. 3.3: form and temperatures by the slides; the centre as in DINO
        (Caron et al., ICCV 2021) and iBOT (Zhou et al., ICLR 2022).
    """
    target = torch.softmax((teacher.detach() - centre) / tau_t, dim=-1)
    prediction = torch.log_softmax(student / tau_s, dim=-1)
    return -torch.einsum("btd,bsd->bts", target, prediction)


def patch_loss(
    student: Tensor, teacher: Tensor, mask: Tensor, centre: Tensor, tau_s: float, tau_t: float
) -> Tensor:
    """Compute the loss of masked image modelling, the distillation loss of masked patches.

    Args:
        student: (m, d) outputs at the m masked patches, in the order of `mask`.
        teacher: (m, d) outputs at the same patches.
        mask: (v, patches) booleans, True at the masked patches of v views.
        centre: (d,) running mean of the teacher's patch outputs.
        tau_s: Temperature of the student.
        tau_t: Temperature of the teacher.

    Returns:
        Mean over the masked patches of each view, then over all views; a view without a mask
        counts 0.

    Source:
        iBOT (Zhou et al., ICLR 2022), official code.
    """
    losses = distillation_loss(student[:, None], teacher[:, None], centre, tau_s, tau_t).flatten()
    weight = 1.0 / mask.sum(dim=1, keepdim=True).clamp_min(1) / len(mask)
    return (losses * weight.expand_as(mask)[mask]).sum()


def view_pair_mask(n_teacher: int, n_student: int) -> Tensor:
    """Mark the pairs of views whose losses count: all but a view with itself.

    For 2 global and 4 local views these are 10 pairs, iBOT's reading of the paper's "each possible
    pair".

    Args:
        n_teacher: Views of the teacher; they are the student's first ones.
        n_student: Views of the student.

    Returns:
        (n_teacher, n_student) booleans.
    """
    mask = torch.ones(n_teacher, n_student, dtype=torch.bool)
    mask[torch.arange(n_teacher), torch.arange(n_teacher)] = False
    return mask


class Centre:
    """Running mean of the teacher's outputs, c <- m c + (1 - m) mean(batch), from 0 on."""

    def __init__(self, dim: int, momentum: float, device: str = "cpu") -> None:
        self.value = torch.zeros(dim, device=device)
        """(d,) c."""
        self.momentum = momentum

    @torch.no_grad()
    def update(self, teacher: Tensor) -> None:
        """Include a batch of (..., d) teacher outputs."""
        mean = teacher.detach().reshape(-1, teacher.shape[-1]).mean(dim=0)
        self.value = self.momentum * self.value + (1.0 - self.momentum) * mean


def mean_entropy(logits: Tensor, tau: float) -> float:
    """Compute the mean entropy in nats of softmax(logits / tau) over (..., d) logits.

    Values near 0 or near log d indicate collapse.
    """
    log_p = torch.log_softmax(logits.detach() / tau, dim=-1)
    return float(-(log_p.exp() * log_p).sum(dim=-1).mean())
