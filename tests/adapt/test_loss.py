"""The losses against their formulas written out."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from personae.adapt.loss import Centre, distillation_loss, mean_entropy, patch_loss, view_pair_mask


def test_distillation_loss_matches_its_formula() -> None:
    rng = np.random.default_rng(0)
    student, teacher = rng.normal(size=(2, 3, 5)), rng.normal(size=(2, 2, 5))
    centre = rng.normal(size=5)
    found = distillation_loss(
        *(torch.tensor(x) for x in (student, teacher, centre)), tau_s=0.1, tau_t=0.04
    )
    assert found.shape == (2, 2, 3)
    for b in range(2):
        for t in range(2):
            for s in range(3):
                weight = [math.exp((teacher[b, t, d] - centre[d]) / 0.04) for d in range(5)]
                total = math.log(sum(math.exp(student[b, s, d] / 0.1) for d in range(5)))
                expected = -sum(
                    weight[d] / sum(weight) * (student[b, s, d] / 0.1 - total) for d in range(5)
                )
                assert found[b, t, s].item() == pytest.approx(expected, rel=1e-9)


def test_no_gradient_reaches_the_teacher() -> None:
    student = torch.randn(1, 2, 4, requires_grad=True)
    teacher = torch.randn(1, 2, 4, requires_grad=True)
    distillation_loss(student, teacher, torch.zeros(4), 0.1, 0.04).sum().backward()
    assert teacher.grad is None
    assert student.grad is not None


def test_a_view_is_never_compared_with_itself() -> None:
    """iBOT: 2 global views of the teacher and all 6 of the student make 10 terms."""
    mask = view_pair_mask(2, 6)
    assert mask.sum() == 10
    assert not mask[0, 0]
    assert not mask[1, 1]


def test_centre_is_the_running_mean_of_batches() -> None:
    centre = Centre(2, momentum=0.9)
    centre.update(torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
    assert centre.value.tolist() == pytest.approx([0.2, 0.3])
    centre.update(torch.tensor([[[0.0, 0.0]]]))
    assert centre.value.tolist() == pytest.approx([0.18, 0.27])


def test_entropy_is_log_d_when_flat_and_0_when_certain() -> None:
    assert mean_entropy(torch.zeros(3, 8), 0.1) == pytest.approx(math.log(8))
    assert mean_entropy(torch.tensor([[1.0, 0.0]]), 0.01) == pytest.approx(0.0, abs=1e-6)
    two = torch.tensor([[0.0, 0.0], [1.0, 0.0]])
    assert mean_entropy(two, 0.01) == pytest.approx(math.log(2) / 2)
    assert mean_entropy(torch.tensor([[0.1, 0.0]]), 0.1) == pytest.approx(
        math.log(1 + math.e) - math.e / (1 + math.e)
    )


def test_patch_loss_matches_its_formula() -> None:
    rng = np.random.default_rng(0)
    mask = np.array([[True, False, True, True], [False] * 4, [False, False, True, False]])
    student, teacher = rng.normal(size=(2, 3, 4, 5))
    centre = rng.normal(size=5)
    per_view = []
    for view in range(3):
        terms = []
        for patch in range(4):
            if mask[view, patch]:
                weight = [math.exp((teacher[view, patch, d] - centre[d]) / 0.04) for d in range(5)]
                total = math.log(sum(math.exp(x / 0.1) for x in student[view, patch]))
                terms.append(
                    -sum(
                        weight[d] / sum(weight) * (student[view, patch, d] / 0.1 - total)
                        for d in range(5)
                    )
                )
        per_view.append(sum(terms) / len(terms) if terms else 0.0)
    found = patch_loss(
        *(torch.tensor(x) for x in (student[mask], teacher[mask], mask, centre)),
        tau_s=0.1,
        tau_t=0.04,
    )
    assert found.item() == pytest.approx(sum(per_view) / 3, rel=1e-6)


def test_patch_loss_without_a_mask_is_0() -> None:
    none = torch.zeros(0, 5, requires_grad=True)
    found = patch_loss(
        none, none.detach(), torch.zeros(2, 4, dtype=torch.bool), torch.zeros(5), 0.1, 0.04
    )
    assert found.item() == 0.0
