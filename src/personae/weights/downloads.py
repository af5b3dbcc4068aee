"""Stronger networks that others publish: fetched only on request, from their own release pages, hash-checked.

Nothing here is needed to use personae, and nothing is fetched unless a person has seen the licence and
accepted it.
"""

from __future__ import annotations

import http.client
import os
import tempfile
import time
import urllib.error
import urllib.request
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from personae.core.errors import WeightsError
from personae.core.hooks import Hook, silent
from personae.weights.registry import sha256_of

ATTEMPTS = 3
"""How often a download is tried before it is given up."""

_PIECE = 1 << 20


@dataclass(frozen=True)
class Download:
    """A file that others publish for one of the encoders."""

    encoder: str
    """What `--encoder` calls the network; also the name to fetch it by."""

    file: str
    """Name of the weight file once it is here."""

    url: str

    sha256: str
    """Of the weight file."""

    licence: str
    """In a few words; where a copy elsewhere states another licence, the origin's counts."""

    terms: str
    """What to show before a person accepts: the conditions, and what the network was trained on."""

    non_commercial: bool
    """Whether the licence, or that of the training data, forbids commercial use."""

    archive_sha256: str | None = None
    """Of the zip archive behind `url` that holds `file`; None where `url` is the file itself."""


_INSIGHTFACE_TERMS = (
    "InsightFace's models and the data they were trained on are available for non-commercial research only "
    "(github.com/deepinsight/insightface). The training data are photographs of people from the web. "
    "For any other use, ask InsightFace for a licence."
)
_ADAFACE_TERMS = (
    "AdaFace's code is under the MIT licence (github.com/mk-minchul/AdaFace). The network was trained on "
    "WebFace260M, photographs of people gathered from the web, which its makers give out for non-commercial "
    "research only."
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
            "https://github.com/timesler/facenet-pytorch/releases/download/v2.2.9/20180402-114759-vggface2.pt"
        ),
        sha256="281cebca8662831adb987a874bdcb36e73f5b1c6dc5ee5878f305e985625d99b",
        licence="code MIT, training data research only (VGGFace2)",
        terms=(
            "facenet-pytorch is under the MIT licence (github.com/timesler/facenet-pytorch). The network was "
            "trained on VGGFace2, photographs of people gathered from the web for research, since withdrawn."
        ),
        non_commercial=True,
    ),
)

DOWNLOADS: dict[str, Download] = {entry.encoder: entry for entry in _ENTRIES}
"""What can be fetched, by encoder; none of these files has been run by this project."""


def cache_folder() -> Path:
    """Where fetched files lie: PERSONAE_WEIGHTS, or the user's cache folder."""
    stated = os.environ.get("PERSONAE_WEIGHTS")
    if stated:
        return Path(stated)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "personae" / "weights"


def fetch(
    name: str,
    accept_licence: bool,
    offline: bool = False,
    folder: Path | None = None,
    hook: Hook = silent,
) -> Path:
    """Fetch the published weights of the encoder called `name` into `folder` (None: `cache_folder()`).

    A file that is there already and has the right hash is taken as it is. Raises WeightsError if nothing is
    published under the name, if the licence has not been accepted, if `offline`, or if the download fails or
    has another hash than expected. `hook` is told of stage "fetch" in bytes.
    """
    if name not in DOWNLOADS:
        known = ", ".join(DOWNLOADS)
        raise WeightsError(
            f"There is nothing to fetch for {name!r}; there is something for: {known}."
        )
    return fetch_entry(DOWNLOADS[name], accept_licence, offline, folder or cache_folder(), hook)


def fetch_entry(
    entry: Download, accept_licence: bool, offline: bool, folder: Path, hook: Hook = silent
) -> Path:
    """Fetch what an entry describes; see `fetch`."""
    target = folder / entry.file
    if target.is_file() and sha256_of(target) == entry.sha256:
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
    with tempfile.TemporaryDirectory(dir=folder, prefix=".fetch-") as scratch:
        arrived = Path(scratch) / "download"
        _download(entry.url, arrived, hook)
        if entry.archive_sha256 is not None:
            _check(arrived, entry.archive_sha256, entry.url)
            arrived = _unpack(arrived, entry.file, Path(scratch) / "member")
        _check(arrived, entry.sha256, entry.url)
        os.replace(arrived, target)
    return target


def _download(url: str, target: Path, hook: Hook) -> None:
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with urllib.request.urlopen(url, timeout=60) as answer, target.open("wb") as stream:
                length = answer.headers.get("Content-Length")
                total = int(length) if length else None
                done = 0
                while piece := answer.read(_PIECE):
                    stream.write(piece)
                    done += len(piece)
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
            if refused or attempt == ATTEMPTS:
                raise WeightsError(
                    f"{url} could not be fetched ({error}): check the connection, or get the file by "
                    "other means and name it with --weights."
                ) from error
            time.sleep(2**attempt / 2)


def _check(path: Path, expected: str, url: str) -> None:
    digest = sha256_of(path)
    if digest != expected:
        raise WeightsError(
            f"What came from {url} has sha256 {digest}, not {expected}: it is not used."
        )


def _unpack(archive: Path, file: str, target: Path) -> Path:
    """Take the one member called `file`, in whatever folder of the archive it lies."""
    with zipfile.ZipFile(archive) as zipped:
        inside = next((n for n in zipped.namelist() if PurePosixPath(n).name == file), None)
        if inside is None:
            raise WeightsError(f"The fetched archive holds no {file}.")
        with zipped.open(inside) as source, target.open("wb") as stream:
            while piece := source.read(_PIECE):
                stream.write(piece)
    return target
