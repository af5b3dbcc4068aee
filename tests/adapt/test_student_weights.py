"""What a student has learned of one film is where the adaptation to the next one starts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from helpers.adaptation_inputs import (
    SHORT_FULL,
    SHORT_HEAD,
    Killed,
    assert_same_adaptation,
    embedding_tracks,
    image_tracks,
    kill_at,
    vit_encoder,
)
from helpers.lookalike_films import LOOKALIKES, lookalike_film
from personae.adapt import Adaptation, adapt
from personae.adapt.student_weights import (
    STUDENT_FILE,
    StudentWeights,
    WeightsOrigin,
    load_student_weights,
    read_origin,
)
from personae.adapt.students import make_students
from personae.core.arrays import Int64Array
from personae.core.config import AdaptConfig
from personae.core.errors import SettingError, WeightsError
from personae.core.trackset import TrackSet
from personae.cues.learned_score import learned_score

SHORT = AdaptConfig(**SHORT_HEAD)
PATIENT = AdaptConfig(
    depth="head",
    iterations=1,
    extra_iterations=0,
    first_epochs=60,
    head_only_epochs=0,
    later_epochs=6,
    warmup_epochs=2,
    learning_rate=3e-3,
    cross_track_share=0.8,
    quality_filter=False,
)


def learn(tmp_path: Path, tracks: TrackSet, config: AdaptConfig = SHORT) -> Path:
    """Adapt to a film, and return the file of what was learned."""
    adapt(tracks, None, config).save(tmp_path)
    return tmp_path / STUDENT_FILE


def nobody(_: Adaptation) -> Int64Array:
    """Find no pair to train on; two students learn their own tracks."""
    return np.empty((0, 2), np.int64)


def separation(tracks: TrackSet, owner: Int64Array, found: Adaptation) -> float:
    """Return the share of pairs of the lookalikes' tracks that the learned score ranks rightly."""
    every = np.arange(tracks.n_tracks)
    scores = learned_score(tracks, found, len(found.iterations)).block(every, every)
    a, b = np.triu_indices(int((owner < LOOKALIKES).sum()), 1)
    same = owner[a] == owner[b]
    ahead = scores[a, b][same][:, None] > scores[a, b][~same]
    return float(ahead.mean())


def test_lookalikes_of_an_earlier_film_are_told_apart_better_than_afresh(tmp_path: Path) -> None:
    """In both films pose moves a face as far as the two people are from each other."""
    (one, owner), (two, their_owner) = lookalike_film(seed=1), lookalike_film(seed=2)
    pairs = np.argwhere((owner[:, None] == owner) & ~np.eye(len(owner), dtype=bool))
    learned = adapt(one, None, PATIENT, find_positives=lambda _: pairs)
    learned.save(tmp_path)

    short = PATIENT.model_copy(update={"first_epochs": PATIENT.later_epochs})
    afresh = adapt(two, None, short, find_positives=nobody)
    update = {"initial_weights": tmp_path / STUDENT_FILE}
    started = adapt(two, None, short.model_copy(update=update), find_positives=nobody)
    assert separation(two, their_owner, afresh) < 0.8
    assert separation(two, their_owner, started) > 0.9


def test_students_and_teachers_begin_with_what_was_learned(tmp_path: Path) -> None:
    adapt(embedding_tracks(), None, SHORT, find_positives=nobody).save(tmp_path)
    file = tmp_path / STUDENT_FILE
    students = make_students(embedding_tracks(), None, AdaptConfig(depth="head"), 2)
    weights = load_student_weights(file, "head", "")
    weights.load_into(students)
    for number, model in enumerate(students):
        for branch in (model.student, model.teacher):
            for name, value in branch.state_dict().items():
                assert torch.equal(value, weights.tensors[f"{number}.student.{name}"]), name
        assert torch.equal(model.centre.value, weights.tensors[f"{number}.centre"])
        assert model.centre.value.abs().sum() > 0


def test_the_first_iteration_is_then_like_a_later_one(tmp_path: Path) -> None:
    file = learn(tmp_path, embedding_tracks())
    found = adapt(
        embedding_tracks(seed=1), None, SHORT.model_copy(update={"initial_weights": file})
    )
    assert [(row["iteration"], row["epoch"]) for row in found.log] == [
        (1, 1),
        (1, 2),
        (2, 1),
        (2, 2),
    ]


def test_equal_adaptations_write_equal_files(tmp_path: Path) -> None:
    folders = [tmp_path / "a", tmp_path / "b"]
    for folder in folders:
        folder.mkdir()
    one, other = (learn(folder, embedding_tracks()).read_bytes() for folder in folders)
    assert one == other


def test_a_killed_adaptation_goes_on_with_the_same_result(tmp_path: Path) -> None:
    file = learn(tmp_path, embedding_tracks())
    config, tracks = SHORT.model_copy(update={"initial_weights": file}), embedding_tracks(seed=1)
    whole = adapt(tracks, None, config)
    with pytest.raises(Killed):
        adapt(tracks, None, config, kill_at(0.5), tmp_path / "state")
    resumed = adapt(tracks, None, config, checkpoint=tmp_path / "state")
    assert_same_adaptation(whole, resumed)
    for name, tensor in whole.weights.tensors.items():
        assert torch.equal(tensor, resumed.weights.tensors[name])


def test_a_transformer_with_masks_starts_from_another_film_too(tmp_path: Path) -> None:
    encoder, tracks = vit_encoder(), image_tracks()
    config = AdaptConfig(**SHORT_FULL | {"iterations": 1})
    adapt(tracks, encoder, config).save(tmp_path)
    update = {"initial_weights": tmp_path / STUDENT_FILE}
    found = adapt(tracks, encoder, config.model_copy(update=update))
    assert len(found.log) == config.later_epochs
    assert np.isfinite(found.embeddings).all()


def test_other_depths_encoders_and_shapes_are_refused(tmp_path: Path) -> None:
    tracks = embedding_tracks()
    file = learn(tmp_path, tracks)
    with pytest.raises(SettingError, match="trained at depth head, and this adaptation is at"):
        load_student_weights(file, "last", "")
    with pytest.raises(SettingError, match="with another encoder"):
        load_student_weights(file, "head", "0123")
    wider = SHORT.model_copy(update={"initial_weights": file, "head_hidden_dim": 64})
    with pytest.raises(SettingError, match="set head_hidden_dim"):
        adapt(tracks, None, wider)
    config = SHORT.model_copy(update={"initial_weights": file})
    with pytest.raises(SettingError, match="of 1 students, and this adaptation has 2: set"):
        adapt(tracks, None, config, find_positives=nobody)


def test_what_holds_no_weights_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="cannot be read"):
        read_origin(tmp_path / "nothing.safetensors")
    (tmp_path / "damaged.safetensors").write_bytes(b"film")
    learn(tmp_path, embedding_tracks())
    for name in ("damaged.safetensors", "iteration-1.safetensors"):
        with pytest.raises(WeightsError, match="holds no weights"):
            read_origin(tmp_path / name)


def test_the_file_says_what_was_trained(tmp_path: Path) -> None:
    found = adapt(embedding_tracks(), None, SHORT)
    assert found.weights.origin == WeightsOrigin("head", "")
    named = StudentWeights(found.weights.tensors, replace(found.weights.origin, film="episode 1"))
    named.save(tmp_path / STUDENT_FILE)
    assert read_origin(tmp_path / STUDENT_FILE) == WeightsOrigin("head", "", "episode 1")
