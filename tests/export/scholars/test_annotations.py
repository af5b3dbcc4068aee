"""W3C Web Annotations and IIIF manifests: read back by their specifications' rules."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import iiif_prezi3
import pytest

from helpers.appearance_times import Seen, exported, frame_times, list_seen
from helpers.rated_film import RatedFilm
from personae.core.errors import SettingError

TITLES = {"P01": "P01", "P02": "Hamlet", "P03": "P03"}
TIME = r"t=(\d+(?:\.\d+)?),(\d+(?:\.\d+)?)"
MICROSECOND = Fraction(1, 1_000_000)


def read_times(fragment: str) -> tuple[Fraction, Fraction]:
    match = re.search(TIME, fragment)
    assert match
    return Fraction(match[1]), Fraction(match[2])


def assert_same_times(found: list[tuple[Fraction, Fraction]], expected: list[Seen]) -> None:
    """The nearest microsecond, which is nearer to its frame than to any other by far."""
    assert len(found) == len(expected)
    for times, one in zip(found, expected, strict=True):
        exact = (one.start_s, one.end_s)
        for time, exact_time in zip(times, exact, strict=True):
            assert abs(time - exact_time) <= MICROSECOND / 2


def web_annotations(film: RatedFilm) -> Mapping[str, Any]:
    return json.loads(exported(film, "web-annotation"))


def test_every_appearance_is_an_annotation_of_a_stretch_of_time(film: RatedFilm) -> None:
    items = web_annotations(film)["items"]
    assert_same_times(
        [read_times(one["target"]["selector"]["value"]) for one in items], list_seen(film)
    )
    assert [one["body"][0]["value"] for one in items] == [
        TITLES[one.label] for one in list_seen(film)
    ]
    assert items[0]["body"][1]["value"] == "confidence 0.90, not reviewed"


def test_annotations_follow_the_data_model(film: RatedFilm) -> None:
    page = web_annotations(film)
    assert page["@context"] == "http://www.w3.org/ns/anno.jsonld"
    assert page["type"] == "AnnotationPage"
    ids = [page["id"], *(one["id"] for one in page["items"])]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", one) for one in ids)
    for one in page["items"]:
        assert one["type"] == "Annotation"
        assert one["motivation"] == "identifying"
        selector = one["target"]["selector"]
        assert selector["conformsTo"] == "http://www.w3.org/TR/media-frags/"
        assert re.fullmatch(rf"{TIME}&xywh=pixel:\d+,\d+,\d+,\d+", selector["value"])
        assert one["target"]["source"]["id"] == "A%20film.mp4"


def test_the_rectangle_holds_the_mean_box(film: RatedFilm) -> None:
    tracks = {(label, first): track for track, (label, first, _) in enumerate(film.spans)}
    faces = film.project.table("faces").to_pylist()
    times = {time: frame for frame, time in enumerate(frame_times(film))}
    items = web_annotations(film)["items"]
    for one, seen in zip(items, list_seen(film), strict=True):
        track = tracks[seen.label, times[seen.start_s]]
        lefts = [face["x"] for face in faces if face["track"] == track]
        mean = sum(lefts) / len(lefts)
        left, _, width, _ = map(
            int, one["target"]["selector"]["value"].split("pixel:")[1].split(",")
        )
        assert left <= mean + 1e-3
        assert left + width >= mean + 100 - 1e-3
        assert width <= 102


def test_manifests_are_valid_and_hold_every_appearance(film: RatedFilm) -> None:
    manifest = iiif_prezi3.Manifest(**json.loads(exported(film, "iiif")))
    (canvas,) = manifest.items
    assert canvas.duration == pytest.approx(float(frame_times(film)[-1]), abs=1e-6)
    assert (canvas.width, canvas.height) == (1920, 1080)
    film_body = canvas.items[0].items[0].body
    assert film_body.type == "Video"
    assert film_body.duration == canvas.duration
    found = canvas.annotations[0].items
    targets = [one.target for one in found]
    assert all(one.startswith(canvas.id + "#t=") for one in targets)
    assert_same_times([read_times(one) for one in targets], list_seen(film))
    assert [one.body[0].value for one in found] == [TITLES[one.label] for one in list_seen(film)]


def test_ranges_of_a_manifest_list_the_appearances_of_a_character(film: RatedFilm) -> None:
    manifest = iiif_prezi3.Manifest(**json.loads(exported(film, "iiif")))
    assert [one.label["none"] for one in manifest.structures] == [["P01"], ["Hamlet"], ["P03"]]
    for label, character in zip(TITLES, manifest.structures, strict=True):
        own = [one for one in list_seen(film) if one.label == label]
        assert_same_times([read_times(part.id) for part in character.items], own)


def test_ids_stay_the_same(film: RatedFilm) -> None:
    assert exported(film, "web-annotation") == exported(film, "web-annotation")
    assert exported(film, "iiif") == exported(film, "iiif")


def collect_ids(part: object) -> list[str]:
    """Return every id in a JSON document."""
    if isinstance(part, list):
        return [found for one in part for found in collect_ids(one)]
    if not isinstance(part, dict):
        return []
    own = [part["id"]] if "id" in part else []
    return own + [found for one in part.values() for found in collect_ids(one)]


@pytest.mark.parametrize("fmt", ["iiif", "web-annotation"])
@pytest.mark.parametrize("base_url", ["https://archive.example/films/", "http://[::1]:8080/a"])
def test_ids_begin_with_the_address_of_publication(
    film: RatedFilm, fmt: str, base_url: str
) -> None:
    document = json.loads(exported(film, fmt, base_url=base_url))
    ids = collect_ids(document)
    assert all(one.startswith(base_url.rstrip("/") + "/A%20film.mp4") for one in ids)
    annotations = (
        document["items"] if fmt != "iiif" else (document["items"][0]["annotations"][0]["items"])
    )
    assert len({one["id"] for one in annotations}) == len(list_seen(film))
    if fmt == "iiif":
        iiif_prezi3.Manifest(**document)


@pytest.mark.parametrize(
    "base_url",
    ["archive.example", "ftp://a.example/", "https://", "https://a.example/?q=1", "https://a.ex:x/",
     "https://a.example/#top", "https://a.example/my films/", "https://[a/", "", "file:///films/"],
)  # fmt: skip
def test_what_is_no_web_address_is_refused(film: RatedFilm, base_url: str) -> None:
    with pytest.raises(SettingError, match="is not the web address of a folder"):
        exported(film, "iiif", base_url=base_url)


def test_an_address_is_refused_by_a_format_that_holds_none(film: RatedFilm) -> None:
    with pytest.raises(SettingError, match=r"edl holds no web address: .* web-annotation or iiif"):
        exported(film, "edl", base_url="https://archive.example/")
