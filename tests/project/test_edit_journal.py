"""`edits.jsonl` loses nothing: not to a kill, not to a full disk, not to two writers."""

from __future__ import annotations

import errno
import json
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personae.core.errors import OutputError, ProjectError
from personae.project.edits import Edit, TrackGroup, TrackMark
from personae.project.edits.journal import EDITS, Journal


def make_edit(number, kind="merge", name=None, **fields):
    mark = TrackMark(track=3, start_s=1.0, end_s=2.5, boxes=((1.2, 10.0, 20.0, 30.0, 40.0),))
    group = TrackGroup(role="person", label="P01", tracks=(mark,))
    return Edit(
        id=number, time="2026-01-02T03:04:05+00:00", software="0.1.0", kind=kind, groups=(group,),
        name=name, **fields,
    )  # fmt: skip


def append(folder, **fields):
    with Journal(folder).writing() as writer:
        edit = make_edit(writer.next_id, **fields)
        writer.append(edit)
    return edit


def test_edits_come_back_as_they_were_entered(tmp_path):
    assert Journal(tmp_path).read().edits == ()
    entered = [append(tmp_path, kind="name", name=name) for name in ("Ann", 'Zoë "Z"\n☃')]
    assert Journal(tmp_path).read().edits == tuple(entered)
    assert [edit.id for edit in entered] == [1, 2]
    assert (tmp_path / EDITS).read_bytes().count(b"\n") == 2


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_kill_at_any_byte_loses_no_earlier_edit_and_blocks_no_later_one(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("j")
    path = folder / EDITS
    expected: list[Edit] = []
    for _ in range(data.draw(st.integers(1, 4))):
        before = path.read_bytes() if path.exists() else b""
        edit = append(folder, kind="name", name=data.draw(st.sampled_from(["Ann", "Zoë", "☃"])))
        whole = path.read_bytes()
        assert whole.startswith(before)
        if data.draw(st.booleans()):
            cut = data.draw(st.integers(len(before), len(whole)))
            path.write_bytes(whole[:cut])
            if cut >= len(whole) - 1:  # but for its line end the edit is there
                expected.append(edit)
        else:
            expected.append(edit)
        assert list(Journal(folder).read().edits) == expected


def test_a_half_written_line_is_set_aside_and_kept(tmp_path):
    first = append(tmp_path)
    path = tmp_path / EDITS
    with path.open("ab") as stream:
        stream.write(b'{"id":2,"time":"2026')
    content = Journal(tmp_path).read()
    assert content.edits == (first,)
    assert [line[:2] for line in content.unreadable] == [(2, '{"id":2,"time":"2026')]
    second = append(tmp_path)
    content = Journal(tmp_path).read()
    assert content.edits == (first, second)
    assert [line.line for line in content.unreadable] == [2]
    assert b'\n{"id":2,"time":"2026\n' in path.read_bytes()


@pytest.mark.parametrize(
    "line",
    [b"\xff\xfe\x00", b"null", b"[1]", b'{"id": 7}', b'{"id": "x"}', b"{}", b'"' + b"x" * 500],
)
def test_lines_that_are_no_edits_are_set_aside(tmp_path, line):
    (tmp_path / EDITS).write_bytes(line + b"\n\n")
    [found] = Journal(tmp_path).read().unreadable
    assert len(found.text) <= 80
    append(tmp_path)
    assert len(Journal(tmp_path).read().edits) == 1


def test_numbers_go_on_after_edits_of_a_newer_version(tmp_path):
    append(tmp_path)
    newer = {**json.loads(make_edit(2).model_dump_json()), "kind": "transmogrify"}
    with (tmp_path / EDITS).open("a") as stream:
        stream.write(json.dumps(newer) + "\n")
    assert append(tmp_path).id == 3
    assert [edit.id for edit in Journal(tmp_path).read().edits] == [1, 3]


def test_an_edit_with_a_number_that_was_given_before_is_set_aside(tmp_path):
    append(tmp_path)
    path = tmp_path / EDITS
    path.write_bytes(path.read_bytes() * 2)
    content = Journal(tmp_path).read()
    assert [edit.id for edit in content.edits] == [1]
    assert [line.line for line in content.unreadable] == [2]


@pytest.mark.parametrize("failing", ["write", "fsync"])
def test_a_full_disk_leaves_the_file_as_it_was(tmp_path, monkeypatch, failing):
    append(tmp_path)
    path = tmp_path / EDITS
    before = path.read_bytes()
    real = os.write

    def fail(descriptor, *data):
        if data:
            real(descriptor, data[0][:5])
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, failing, fail)
        with pytest.raises(OutputError, match="no space left"):
            append(tmp_path)
    assert path.read_bytes() == before
    assert append(tmp_path).id == 2


def test_a_file_that_cannot_be_read_or_written_is_named(tmp_path):
    (tmp_path / EDITS).mkdir()
    with pytest.raises(ProjectError, match=r"edits\.jsonl cannot be read"):
        Journal(tmp_path).read()
    with pytest.raises(OutputError, match=r"edits\.jsonl cannot be written"):
        append(tmp_path)


def test_a_file_that_is_replaced_while_its_lock_is_waited_for_is_opened_anew(tmp_path, monkeypatch):
    append(tmp_path)
    path = tmp_path / EDITS
    opened = []
    real = os.open

    def open_then_replace(*given):
        descriptor = real(*given)
        if not opened and given[0] == path:
            restored = tmp_path / "restored"
            restored.write_bytes(path.read_bytes())
            restored.replace(path)
        opened.append(given[0])
        return descriptor

    monkeypatch.setattr(os, "open", open_then_replace)
    append(tmp_path)
    monkeypatch.undo()
    assert opened.count(path) == 2
    assert [edit.id for edit in Journal(tmp_path).read().edits] == [1, 2]
