"""Films and project folders at URLs."""

from __future__ import annotations

import fsspec
import pytest

from personae.catalogue.folder_mirror import FolderMirror
from personae.catalogue.storage import (
    exists,
    local_path,
    normal_path,
    open_file,
    open_storage,
    remove_tree,
    reraise_storage_errors,
    write_file,
)
from personae.core.errors import CatalogueError
from personae.project.folder import MANIFEST


@pytest.fixture(params=["plain", "file", "memory"])
def folder(request, tmp_path):
    where = {"plain": "", "file": "file://", "memory": "memory://"}
    return f"{where[request.param]}{tmp_path}/some"


def test_what_is_written_is_read_and_removed(folder):
    assert not exists(f"{folder}/a/b.bin")
    write_file(f"{folder}/a/b.bin", b"0123")
    with open_file(f"{folder}/a/b.bin") as stream:
        stream.seek(2)
        assert stream.read() == b"23"
    remove_tree(folder)
    assert not exists(f"{folder}/a/b.bin")
    remove_tree(folder)
    with pytest.raises(FileNotFoundError), open_file(f"{folder}/a/b.bin"):
        pass


def test_paths_of_this_machine_are_told_from_others(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert normal_path("films") == f"{tmp_path}/films"
    assert normal_path(f"file://{tmp_path}/films") == f"{tmp_path}/films"
    assert normal_path("s3://bucket/films/") == "s3://bucket/films"
    assert local_path("memory://films") is None


def test_storages_that_nobody_knows_are_refused_in_a_sentence():
    with pytest.raises(CatalogueError, match="nowhere://x is no path that can be opened"):
        open_storage("nowhere://x")


def test_storages_whose_package_is_missing_name_it():
    with pytest.raises(CatalogueError, match="needs a package that is not installed"):
        open_storage("dropbox://films/a.mp4")


def test_a_folder_is_there_and_back(fake_video, stage_calls, tmp_path):
    from helpers.fake_stages import FAKE_STAGES
    from personae.pipeline.runner import run

    copy, url = tmp_path / "copy.personae", f"memory://{tmp_path}/film.personae"
    mirror = FolderMirror(url, copy)
    mirror.download()  # nothing is there yet
    made = run(fake_video, copy, stages=FAKE_STAGES)
    mirror.upload()
    again = tmp_path / "again.personae"
    FolderMirror(url, again).download()
    stage_calls.clear()
    assert run(fake_video, again, stages=FAKE_STAGES).cast() is not None
    assert not stage_calls, "every stage was finished"
    assert {path.name for path in again.rglob("*")} == {
        path.name for path in made.folder.rglob("*")
    }


def test_the_manifest_is_sent_last_and_unchanged_files_are_not_sent_again(
    fake_video, tmp_path, monkeypatch
):
    from fsspec.implementations.memory import MemoryFileSystem

    from helpers.fake_stages import FAKE_STAGES
    from personae.pipeline.runner import run

    sent = []
    put_file = MemoryFileSystem.put_file

    def record(self, source, target, **options):
        sent.append(target.rpartition("/")[2])
        put_file(self, source, target, **options)

    monkeypatch.setattr(MemoryFileSystem, "put_file", record)
    copy = tmp_path / "copy.personae"
    mirror = FolderMirror(f"memory://{tmp_path}/film.personae", copy)
    run(fake_video, copy, stages=FAKE_STAGES[:2])
    mirror.upload()
    assert "embeddings.safetensors" in sent
    assert sent[-1] == MANIFEST
    sent.clear()
    run(fake_video, copy, stages=FAKE_STAGES)
    mirror.upload()
    assert "report.html" in sent
    assert "embeddings.safetensors" not in sent
    assert sent[-1] == MANIFEST


class LibraryError(Exception):
    """What a storage's own library raises."""


@pytest.mark.parametrize("error", [OSError("the line is dead"), LibraryError("the line is dead")])
def test_a_storage_that_refuses_is_named(error):
    class Broken(fsspec.AbstractFileSystem):
        protocol = "broken"
        cachable = False

        def exists(self, path, **options):
            raise error

    fsspec.register_implementation("broken", Broken, clobber=True)
    with pytest.raises(CatalogueError, match=r"broken://x cannot be reached \(the line is dead\)"):
        exists("broken://x")


def test_mistakes_of_this_program_keep_their_kind():
    with pytest.raises(ZeroDivisionError), reraise_storage_errors("memory://x"):
        raise ZeroDivisionError
