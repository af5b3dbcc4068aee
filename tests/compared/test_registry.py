"""The registry of compared systems."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import fields

import pytest

from helpers.paths import ROOT
from personae.compared import SYSTEMS


def test_every_system_of_the_papers_tables_is_there():
    assert len(SYSTEMS) == 22
    assert all(system.name == name for name, system in SYSTEMS.items())


def test_the_benchmarks_page_lists_every_system():
    page = (ROOT / "docs" / "benchmark.md").read_text(encoding="utf-8")
    for system in SYSTEMS.values():
        assert f"| `{system.name}` | {system.description} |" in page


def test_listing_the_systems_loads_no_heavy_package():
    code = (
        "import sys, personae.compared as c; assert len(c.SYSTEMS) > 20; "
        "print('torch' in sys.modules or 'sklearn' in sys.modules)"
    )
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert out.strip() == "False"


def test_reconstructions_are_called_so():
    assert SYSTEMS["tsiam"].title == "our reconstruction of tsiam"
    assert SYSTEMS["kmeans"].title == "kmeans"
    assert [name for name in SYSTEMS if SYSTEMS[name].exact] == ["kmeans"]
    for name in SYSTEMS:
        assert SYSTEMS[name].exact or "reconstruct" in SYSTEMS[name].load().__doc__.lower()


@pytest.mark.parametrize("name", SYSTEMS)
def test_declared_inputs_match_the_class(name):
    system = SYSTEMS[name]
    assert ("n_clusters" in system.inputs) == system.load().needs_n_clusters
    assert ("labelled tracks" in system.inputs) == (name == "mlr")


@pytest.mark.parametrize("name", SYSTEMS)
def test_every_setting_is_documented(name):
    """Each setting has an entry in the `Args:` of the class or of the class it inherits from."""
    cls = SYSTEMS[name].load()
    documented = "\n".join(base.__doc__ or "" for base in cls.__mro__ if base is not object)
    for setting in (field.name for field in fields(cls) if field.init):
        assert f"\n        {setting}: " in documented, setting
