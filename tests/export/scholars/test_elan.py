"""ELAN: read back by pympi-ling."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree

import pytest
from pympi.Elan import Eaf

from helpers.appearance_times import exported, frame_times, list_seen
from helpers.rated_film import RATES, RatedFilm, rated_film

TITLES = {"P01": "P01", "P02": "Hamlet", "P03": "P03"}


def read(film: RatedFilm, tmp_path: Path) -> Eaf:
    (tmp_path / "film.eaf").write_bytes(exported(film, "eaf"))
    return Eaf(str(tmp_path / "film.eaf"))


def nearest_frame(milliseconds: int, times: list[Fraction]) -> int:
    seconds = Fraction(milliseconds, 1000)
    return min(range(len(times)), key=lambda frame: abs(times[frame] - seconds))


def test_every_appearance_is_an_annotation_in_the_tier_of_its_character(
    film: RatedFilm, tmp_path: Path
) -> None:
    eaf = read(film, tmp_path)
    assert list(eaf.get_tier_names()) == ["Shots", "P01", "Hamlet", "P03"]
    for label, title in TITLES.items():
        own = [one for one in list_seen(film) if one.label == label]
        expected = [(round(one.start_s * 1000), round(one.end_s * 1000), title) for one in own]
        assert sorted(eaf.get_annotation_data_for_tier(title)) == expected


def test_times_lead_back_to_the_frames(film: RatedFilm, tmp_path: Path) -> None:
    eaf, times = read(film, tmp_path), frame_times(film)
    for label, title in TITLES.items():
        found = [
            (nearest_frame(start, times), nearest_frame(end, times))
            for start, end, _ in sorted(eaf.get_annotation_data_for_tier(title))
        ]
        assert found == [(first, end) for own, first, end in film.spans if own == label]


def test_shots_have_a_tier_without_gaps(film: RatedFilm, tmp_path: Path) -> None:
    shots = sorted(read(film, tmp_path).get_annotation_data_for_tier("Shots"))
    assert [text for _, _, text in shots] == [f"shot {n}" for n in range(1, 11)]
    assert [start for start, _, _ in shots[1:]] == [end for _, end, _ in shots[:-1]]
    assert shots[0][0] == 0


def test_two_hours_at_23_976_do_not_drift(long_film: RatedFilm, tmp_path: Path) -> None:
    eaf = read(long_film, tmp_path)
    last = max(list_seen(long_film), key=lambda one: one.end_s)
    ends = [end for _, end, _ in eaf.get_annotation_data_for_tier(last.label)]
    assert max(ends) == round(last.end_s * 1000)
    assert max(ends) > 7_190_000


def test_the_film_is_linked(film: RatedFilm, tmp_path: Path) -> None:
    (linked,) = read(film, tmp_path).get_linked_files()
    assert linked["MEDIA_URL"] == "file:///films/A%20film.mp4"
    assert linked["RELATIVE_MEDIA_URL"] == "./A%20film.mp4"
    assert linked["MIME_TYPE"] == "video/mp4"


def test_the_document_has_the_order_and_references_of_the_schema(film: RatedFilm) -> None:
    root = ElementTree.fromstring(exported(film, "eaf"))
    tags = [child.tag for child in root]
    assert tags == ["HEADER", "TIME_ORDER", *["TIER"] * 4, "LINGUISTIC_TYPE"]
    assert {"AUTHOR", "DATE", "FORMAT", "VERSION"} <= set(root.attrib)
    slots = {one.attrib["TIME_SLOT_ID"]: int(one.attrib["TIME_VALUE"]) for one in root[1]}
    values = list(slots.values())
    assert values == sorted(values), "time slots rise"
    assert min(values) >= 0
    annotations = root.findall("./TIER/ANNOTATION/ALIGNABLE_ANNOTATION")
    used = [one.attrib[f"TIME_SLOT_REF{end}"] for one in annotations for end in (1, 2)]
    assert sorted(used) == sorted(slots), "each slot belongs to one end of one annotation"
    ids = [one.attrib["ANNOTATION_ID"] for one in annotations]
    assert ids == [f"a{number}" for number in range(1, len(ids) + 1)]
    assert root.find("./HEADER/PROPERTY").text == str(len(ids))
    types = {tier.attrib["LINGUISTIC_TYPE_REF"] for tier in root.findall("TIER")}
    assert types == {root.find("LINGUISTIC_TYPE").attrib["LINGUISTIC_TYPE_ID"]}


@pytest.mark.parametrize("name", ["Shots", "shots"])
def test_a_character_called_shots_has_a_tier_of_its_own(tmp_path: Path, name: str) -> None:
    film = rated_film(tmp_path / "film", RATES["25 from 1.4 s"], duration_s=4, names={"P01": name})
    assert f"{name} (P01)" in read(film, tmp_path).get_tier_names()
