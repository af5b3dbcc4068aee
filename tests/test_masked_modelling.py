"""Masked image modelling of transformers: masks, the patches' loss, and training of the whole network."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.ndimage import label
from torch import Tensor

from personae.adapt import adapt
from personae.adapt.branches import make_branches
from personae.adapt.head import update_teacher
from personae.adapt.loss import patch_loss
from personae.adapt.masking import block_mask, draw_masks
from personae.adapt.tokens import TokenBody
from personae.adapt.training import Training, distil
from personae.core.config import AdaptConfig
from personae.core.trackset import TrackSet
from personae.encode.architectures.iresnet import IResNet
from personae.encode.architectures.registry import ARCFACE, ARCHITECTURES
from personae.encode.encoder import Encoder
from tiny_networks import TINY

QUICK = {
    "depth": "full",
    "iterations": 2,
    "first_epochs": 4,
    "head_only_epochs": 1,
    "later_epochs": 2,
    "warmup_epochs": 1,
    "min_steps_per_epoch": 4,
    "max_steps_per_epoch": 4,
    "batch_pairs": 4,
    "head_width": 16,
    "learning_rate": 1e-3,
}


def vit_encoder() -> Encoder:
    build, size = TINY["vit"]
    torch.manual_seed(0)
    spec = replace(ARCHITECTURES["farl-b16"], build=build, input_size=size)
    return Encoder("tiny-vit", build(), spec, "cpu", "")


def pictures(n_tracks: int = 4, crops_each: int = 3) -> TrackSet:
    """Tracks of crops in their own colour and pattern."""
    rng = np.random.default_rng(0)
    crops = []
    for _ in range(n_tracks):
        pattern = rng.integers(40, 216, size=(5, 5, 3)).repeat(32, axis=0).repeat(32, axis=1)
        crops += [pattern + rng.integers(-20, 20, size=(160, 160, 3)) for _ in range(crops_each)]
    return TrackSet(
        track_of=np.repeat(np.arange(n_tracks, dtype=np.int32), crops_each),
        crops=np.stack(crops).astype(np.uint8),
    )


def views_of(encoder: Encoder, pairs: int = 3) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(pairs, 6, 3, encoder.input_size, encoder.input_size, generator=generator)


@pytest.mark.parametrize("ratio", [0.0, 0.1, 0.3, 0.5])
def test_a_mask_hides_its_ratio_in_blocks(ratio: float) -> None:
    rng = np.random.default_rng(0)
    masks = [block_mask(14, 14, ratio, rng) for _ in range(200)]
    shares = np.array([mask.mean() for mask in masks])
    assert (shares <= ratio).all()
    assert shares.mean() == pytest.approx(ratio, abs=0.01)
    # As many patches hidden one by one would lie in many more pieces.
    pieces = [label(mask)[1] for mask in masks]
    alone = [label(rng.permutation(mask.ravel()).reshape(14, 14))[1] for mask in masks]
    assert np.mean(pieces) < np.mean(alone) / 3 or ratio == 0


def test_half_of_the_views_are_masked_at_ratios_that_vary() -> None:
    config = AdaptConfig()
    masks = draw_masks(2000, 196, config, np.random.default_rng(0))
    shares = masks.mean(axis=1)
    assert masks.shape == (2000, 196)
    assert (shares > 0).mean() == pytest.approx(0.5, abs=0.05)
    some = shares[shares > 0]
    assert some.max() <= 0.5
    assert some.min() < 0.13
    assert some.max() > 0.47
    assert some.mean() == pytest.approx(0.3, abs=0.02)
    np.testing.assert_array_equal(masks, draw_masks(2000, 196, config, np.random.default_rng(0)))
    assert not draw_masks(20, 196, AdaptConfig(masked_share=0), np.random.default_rng(0)).any()


def test_the_patch_loss_equals_the_formula_written_out() -> None:
    rng = np.random.default_rng(0)
    hidden = np.array([[True, False, True, True], [False] * 4, [False, False, True, False]])
    student, teacher = rng.normal(size=(2, 3, 4, 5))
    centre = rng.normal(size=5)
    per_view = []
    for view in range(3):
        terms = []
        for patch in range(4):
            if hidden[view, patch]:
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
        *(torch.tensor(x) for x in (student[hidden], teacher[hidden], hidden, centre)),
        tau_s=0.1,
        tau_t=0.04,
    )
    assert found.item() == pytest.approx(sum(per_view) / 3, rel=1e-6)


def test_nothing_hidden_costs_nothing() -> None:
    none = torch.zeros(0, 5, requires_grad=True)
    found = patch_loss(
        none, none.detach(), torch.zeros(2, 4, dtype=torch.bool), torch.zeros(5), 0.1, 0.04
    )
    assert found.item() == 0.0


def test_a_hidden_patch_cannot_be_seen() -> None:
    student = make_branches(pictures(), vit_encoder(), AdaptConfig(**QUICK))[0]
    body = student.body
    assert isinstance(body, TokenBody)
    images = views_of(vit_encoder())[:, 0]
    hidden = torch.zeros(3, 16, dtype=torch.bool)
    hidden[0, 5] = True
    changed = images.clone()
    changed[:, :, 8:16, 8:16] += 1.0  # the sixth of 4 x 4 patches of 8 pixels
    with torch.no_grad():
        before, after = body.tokens(images, hidden), body.tokens(changed, hidden)
        torch.testing.assert_close(body.tokens(images)[:, 0], body(images))
    torch.testing.assert_close(before[0], after[0])
    assert not torch.allclose(before[1], after[1])


def test_the_loss_is_the_classes_plus_the_hidden_patches() -> None:
    """Both losses against plain loops over views and patches, the student's views masked by hand."""
    encoder = vit_encoder()
    config = AdaptConfig(**QUICK, masked_share=0.8, patch_weight=2.0)
    training = Training(*make_branches(pictures(), encoder, config), config)
    training.centre.value = torch.linspace(-0.1, 0.1, 8)
    training.patch_centre.value = torch.linspace(0.1, -0.1, 8)
    centre, patch_centre = training.centre.value, training.patch_centre.value
    views = views_of(encoder)
    step = distil(training, views, config, np.random.default_rng(5))
    hidden = draw_masks(6, 16, config, np.random.default_rng(5)).reshape(3, 2, 16)
    assert hidden.any()
    assert not hidden.all(axis=2).any()

    def outputs(branch: object, image: Tensor, mask: np.ndarray | None) -> Tensor:
        given = None if mask is None else torch.from_numpy(mask)[None]
        return branch.head(branch.body.tokens(image[None], given))[0]  # type: ignore[attr-defined]

    def imitation(s: Tensor, t: Tensor, c: Tensor) -> Tensor:
        return -(torch.softmax((t - c) / 0.04, 0) * torch.log_softmax(s / 0.1, 0)).sum()

    with torch.no_grad():
        classes, patches, shown = [], [], []
        for pair in range(3):
            s = [
                outputs(training.student, views[pair, v], hidden[pair, v] if v < 2 else None)
                for v in range(6)
            ]
            t = [outputs(training.teacher, views[pair, v], None) for v in range(2)]
            classes += [
                imitation(s[b][0], t[a][0], centre) for a in range(2) for b in range(6) if a != b
            ]
            for v in range(2):
                own = [
                    imitation(s[v][1 + p], t[v][1 + p], patch_centre)
                    for p in np.flatnonzero(hidden[pair, v])
                ]
                patches.append(torch.stack(own).mean() if own else torch.tensor(0.0))
                shown.append(t[v])
        expected = torch.stack(classes).mean() + 2.0 * torch.stack(patches).mean()
        tokens = torch.stack(shown)
    assert step.loss.item() == pytest.approx(expected.item(), rel=1e-4)
    assert step.patch_loss == pytest.approx(torch.stack(patches).mean().item(), rel=1e-4)
    torch.testing.assert_close(training.centre.value, 0.9 * centre + 0.1 * tokens[:, 0].mean(0))
    torch.testing.assert_close(
        training.patch_centre.value, 0.9 * patch_centre + 0.1 * tokens[:, 1:].mean((0, 1))
    )


def test_the_mask_token_is_the_students_alone_and_learns() -> None:
    encoder = vit_encoder()
    config = AdaptConfig(**QUICK, masked_share=1)
    student, teacher = make_branches(pictures(), encoder, config)
    assert "body.mask_token" in dict(student.named_parameters())
    assert "body.mask_token" not in dict(teacher.named_parameters())
    step = distil(
        Training(student, teacher, config), views_of(encoder), config, np.random.default_rng(0)
    )
    step.loss.backward()
    assert student.body.mask_token.grad.abs().sum() > 0
    assert all(p.grad is not None for p in student.parameters())
    assert all(p.grad is None for p in teacher.parameters())
    before = teacher.body.network.proj.detach().clone()
    with torch.no_grad():
        student.body.network.proj.add_(1.0)
    update_teacher(teacher, student, 0.9)
    torch.testing.assert_close(teacher.body.network.proj, before + 0.1)


def test_training_a_transformer_lowers_its_loss_and_is_deterministic() -> None:
    encoder = vit_encoder()
    before = {name: value.clone() for name, value in encoder.module.state_dict().items()}
    config = AdaptConfig(**QUICK | {"first_epochs": 12, "iterations": 1})
    first, again = (adapt(pictures(), encoder, config) for _ in range(2))
    assert first.embeddings.shape == (12, 8)
    np.testing.assert_array_equal(first.embeddings, again.embeddings)
    for key in ("loss", "patch_loss"):
        rows = [row[key] for row in first.log]
        assert np.mean(rows[-3:]) < np.mean(rows[:3]), key
    assert all(
        torch.equal(value, before[name]) for name, value in encoder.module.state_dict().items()
    )
    plain = adapt(pictures(), encoder, config.model_copy(update={"masked_share": 0.0}))
    assert not np.array_equal(plain.embeddings, first.embeddings)
    assert all("patch_loss" not in row for row in plain.log)


def test_the_encoder_is_frozen_in_the_first_epochs_only() -> None:
    tracks, encoder = pictures(), vit_encoder()
    frozen = AdaptConfig(**QUICK | {"iterations": 1, "first_epochs": 1, "head_only_epochs": 1})
    for config, moves in (
        (frozen, False),
        (frozen.model_copy(update={"head_only_epochs": 0}), True),
    ):
        seen: dict[str, Training] = {}

        class Spy(Training):
            def __init__(self, *given: object, seen: dict[str, Training] = seen) -> None:
                super().__init__(*given)  # type: ignore[arg-type]
                seen["training"] = self

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("personae.adapt.adaptation.Training", Spy)
            adapt(tracks, encoder, config)
        for name, value in encoder.module.state_dict().items():
            now = seen["training"].student.body.network.state_dict()[name]
            if "in_proj_bias" not in name:  # whose key third never has a gradient
                assert torch.equal(now, value) != moves, name


@pytest.mark.parametrize("depth", ["head", "last"])
def test_lesser_depths_of_a_transformer_train_without_masks(depth: str) -> None:
    adaptation = adapt(pictures(), vit_encoder(), AdaptConfig(**QUICK | {"depth": depth}))
    assert np.isfinite(adaptation.embeddings).all()
    assert all("patch_loss" not in row for row in adaptation.log)


def test_a_convolutional_network_trains_without_masks() -> None:
    encoder = Encoder("tiny", IResNet((1, 1, 1, 1), dim=8, widths=(16,) * 4), ARCFACE, "cpu", "")
    short = QUICK | {
        "iterations": 1,
        "first_epochs": 2,
        "max_steps_per_epoch": 1,
        "min_steps_per_epoch": 1,
    }
    adaptation = adapt(pictures(2, 2), encoder, AdaptConfig(**short))
    assert all("patch_loss" not in row for row in adaptation.log)
