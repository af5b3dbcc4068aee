"""GraphML and GEXF: read back by networkx, compared with a count of frames."""

from __future__ import annotations

import io
from collections import defaultdict
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import networkx as nx
import numpy as np
import pytest

from helpers.appearance_times import (
    exported,
    frame_times,
    labels_by_frame,
    seconds_in_frames,
    shots_of,
)
from helpers.rated_film import RATES, RatedFilm, rated_film
from personae.export import Selection

READERS = {"graphml": nx.read_graphml, "gexf": nx.read_gexf}
SEED_OF_A_MISSED_MEETING = 0
GEXF = "{http://www.gexf.net/1.2draft}"


def read(film: RatedFilm, fmt: str) -> Any:
    return READERS[fmt](io.BytesIO(exported(film, fmt)))


@pytest.mark.parametrize("fmt", READERS)
def test_nodes_hold_screen_time_and_shots(film: RatedFilm, fmt: str) -> None:
    graph = read(film, fmt)
    assert set(graph.nodes) == {"P01", "P02", "P03"}
    shots = shots_of(film)
    for label, node in graph.nodes.items():
        seconds = seconds_in_frames(film, lambda labels, label=label: label in labels)
        assert node["screen_time_s"] == pytest.approx(float(seconds), abs=1e-9)
        assert node["shots"] == len(shots[label])
        assert node["label"] == ("Hamlet" if label == "P02" else label)
        assert node["reviewed"] == "no"


@pytest.mark.parametrize("fmt", READERS)
def test_edges_hold_shared_shots_and_seconds_together(film: RatedFilm, fmt: str) -> None:
    graph, shots = read(film, fmt), shots_of(film)
    for pair in combinations(sorted(shots), 2):
        shared = shots[pair[0]] & shots[pair[1]]
        assert graph.has_edge(*pair) == bool(shared)
        if shared:
            edge = graph.edges[pair]
            seconds = seconds_in_frames(film, lambda labels, pair=pair: set(pair) <= labels)
            assert edge["shared_shots"] == edge["weight"] == len(shared)
            assert edge["seconds_together"] == pytest.approx(float(seconds), abs=1e-9)


def spells(document: bytes, tag: str) -> dict[tuple[str, ...], list[tuple[float, float]]]:
    found = defaultdict(list)
    for one in ElementTree.fromstring(document).iter(GEXF + tag):
        ends = (one.get("source"), one.get("target")) if tag == "edge" else (one.get("id"),)
        for spell in one.iter(GEXF + "spell"):
            found[ends].append((float(spell.get("start")), float(spell.get("end"))))
    return found


def runs(film: RatedFilm, wanted: set[str]) -> list[tuple[float, float]]:
    """Stretches of frames in all of which these characters are on screen."""
    times = frame_times(film)
    present = [False, *(wanted <= labels for labels in labels_by_frame(film)), False]
    changes = [place for place, (a, b) in enumerate(pairwise(present)) if a != b]
    return [
        (float(times[first]), float(times[end]))
        for first, end in zip(changes[::2], changes[1::2], strict=True)
    ]


def test_the_times_of_a_gexf_are_those_on_screen(film: RatedFilm) -> None:
    document = exported(film, "gexf")
    found = {**spells(document, "node"), **spells(document, "edge")}
    assert {("P01",), ("P02",), ("P03",)} < set(found)
    for labels, times in found.items():
        together = runs(film, set(labels))
        assert len(times) == len(together) > 0
        assert np.allclose(times, together, rtol=0, atol=1e-9)


def test_a_shot_shared_without_meeting_is_an_edge_of_no_seconds(tmp_path: Path) -> None:
    film = rated_film(
        tmp_path / "f",
        RATES["23.976"],
        duration_s=12,
        shots=3,
        confidences=(0.1, 0.1, 0.1, 0.1, 0.9, 0.9),  # the last shot's tracks are sure
        seed=SEED_OF_A_MISSED_MEETING,
    )
    (first, first_start, first_end), (second, second_start, second_end) = film.spans[4:]
    assert first_end <= second_start or second_end <= first_start
    sure = Selection(min_confidence=0.5)
    edge = nx.read_graphml(io.BytesIO(exported(film, "graphml", sure))).edges[first, second]
    assert (edge["shared_shots"], edge["seconds_together"]) == (1, 0.0)
    (times,) = spells(exported(film, "gexf", sure), "edge").values()
    shot = film.project.table("shots").to_pylist()[2]
    assert times == [pytest.approx((shot["start_s"], shot["end_s"]))]


@pytest.mark.parametrize("fmt", READERS)
def test_a_selected_part_of_the_cast_is_a_part_of_the_network(film: RatedFilm, fmt: str) -> None:
    text = exported(film, fmt, Selection(only=("P01", "Hamlet")))
    assert set(READERS[fmt](io.BytesIO(text)).nodes) == {"P01", "P02"}


def test_the_same_project_gives_the_same_file(film: RatedFilm) -> None:
    assert b"lastmodifieddate" not in exported(film, "gexf")
    assert exported(film, "gexf") == exported(film, "gexf")
