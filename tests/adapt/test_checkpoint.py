"""Checkpoints: a killed adaptation continues with the same result, and loses nothing to a crash."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import personae.adapt.checkpoint as checkpoint_module
from helpers.adaptation_inputs import (
    SHORT_FULL,
    SHORT_HEAD,
    Killed,
    assert_same_adaptation,
    embedding_tracks,
    image_tracks,
    kill_at,
    random_adaptation,
    vit_encoder,
)
from personae.adapt import adapt
from personae.adapt.checkpoint import (
    MAX_CHECKPOINT_TIME_SHARE,
    MIN_CHECKPOINT_INTERVAL_S,
    STATE_FILE,
    CheckpointWriter,
)
from personae.adapt.finetune import TrainingCursor
from personae.adapt.students import make_students
from personae.adapt.training import SelfDistillation
from personae.core.config import AdaptConfig
from personae.core.trackset import TrackSet
from personae.cues.positives import CuePositives
from personae.encode.encoder import Encoder

EARLY_MATCHES = {"matching_space": "raw", "cross_track_share": 0.9}


@pytest.fixture
def every_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Write a checkpoint after every epoch."""
    monkeypatch.setattr(checkpoint_module, "MIN_CHECKPOINT_INTERVAL_S", 0.0)
    monkeypatch.setattr(checkpoint_module, "MAX_CHECKPOINT_TIME_SHARE", 1e9)


@pytest.mark.usefixtures("every_epoch")
@pytest.mark.parametrize("share", [0.2, 0.45, 0.6, 0.95])
@pytest.mark.parametrize("depth", ["head", "full"])
def test_an_adaptation_killed_inside_an_iteration_continues(
    depth: str, share: float, tmp_path: Path
) -> None:
    tracks: TrackSet = embedding_tracks() if depth == "head" else image_tracks()
    encoder: Encoder | None = None if depth == "head" else vit_encoder()
    config = AdaptConfig(**(SHORT_HEAD if depth == "head" else SHORT_FULL) | EARLY_MATCHES)
    whole = adapt(tracks, encoder, config)

    folder = tmp_path / "state"
    with pytest.raises(Killed):
        adapt(tracks, encoder, config, kill_at(share), folder)
    done: list[int] = []
    resumed = adapt(
        tracks,
        encoder,
        config,
        lambda stage, finished, total, **facts: total and done.append(finished),
        folder,
    )
    # The first iteration has 4 epochs in 500 parts of 1000, the second 2: one epoch may be lost.
    assert done[0] >= 1000 * share - (125 if share <= 0.5 else 250)
    assert_same_adaptation(whole, resumed)


@pytest.mark.usefixtures("every_epoch")
@pytest.mark.parametrize("share", [0.2, 0.5, 0.6, 0.95])
def test_an_adaptation_on_cues_positives_continues(share: float, tmp_path: Path) -> None:
    tracks, folder = embedding_tracks(), tmp_path / "state"
    config = AdaptConfig(**SHORT_HEAD, cross_track_share=0.9)

    def positives() -> CuePositives:
        return CuePositives(tracks, tracks.anchors())

    whole = adapt(tracks, None, config, find_positives=positives())
    with pytest.raises(Killed):
        adapt(tracks, None, config, kill_at(share), folder, find_positives=positives())
    resumed = adapt(tracks, None, config, checkpoint=folder, find_positives=positives())
    assert len(whole.iterations[0].matches) > 20
    assert_same_adaptation(whole, resumed)


@pytest.mark.usefixtures("every_epoch")
def test_an_adaptation_killed_twice_continues(tmp_path: Path) -> None:
    tracks, config, folder = embedding_tracks(), AdaptConfig(**SHORT_HEAD), tmp_path / "state"
    for share in (0.3, 0.7):
        with pytest.raises(Killed):
            adapt(tracks, None, config, kill_at(share), folder)
    assert_same_adaptation(
        adapt(tracks, None, config), adapt(tracks, None, config, checkpoint=folder)
    )


def test_finished_iterations_are_not_repeated(tmp_path: Path) -> None:
    tracks, config, folder = embedding_tracks(), AdaptConfig(**SHORT_HEAD), tmp_path / "state"
    whole = adapt(tracks, None, config)
    with pytest.raises(Killed):
        adapt(tracks, None, config, kill_at(0.6), folder)
    seen: list[object] = []
    resumed = adapt(
        tracks, None, config, lambda *_, **facts: seen.append(facts.get("iteration")), folder
    )
    assert "1 of 2" not in seen
    assert "2 of 2" in seen
    assert_same_adaptation(whole, resumed)


def test_short_epochs_have_no_checkpoints_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cursors: list[Sequence[TrainingCursor]] = []
    save = checkpoint_module.save_checkpoint
    monkeypatch.setattr(
        checkpoint_module,
        "save_checkpoint",
        lambda *given: (cursors.append(given[-1]), save(*given)),
    )
    config = AdaptConfig(**SHORT_HEAD)
    adapt(embedding_tracks(), None, config, checkpoint=tmp_path / "state")
    assert cursors == [(), ()]


def tiny_students() -> list[SelfDistillation]:
    config = AdaptConfig(depth="head", head_hidden_dim=8)
    return make_students(embedding_tracks(), None, config, 2)


class FinishedEpoch:
    """A finetuning after one of its epochs."""

    def cursor(self) -> TrainingCursor:
        return TrainingCursor([], {}, {"queue": [], "rng": {}}, {})


RUNS = [FinishedEpoch(), FinishedEpoch()]


def test_checkpoints_keep_their_distance_and_their_share_of_the_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """30 s apart, and one that takes 3 s is followed by the next after 3 s / 0.05 = 60 s."""
    assert (MIN_CHECKPOINT_INTERVAL_S, MAX_CHECKPOINT_TIME_SHARE) == (30.0, 0.05)
    now = 100.0
    written: list[float] = []

    def slow_save(*given: object) -> None:
        nonlocal now
        written.append(now)
        now += 3.0

    monkeypatch.setattr(checkpoint_module, "time", SimpleNamespace(perf_counter=lambda: now))
    monkeypatch.setattr(checkpoint_module, "save_checkpoint", slow_save)
    students = tiny_students()
    writer = CheckpointWriter(tmp_path / "state")
    for now in (129.9, 130.0, 192.9, 193.0, 255.9):  # noqa: B007
        writer.after_epoch(students, [], RUNS)
    assert written == [130.0, 193.0]


def test_without_a_folder_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    writer, adaptation = CheckpointWriter(None), random_adaptation(7)
    writer.after_iteration(tiny_students(), adaptation.iterations[0], [])
    writer.after_epoch(tiny_students(), [], RUNS)
    assert list(writer.iterations) == [adaptation.iterations[0]]
    assert not list(tmp_path.iterdir())


def test_a_checkpoint_reaches_the_disk_after_its_iteration_and_before_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a crash leaves behind never counts an iteration whose file is incomplete."""
    events: list[tuple[str, str]] = []
    fsync, replace = os.fsync, os.replace

    def spy_fsync(descriptor: int) -> None:
        events.append(("fsync", Path(os.readlink(f"/proc/self/fd/{descriptor}")).name))
        fsync(descriptor)

    def spy_replace(source: Path, target: Path) -> None:
        events.append(("replace", Path(target).name))
        replace(source, target)

    monkeypatch.setattr(os, "fsync", spy_fsync)
    monkeypatch.setattr(os, "replace", spy_replace)
    folder = tmp_path / "state"
    writer = CheckpointWriter(folder)
    writer.after_iteration(tiny_students(), random_adaptation(7).iterations[0], [])
    assert events == [
        ("fsync", "iteration-1.safetensors"),
        ("fsync", f".{STATE_FILE}.part"),
        ("replace", STATE_FILE),
        ("fsync", "state"),
    ]
    assert sorted(path.name for path in folder.iterdir()) == [
        "iteration-1.safetensors",
        STATE_FILE,
    ]


def test_a_failed_write_leaves_the_last_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, iterations = tmp_path / "state", random_adaptation(7).iterations
    writer = CheckpointWriter(folder)
    writer.after_iteration(tiny_students(), iterations[0], [])

    def fail(*given: object) -> None:
        raise ValueError("no")

    monkeypatch.setattr(checkpoint_module.torch, "save", fail)
    with pytest.raises(ValueError, match="no"):
        writer.after_iteration(tiny_students(), iterations[1], [])
    restored = CheckpointWriter(folder)
    assert restored.restore(tiny_students()) == ([], [])
    assert len(restored.iterations) == 1
    np.testing.assert_array_equal(restored.iterations[0].embeddings, iterations[0].embeddings)
