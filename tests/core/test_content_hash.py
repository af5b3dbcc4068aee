"""The quick hash by which a film is recognised."""

from __future__ import annotations

import hashlib

import pytest

from personae.core.content_hash import SAMPLE_BYTES, compute_content_hash
from personae.core.errors import FilmError


def test_a_small_file_is_read_whole(tmp_path):
    film = tmp_path / "a"
    film.write_bytes(b"x" * 3 * SAMPLE_BYTES)
    expected = hashlib.sha256(f"{3 * SAMPLE_BYTES}\n".encode() + b"x" * 3 * SAMPLE_BYTES)
    assert compute_content_hash(film) == expected.hexdigest()


def test_of_a_large_file_head_middle_and_tail_count(tmp_path):
    size = 4 * SAMPLE_BYTES
    content, film = bytearray(size), tmp_path / "a"
    film.write_bytes(content)
    plain = compute_content_hash(film)
    unread = (size - SAMPLE_BYTES) // 2 - 1
    for place in (0, SAMPLE_BYTES - 1, unread + 1, unread + SAMPLE_BYTES, size - SAMPLE_BYTES):
        changed = bytearray(content)
        changed[place] = 1
        film.write_bytes(changed)
        assert compute_content_hash(film) != plain, place
    content[unread] = 1
    film.write_bytes(content)
    assert compute_content_hash(film) == plain
    film.write_bytes(content[:-1])
    assert compute_content_hash(film) != plain


def test_samples_keep_their_size():
    assert SAMPLE_BYTES == 1 << 20  # with another, every known film would count as a new one


def test_a_folder_and_a_missing_file_are_refused(tmp_path):
    with pytest.raises(FilmError, match="folder"):
        compute_content_hash(tmp_path)
    with pytest.raises(FilmError, match="no file"):
        compute_content_hash(tmp_path / "a")
