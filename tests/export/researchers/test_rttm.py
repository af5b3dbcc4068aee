"""RTTM, read back by pyannote.database."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from helpers.fake_film import NamedProject
from personae.export import write_export
from personae.export.selection import Selection

if TYPE_CHECKING:
    from pyannote.core import Annotation


def read(
    project: NamedProject, folder: Path, selection: Selection | None = None
) -> dict[str, Annotation]:
    from pyannote.database.util import load_rttm

    path = folder / "film.rttm"
    write_export(project, "appearances", "rttm", path, selection or Selection())
    return load_rttm(path)


def list_segments(annotation: Annotation) -> list[tuple[str, float, float]]:
    return sorted(
        (label, segment.start, segment.end)
        for segment, _, label in annotation.itertracks(yield_label=True)
    )


def test_segments_are_the_appearances_in_player_time(film: NamedProject, tmp_path: Path) -> None:
    [annotation] = read(film, tmp_path).values()
    zero = film.source.container_start_s
    expected = sorted(
        (film.names.get(one.label, one.label).replace(" ", "_"), *span[:2])
        for one in film.cast()
        for span in one.appearances
    )
    found = list_segments(annotation)
    assert [label for label, _, _ in found] == [label for label, _, _ in expected]
    for (_, start, end), (_, true_start, true_end) in zip(found, expected, strict=True):
        assert start == pytest.approx(true_start - zero, abs=0.00051)
        assert end == pytest.approx(true_end - zero, abs=0.00101)


def test_the_recording_is_the_film_without_its_ending(film: NamedProject, tmp_path: Path) -> None:
    name = Path(film.source.path).stem.replace(" ", "_")
    assert list(read(film, tmp_path)) == [name]


def test_selection_and_gap_hold(plain_film: NamedProject, tmp_path: Path) -> None:
    [annotation] = read(plain_film, tmp_path, Selection(only=("Ann",))).values()
    assert annotation.labels() == ["Ann"]
    [joined] = read(plain_film, tmp_path, Selection(only=("Ann",), gap_s=100.0)).values()
    assert len(list_segments(joined)) == 1 < len(list_segments(annotation))
