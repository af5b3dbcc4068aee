"""Depth of training: what is frozen and what is trained."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from helpers.adaptation_inputs import embedding_tracks, image_tracks
from personae.adapt import adapt
from personae.adapt.branches import make_branches, resolve_depth
from personae.core.config import AdaptConfig
from personae.core.trackset import Crops, TrackSet
from personae.encode import load_encoder


@pytest.mark.parametrize("depth", ["head", "last", "full"])
def test_each_depth_trains_its_part_of_the_encoder(depth: str) -> None:
    encoder = load_encoder()
    images = np.random.default_rng(0).integers(0, 255, size=(6, 160, 160, 3), dtype=np.uint8)
    tracks = TrackSet(
        track_of=np.repeat(np.arange(3, dtype=np.int32), 2), crops=Crops(images=images)
    )
    config = AdaptConfig(
        depth=depth,
        iterations=1,
        first_epochs=2,
        head_only_epochs=1,
        min_steps_per_epoch=1,
        batch_size=2,
    )
    before = {name: value.clone() for name, value in encoder.module.state_dict().items()}
    student, teacher = make_branches(tracks, encoder, config)
    trained = sum(p.numel() for p in student.backbone.parameters())
    whole = sum(p.numel() for p in encoder.module.parameters())
    assert {"head": trained == 0, "last": 0 < trained < whole, "full": trained == whole}[depth]
    assert not torch.equal(student.head.first.weight, teacher.head.first.weight)
    adaptation = adapt(tracks, encoder, config)
    assert adaptation.embeddings.shape == (6, encoder.dim)
    assert np.isfinite(adaptation.embeddings).all()
    for name, value in encoder.module.state_dict().items():
        assert torch.equal(value, before[name]), "the encoder itself must stay as it was"


def test_auto_depth_trains_the_last_layers_where_there_are_images() -> None:
    encoder, auto = load_encoder(), AdaptConfig(seed=3)
    images, features = image_tracks(), embedding_tracks()
    assert resolve_depth(auto, images, encoder) == AdaptConfig(seed=3, depth="last")
    assert resolve_depth(auto, features, None) == AdaptConfig(seed=3, depth="head")
    assert resolve_depth(auto, features, encoder).depth == "head"
    for depth in ("head", "last", "full"):
        given = AdaptConfig(depth=depth)
        assert resolve_depth(given, images, encoder) == given


def test_heads_depend_on_the_seed_and_leave_the_global_generator_alone() -> None:
    tracks = embedding_tracks()
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    first, again, other = (
        make_branches(tracks, None, AdaptConfig(depth="head", seed=seed))[0].head.first.weight
        for seed in (1, 1, 2)
    )
    assert torch.equal(torch.rand(1), expected)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_backbones_end_at_the_embedding_norm() -> None:
    branch = make_branches(embedding_tracks(), None, AdaptConfig(depth="head", embedding_norm=3.0))[
        0
    ]
    assert branch.backbone(torch.randn(4, 16)).norm(dim=1).tolist() == pytest.approx([3.0] * 4)
    assert not branch.training


@pytest.mark.parametrize("is_used", [True, False])
def test_resolution_augmentation_can_be_switched_off(is_used: bool) -> None:
    """Faces far narrower than the crops change the cached views, unless that is switched off."""
    from dataclasses import replace

    encoder = load_encoder()
    plain = image_tracks()
    narrow = replace(plain, crops=replace(plain.crops, widths=np.full(12, 5.0, np.float32)))
    config = AdaptConfig(
        iterations=1,
        first_epochs=1,
        min_steps_per_epoch=1,
        max_steps_per_epoch=1,
        resolution_augmentation=is_used,
    )
    a, b = (adapt(tracks, encoder, config).log[0]["loss"] for tracks in (plain, narrow))
    assert (a != b) == is_used
