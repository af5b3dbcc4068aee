"""Small tracks, encoders and adaptations for the tests of adaptation and of the cues."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from helpers.tiny_networks import TINY
from personae.adapt import Adaptation, Iteration
from personae.core.trackset import Crops, TrackSet
from personae.encode.encoder import Encoder
from personae.weights.preprocessing import FARL

SHORT_HEAD: dict[str, object] = {
    "iterations": 2,
    "first_epochs": 4,
    "later_epochs": 2,
    "warmup_epochs": 1,
    "min_steps_per_epoch": 6,
}
"""Settings of a short adaptation at depth head."""

SHORT_FULL: dict[str, object] = {
    "depth": "full",
    "iterations": 2,
    "first_epochs": 4,
    "head_only_epochs": 1,
    "later_epochs": 2,
    "warmup_epochs": 1,
    "min_steps_per_epoch": 4,
    "max_steps_per_epoch": 4,
    "batch_size": 4,
    "head_hidden_dim": 16,
    "learning_rate": 1e-3,
}
"""Settings of a short adaptation at depth full."""


def embedding_tracks(
    n_people: int = 3,
    tracks_each: int = 4,
    crops: int = 5,
    dim: int = 16,
    seed: int = 0,
    track_spread: float = 0.5,
) -> TrackSet:
    """Tracks of well separated people, track t of person t % n_people, with embeddings alone."""
    rng = np.random.default_rng(seed)
    people = rng.normal(size=(n_people, dim)) * 3
    rows, track_of = [], []
    for track in range(n_people * tracks_each):
        mean = people[track % n_people] + rng.normal(size=dim) * track_spread
        rows.append(mean + rng.normal(size=(crops, dim)) * 0.3)
        track_of += [track] * crops
    return TrackSet(
        track_of=np.array(track_of, np.int32), embeddings=np.concatenate(rows).astype(np.float32)
    )


def image_tracks(n_tracks: int = 4, crops_each: int = 3) -> TrackSet:
    """Tracks of crops, each in its own colours and pattern, without embeddings."""
    rng = np.random.default_rng(0)
    crops = []
    for _ in range(n_tracks):
        pattern = rng.integers(40, 216, size=(5, 5, 3)).repeat(32, axis=0).repeat(32, axis=1)
        crops += [pattern + rng.integers(-20, 20, size=(160, 160, 3)) for _ in range(crops_each)]
    return TrackSet(
        track_of=np.repeat(np.arange(n_tracks, dtype=np.int32), crops_each),
        crops=Crops(images=np.stack(crops).astype(np.uint8)),
    )


def vit_encoder() -> Encoder:
    """An encoder of a tiny transformer with 4 x 4 patches of 8 pixels."""
    build, size = TINY["vit"]
    torch.manual_seed(0)
    return Encoder("tiny-vit", build(), replace(FARL, input_size=size), "cpu", "")


def random_views(encoder: Encoder, pairs: int = 3) -> Tensor:
    """Six views of each pair, (pairs, 6, 3, S, S)."""
    generator = torch.Generator().manual_seed(1)
    return torch.randn(pairs, 6, 3, encoder.input_size, encoder.input_size, generator=generator)


def random_adaptation(n_crops: int, n_iterations: int = 3, seed: int = 0) -> Adaptation:
    """An adaptation of random embeddings, at temperatures 0.1 and 0.04."""
    rng = np.random.default_rng(seed)
    iterations = [
        Iteration(
            rng.normal(size=(n_crops, 6)).astype(np.float32) * 0.3,
            rng.normal(size=6).astype(np.float32) * 0.05,
            np.ones(n_crops, np.float32),
            np.empty((0, 2), np.int32),
        )
        for _ in range(n_iterations)
    ]
    return Adaptation(tuple(iterations), 0.1, 0.04)


class Killed(Exception):
    """Ends a call from its hook."""


def kill_at(share: float) -> Callable[..., None]:
    """A hook that ends the call once a share of its work is done."""

    def hook(stage: str, done: int, total: int | None, **facts: object) -> None:
        if total is not None and done >= share * total:
            raise Killed

    return hook


def assert_same_adaptation(one: Adaptation, other: Adaptation) -> None:
    """Log and arrays of both are equal to the bit."""
    assert one.log == other.log
    for a, b in zip(one.iterations, other.iterations, strict=True):
        for name in ("embeddings", "centre", "quality", "matches"):
            np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
