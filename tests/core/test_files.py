"""Atomic writes, hashes, and write errors in one sentence."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path

import pytest

from personae.core import files
from personae.core.digest import file_sha256, json_digest, stage_digest
from personae.core.errors import OutputError
from personae.core.files import (
    FileMark,
    FileTransaction,
    atomic_write,
    remove_temporary_files,
    reraise_write_errors,
    temporary_path,
)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_an_atomic_write_replaces_the_file_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "table"
    path.write_bytes(b"old")
    with atomic_write(path) as stream:
        stream.write(b"new")
        assert path.read_bytes() == b"old"
        assert names(tmp_path) == [".table.part", "table"]
    assert path.read_bytes() == b"new"
    assert names(tmp_path) == ["table"]


def test_a_failed_atomic_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "table"
    path.write_bytes(b"old")

    def fail() -> None:
        with atomic_write(path) as stream:
            stream.write(b"half")
            raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        fail()
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["table"]


def test_content_reaches_the_disk_before_the_name_and_the_name_before_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the first fsync a power cut leaves an empty file, without the second the old one."""
    calls: list[str] = []
    fsync, replace = os.fsync, os.replace

    def logged_fsync(descriptor: int) -> None:
        calls.append("fsync folder" if os.path.isdir(f"/proc/self/fd/{descriptor}") else "fsync")
        fsync(descriptor)

    def logged_replace(source: Path, target: Path) -> None:
        calls.append("replace")
        replace(source, target)

    monkeypatch.setattr(os, "fsync", logged_fsync)
    monkeypatch.setattr(os, "replace", logged_replace)
    with atomic_write(tmp_path / "table") as stream:
        stream.write(b"x")
    assert calls == ["fsync", "replace", "fsync folder"]

    calls.clear()
    transaction = FileTransaction(tmp_path)
    with transaction.file("one") as stream:
        stream.write(b"1")
    with transaction.subfolder("folder") as folder:
        (folder / "two").write_bytes(b"2")
        (folder / "three").write_bytes(b"3")
    transaction.commit()
    assert calls == ["fsync", "fsync", "fsync", "replace", "replace", "fsync folder"]


def test_a_transaction_puts_all_files_in_place_together(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "stale").write_bytes(b"old")
    (tmp_path / "report").write_bytes(b"written before")
    transaction = FileTransaction(tmp_path)
    with transaction.file("one") as stream:
        stream.write(b"1")
    transaction.path("two").write_bytes(b"22")
    with transaction.subfolder("folder") as folder:
        (folder / "three").write_bytes(b"333")
    transaction.add_written(tmp_path / "report")
    assert not (tmp_path / "one").exists()
    marks = transaction.commit()
    assert {name: mark.size for name, mark in marks.items()} == {
        "one": 1,
        "two": 2,
        "folder/three": 3,
        "report": 14,
    }
    assert marks["one"].sha256 == hashlib.sha256(b"1").hexdigest()
    assert names(tmp_path) == ["folder", "one", "report", "two"]
    assert names(tmp_path / "folder") == ["three"]


def test_files_of_a_subfolder_have_the_usual_permissions(tmp_path: Path) -> None:
    transaction = FileTransaction(tmp_path)
    with transaction.subfolder("folder") as folder:
        (folder / "nested").mkdir()
        for name in ("private", "nested/private"):
            (folder / name).touch(mode=0o600)  # as safetensors makes its files
    transaction.commit()
    (tmp_path / "usual").touch()
    usual = (tmp_path / "usual").stat().st_mode
    for name in ("private", "nested/private"):
        assert (tmp_path / "folder" / name).stat().st_mode == usual


def test_a_rollback_removes_what_is_not_in_place(tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(b"old")
    transaction = FileTransaction(tmp_path)
    with transaction.file("one") as stream:
        stream.write(b"new")
    with transaction.subfolder("folder") as folder:
        (folder / "two").write_bytes(b"2")
    transaction.add_written(tmp_path / "one")
    transaction.rollback()
    assert (tmp_path / "one").read_bytes() == b"old"
    assert "folder" not in names(tmp_path)
    assert ".folder.part" not in names(tmp_path)


def test_leftovers_of_a_killed_run_are_removed(tmp_path: Path) -> None:
    temporary_path(tmp_path / "table").write_bytes(b"half")
    temporary_path(tmp_path / "folder").mkdir()
    (temporary_path(tmp_path / "folder") / "file").write_bytes(b"half")
    (tmp_path / "table").write_bytes(b"whole")
    remove_temporary_files(tmp_path)
    assert names(tmp_path) == ["table"]


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (OSError(errno.ENOSPC, "full"), "no space left"),
        (OSError(errno.EDQUOT, "quota"), "no space left"),
        (Exception("I/O error: os error 28"), "no space left"),
        (RuntimeError("PytorchStreamWriter failed writing"), "no space left"),
        (PermissionError(errno.EACCES, "no"), "no permission"),
        (OSError(errno.EROFS, "read-only"), "no permission"),
        (OSError(errno.EIO, "Input/output error"), "Input/output error"),
        (Exception("os error 5"), "os error 5"),
    ],
)
def test_write_errors_become_one_sentence(error: Exception, sentence: str, tmp_path: Path) -> None:
    with (
        pytest.raises(OutputError, match=sentence) as caught,
        reraise_write_errors(tmp_path / "table"),
    ):
        raise error
    assert str(tmp_path / "table") in str(caught.value)


def test_other_errors_are_left_alone(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="a bug"), reraise_write_errors(tmp_path):
        raise ValueError("a bug")


def test_a_mark_is_size_and_hash(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"content")
    digest = hashlib.sha256(b"content").hexdigest()
    assert file_sha256(path) == digest
    assert FileMark.of(path) == FileMark(size=7, sha256=digest)


def test_json_digests_ignore_the_order_of_keys_and_refuse_what_has_no_text() -> None:
    assert json_digest({"a": 1, "b": [2, None]}) == json_digest({"b": [2, None], "a": 1})
    assert json_digest({"a": 1}) == hashlib.sha256(b'{"a":1}').hexdigest()
    assert json_digest({"a": 1}) != json_digest({"a": 1.5})
    with pytest.raises(ValueError, match="JSON compliant"):
        json_digest({"a": float("nan")})


def test_stage_digests_depend_on_everything_a_stage_reads() -> None:
    base: dict[str, object] = {
        "stage": "scan",
        "version": 1,
        "content_hash": "film",
        "parameters": {"stride": 2},
        "weights": {"net": "aa"},
        "reads": {"other": "bb"},
    }
    digests = {stage_digest(**base)}  # type: ignore[arg-type]
    for name, value in {
        "stage": "encode",
        "version": 2,
        "content_hash": "another",
        "parameters": {"stride": 3},
        "weights": {"net": "ab"},
        "reads": {"other": "bc"},
    }.items():
        digests.add(stage_digest(**{**base, name: value}))  # type: ignore[arg-type]
    assert len(digests) == 7


def test_temporary_names_are_hidden_and_share_one_ending() -> None:
    path = temporary_path(Path("folder/table.parquet"))
    assert path == Path("folder/.table.parquet.part")
    assert path.name.endswith(files.TEMPORARY_SUFFIX)
