"""Published weights are fetched on request and with consent, whole and unaltered, or not at all."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from personae.core.errors import WeightsError
from personae.encode.architectures.registry import ARCHITECTURES
from personae.weights import DOWNLOADS, Download, fetch_weights
from personae.weights.downloads import MAX_ATTEMPTS, fetch_download, weights_cache_folder

CONTENT = bytes(range(256)) * 9000


@dataclasses.dataclass
class Publisher:
    """A server on this machine, and the requests that it has received."""

    url: str
    files: dict[str, bytes]
    failures: dict[str, int]  # how many requests for a file are still to fail
    cut: set[str]  # files that break off halfway
    requests: list[str]


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    state = Publisher("", {}, {}, set(), [])

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.lstrip("/")
            state.requests.append(name)
            if state.failures.get(name, 0) > 0:
                state.failures[name] -= 1
                self.send_error(503)
            elif name not in state.files:
                self.send_error(404)
            else:
                body = state.files[name]
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body[: len(body) // 2] if name in state.cut else body)

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    state.url = f"http://127.0.0.1:{server.server_port}"
    yield state
    server.shutdown()
    server.server_close()


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)


def entry(publisher: Publisher, content: bytes = CONTENT) -> Download:
    publisher.files["net.onnx"] = content
    return Download(
        encoder="some-net",
        file="net.onnx",
        url=f"{publisher.url}/net.onnx",
        sha256=hashlib.sha256(CONTENT).hexdigest(),
        licence="for tests only",
        terms="Do as you like.",
        non_commercial=False,
    )


def left_over(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_fetched_once(publisher: Publisher, tmp_path: Path) -> None:
    calls: list[tuple[str, int, int | None]] = []

    def hook(stage: str, done: int, total: int | None, **facts: object) -> None:
        calls.append((stage, done, total))

    one = entry(publisher)
    path = fetch_download(one, True, False, tmp_path / "new" / "folder", hook)
    assert path.read_bytes() == CONTENT
    assert left_over(path.parent) == ["net.onnx"]
    assert calls[-1] == ("fetch", len(CONTENT), len(CONTENT))
    # There already: neither consent nor a connection is needed any more.
    assert fetch_download(one, False, True, path.parent) == path
    assert publisher.requests == ["net.onnx"]


@pytest.mark.parametrize(("accept", "offline"), [(False, False), (True, True), (False, True)])
def test_nothing_is_requested_without_consent_or_offline(
    publisher: Publisher, tmp_path: Path, accept: bool, offline: bool
) -> None:
    with pytest.raises(WeightsError, match="offline" if accept else "for tests only"):
        fetch_download(entry(publisher), accept, offline, tmp_path)
    assert publisher.requests == []


def test_failures_of_the_server_are_retried(publisher: Publisher, tmp_path: Path) -> None:
    one = entry(publisher)
    publisher.failures["net.onnx"] = MAX_ATTEMPTS - 1
    assert fetch_download(one, True, False, tmp_path).read_bytes() == CONTENT
    assert len(publisher.requests) == MAX_ATTEMPTS


def test_a_lasting_failure_is_reported_and_leaves_nothing(
    publisher: Publisher, tmp_path: Path
) -> None:
    one = entry(publisher)
    publisher.failures["net.onnx"] = 99
    with pytest.raises(WeightsError, match="could not be fetched"):
        fetch_download(one, True, False, tmp_path)
    assert len(publisher.requests) == MAX_ATTEMPTS
    assert left_over(tmp_path) == []


def test_a_missing_page_is_not_requested_again(publisher: Publisher, tmp_path: Path) -> None:
    one = dataclasses.replace(entry(publisher), url=f"{publisher.url}/moved.onnx")
    with pytest.raises(WeightsError, match="404"):
        fetch_download(one, True, False, tmp_path)
    assert publisher.requests == ["moved.onnx"]


def test_half_a_file_is_not_kept(publisher: Publisher, tmp_path: Path) -> None:
    one = entry(publisher)
    publisher.cut.add("net.onnx")
    with pytest.raises(WeightsError, match="could not be fetched"):
        fetch_download(one, True, False, tmp_path)
    assert left_over(tmp_path) == []


def test_a_file_of_another_hash_is_not_kept_and_replaces_none(
    publisher: Publisher, tmp_path: Path
) -> None:
    (tmp_path / "net.onnx").write_bytes(b"an older release")
    with pytest.raises(WeightsError, match="sha256"):
        fetch_download(entry(publisher, content=b"something else"), True, False, tmp_path)
    assert (tmp_path / "net.onnx").read_bytes() == b"an older release"
    assert left_over(tmp_path) == ["net.onnx"]


@pytest.mark.parametrize("inside", ["net.onnx", "pack/pack/net.onnx"])
def test_a_file_is_taken_out_of_an_archive(
    publisher: Publisher, tmp_path: Path, inside: str
) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as zipped:
        zipped.writestr("pack/detector.onnx", b"not this one")
        zipped.writestr(inside, CONTENT)
    one = entry(publisher, content=stream.getvalue())
    one = dataclasses.replace(one, archive_sha256=hashlib.sha256(stream.getvalue()).hexdigest())
    assert fetch_download(one, True, False, tmp_path).read_bytes() == CONTENT
    assert left_over(tmp_path) == ["net.onnx"]


def test_unknown_names_and_folders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="arcface-r100"):
        fetch_weights("mobilefacenet-192", accept_licence=True, offline=True)
    monkeypatch.setenv("PERSONAE_WEIGHTS", str(tmp_path))
    assert weights_cache_folder() == tmp_path
    with pytest.raises(WeightsError, match="non-commercial"):
        fetch_weights("arcface-r100", accept_licence=False)


@pytest.mark.parametrize("one", DOWNLOADS.values(), ids=list(DOWNLOADS))
def test_every_published_file_is_for_an_encoder_and_states_its_terms(one: Download) -> None:
    assert one.encoder in ARCHITECTURES
    assert one.url.startswith("https://")
    assert len(bytes.fromhex(one.sha256)) == 32
    assert one.licence
    assert "github.com" in one.terms
