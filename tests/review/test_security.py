"""Nobody but this machine's browser, with the token, from our own pages, may see or change it."""

from __future__ import annotations

import pytest

from helpers.edited_film import edited_film
from helpers.page_client import HOST, ORIGIN, PORT, TOKEN
from helpers.review_client import ReviewClient, review_of
from personae.project import Project
from personae.review.security import MAX_BODY_BYTES, is_loopback

ADDRESSES = [
    "/",
    "/queue",
    "/unknown",
    "/character/P01",
    "/crop/0.jpg",
    "/static/review.js",
    "/status",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return edited_film(tmp_path_factory.mktemp("film") / "f.personae").folder


@pytest.fixture(scope="module")
def client(folder):
    with review_of(folder) as opened:
        yield opened


@pytest.fixture
def stranger(client):
    return ReviewClient(client.app)


@pytest.mark.parametrize("address", ADDRESSES)
def test_nothing_is_shown_without_the_token(stranger, address):
    answer = stranger.http.get(address)
    assert answer.status_code == 403
    assert "Open the address that `personae review` has printed" in answer.text


def test_a_wrong_token_opens_nothing(stranger):
    assert stranger.http.get("/?token=another").status_code == 403
    assert stranger.http.get("/?token=").status_code == 403
    assert not stranger.http.cookies


def test_the_token_becomes_a_strict_cookie_and_leaves_the_address(stranger):
    answer = stranger.http.get(f"/unknown?page=1&token={TOKEN}")
    assert (answer.status_code, answer.headers["location"]) == (303, "/unknown?page=1")
    cookie = answer.headers["set-cookie"].lower()
    assert {"httponly", "samesite=strict", "path=/"} <= {part.strip() for part in cookie.split(";")}
    assert stranger.http.get("/unknown").status_code == 200


def test_the_token_leads_to_no_other_site(stranger):
    answer = stranger.http.get(f"{ORIGIN}//evil.example/?token={TOKEN}")
    assert answer.headers["location"].startswith("/evil.example")


@pytest.mark.parametrize(
    "host",
    ["evil.example", f"evil.example:{PORT}", HOST, f"{HOST}:1", f"127.0.0.1.evil:{PORT}", ""],
)
def test_a_foreign_host_is_refused_even_with_the_cookie(client, host):
    assert client.http.get("/", headers={"host": host}).status_code == 421


@pytest.mark.parametrize("host", [f"localhost:{PORT}", f"[::1]:{PORT}", f"127.0.0.1:{PORT}"])
def test_the_names_of_this_machine_are_known(client, host):
    assert client.http.get(f"/?token={TOKEN}", headers={"host": host}).status_code == 303


def test_an_address_of_the_network_is_known_only_where_it_was_asked_for(client):
    wide = ReviewClient(client.app, host="0.0.0.0")
    network = {"host": f"192.168.1.7:{PORT}"}
    assert wide.http.get(f"/?token={TOKEN}", headers=network).status_code == 303
    assert client.http.get("/", headers=network).status_code == 421
    foreign = {"host": f"evil.example:{PORT}"}
    assert wide.http.get(f"/?token={TOKEN}", headers=foreign).status_code == 421


@pytest.mark.parametrize(
    "headers",
    [{}, {"origin": "http://evil.example"}, {"origin": "null"}, {"origin": f"http://{HOST}:1"}],
)
@pytest.mark.parametrize("address", ["/edit", "/answer"])
def test_a_change_from_another_site_is_refused(client, folder, headers, address):
    fields = {"verb": "name", "who": "P01", "name": "Mallory", "answer": "yes"}
    assert client.http.post(address, data=fields, headers=headers).status_code == 403
    assert not Project.open(folder).edits.any_entered()


def test_a_change_without_the_token_is_refused(stranger, folder):
    assert stranger.post("/edit", verb="name", who="P01", name="Mallory").status_code == 403
    assert stranger.post(f"/edit?token={TOKEN}", verb="name", who="P01").status_code == 403
    assert not Project.open(folder).edits.any_entered()


def test_reading_addresses_change_nothing_and_changing_ones_cannot_be_read(client):
    assert client.http.get("/edit?verb=name&who=P01&name=Mallory").status_code == 405
    assert client.post("/", verb="name").status_code == 405


@pytest.mark.parametrize("address", [*ADDRESSES, "/nothing"])
def test_every_answer_has_a_policy_without_inline_script(client, address):
    headers = client.http.get(address).headers
    policy = dict(
        part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";")
    )
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["form-action"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"


@pytest.mark.parametrize("page", ["/", "/queue", "/unknown", "/character/P01"])
def test_the_pages_need_nothing_that_the_policy_forbids_or_that_is_elsewhere(client, page):
    import re

    text = client.get(page)
    assert not re.search(r"<script(?![^>]*\bsrc=)|\son\w+=|\sstyle=|<style|javascript:", text)
    assert not re.search(r"(?:src|href|action)=\"(?:https?:)?//", text)


@pytest.mark.parametrize(
    "name",
    ["../app.py", "..%2fapp.py", "%2e%2e/app.py", "/etc/passwd", "review.css%00", "app.py", ""],
)
def test_no_path_of_a_request_reaches_the_file_system(client, name):
    answer = client.http.get(f"/static/{name}")
    assert answer.status_code in (303, 404)
    assert "import" not in answer.text


@pytest.mark.parametrize("crop", ["-1", "1e3", "9" * 30, "../0", "0x1", "٣", "99999999"])
def test_a_picture_is_named_by_a_number_only(client, crop):
    answer = client.http.get(f"/crop/{crop}.jpg")
    assert answer.status_code in (400, 404)
    assert answer.headers["content-type"].startswith("text/plain")


def test_a_picture_may_be_kept_by_the_browser_alone(client):
    answer = client.http.get("/crop/0.jpg")
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.content.startswith(b"\xff\xd8")
    assert answer.headers["cache-control"].startswith("private, max-age=")
    assert client.http.get("/").headers["cache-control"] == "no-store"


def test_a_body_that_is_too_long_is_refused(client, folder):
    answer = client.post("/edit", verb="name", who="P01", name="x" * MAX_BODY_BYTES)
    assert (answer.status_code, answer.text) == (413, "The request is too long.")

    def pieces():
        for _ in range(MAX_BODY_BYTES // 1000 + 2):
            yield b"x" * 1000

    answer = client.http.post("/edit", content=pieces(), headers={"origin": ORIGIN})
    assert answer.status_code == 413
    assert not Project.open(folder).edits.any_entered()


@pytest.mark.parametrize(
    "back", ["http://evil.example/", "//evil.example", "/static/x", "\\evil", "/\n"]
)
def test_a_form_leads_back_to_our_own_pages_only(client, back):
    answer = client.post("/edit", verb="nothing", back=back)
    assert answer.headers["location"].startswith("/?note=")


def test_which_addresses_are_of_this_machine_alone():
    assert all(map(is_loopback, ["127.0.0.1", "::1", "localhost", "127.8.8.8"]))
    assert not any(map(is_loopback, ["0.0.0.0", "::", "192.168.0.1", "example.org", ""]))


def test_names_are_text_and_never_markup(tmp_path):
    name = "<script>alert('1')</script>\"><img src=x onerror=alert(2)>"
    with review_of(edited_film(tmp_path / "f.personae").folder, names=[name]) as client:
        client.edit("name", who="P01", name=name)
        for page in ("/", "/character/P01", "/queue", "/unknown", "/?q=" + name.replace("&", "")):
            text = client.get(page)
            assert "<script>alert" not in text
            assert "<img src=x" not in text
        assert "&lt;script&gt;" in client.get("/")
