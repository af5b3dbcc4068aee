"""Files of an adaptation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from helpers.adaptation_inputs import (
    SHORT_HEAD,
    assert_same_adaptation,
    embedding_tracks,
    random_adaptation,
)
from personae.adapt import Adaptation, adapt
from personae.core.config import AdaptConfig
from personae.core.errors import ProjectError


def test_an_adaptation_is_read_back_as_written(tmp_path: Path) -> None:
    adaptation = adapt(embedding_tracks(), None, AdaptConfig(**SHORT_HEAD))
    adaptation.save(tmp_path)
    loaded = Adaptation.load(tmp_path)
    assert_same_adaptation(adaptation, loaded)
    assert loaded.facts == adaptation.facts
    assert (loaded.student_temperature, loaded.teacher_temperature) == (0.1, 0.04)


def test_a_damaged_adaptation_is_a_project_error(tmp_path: Path) -> None:
    random_adaptation(7, n_iterations=2).save(tmp_path)
    loaded = Adaptation.load(tmp_path)
    first, second = (tmp_path / f"iteration-{number}.safetensors" for number in (1, 2))
    whole = second.read_bytes()
    second.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ProjectError, match="damaged"):
        Adaptation.load(tmp_path)
    with pytest.raises(ProjectError, match="damaged"):
        loaded.embeddings  # noqa: B018
    second.write_bytes(whole)
    first.unlink()
    with pytest.raises(ProjectError, match="damaged"):
        Adaptation.load(tmp_path)


def test_a_damaged_log_is_a_project_error(tmp_path: Path) -> None:
    random_adaptation(7).save(tmp_path)
    (tmp_path / "log.json").write_text("{")
    with pytest.raises(ProjectError, match="damaged"):
        Adaptation.load(tmp_path)


def test_stored_iterations_are_a_sequence(tmp_path: Path) -> None:
    adaptation = random_adaptation(7, n_iterations=2)
    adaptation.save(tmp_path)
    stored = Adaptation.load(tmp_path).iterations
    assert len(stored) == 2
    assert len(stored[:1]) == 1
    for number in (0, 1, -1):
        np.testing.assert_array_equal(
            stored[number].embeddings, adaptation.iterations[number].embeddings
        )
    np.testing.assert_array_equal(stored[1:][0].centre, adaptation.iterations[1].centre)
    np.testing.assert_array_equal(stored[:1][0].centre, adaptation.iterations[0].centre)
    with pytest.raises(IndexError):
        stored[2]
