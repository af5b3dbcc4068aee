"""The player: ranges of the film, its preview, boxes by windows, and where it starts."""

from __future__ import annotations

import io
import re
import time

import av
import numpy as np
import pytest

from helpers.fake_film import fake_film
from helpers.page_client import ORIGIN
from helpers.patch_film import RATE, SIZE, measure_texture
from helpers.played_film import write_played_film, write_unplayed_film
from helpers.review_client import ReviewClient, review_of
from personae.review.appearance_lanes import draw_lane, join_spans
from personae.review.face_windows import MAX_POINTS, MAX_WINDOW_S, FaceWindows
from personae.review.film_file import FilmFile, Playback
from personae.review.player_page import LANES_PER_PAGE
from personae.review.preview_cache import PreviewCache

MAX_BOX_ERROR_PX = 0.5


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Twelve seconds that start at 1.5 s, with four tracks of two characters and of nobody."""
    return write_played_film(tmp_path_factory.mktemp("film"))


@pytest.fixture(scope="module")
def mkv(made, tmp_path_factory):
    return write_unplayed_film(made, tmp_path_factory.mktemp("mkv"))


@pytest.fixture(scope="module")
def client(made, tmp_path_factory):
    cache = PreviewCache(tmp_path_factory.mktemp("cache"))
    with review_of(made.project.folder, cache=cache) as opened:
        yield opened


@pytest.fixture(scope="module")
def preview(mkv, tmp_path_factory):
    cache = PreviewCache(tmp_path_factory.mktemp("cache"))
    with review_of(mkv.project.folder, cache=cache) as opened:
        yield opened


def test_the_film_is_sent_in_the_ranges_that_a_browser_asks_for(client, made):
    content = made.film.read_bytes()
    whole = client.http.get("/film")
    assert (whole.status_code, whole.content) == (200, content)
    assert whole.headers["accept-ranges"] == "bytes"
    assert whole.headers["content-type"] == "video/mp4"
    for sent, expected in (
        ("bytes=0-99", content[:100]),
        ("bytes=100-", content[100:]),
        ("bytes=-50", content[-50:]),
        (f"bytes=10-{2 * len(content)}", content[10:]),
    ):
        part = client.http.get("/film", headers={"range": sent})
        assert (part.status_code, part.content) == (206, expected)
        first = len(content) - len(expected) if sent != "bytes=0-99" else 0
        last = first + len(expected) - 1
        assert part.headers["content-range"] == f"bytes {first}-{last}/{len(content)}"
        assert part.headers["content-length"] == str(len(expected))


def test_a_range_beyond_the_film_is_refused_with_the_films_size(client, made):
    answer = client.http.get("/film", headers={"range": "bytes=999999999-"})
    assert answer.status_code == 416
    assert answer.headers["content-range"] == f"bytes */{made.film.stat().st_size}"


def test_a_range_of_another_version_of_the_film_is_answered_with_the_whole(client, made):
    tag = client.http.get("/film").headers["etag"]
    for if_range, status in ((tag, 206), ('"another"', 200), (f"W/{tag}", 200)):
        sent = {"range": "bytes=0-9", "if-range": if_range}
        assert client.http.get("/film", headers=sent).status_code == status


def test_the_heads_of_film_and_preview_can_be_asked_for(client, preview, made):
    for opened, address in ((client, "/film"), (preview, "/preview/0.mp4")):
        head, whole = opened.http.head(address), opened.http.get(address)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-length"] == str(len(whole.content))


@pytest.mark.parametrize(
    "address",
    [
        "/player",
        "/film",
        "/preview/0.mp4",
        "/player/faces?from=0&to=5",
        "/player/appearances?who=P01",
        "/track/0",
        "/learning",
    ],
)
def test_nothing_of_the_film_is_seen_without_the_token(client, address):
    stranger = ReviewClient(client.app)
    for headers in ({}, {"range": "bytes=0-9"}):
        assert stranger.http.get(address, headers=headers).status_code == 403


def test_no_request_names_a_file(client, preview):
    for address in (
        "/film/../film.mp4",
        "/preview/..%2f..%2ffilm.mp4",
        "/preview/%2e%2e.mp4",
        "/preview/-1.mp4",
        "/preview/99.mp4",
        "/preview/0x1.mp4",
    ):
        for opened in (client, preview):
            answer = opened.http.get(address)
            assert answer.status_code in (400, 404), address
            assert answer.headers["content-type"].startswith("text/plain")


def read_faces(client, start_s, end_s):
    answer = client.http.get(f"/player/faces?from={start_s}&to={end_s}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_boxes_of_a_window_are_those_of_the_scan_at_every_frame(client, made):
    faces = made.project.table("faces").to_pylist()
    n_points = n_checked = 0
    for start_s in np.arange(1.5, 13.5, 2.5):
        window = read_faces(client, start_s, start_s + 2.5)
        points = {one["track"]: np.array(one["points"]) for one in window["tracks"]}
        n_points += sum(map(len, points.values()))
        in_window = [one for one in faces if start_s <= one["time_s"] < start_s + 2.5]
        assert {one["track"] for one in in_window} == set(points)
        for face in in_window:
            path = points[face["track"]]
            found = [np.interp(face["time_s"], path[:, 0], side) for side in path[:, 1:].T]
            expected = np.array([face[side] for side in "xywh"]) / [*SIZE[::-1], *SIZE[::-1]]
            error = np.abs(found - expected) * [*SIZE[::-1], *SIZE[::-1]]
            assert error.max() < MAX_BOX_ERROR_PX
            n_checked += 1
    assert n_checked == len(faces)
    assert n_points < len(faces) / 2  # boxes on a line between others are not sent


def test_boxes_say_whose_they_are_and_when_their_track_ends(client, made):
    window = read_faces(client, 1.5, 13.5)
    said = {one["track"]: (one["who"], one["title"]) for one in window["tracks"]}
    assert said == {
        0: ("P01", "P01"),
        1: ("P01", "P01"),
        2: ("P02", "P02"),
        3: ("unknown", "Unknown"),
    }
    tracks = made.project.table("tracks", "track", "end_s").to_pylist()
    ends = {one["track"]: one["end_s"] for one in tracks}
    assert {one["track"]: one["end"] for one in window["tracks"]} == ends


def test_a_window_is_bounded_however_much_is_asked_for(tmp_path):
    film = fake_film(tmp_path / "f.personae", characters=20, tracks_each=30, duration=300.0)
    windows = FaceWindows(film)
    window = windows.select(0.0, 1e9)
    assert window.end_s == MAX_WINDOW_S
    assert sum(len(path.points) for path in window.paths) <= MAX_POINTS


def test_a_crowded_window_is_cut_short_and_goes_on_where_it_ended(tmp_path, monkeypatch):
    film = fake_film(tmp_path / "f.personae", characters=8, tracks_each=10, duration=60.0)
    windows = FaceWindows(film)
    whole = windows.select(0.0, 30.0)
    monkeypatch.setattr("personae.review.face_windows.MAX_POINTS", 500)
    reached, tracks = 0.0, set()
    while reached < 30.0:
        part = windows.select(reached, 30.0)
        assert part.start_s == reached < part.end_s
        assert sum(len(path.points) for path in part.paths) <= 500 or part.end_s - reached < 1.0
        reached, tracks = part.end_s, tracks | {path.track for path in part.paths}
    assert tracks == {path.track for path in whole.paths}


@pytest.mark.parametrize(
    "query",
    ["", "from=0", "from=a&to=5", "from=0&to=1e9", "from=nan&to=5", "from=0&to=" + "9" * 40],
)
def test_a_window_without_two_times_is_refused_in_a_sentence(client, query):
    answer = client.http.get(f"/player/faces?{query}")
    assert (answer.status_code, answer.text.count(".")) == (400, 1)


def test_appearances_join_tracks_that_are_near_to_each_other(client):
    spans = client.http.get("/player/appearances?who=P01").json()["spans"]
    assert spans == [[1.5, 5.5], [7.9, 13.5]]
    assert client.http.get("/player/appearances?who=unknown").json()["spans"] == [[9.5, 11.9]]
    assert client.http.get("/player/appearances?who=P99").json()["spans"] == []
    assert join_spans([(3, 4), (0, 1), (1.5, 2), (0.2, 0.4)], 1.0) == [(0, 4)]


def test_a_lane_of_a_long_film_is_bounded_and_shows_every_appearance():
    spans = [(second, second + 0.04) for second in np.arange(0.0, 7200.0, 2.0)]
    lane = draw_lane(spans, 0.0, 7200.0)
    assert len(lane) < 10_000
    alone = draw_lane([(3600.0, 3600.04)], 0.0, 7200.0)
    assert alone == "M500 0h1v1h-1z"
    assert draw_lane([(0.0, 7200.0)], 0.0, 7200.0) == "M0 0h1000v1h-1000z"


def test_the_player_has_a_lane_for_every_character_and_starts_where_it_was_asked_to(client):
    page = client.get("/player")
    assert re.findall(r'data-who="(\w+)"', page) == ["P01", "P02", "unknown"]
    assert 'data-at="1.5"' in page
    assert 'data-playable="yes"' in page
    assert 'data-at="9.5" data-track="3"' in client.get("/player?track=3")
    assert 'data-at="3.5"' in client.get("/player?who=P02")
    assert 'value="P02" aria-label="P02, 1\xa0appearance" checked' in client.get("/player?who=P02")
    assert 'data-at="4.25"' in client.get("/player?at=2.75")
    assert 'data-at="4.25"' in client.get("/player?time=4.25")


@pytest.mark.parametrize("query", ["track=99", "track=x", "crop=0", "at=1e3", "page=x"])
def test_a_moment_that_does_not_exist_is_said_in_a_sentence(client, query):
    answer = client.http.get(f"/player?{query}")
    assert (answer.status_code, answer.text.count(".")) == (400, 1)


def test_a_face_leads_to_its_place_on_the_page_of_its_character(client):
    def target(track):
        return client.http.get(f"/track/{track}").headers["location"]

    assert [target(track) for track in (0, 2, 3)] == [
        "/character/P01#pick-0",
        "/character/P02#pick-2",
        "/unknown#pick-3",
    ]
    assert target(99).startswith("/unknown?note=")


def test_every_track_of_a_page_leads_to_its_moment_in_the_player(client):
    assert 'href="/player?track=0"' in client.get("/character/P01")
    assert 'href="/player?who=P01"' in client.get("/character/P01")
    assert 'href="/player?track=3"' in client.get("/unknown")


def test_a_film_that_no_browser_plays_is_sent_as_a_preview_only(preview):
    page = preview.get("/player")
    assert 'data-playable=""' in page
    assert 'data-pieces="2"' in page
    answer = preview.http.get("/film")
    assert (answer.status_code, answer.headers["content-type"][:10]) == (404, "text/plain")


def test_pieces_show_the_film_at_the_times_of_its_boxes(preview, mkv):
    faces = mkv.project.table("faces").to_pylist()
    start_s = mkv.project.source.start_s
    checked = 0
    for number in (0, 1):
        answer = preview.http.get(f"/preview/{number}.mp4")
        assert answer.headers["content-type"] == "video/mp4"
        with av.open(io.BytesIO(answer.content)) as container:
            for frame in container.decode(video=0):
                boxes = [
                    [one[side] for side in "xywh"]
                    for one in faces
                    if abs(one["time_s"] - start_s - frame.time) < 1 / RATE / 4
                ]
                assert all(measure_texture(frame, box) > 20 for box in boxes)
                checked += len(boxes)
    assert checked >= len(faces) - 8


def test_a_piece_is_made_once(preview, monkeypatch):
    first = preview.http.get("/preview/1.mp4").content
    monkeypatch.setattr("personae.review.film_routes.make_piece", lambda *_: b"made again")
    assert preview.http.get("/preview/1.mp4").content == first


def test_a_form_of_the_player_leads_back_to_its_moment(client):
    sent = {"verb": "nothing", "back": "/player?at=2.75&who=P02"}
    answer = client.http.post("/edit", data=sent, headers={"origin": ORIGIN})
    assert answer.headers["location"].startswith("/player?at=2.75&who=P02&note=")


def test_the_player_of_a_long_film_is_small_and_comes_within_a_second(tmp_path, monkeypatch):
    folder = tmp_path / "long.personae"
    fake_film(
        folder,
        characters=180,
        tracks_each=25,
        unknown=500,
        shots=1500,
        duration=7200.0,
        crops_each=1,
    )
    monkeypatch.setattr(FilmFile, "playback", lambda self: Playback("video/mp4", True))
    with review_of(folder) as client:
        client.get("/")
        started = time.process_time()
        page = client.get("/player?who=P07")
        assert time.process_time() - started < 1.0
        assert len(page) < 500_000
        assert page.count("<svg") == LANES_PER_PAGE
        assert "<svg" in client.get("/player?page=5")
        assert len(client.http.get("/player/faces?from=0&to=30").content) < 500_000
