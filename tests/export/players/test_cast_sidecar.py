"""The sidecar: valid by its published schema, and exact."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from helpers.appearance_times import exported, list_seen, seconds_in_frames
from helpers.hostile_names import HOSTILE_NAMES
from helpers.paths import DOCS
from helpers.rated_film import RATES, RatedFilm, rated_film
from personae.export.players.cast_sidecar import SIDECAR_VERSION

SCHEMA = json.loads((DOCS / "cast.schema.json").read_text())


def read(film: RatedFilm) -> dict[str, Any]:
    document = json.loads(exported(film, "cast-json"))
    jsonschema.Draft202012Validator(SCHEMA).validate(document)
    return document


def test_every_appearance_is_there_with_exact_times(film: RatedFilm) -> None:
    for one in read(film)["characters"]:
        own = [seen for seen in list_seen(film) if seen.label == one["character"]]
        spans = [span[1:] for span in film.spans if span[0] == one["character"]]
        assert len(one["appearances"]) == len(own)
        for found, seen, (first, end) in zip(one["appearances"], own, spans, strict=True):
            assert found["start_s"] == pytest.approx(float(seen.start_s), abs=0.51e-6)
            assert found["end_s"] == pytest.approx(float(seen.end_s), abs=0.51e-6)
            assert (found["first_frame"], found["end_frame"]) == (first, end)
        seconds = seconds_in_frames(film, lambda labels, one=one: one["character"] in labels)
        assert one["screen_time_s"] == pytest.approx(float(seconds), abs=0.51e-6)


def test_the_schema_describes_this_version_and_refuses_others(film: RatedFilm) -> None:
    document = read(film)
    assert document["version"] == SCHEMA["properties"]["version"]["const"] == SIDECAR_VERSION
    validator = jsonschema.Draft202012Validator(SCHEMA)
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert not validator.is_valid(document | {"version": SIDECAR_VERSION + 1})
    assert not validator.is_valid(document | {"anything": 1})
    assert not validator.is_valid(document | {"characters": [{"character": "P01"}]})


def test_origin_and_licences_are_stated(film: RatedFilm) -> None:
    document = read(film)
    assert document["film"]["file"] == "A film.mp4"
    assert document["software"].startswith("personae ")


def test_hostile_names_come_back_as_they_are(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("hostile") / "film.personae"
    film = rated_film(
        folder, RATES["25 from 1.4 s"], duration_s=20.0, characters=4, names=HOSTILE_NAMES
    )
    found = {one["character"]: one["name"] for one in read(film)["characters"]}
    assert found == HOSTILE_NAMES
