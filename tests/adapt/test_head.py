"""Projection head, fixed norm and the teacher's moving average."""

from __future__ import annotations

import pytest
import torch

from personae.adapt.head import Branch, FixedNorm, ProjectionHead, update_teacher


def test_the_teacher_is_the_moving_average_of_the_student() -> None:
    teacher, student = torch.nn.Linear(1, 1), torch.nn.Linear(1, 1)
    before, target = teacher.weight.item(), student.weight.item()
    update_teacher(teacher, student, 0.9)
    assert teacher.weight.item() == pytest.approx(0.9 * before + 0.1 * target, rel=1e-5)


def test_the_teacher_takes_over_the_students_buffers() -> None:
    teacher, student = torch.nn.BatchNorm1d(2), torch.nn.BatchNorm1d(2)
    student.running_mean += 3.0
    update_teacher(teacher, student, 0.9)
    assert teacher.running_mean.tolist() == [3.0, 3.0]


def test_a_branch_scales_embeddings_to_one_norm() -> None:
    branch = Branch(FixedNorm(4.0), ProjectionHead(3, 4))
    x = torch.randn(5, 3)
    assert torch.allclose(branch(x), branch(x * 100), atol=1e-5)
    assert branch.backbone(x).norm(dim=1).tolist() == pytest.approx([4.0] * 5, rel=1e-5)


def test_the_head_is_a_three_layer_mlp_with_gelu_as_wide_as_its_input() -> None:
    """Paper, Sec. 3.3: "3 layers, GELU, output width = the base embedding width"."""
    head = ProjectionHead(6, 9)
    x = torch.randn(2, 6)
    layers = [module for module in head.modules() if isinstance(module, torch.nn.Linear)]
    assert [(one.in_features, one.out_features) for one in layers] == [(6, 9), (9, 9), (9, 6)]
    gelu = torch.nn.GELU()
    expected = layers[2](gelu(layers[1](gelu(layers[0](x)))))
    torch.testing.assert_close(head(x), expected)
