"""A killed adaptation goes on from its checkpoint, inside an iteration too, with the same result."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import personae.adapt.checkpoint as checkpoints
from personae.adapt import Adaptation, adapt
from personae.core.config import AdaptConfig
from personae.core.trackset import TrackSet
from personae.encode.encoder import Encoder
from test_adapt import QUICK as FEATURES
from test_adapt import people
from test_masked_modelling import QUICK as PICTURES
from test_masked_modelling import pictures, vit_encoder

MIXED = {"matching_space": "raw", "cross_track_share": 0.9}


class Killed(Exception): ...


def kill_at(share: float):
    """A hook that ends the call once so much of it is done."""

    def hook(stage: str, done: int, total: int | None, **facts: object) -> None:
        if total is not None and done >= share * total:
            raise Killed

    return hook


def assert_same(one: Adaptation, other: Adaptation) -> None:
    assert one.log == other.log
    for a, b in zip(one.iterations, other.iterations, strict=True):
        for name in ("embeddings", "centre", "quality", "matches"):
            np.testing.assert_array_equal(getattr(a, name), getattr(b, name))


@pytest.mark.parametrize("share", [0.2, 0.45, 0.6, 0.95])
@pytest.mark.parametrize("depth", ["head", "full"])
def test_killed_inside_an_iteration(
    depth: str, share: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "KEEP_EVERY_SECONDS", 0.0)
    monkeypatch.setattr(checkpoints, "KEEP_COST", 1e9)
    tracks: TrackSet = people() if depth == "head" else pictures()
    encoder: Encoder | None = None if depth == "head" else vit_encoder()
    config = AdaptConfig(**(FEATURES if depth == "head" else PICTURES) | MIXED)
    whole = adapt(tracks, encoder, config)

    file = tmp_path / "state"
    with pytest.raises(Killed):
        adapt(tracks, encoder, config, kill_at(share), file)
    first: list[int] = []
    resumed = adapt(
        tracks,
        encoder,
        config,
        lambda stage, done, total, **facts: total and first.append(done),
        file,
    )
    # The first iteration has 4 epochs in 500 parts of 1000, the second 2: no more than one epoch is lost.
    assert first[0] >= 1000 * share - (125 if share <= 0.5 else 250)
    assert_same(whole, resumed)


def test_killed_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "KEEP_EVERY_SECONDS", 0.0)
    monkeypatch.setattr(checkpoints, "KEEP_COST", 1e9)
    tracks, config, file = people(), AdaptConfig(**FEATURES), tmp_path / "state"
    for share in (0.3, 0.7):
        with pytest.raises(Killed):
            adapt(tracks, None, config, kill_at(share), file)
    assert_same(adapt(tracks, None, config), adapt(tracks, None, config, checkpoint=file))


def test_short_epochs_are_not_kept_one_by_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = []
    save = checkpoints.save_checkpoint
    monkeypatch.setattr(
        checkpoints, "save_checkpoint", lambda *given: (written.append(given[-1]), save(*given))
    )
    adapt(people(), None, AdaptConfig(**FEATURES), checkpoint=tmp_path / "state")
    assert written == [None, None]
