"""The registry of compared systems."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import fields

import pytest

from personae.compared import SYSTEMS
from personae.core.errors import SettingError

RUNNABLE = [name for name, system in SYSTEMS.items() if system.runnable]


def test_runnable_and_missing_systems_are_listed():
    assert len(RUNNABLE) == 19
    assert [name for name in SYSTEMS if name not in RUNNABLE] == ["mvcorr", "mcafc", "cmvfc"]
    assert all(system.name == name for name, system in SYSTEMS.items())


@pytest.mark.parametrize("name", [n for n, system in SYSTEMS.items() if not system.runnable])
def test_a_system_that_cannot_run_says_what_is_missing(name):
    with pytest.raises(SettingError, match="cannot be run here: it "):
        SYSTEMS[name].load()


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
    assert [name for name in RUNNABLE if SYSTEMS[name].exact] == ["kmeans"]
    for name in RUNNABLE:
        assert SYSTEMS[name].exact or "reconstruct" in SYSTEMS[name].load().__doc__.lower()


@pytest.mark.parametrize("name", RUNNABLE)
def test_declared_inputs_match_the_class(name):
    system = SYSTEMS[name]
    assert ("n_clusters" in system.inputs) == system.load().needs_n_clusters
    assert ("labelled tracks" in system.inputs) == (name == "mlr")


@pytest.mark.parametrize("name", RUNNABLE)
def test_every_setting_is_documented(name):
    """Each setting has an entry in the `Args:` of the class or of the class it inherits from."""
    cls = SYSTEMS[name].load()
    documented = "\n".join(base.__doc__ or "" for base in cls.__mro__ if base is not object)
    for setting in (field.name for field in fields(cls) if field.init):
        assert f"\n        {setting}: " in documented, setting
