"""The WebVTT metadata track: read back by webvtt-py and as JSON."""

from __future__ import annotations

import io
import json
from fractions import Fraction
from typing import Any

import pytest
import webvtt

from helpers.appearance_times import exported, frame_times, labels_by_frame
from helpers.hostile_names import HOSTILE_NAMES
from helpers.rated_film import RATES, RatedFilm, rated_film


def read(film: RatedFilm) -> list[tuple[Fraction, Fraction, dict[str, Any]]]:
    def seconds(clock: str) -> Fraction:
        hours, minutes, rest = clock.split(":")
        return (int(hours) * 60 + int(minutes)) * 60 + Fraction(rest)

    captions = webvtt.from_buffer(io.BytesIO(exported(film, "vtt-metadata")))
    return [(seconds(one.start), seconds(one.end), json.loads(one.raw_text)) for one in captions]


def test_the_active_cues_of_each_frame_are_those_on_screen(film: RatedFilm) -> None:
    cues = read(film)
    for time, labels in zip(frame_times(film), labels_by_frame(film), strict=False):
        active = [cue["character"] for start, end, cue in cues if start <= time < end]
        assert sorted(active) == sorted(labels)


def test_boxes_follow_the_face_in_shares_of_the_frame(film: RatedFilm) -> None:
    faces = film.project.table("faces").to_pylist()
    start = film.pts[0] * film.rate.time_base
    checked = 0
    for _, _, cue in read(film):
        (path,) = cue["faces"]
        own = [face for face in faces if face["track"] == path["track"]]
        times = [row[0] for row in path["boxes"]]
        assert times == sorted(times)
        for face in own[:: max(1, len(own) // 7)]:
            shown_at = float(face["pts"] * film.rate.time_base - start)
            left = interpolate(shown_at, times, [row[1] for row in path["boxes"]])
            assert left * 1920 == pytest.approx(face["x"], abs=0.0101 * 1920)
            checked += 1
    assert checked > 40


def interpolate(at: float, times: list[float], values: list[float]) -> float:
    later = next((place for place, time in enumerate(times) if time >= at), len(times) - 1)
    earlier = max(0, later - 1)
    if times[later] == times[earlier] or at >= times[later]:
        return values[later]
    share = max(0.0, (at - times[earlier]) / (times[later] - times[earlier]))
    return values[earlier] + share * (values[later] - values[earlier])


def test_hostile_names_come_back_as_they_are(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("hostile") / "film.personae"
    film = rated_film(
        folder, RATES["25 from 1.4 s"], duration_s=20.0, characters=4, names=HOSTILE_NAMES
    )
    assert {cue["character"]: cue["name"] for _, _, cue in read(film)} == HOSTILE_NAMES
