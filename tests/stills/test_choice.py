"""Which moments are chosen as stills."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.fake_film import NamedProject, fake_film
from personae.core.errors import SettingError
from personae.export import Selection
from personae.export.appearances import Box
from personae.stills import StillChoice, choose_stills
from personae.stills.choice import MIN_GAP_S, rate_crops, spread_out


@pytest.fixture
def film(tmp_path: Path) -> NamedProject:
    return fake_film(tmp_path / "film", names={"P02": "Zoë"}, crops_each=12, duration=120.0)


def test_each_character_gets_stills_of_its_own_crops(film: NamedProject) -> None:
    crops = {(row["track"], row["frame"]): row for row in film.table("crops").to_pylist()}
    chosen = choose_stills(film, Selection(), 3)
    assert [one.label for one in film.cast()] == list(
        dict.fromkeys(still.character for still in chosen)
    )
    for still in chosen:
        assert still.time_s == crops[still.track, still.frame]["time_s"]
        assert still.track in film.cast()[still.character].tracks
        assert still.name == film.names.get(still.character)
    for one in film.cast():
        own = [still for still in chosen if still.character == one.label]
        assert 1 <= len(own) <= 3
        assert [still.quality for still in own] == sorted(
            (still.quality for still in own), reverse=True
        )


def test_selection_holds(film: NamedProject) -> None:
    chosen = choose_stills(film, Selection(only=("zoë", "P03")), 2)
    assert {still.character for still in chosen} == {"P02", "P03"}
    confidence = {row["track"]: row["confidence"] for row in film.table("characters").to_pylist()}
    sure = choose_stills(film, Selection(min_confidence=0.6), 4)
    assert min(confidence[still.track] for still in sure) >= 0.6
    with pytest.raises(SettingError, match="no character 'Nobody'"):
        choose_stills(film, Selection(only=("Nobody",)), 2)
    with pytest.raises(SettingError, match="1 or more, not 0"):
        choose_stills(film, Selection(), 0)


def test_one_better_property_makes_a_better_still() -> None:
    middling = {"sharpness": 100.0, "widths": 80.0, "frontality": 0.5, "scores": 0.9, "inside": 0.9}
    better = {"sharpness": 200.0, "widths": 160.0, "frontality": 0.9, "scores": 0.99, "inside": 1.0}
    for name, value in better.items():
        columns = {
            key: np.array([middling[key], value if key == name else middling[key]])
            for key in middling
        }
        worse, best = rate_crops(**columns)
        assert 0 < worse < best < 1, name


def test_what_is_hardly_a_face_counts_for_nothing() -> None:
    one = np.ones(1)
    assert rate_crops(one, one, one, np.array([0.5]), one) == 0
    assert rate_crops(*[np.empty(0)] * 5).shape == (0,)


def still(time_s: float, shot: int, quality: float) -> StillChoice:
    frame = round(time_s * 25)
    return StillChoice("P01", None, 0, shot, frame, frame, time_s, Box(0, 0, 9, 9), quality)


@given(
    st.lists(
        st.tuples(st.integers(0, 60), st.integers(0, 5), st.floats(0, 1, allow_subnormal=False)),
        max_size=30,
    ),
    st.integers(1, 8),
)
def test_stills_are_apart_in_time_and_shots_take_turns(
    rows: list[tuple[int, int, float]], count: int
) -> None:
    candidates = sorted(
        (still(float(time), shot, quality) for time, shot, quality in rows),
        key=lambda one: -one.quality,
    )
    chosen = spread_out(candidates, count)
    assert len(chosen) <= count
    assert not candidates or chosen[0].quality == candidates[0].quality
    for one, other in combinations(chosen, 2):
        assert abs(one.time_s - other.time_s) >= MIN_GAP_S
    shots = [one.shot for one in chosen]
    if len(set(shots)) < len(shots):  # a second one of a shot: no other shot had one to give
        for one in candidates:
            free = all(abs(one.time_s - other.time_s) >= MIN_GAP_S for other in chosen)
            assert one.shot in shots or not free


class FilmOfPoorTracks(NamedProject):
    """A project some of whose tracks have failed a filter."""

    poor: frozenset[int] = frozenset()

    def table(self, name: str, *columns: str) -> pa.Table:
        found = super().table(name, *columns)
        if name != "tracks":
            return found
        rows = [
            {**row, "status": "blurred" if row["track"] in self.poor else row["status"]}
            for row in found.to_pylist()
        ]
        return pa.Table.from_pylist(rows, schema=found.schema)


@pytest.mark.parametrize(
    ("poor", "used"), [(set(), {0, 1}), ({0}, {1}), ({0, 1}, {0, 1})], ids=["none", "one", "all"]
)
def test_tracks_of_poor_quality_are_used_only_without_others(
    tmp_path: Path, poor: set[int], used: set[int]
) -> None:
    made = fake_film(tmp_path / "film", characters=1, tracks_each=2, unknown=0, crops_each=8)
    film = FilmOfPoorTracks(made.folder, made.manifest)
    film.names, film.poor = {}, frozenset(poor)
    assert {one.track for one in choose_stills(film, Selection(), 9)} == used
