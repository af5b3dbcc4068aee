"""On labelled clips, no hidden face is missed, and the network cannot tell who it is."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from helpers.paths import BENCHMARKS
from helpers.shared_data import shared
from personae.film_export import write_blurred_film
from personae.pipeline.runner import run
from personae.pipeline.settings import Settings
from personae.project import Project

MAX_RECOGNISED = 0.05
"""Of strangers, 0.05 are as similar as a face has to be to count as recognised."""
MAX_SEPARATION = 0.6
"""0.5 is chance; the colours around a face tell a little about a scene, and so of who is in it."""


@pytest.fixture
def judge(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("hidden_faces")


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Path], Project]:
    """Scan a clip, once."""
    projects: dict[str, Project] = {}

    def scan_clip(clip: str, film: Path) -> Project:
        if clip not in projects:
            folder = tmp_path_factory.mktemp(clip) / "film.personae"
            projects[clip] = run(film, folder, Settings.from_flat(method="hac"))
        return projects[clip]

    return scan_clip


def check_clip(judge, project: Project, film: Path, faces: list, out: Path) -> None:
    written = write_blurred_film(project, film, out)
    clear, hidden = judge.judge_faces(film, written.path, faces)
    assert clear.recognised_share > 0.7  # the judge can see
    assert clear.separation > 0.9
    assert hidden.recognised_share <= MAX_RECOGNISED
    assert hidden.separation <= MAX_SEPARATION
    assert np.median(hidden.own) < hidden.stranger_quantile


def test_every_labelled_face_of_a_clip_is_covered(judge, scan):
    film, labels = shared("video/short_hamilton_clip.mp4"), shared("video/hamilton_boxes.csv")
    regions = judge.regions_of(scan("hamilton", film))
    assert judge.find_uncovered(judge.read_landmarked_faces(labels), regions) == []


def test_the_network_does_not_recognise_a_handful_of_hidden_faces(judge, scan, tmp_path):
    film, labels = shared("video/short_hamilton_clip.mp4"), shared("video/hamilton_boxes.csv")
    faces = [face for face in judge.read_landmarked_faces(labels) if face.frame % 12 == 0]
    check_clip(judge, scan("hamilton", film), film, faces, tmp_path / "copy.mp4")


@pytest.mark.slow
@pytest.mark.parametrize("clip", ["hamilton", "intel", "fotb"])
def test_every_labelled_face_is_covered_and_unrecognisable(judge, scan, clip, tmp_path):
    film, labels = shared(f"video/{judge.CLIPS[clip]}"), shared(f"video/{clip}_boxes.csv")
    project, faces = scan(clip, film), judge.read_landmarked_faces(labels)
    assert judge.find_uncovered(faces, judge.regions_of(project)) == []
    check_clip(judge, project, film, faces, tmp_path / "copy.mp4")
