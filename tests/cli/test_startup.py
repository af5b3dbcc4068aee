"""How the command and the package start: quickly, and without heavy libraries."""

from __future__ import annotations

import resource
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from helpers.paths import ROOT


def test_the_entry_point_is_main():
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert scripts == {"personae": "personae.cli:main"}


HEAVY_MODULES = ("torch", "cv2", "pyarrow", "scipy", "sklearn", "av", "onnxruntime", "numpy")


@pytest.mark.parametrize(
    "code",
    [
        "import personae; dir(personae); personae.__version__",
        "import sys; sys.argv = ['personae', '--help']\nfrom personae.cli import main\n"
        "try: main()\nexcept SystemExit: pass",
        "import sys; sys.argv = ['personae', 'run', '--help']\nfrom personae.cli import main\n"
        "try: main()\nexcept SystemExit: pass",
    ],
)
def test_import_and_help_load_nothing_heavy(code):
    check = (
        f"\nimport sys; print('LOADED', [name for name in {HEAVY_MODULES} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code + check], capture_output=True, text=True, check=True
    )
    assert "LOADED []" in done.stdout


def test_help_starts_quickly():
    """In 0.3 s of CPU time, the least of five; on a slow machine in three times typer's own."""

    def cpu(*words):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *words], capture_output=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    typer = min(cpu("-c", "import typer") for _ in range(5))
    assert min(cpu("-m", "personae.cli", "--help") for _ in range(5)) < max(0.3, 3 * typer)


def test_the_public_names_are_there():
    import personae

    for name in personae.__all__:
        assert getattr(personae, name) is not None
    assert (Path(personae.__file__).parent / "py.typed").exists()
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = personae.nothing


def test_a_verb_of_a_folder_loads_no_network_library(tmp_path):
    code = (
        f"import sys; sys.argv = ['personae', 'status', {str(tmp_path)!r}]\n"
        "from personae.cli import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        "print('LOADED', [name for name in ('torch', 'cv2', 'av') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "LOADED []" in done.stdout
