"""Names with markup, quotes and line breaks, and films without characters, in every format."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import iiif_prezi3
import networkx as nx
import pytest
import srt
import webvtt
from praatio import textgrid
from pympi.Elan import Eaf

from helpers.appearance_times import exported
from helpers.fake_film import fake_film
from helpers.hostile_names import HOSTILE_NAMES, HOSTILE_TITLES
from helpers.rated_film import RATES, RatedFilm, rated_film
from personae.export import write_export
from personae.export.scholars import FORMATS
from personae.export.titles import distinct_titles, one_line

SHOT_COLUMNS = 7


@pytest.fixture(scope="module")
def hostile_film(tmp_path_factory: pytest.TempPathFactory) -> RatedFilm:
    folder = tmp_path_factory.mktemp("hostile") / "film.personae"
    return rated_film(
        folder, RATES["25 from 1.4 s"], duration_s=20.0, characters=4, names=HOSTILE_NAMES
    )


def titles_of_eaf(text: bytes, path: Path) -> set[str]:
    path.write_bytes(text)
    eaf = Eaf(str(path))
    values = {
        value
        for tier in eaf.get_tier_names()
        for _, _, value in eaf.get_annotation_data_for_tier(tier)
        if tier != "Shots"
    }
    assert values == set(eaf.get_tier_names()) - {"Shots"}
    return values


def titles_of_textgrid(text: bytes, path: Path) -> set[str]:
    path.write_bytes(text)
    grid = textgrid.openTextgrid(str(path), includeEmptyIntervals=False)
    return set(grid.tierNames) - {"Shots"}


def titles_of_vtt(text: bytes, path: Path) -> set[str]:
    def unescape(line: str) -> str:
        return line.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")

    captions = webvtt.from_buffer(io.BytesIO(text))
    return {unescape(line) for one in captions for line in one.raw_text.split("\n")}


def titles_of_srt(text: bytes, path: Path) -> set[str]:
    shown = {line for one in srt.parse(text.decode()) for line in one.content.split("\n")}
    look_alikes = str.maketrans("<>{}", "‹›()")
    by_look = {title.translate(look_alikes): title for title in HOSTILE_TITLES.values()}
    return {by_look[line] for line in shown}


def titles_of_annotations(text: bytes, path: Path) -> set[str]:
    return {one["body"][0]["value"] for one in json.loads(text)["items"]}


def titles_of_manifest(text: bytes, path: Path) -> set[str]:
    manifest = iiif_prezi3.Manifest(**json.loads(text))
    return {one.label["none"][0] for one in manifest.structures}


def titles_of_graphml(text: bytes, path: Path) -> set[str]:
    return set(nx.get_node_attributes(nx.read_graphml(io.BytesIO(text)), "label").values())


def titles_of_gexf(text: bytes, path: Path) -> set[str]:
    return set(nx.get_node_attributes(nx.read_gexf(io.BytesIO(text)), "label").values())


def titles_of_matrix(text: bytes, path: Path) -> set[str]:
    return set(next(csv.reader(io.StringIO(text.decode(), newline="")))[SHOT_COLUMNS:])


READERS: dict[str, Callable[[bytes, Path], set[str]]] = {
    "eaf": titles_of_eaf,
    "textgrid": titles_of_textgrid,
    "vtt": titles_of_vtt,
    "srt": titles_of_srt,
    "web-annotation": titles_of_annotations,
    "iiif": titles_of_manifest,
    "graphml": titles_of_graphml,
    "gexf": titles_of_gexf,
    "presence-matrix": titles_of_matrix,
}


@pytest.mark.parametrize("fmt", READERS)
def test_hostile_names_come_back_in_one_line(
    hostile_film: RatedFilm, tmp_path: Path, fmt: str
) -> None:
    found = READERS[fmt](exported(hostile_film, fmt), tmp_path / "file")
    assert found == set(HOSTILE_TITLES.values())


def test_every_format_is_read_above_or_holds_names_as_a_table_does() -> None:
    assert {one.name for one in FORMATS} - set(READERS) == {"screen-time"}


def test_the_statistics_hold_names_as_they_are(hostile_film: RatedFilm) -> None:
    text = exported(hostile_film, "screen-time").decode()
    rows = csv.DictReader(io.StringIO(text, newline=""))
    assert {row["character"]: row["name"] for row in rows} == HOSTILE_NAMES


@pytest.mark.parametrize("fmt", [one.name for one in FORMATS])
def test_a_film_without_characters_gives_a_valid_file(tmp_path: Path, fmt: str) -> None:
    film = fake_film(tmp_path / "film", characters=0, unknown=2)
    out = io.BytesIO()
    write_export(film, "appearances", fmt, out)
    if fmt == "screen-time":
        assert len(out.getvalue().splitlines()) == 1
    elif fmt == "iiif":
        manifest = iiif_prezi3.Manifest(**json.loads(out.getvalue()))
        assert manifest.structures is None
        assert manifest.items[0].annotations is None
    elif fmt == "srt":
        assert out.getvalue() == b""
    else:
        assert READERS[fmt](out.getvalue(), tmp_path / "file") == set()


def test_unknown_people_are_in_no_format(tmp_path: Path) -> None:
    known, unknown = tmp_path / "known", tmp_path / "unknown"
    films = [fake_film(known, unknown=0, seed=3), fake_film(unknown, unknown=5, seed=3)]
    for fmt in ("vtt", "presence-matrix"):
        texts = []
        for film in films:
            out = io.BytesIO()
            write_export(film, "appearances", fmt, out)
            texts.append(out.getvalue())
        assert texts[0] == texts[1]


def test_titles_are_distinct_and_of_one_line(hostile_film: RatedFilm) -> None:
    class Row:
        def __init__(self, character: str, name: str | None) -> None:
            self.character, self.name = character, name

    rows = [Row(label, name) for label, name in HOSTILE_NAMES.items()]
    assert distinct_titles(rows) == HOSTILE_TITLES
    assert distinct_titles([Row("P05", " \n ")]) == {"P05": "P05"}
    assert distinct_titles([Row("P05", "shot")], reserved=["Shot"]) == {"P05": "shot (P05)"}
    assert one_line("a\u2028b\x0bc") == "a b c"
