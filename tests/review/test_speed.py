"""A film with many tracks is shown at once; benchmarks/review_speed.py measures 5,000."""

from __future__ import annotations

import re
import time

import pytest

from helpers.edited_film import edited_film
from helpers.fake_film import fake_film
from helpers.review_client import ReviewClient
from personae.pipeline.kept_evidence import KeptEvidence
from personae.pipeline.runner import recluster
from personae.pipeline.settings import recorded_settings
from personae.review.app import ReviewApp

MAX_PAGE_BYTES = 2_000_000
MAX_PICTURES_AT_ONCE = 30
MAX_FIRST_PAGE_S = 1.0
"""CPU seconds of this process, which a busy machine does not change much."""

MAX_ANSWER_S = 1.0
"""CPU seconds likewise."""


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    """5,000 tracks, each with one crop and a few faces."""
    folder = tmp_path_factory.mktemp("film") / "long.personae"
    fake_film(
        folder,
        characters=180,
        tracks_each=25,
        unknown=500,
        shots=1500,
        duration=1500.0,
        crops_each=1,
    )
    app = ReviewApp(folder)
    try:
        app.reclustering.wait(60)  # it fails at once: the film has no embeddings
        yield ReviewClient(app).enter()
    finally:
        app.reclustering.stop()


def test_the_first_page_of_a_long_film_comes_within_a_second(client):
    started = time.process_time()
    page = client.get("/")
    assert time.process_time() - started < MAX_FIRST_PAGE_S
    assert page.count('class="card"') == 120


@pytest.mark.parametrize("address", ["/", "/?page=2", "/character/P01", "/unknown", "/queue"])
def test_no_page_and_its_first_pictures_are_larger_than_two_megabytes(client, address):
    page = client.get(address)
    images = re.findall(r"<img\b[^>]*>", page)
    at_once = [re.search(r'src="([^"]+)"', one)[1] for one in images if 'loading="lazy"' not in one]
    size = len(page.encode()) + sum(len(client.http.get(crop).content) for crop in at_once)
    assert size < MAX_PAGE_BYTES
    assert len(at_once) <= MAX_PICTURES_AT_ONCE


def test_a_film_without_embeddings_can_be_named_but_not_compared(client):
    assert "not encoded" in client.get("/queue")
    assert "no guess" in client.get("/unknown")
    assert "Are these two people?" not in client.get("/character/P01")


def test_an_answer_clusters_a_thousand_tracks_anew_within_a_second(tmp_path):
    folder = tmp_path / "film.personae"
    film = edited_film(folder, method="personae", characters=38, tracks_each=25, unknown=50)
    evidence = KeptEvidence()
    evidence.measure(film, recorded_settings(film))
    film.edits.merge([0], [30])
    started = time.process_time()
    again = recluster(folder, with_report=False, evidence=evidence)
    assert time.process_time() - started < MAX_ANSWER_S
    [merged] = [one for one in again.cast() if 0 in one.tracks]
    assert 30 in merged.tracks
