"""The documentation matches the code, builds without a warning, and needs no network."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.paths import DOCS, ROOT

PAGES = sorted(DOCS.rglob("*.md"))
TEXTS = [*PAGES, *sorted(ROOT.glob("*.md"))]


def page_id(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_the_configuration_page_is_up_to_date():
    script = ROOT / "tools" / "configuration_page.py"
    subprocess.run([sys.executable, str(script), "--check"], check=True)


@pytest.mark.parametrize("page", TEXTS, ids=page_id)
def test_every_linked_file_exists(page):
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CONTRIBUTING.md"], ids=page_id)
def test_every_named_source_file_exists(page):
    for name in re.findall(r"`([\w./-]+\.py)`", page.read_text()):
        places = (ROOT / name, ROOT / "src" / "personae" / name, ROOT / "benchmarks" / name)
        made_by_the_reader = page.name.startswith("add-")
        assert made_by_the_reader or any(place.exists() for place in places), name


def test_every_page_is_in_the_navigation():
    navigation = (ROOT / "mkdocs.yml").read_text()
    for page in PAGES:
        assert str(page.relative_to(DOCS)) in navigation, page


def test_every_module_of_the_reference_exists():
    from importlib import import_module

    for name in re.findall(r"^::: (\S+)", (DOCS / "api.md").read_text(), re.MULTILINE):
        try:
            import_module(name)
        except ModuleNotFoundError:
            module, _, attribute = name.rpartition(".")
            assert hasattr(import_module(module), attribute), name


def test_the_readme_names_the_two_commands_that_do_the_set_up():
    text = (ROOT / "README.md").read_text()
    assert re.search(r"^make demo\b", text, re.MULTILINE)
    assert re.search(r"^make test\b", text, re.MULTILINE)


def test_the_citation_is_of_this_version():
    from personae import __version__

    assert f"\nversion: {__version__}\n" in (ROOT / "CITATION.cff").read_text()


def test_help_lists_every_command():
    text = (ROOT / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: (.*?[^\\])$", text, re.MULTILINE | re.DOTALL)
    assert phony
    commands = set(phony[1].replace("\\\n", " ").split())
    shown = subprocess.run(["make", "-s", "help"], cwd=ROOT, capture_output=True, text=True)
    assert {line.split()[0] for line in shown.stdout.splitlines()} == commands


@pytest.mark.slow
def test_the_site_builds_without_a_warning_and_loads_nothing_from_elsewhere(tmp_path):
    subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        check=True,
    )
    pages = list(tmp_path.rglob("*.html"))
    assert len(pages) > len(PAGES)
    loaded = re.compile(r"<(?:script|img|iframe|link rel=\"(?:stylesheet|icon)\")[^>]*https?://")
    for page in pages:
        assert not loaded.search(page.read_text()), page


@pytest.mark.slow
def test_the_ablation_table_is_that_of_the_published_figures():
    script, figures = ROOT / "benchmarks" / "ablation.py", "benchmarks/results/ablation.csv"
    shown = subprocess.run(
        [sys.executable, str(script), "--show", figures],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    table = "\n".join(line for line in shown.stdout.splitlines() if line.startswith("|"))
    assert table
    assert table in (DOCS / "method.md").read_text()
