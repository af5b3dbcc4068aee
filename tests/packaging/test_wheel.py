"""The wheel and the sdist install into an empty environment and run there without a network."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

from helpers.paths import EXAMPLES, ROOT
from personae.weights import WEIGHTS

pytestmark = pytest.mark.slow

NO_NETWORK = """
import socket

def refuse(*arguments, **options):
    raise OSError("a test forbids network access")

socket.socket.connect = socket.socket.connect_ex = refuse
socket.create_connection = socket.getaddrinfo = refuse
"""
CLIP_S = 10
"""Seconds of the demo film that the installed command runs on: long enough for two people."""


def build(source: Path, target: Path, *kinds: str) -> None:
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(target)]
    subprocess.run([*command, *kinds, str(source)], check=True, capture_output=True)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    build(ROOT, folder, "--wheel", "--sdist")
    return folder


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    return next(built.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the `bin` of an environment with the wheel, our dependencies, and no network.

    The dependencies (gigabytes) are those of the environment that runs the tests: their folder is
    appended to the search path. Its own .pth files, such as that of the editable personae, are not
    read there.
    """
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=True, symlinks=True)
    binaries = folder / "bin"
    site = folder / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
    command = [str(binaries / "python"), "-m", "pip", "install", "--no-index", "--no-deps"]
    subprocess.run([*command, str(wheel)], check=True, capture_output=True)
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    (site / "sitecustomize.py").write_text(NO_NETWORK)
    return binaries


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import av

    path = tmp_path_factory.mktemp("films") / "clip.mp4"
    with av.open(str(EXAMPLES / "demo.mp4")) as film, av.open(str(path), "w") as output:
        stream = output.add_stream_from_template(film.streams.video[0])
        for packet in film.demux(video=0):
            if packet.dts is not None and packet.pts * packet.time_base < CLIP_S:
                packet.stream = stream
                output.mux(packet)
    return path


def run(binary: Path, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("PYTHON")
    }
    return subprocess.run(
        [str(binary), *arguments], cwd=cwd, env=environment, capture_output=True, text=True
    )


def test_the_wheel_holds_weights_templates_types_and_licences(wheel):
    with zipfile.ZipFile(wheel) as file:
        names = file.namelist()
    for weight in WEIGHTS.values():
        assert any(name.endswith(f"personae/weights/{weight.file}") for name in names), weight.file
    source = ROOT / "src" / "personae"
    for path in source.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            assert str(path.relative_to(source.parent)) in names, path
    for name in ("LICENSE", "THIRD-PARTY.md"):
        assert any(name in one and "dist-info" in one for one in names), name
    assert not [name for name in names if name.startswith(("tests", "tools", "benchmarks"))]


def test_the_sdist_builds_the_same_wheel(built, wheel, tmp_path):
    with tarfile.open(next(built.glob("*.tar.gz"))) as file:
        file.extractall(tmp_path / "source", filter="data")
    source = next((tmp_path / "source").iterdir())
    build(source, tmp_path / "again", "--wheel")
    again = next((tmp_path / "again").glob("*.whl"))
    with zipfile.ZipFile(wheel) as first, zipfile.ZipFile(again) as second:
        assert sorted(first.namelist()) == sorted(second.namelist())
        for name in first.namelist():
            assert first.read(name) == second.read(name), name


def test_the_installed_package_is_the_wheels(installed, tmp_path):
    result = run(
        installed / "python", "-c", "import personae; print(personae.__file__)", cwd=tmp_path
    )
    assert Path(result.stdout.strip()).is_relative_to(installed.parent), result.stderr


def test_the_network_is_blocked(installed, tmp_path):
    code = "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9')"
    assert (
        "a test forbids network access"
        in run(installed / "python", "-c", code, cwd=tmp_path).stderr
    )


def test_the_installed_command_finds_a_cast_without_a_network(installed, clip, tmp_path):
    result = run(installed / "personae", "run", str(clip), "-o", "out", "--json", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["characters"]
    assert (tmp_path / "out" / "report.html").stat().st_size > 10_000


def test_the_installed_command_checks_itself_without_a_network(installed, tmp_path):
    for verb in ("doctor", "models"):
        result = run(installed / "personae", verb, "--json", cwd=tmp_path)
        assert result.returncode == 0, result.stdout + result.stderr
