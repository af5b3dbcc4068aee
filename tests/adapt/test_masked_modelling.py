"""Masked image modelling of transformers: masks, losses, and training of the whole network."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.ndimage import label
from torch import Tensor

from helpers.adaptation_inputs import SHORT_FULL, image_tracks, random_views, vit_encoder
from personae.adapt import adapt
from personae.adapt.branches import make_branches
from personae.adapt.head import update_teacher
from personae.adapt.masked_modelling import (
    ASPECT_RATIO_RANGE,
    MAX_PLACEMENT_ATTEMPTS,
    TokenBackbone,
    draw_block_mask,
    draw_masks,
)
from personae.adapt.training import SelfDistillation, distillation_step
from personae.core.config import AdaptConfig
from personae.encode.architectures.iresnet import IResNet
from personae.encode.encoder import Encoder
from personae.weights.preprocessing import ARCFACE


def test_block_constants_are_ibots() -> None:
    """By the official code of iBOT and BEiT: 10 attempts, aspect ratio 0.3 to 1 / 0.3."""
    assert MAX_PLACEMENT_ATTEMPTS == 10
    assert ASPECT_RATIO_RANGE == (0.3, 1 / 0.3)


@pytest.mark.parametrize("ratio", [0.0, 0.1, 0.3, 0.5])
def test_a_mask_covers_its_ratio_in_blocks(ratio: float) -> None:
    rng = np.random.default_rng(0)
    masks = [draw_block_mask(14, 14, ratio, rng) for _ in range(200)]
    shares = np.array([mask.mean() for mask in masks])
    assert (shares <= ratio).all()
    assert shares.mean() == pytest.approx(ratio, abs=0.01)
    # As many single patches would form many more connected components.
    components = [label(mask)[1] for mask in masks]
    scattered = [label(rng.permutation(mask.ravel()).reshape(14, 14))[1] for mask in masks]
    assert np.mean(components) < np.mean(scattered) / 3 or ratio == 0


class AreaSpy(np.random.Generator):
    """Records the ranges that it draws from."""

    ranges: list[tuple[float, float]]

    def uniform(self, low: float, high: float) -> float:  # type: ignore[override]
        self.ranges.append((low, high))
        return super().uniform(low, high)


def test_block_areas_are_drawn_as_in_ibot() -> None:
    """iBOT's areas range from (min(height, width) // 3)^2 patches to all that remain."""  # noqa: D403
    rng = AreaSpy(np.random.PCG64(0))
    rng.ranges = []
    draw_block_mask(14, 14, 0.3, rng)
    area, aspect = rng.ranges[:2]
    assert area == (16, int(0.3 * 14 * 14))
    assert aspect == pytest.approx((np.log(0.3), -np.log(0.3)))


def test_half_of_the_views_are_masked_at_ratios_that_vary() -> None:
    config = AdaptConfig()
    masks = draw_masks(2000, 196, config, np.random.default_rng(0))
    shares = masks.mean(axis=1)
    assert masks.shape == (2000, 196)
    assert (shares > 0).mean() == pytest.approx(0.5, abs=0.05)
    masked = shares[shares > 0]
    assert masked.max() <= 0.5
    assert masked.min() < 0.13
    assert masked.max() > 0.47
    assert masked.mean() == pytest.approx(0.3, abs=0.02)
    np.testing.assert_array_equal(masks, draw_masks(2000, 196, config, np.random.default_rng(0)))
    unmasked = AdaptConfig(mask_sample_probability=0)
    assert not draw_masks(20, 196, unmasked, np.random.default_rng(0)).any()


def test_patches_must_form_a_square_grid() -> None:
    with pytest.raises(ValueError, match="no square grid"):
        draw_masks(1, 195, AdaptConfig(), np.random.default_rng(0))


def test_a_network_without_tokens_is_refused() -> None:
    with pytest.raises(TypeError, match="Linear has no patch tokens"):
        TokenBackbone(torch.nn.Linear(1, 1), torch.nn.Identity(), has_mask_token=True)


def test_a_masked_patch_does_not_influence_the_tokens() -> None:
    student = make_branches(image_tracks(), vit_encoder(), AdaptConfig(**SHORT_FULL))[0]
    backbone = student.backbone
    assert isinstance(backbone, TokenBackbone)
    images = random_views(vit_encoder())[:, 0]
    mask = torch.zeros(3, 16, dtype=torch.bool)
    mask[0, 5] = True
    changed = images.clone()
    changed[:, :, 8:16, 8:16] += 1.0  # the sixth of 4 x 4 patches of 8 pixels
    with torch.no_grad():
        before, after = (
            backbone.forward_tokens(images, mask),
            backbone.forward_tokens(changed, mask),
        )
        torch.testing.assert_close(backbone.forward_tokens(images)[:, 0], backbone(images))
    torch.testing.assert_close(before[0], after[0])
    assert not torch.allclose(before[1], after[1])


def test_the_loss_is_that_of_the_classes_plus_that_of_the_masked_patches() -> None:
    """Both losses against plain loops over views and patches, with masks drawn by hand."""
    encoder = vit_encoder()
    config = AdaptConfig(**SHORT_FULL, mask_sample_probability=0.8, patch_loss_weight=2.0)
    model = SelfDistillation(*make_branches(image_tracks(), encoder, config), config)
    model.centre.value = torch.linspace(-0.1, 0.1, 8)
    model.patch_centre.value = torch.linspace(0.1, -0.1, 8)
    centre, patch_centre = model.centre.value, model.patch_centre.value
    views = random_views(encoder)
    step = distillation_step(model, views, config, np.random.default_rng(5))
    mask = draw_masks(6, 16, config, np.random.default_rng(5)).reshape(3, 2, 16)
    assert mask.any()
    assert not mask.all(axis=2).any()

    def outputs(branch: object, image: Tensor, mask: np.ndarray | None) -> Tensor:
        given = None if mask is None else torch.from_numpy(mask)[None]
        return branch.head(branch.backbone.forward_tokens(image[None], given))[0]  # type: ignore[attr-defined]

    def cross_entropy(s: Tensor, t: Tensor, c: Tensor) -> Tensor:
        return -(torch.softmax((t - c) / 0.04, 0) * torch.log_softmax(s / 0.1, 0)).sum()

    with torch.no_grad():
        classes, patches, shown = [], [], []
        for pair in range(3):
            s = [
                outputs(model.student, views[pair, v], mask[pair, v] if v < 2 else None)
                for v in range(6)
            ]
            t = [outputs(model.teacher, views[pair, v], None) for v in range(2)]
            classes += [
                cross_entropy(s[b][0], t[a][0], centre)
                for a in range(2)
                for b in range(6)
                if a != b
            ]
            for v in range(2):
                own = [
                    cross_entropy(s[v][1 + p], t[v][1 + p], patch_centre)
                    for p in np.flatnonzero(mask[pair, v])
                ]
                patches.append(torch.stack(own).mean() if own else torch.tensor(0.0))
                shown.append(t[v])
        expected = torch.stack(classes).mean() + 2.0 * torch.stack(patches).mean()
        tokens = torch.stack(shown)
    assert step.loss.item() == pytest.approx(expected.item(), rel=1e-4)
    assert step.patch_loss == pytest.approx(torch.stack(patches).mean().item(), rel=1e-4)
    torch.testing.assert_close(model.centre.value, 0.9 * centre + 0.1 * tokens[:, 0].mean(0))
    torch.testing.assert_close(
        model.patch_centre.value, 0.9 * patch_centre + 0.1 * tokens[:, 1:].mean((0, 1))
    )


def test_the_mask_token_is_the_students_alone_and_learns() -> None:
    encoder = vit_encoder()
    config = AdaptConfig(**SHORT_FULL, mask_sample_probability=1)
    student, teacher = make_branches(image_tracks(), encoder, config)
    assert "backbone.mask_token" in dict(student.named_parameters())
    assert "backbone.mask_token" not in dict(teacher.named_parameters())
    step = distillation_step(
        SelfDistillation(student, teacher, config),
        random_views(encoder),
        config,
        np.random.default_rng(0),
    )
    step.loss.backward()
    assert student.backbone.mask_token.grad.abs().sum() > 0
    assert all(p.grad is not None for p in student.parameters())
    assert all(p.grad is None for p in teacher.parameters())
    before = teacher.backbone.network.proj.detach().clone()
    with torch.no_grad():
        student.backbone.network.proj.add_(1.0)
    update_teacher(teacher, student, 0.9)
    torch.testing.assert_close(teacher.backbone.network.proj, before + 0.1)


def test_training_a_transformer_lowers_its_loss_and_is_deterministic() -> None:
    encoder = vit_encoder()
    before = {name: value.clone() for name, value in encoder.module.state_dict().items()}
    config = AdaptConfig(**SHORT_FULL | {"first_epochs": 12, "iterations": 1})
    first, again = (adapt(image_tracks(), encoder, config) for _ in range(2))
    assert first.embeddings.shape == (12, 8)
    np.testing.assert_array_equal(first.embeddings, again.embeddings)
    for key in ("loss", "patch_loss"):
        rows = [row[key] for row in first.log]
        assert np.mean(rows[-3:]) < np.mean(rows[:3]), key
    assert all(
        torch.equal(value, before[name]) for name, value in encoder.module.state_dict().items()
    )
    plain = adapt(
        image_tracks(), encoder, config.model_copy(update={"mask_sample_probability": 0.0})
    )
    assert not np.array_equal(plain.embeddings, first.embeddings)
    assert all("patch_loss" not in row for row in plain.log)


@pytest.mark.parametrize(("head_only_epochs", "moves"), [(1, False), (0, True)])
def test_the_encoder_is_frozen_in_the_first_epochs_only(
    head_only_epochs: int, moves: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    models: list[SelfDistillation] = []

    class Spy(SelfDistillation):
        def __init__(self, *given: object) -> None:
            super().__init__(*given)  # type: ignore[arg-type]
            models.append(self)

    monkeypatch.setattr("personae.adapt.students.SelfDistillation", Spy)
    encoder = vit_encoder()
    changes = {"iterations": 1, "first_epochs": 1, "head_only_epochs": head_only_epochs}
    adapt(image_tracks(), encoder, AdaptConfig(**SHORT_FULL | changes))
    trained = models[0].student.backbone.network.state_dict()
    for name, value in encoder.module.state_dict().items():
        if "in_proj_bias" not in name:  # the key's third of it never has a gradient
            assert torch.equal(trained[name], value) != moves, name


@pytest.mark.parametrize("depth", ["head", "last"])
def test_lesser_depths_of_a_transformer_train_without_masks(depth: str) -> None:
    adaptation = adapt(image_tracks(), vit_encoder(), AdaptConfig(**SHORT_FULL | {"depth": depth}))
    assert np.isfinite(adaptation.embeddings).all()
    assert all("patch_loss" not in row for row in adaptation.log)


def test_a_convolutional_network_trains_without_masks() -> None:
    encoder = Encoder("tiny", IResNet((1, 1, 1, 1), dim=8, widths=(16,) * 4), ARCFACE, "cpu", "")
    changes = {
        "iterations": 1,
        "first_epochs": 2,
        "max_steps_per_epoch": 1,
        "min_steps_per_epoch": 1,
    }
    adaptation = adapt(image_tracks(2, 2), encoder, AdaptConfig(**SHORT_FULL | changes))
    assert all("patch_loss" not in row for row in adaptation.log)
