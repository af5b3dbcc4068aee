"""docs/command.md names every verb, option and exit code that there is."""

from __future__ import annotations

import re

import pytest
import typer

from helpers.docs import first_cells, section
from helpers.paths import DOCS
from personae.cli.app import app

COMMAND = (DOCS / "command.md").read_text()
VERBS = typer.main.get_command(app).commands


@pytest.mark.parametrize("verb", list(VERBS))
def test_every_option_is_documented_and_no_other(verb):
    text = section(COMMAND, f"personae {verb}")
    commands = [VERBS[verb], *getattr(VERBS[verb], "commands", {}).values()]
    options = {
        name
        for command in commands
        for parameter in command.params
        for name in parameter.opts
        if name.startswith("-")
    } - {"--help"}
    documented = {
        word
        for cell in first_cells(text)
        for word in re.findall(r"(?<!\w)--?[a-z]+(?:-[a-z]+)*", cell)
    }
    assert documented == options


def test_no_verb_is_documented_that_does_not_exist():
    assert set(re.findall(r"^## `personae (\w+)", COMMAND, re.MULTILINE)) == set(VERBS)
    assert set(re.findall(r"^personae (\w+)", COMMAND, re.MULTILINE)) == set(VERBS)


def test_every_verb_of_edit_is_documented_and_no_other():
    documented = {cell.split()[0] for cell in first_cells(section(COMMAND, "personae edit"))}
    assert {word for word in documented if not word.startswith("-")} == set(VERBS["edit"].commands)


def test_every_exit_code_is_documented():
    assert re.findall(r"^\| (\d+) \|", COMMAND, re.MULTILINE) == ["0", "1", "2", "130"]
