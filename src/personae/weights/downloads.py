"""Published weights of stronger networks, fetched on request and checked by their hash.

personae needs none of them, and fetches one only after its licence has been accepted.
"""

from __future__ import annotations

import http.client
import logging
import os
import tempfile
import time
import urllib.error
import urllib.request
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from personae.core.digest import file_sha256
from personae.core.errors import WeightsError
from personae.core.hooks import Hook, silent_hook

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 3
"""Attempts before a download fails."""

_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class Download:
    """A file that others publish for one of the encoders."""

    encoder: str
    """Name of the network for `--encoder` and `fetch_weights`."""

    file: str
    """Name of the weight file on this machine."""

    url: str

    sha256: str
    """Of the weight file."""

    licence: str
    """In a few words; the origin's, whatever a copy elsewhere states."""

    terms: str
    """Conditions and training data, to be shown before the licence is accepted."""

    non_commercial: bool
    """Whether the licence, or that of the training data, forbids commercial use."""

    archive_sha256: str | None = None
    """Of the zip archive behind `url` that holds `file`; None where `url` is the file itself."""


_INSIGHTFACE_TERMS = (
    "InsightFace's models and the data they were trained on are available for non-commercial "
    "research only (github.com/deepinsight/insightface). The training data are photographs of "
    "people from the web. For any other use, ask InsightFace for a licence."
)
_ADAFACE_TERMS = (
    "AdaFace's code is under the MIT licence (github.com/mk-minchul/AdaFace). The network was "
    "trained on WebFace260M, photographs of people gathered from the web, which its makers give "
    "out for non-commercial research only."
)

_ENTRIES = (
    Download(
        encoder="arcface-r50",
        file="w600k_r50.onnx",
        url="https://github.com/yakhyo/uniface/releases/download/weights/w600k_r50.onnx",
        sha256="4c06341c33c2ca1f86781dab0e829f88ad5b64be9fba56e56bc9ebdefc619e43",
        licence="non-commercial research only (InsightFace)",
        terms=_INSIGHTFACE_TERMS,
        non_commercial=True,
    ),
    Download(
        encoder="arcface-r100",
        file="glintr100.onnx",
        url="https://github.com/deepinsight/insightface/releases/download/v0.7/antelopev2.zip",
        sha256="4ab1d6435d639628a6f3e5008dd4f929edf4c4124b1a7169e1048f9fef534cdf",
        licence="non-commercial research only (InsightFace)",
        terms=_INSIGHTFACE_TERMS,
        non_commercial=True,
        archive_sha256="8e182f14fc6e80b3bfa375b33eb6cff7ee05d8ef7633e738d1c89021dcf0c5c5",
    ),
    Download(
        encoder="adaface-ir18",
        file="adaface_ir_18.onnx",
        url="https://github.com/yakhyo/adaface-onnx/releases/download/weights/adaface_ir_18.onnx",
        sha256="6b6a35772fb636cdd4fa86520c1a259d0c41472a76f70f802b351837a00d9870",
        licence="code MIT, training data non-commercial research only (WebFace)",
        terms=_ADAFACE_TERMS,
        non_commercial=True,
    ),
    Download(
        encoder="adaface-ir101",
        file="adaface_ir_101.onnx",
        url="https://github.com/yakhyo/adaface-onnx/releases/download/weights/adaface_ir_101.onnx",
        sha256="f2eb07d03de0af560a82e1214df799fec5e09375d43521e2868f9dc387e5a43e",
        licence="code MIT, training data non-commercial research only (WebFace)",
        terms=_ADAFACE_TERMS,
        non_commercial=True,
    ),
    Download(
        encoder="facenet-inception-v1",
        file="20180402-114759-vggface2.pt",
        url=(
            "https://github.com/timesler/facenet-pytorch/releases/download/v2.2.9/"
            "20180402-114759-vggface2.pt"
        ),
        sha256="281cebca8662831adb987a874bdcb36e73f5b1c6dc5ee5878f305e985625d99b",
        licence="code MIT, training data research only (VGGFace2)",
        terms=(
            "facenet-pytorch is under the MIT licence (github.com/timesler/facenet-pytorch). The "
            "network was trained on VGGFace2, photographs of people gathered from the web for "
            "research, since withdrawn."
        ),
        non_commercial=True,
    ),
)

DOWNLOADS: dict[str, Download] = {entry.encoder: entry for entry in _ENTRIES}
"""Published weights by encoder; none of these files has been run by this project."""


def weights_cache_folder() -> Path:
    """Return the folder of fetched files: PERSONAE_WEIGHTS, or one in the user's cache folder."""
    stated = os.environ.get("PERSONAE_WEIGHTS")
    if stated:
        return Path(stated)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "personae" / "weights"


def fetch_weights(
    name: str,
    accept_licence: bool,
    offline: bool = False,
    folder: Path | None = None,
    hook: Hook = silent_hook,
) -> Path:
    """Fetch the published weights of an encoder, unless they are there already.

    Args:
        name: Name of the encoder.
        accept_licence: Whether the licence is accepted.
        offline: Whether fetching is forbidden; a file that is there is still returned.
        folder: Where the file is kept; None: `weights_cache_folder()`.
        hook: Reports the stage "fetch" in bytes.

    Returns:
        The path of the file.

    Raises:
        WeightsError: Nothing is published under the name, the licence is not accepted, `offline`
            forbids fetching, the download fails, or the file has another hash than expected.
    """
    if name not in DOWNLOADS:
        known = ", ".join(DOWNLOADS)
        raise WeightsError(
            f"No weights are published for {name!r}; there are weights for: {known}."
        )
    return fetch_download(
        DOWNLOADS[name], accept_licence, offline, folder or weights_cache_folder(), hook
    )


def fetch_download(
    entry: Download, accept_licence: bool, offline: bool, folder: Path, hook: Hook = silent_hook
) -> Path:
    """Fetch the file that an entry describes; see `fetch_weights`.

    Raises:
        WeightsError: The licence is not accepted, `offline` forbids fetching, the download fails,
            or the file has another hash than expected.
    """
    target = folder / entry.file
    if target.is_file() and file_sha256(target) == entry.sha256:
        return target
    if not accept_licence:
        raise WeightsError(
            f"{entry.file} is fetched only once its licence is accepted: {entry.licence}."
        )
    if offline:
        raise WeightsError(
            f"{entry.file} is not in {folder}, and fetching it is forbidden while offline."
        )
    folder.mkdir(parents=True, exist_ok=True)
    logger.info("fetching %s from %s", entry.file, entry.url)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".fetch-") as temporary:
        downloaded = Path(temporary) / "download"
        _download(entry.url, downloaded, hook)
        if entry.archive_sha256 is not None:
            _check_hash(downloaded, entry.archive_sha256, entry.url)
            downloaded = _extract(downloaded, entry.file, Path(temporary) / "member")
        _check_hash(downloaded, entry.sha256, entry.url)
        os.replace(downloaded, target)
    logger.info("stored %s", target)
    return target


def _download(url: str, target: Path, hook: Hook) -> None:
    """Download a file, with repeated attempts where the server or the connection fails."""
    for attempt in range(1, MAX_ATTEMPTS + 1):
        try:
            with urllib.request.urlopen(url, timeout=60) as response, target.open("wb") as stream:
                length = response.headers.get("Content-Length")
                total = int(length) if length else None
                done = 0
                while chunk := response.read(_CHUNK_BYTES):
                    stream.write(chunk)
                    done += len(chunk)
                    hook("fetch", done, total, url=url)
            if total is not None and done < total:
                raise http.client.IncompleteRead(b"", total - done)
            return
        except (
            urllib.error.URLError,
            http.client.HTTPException,
            TimeoutError,
            ConnectionError,
        ) as error:
            refused = isinstance(error, urllib.error.HTTPError) and error.code < 500
            if refused or attempt == MAX_ATTEMPTS:
                raise WeightsError(
                    f"{url} could not be fetched ({error}): check the connection, or get the file "
                    "by other means and name it with --weights."
                ) from error
            logger.warning("attempt %d to fetch %s failed: %s", attempt, url, error)
            time.sleep(2**attempt / 2)


def _check_hash(path: Path, expected: str, url: str) -> None:
    """Refuse a downloaded file that has another hash."""
    digest = file_sha256(path)
    if digest != expected:
        raise WeightsError(
            f"The file from {url} has sha256 {digest}, not {expected}: it is not used."
        )


def _extract(archive: Path, file: str, target: Path) -> Path:
    """Extract the member called `file` from any folder of a zip archive."""
    with zipfile.ZipFile(archive) as zipped:
        member = next((n for n in zipped.namelist() if PurePosixPath(n).name == file), None)
        if member is None:
            raise WeightsError(f"The fetched archive holds no {file}.")
        with zipped.open(member) as source, target.open("wb") as stream:
            while chunk := source.read(_CHUNK_BYTES):
                stream.write(chunk)
    return target
