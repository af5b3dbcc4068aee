"""One run at a time in a folder."""

from __future__ import annotations

import pytest

from personae.core.errors import OutputError, ProjectError
from personae.project.lock import locked


def test_a_second_lock_on_a_folder_is_refused_in_one_sentence(tmp_path):
    with locked(tmp_path):
        with pytest.raises(ProjectError) as caught, locked(tmp_path):
            pass
        expected = f"Another run is working in {tmp_path}: wait until it has finished."
        assert str(caught.value) == expected
        with pytest.raises(ProjectError), locked(tmp_path):  # a refusal frees nothing
            pass


def test_a_lock_ends_with_its_block_and_after_an_error_too(tmp_path):
    with pytest.raises(ZeroDivisionError), locked(tmp_path):
        raise ZeroDivisionError
    with locked(tmp_path):
        pass
    assert [(path.name, path.stat().st_size) for path in tmp_path.iterdir()] == [(".lock", 0)]


def test_folders_are_locked_independently(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()
    with locked(one), locked(other):
        pass


def test_a_lock_file_that_cannot_be_written_is_named(tmp_path):
    expected = r"nowhere/\.lock cannot be written"
    with pytest.raises(OutputError, match=expected), locked(tmp_path / "nowhere"):
        pass
