"""`crops.parquet`: written as crops come, read a group of rows at a time."""

from __future__ import annotations

import gc
import math
import os
import sys
from collections import deque
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from personae.core.crops import THUMBNAIL_SHAPE
from personae.core.errors import OutputError
from personae.core.schema import CROPS
from personae.project.crop_store import MAX_CACHED_GROUPS, ROWS_PER_GROUP, CropsWriter, StoredCrops


def crop(number):
    """A row whose image is of one grey, which says its number."""
    import cv2

    grey = np.full((160, 160, 3), number % 256, dtype=np.uint8)
    jpeg = cv2.imencode(".jpg", grey)[1].tobytes()
    about = dict.fromkeys(("time_s", "width", "sharpness", "score", "frontality"), float(number))
    pixels = {"image": jpeg, "thumbnail": bytes([number % 256]) * math.prod(THUMBNAIL_SHAPE)}
    return {"crop": number, "track": number // 5, "frame": number, **pixels, **about}


def rows(first, end):
    return pa.Table.from_pylist([crop(n) for n in range(first, end)], schema=CROPS)


def greys(crops):
    return [round(float(image.mean())) for image in crops]


def test_crops_that_came_in_parts_lie_in_one_file_in_groups(tmp_path):
    path, total = tmp_path / "crops.parquet", 2 * ROWS_PER_GROUP + 40
    with CropsWriter(path) as writer:
        for first in range(0, total, 70):
            writer.add(rows(first, min(first + 70, total)))
    assert writer.rows == total
    whole = pq.ParquetFile(path)
    assert whole.schema_arrow.equals(CROPS)
    assert whole.read(use_threads=False).equals(rows(0, total))
    sizes = [whole.metadata.row_group(i).num_rows for i in range(whole.num_row_groups)]
    assert max(sizes) <= ROWS_PER_GROUP


def test_any_crop_is_found_in_any_order(tmp_path):
    total = 300
    with CropsWriter(tmp_path / "crops.parquet") as writer:
        for first in range(0, total, 30):
            writer.add(rows(first, first + 30))
    crops = StoredCrops(tmp_path / "crops.parquet")
    assert len(crops) == total
    order = np.random.default_rng(0).permutation(total)
    assert greys(crops[int(i)] for i in order) == [i % 256 for i in order]
    assert greys(crops[-3:]) == [(total - k) % 256 for k in (3, 2, 1)]
    assert greys([crops[-total], crops[-1]]) == [0, (total - 1) % 256]
    for outside in (total, -total - 1):
        with pytest.raises(IndexError):
            crops[outside]


def test_reading_every_crop_keeps_few_groups_in_memory(tmp_path):
    groups = MAX_CACHED_GROUPS + 4
    with CropsWriter(tmp_path / "crops.parquet") as writer:
        for group in range(groups):
            writer.add(rows(group * ROWS_PER_GROUP, (group + 1) * ROWS_PER_GROUP))
    before = pa.total_allocated_bytes()
    crops = StoredCrops(tmp_path / "crops.parquet")
    group_bytes = rows(0, ROWS_PER_GROUP).nbytes
    for row in range(0, len(crops), ROWS_PER_GROUP):
        crops[row]
    assert pa.total_allocated_bytes() - before < (MAX_CACHED_GROUPS + 3) * group_bytes


def test_the_last_groups_stay_in_memory_and_no_more(tmp_path, monkeypatch):
    groups, read = MAX_CACHED_GROUPS + 1, []
    with CropsWriter(tmp_path / "crops.parquet") as writer:
        for group in range(groups):
            writer.add(rows(group * ROWS_PER_GROUP, (group + 1) * ROWS_PER_GROUP))
    real = pq.ParquetFile.read_row_group

    def read_row_group(file, group, **named):
        read.append(group)
        return real(file, group, **named)

    monkeypatch.setattr(pq.ParquetFile, "read_row_group", read_row_group)
    crops = StoredCrops(tmp_path / "crops.parquet")
    for group in (*range(groups), *range(1, groups), 0):
        crops[group * ROWS_PER_GROUP]
    assert read == [*range(groups), 0]


def test_only_the_jpegs_are_read_and_by_the_calling_thread(tmp_path, monkeypatch):
    with CropsWriter(tmp_path / "crops.parquet") as writer:
        writer.add(rows(0, 3))
    asked = []
    real = pq.ParquetFile.read_row_group

    def read_row_group(file, group, **named):
        asked.append(named)
        return real(file, group, **named)

    monkeypatch.setattr(pq.ParquetFile, "read_row_group", read_row_group)
    StoredCrops(tmp_path / "crops.parquet")[1]
    assert asked == [{"columns": ["image"], "use_threads": False}]


def test_a_crop_is_a_square_of_8_bit_rgb(tmp_path):
    import cv2

    red_then_blue = np.zeros((160, 160, 3), np.uint8)
    red_then_blue[:, :80, 0] = red_then_blue[:, 80:, 2] = 200
    jpeg = cv2.imencode(".jpg", red_then_blue[..., ::-1])[1].tobytes()
    with CropsWriter(tmp_path / "crops.parquet") as writer:
        writer.add(pa.Table.from_pylist([{**crop(0), "image": jpeg}], schema=CROPS))
    image = StoredCrops(tmp_path / "crops.parquet")[0]
    assert (image.shape, image.dtype) == ((160, 160, 3), np.uint8)
    np.testing.assert_allclose(image[80, [20, 140]], [[200, 0, 0], [0, 0, 200]], atol=8)


def test_a_slice_of_crops_follows_its_step(tmp_path):
    with CropsWriter(tmp_path / "crops.parquet") as writer:
        writer.add(rows(0, 9))
    crops = StoredCrops(tmp_path / "crops.parquet")
    assert greys(crops[1:8:3]) == [1, 4, 7]
    assert greys(crops[::-4]) == [8, 4, 0]
    assert crops[9:] == []


def test_the_cache_holds_some_ten_megabytes():
    assert 8e6 < MAX_CACHED_GROUPS * ROWS_PER_GROUP * 10_000 < 12e6  # a JPEG has some 10 kB


def test_a_group_is_written_as_soon_as_it_is_full(tmp_path, monkeypatch):
    written = []
    monkeypatch.setattr(pq.ParquetWriter, "write_table", lambda _, t: written.append(len(t)))
    with CropsWriter(tmp_path / "crops.parquet") as writer:
        writer.add(rows(0, ROWS_PER_GROUP - 1))
        assert written == []
        writer.add(rows(ROWS_PER_GROUP - 1, ROWS_PER_GROUP))
        assert written == [ROWS_PER_GROUP]


@pytest.mark.parametrize("at_a_time", [1, 7, ROWS_PER_GROUP, 3 * ROWS_PER_GROUP])
def test_equal_crops_make_equal_files_however_they_come(tmp_path, at_a_time):
    count, files = 2 * ROWS_PER_GROUP + 5, []
    for step in (count, at_a_time):
        with CropsWriter(tmp_path / "crops.parquet") as writer:
            for first in range(0, count, step):
                writer.add(rows(first, min(first + step, count)))
            assert writer.rows == count
        files.append((tmp_path / "crops.parquet").read_bytes())
    assert files[0] == files[1]


def test_the_file_is_synced_when_it_is_complete(tmp_path, monkeypatch):
    path, synced = tmp_path / "crops.parquet", []

    def fsync(descriptor):
        state = os.fstat(descriptor)
        synced.append((descriptor, state.st_ino, state.st_size))

    monkeypatch.setattr(os, "fsync", fsync)
    with CropsWriter(path) as writer:
        writer.add(rows(0, 3))
        assert synced == []
    [(descriptor, *synced_file)] = synced
    assert synced_file == [path.stat().st_ino, path.stat().st_size]
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)  # closed
    assert len(StoredCrops(path)) == 3


def test_jpegs_are_neither_compressed_again_nor_put_in_a_dictionary(tmp_path):
    with CropsWriter(tmp_path / "crops.parquet") as writer:
        writer.add(rows(0, 3))
    group = pq.ParquetFile(tmp_path / "crops.parquet").metadata.row_group(0)
    columns = {group.column(i).path_in_schema: group.column(i) for i in range(group.num_columns)}
    assert columns["image"].compression == "UNCOMPRESSED"
    assert not columns["image"].has_dictionary_page
    assert {columns[name].compression for name in set(columns) - {"image"}} == {"ZSTD"}


def test_a_film_without_crops_has_an_empty_file(tmp_path):
    with CropsWriter(tmp_path / "crops.parquet"):
        pass
    assert len(StoredCrops(tmp_path / "crops.parquet")) == 0


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(OutputError, match=r"crops\.parquet cannot be written"):
        CropsWriter(tmp_path / "nowhere" / "crops.parquet")


@pytest.mark.parametrize("total", [3, ROWS_PER_GROUP + 3])
def test_a_full_disk_is_one_sentence_and_leaves_nothing_to_retry(total, monkeypatch):
    unraisable = []
    monkeypatch.setattr(sys, "unraisablehook", unraisable.append)

    def write():
        with CropsWriter(Path("/dev/full")) as writer:
            writer.add(rows(0, total))

    with pytest.raises(OutputError) as caught:
        write()
    assert str(caught.value).startswith("There is no space left to write /dev/full:")
    del caught
    gc.collect()  # where pyarrow would write once more
    assert unraisable == []


def test_what_went_wrong_while_crops_came_is_not_blamed_on_their_file(tmp_path):
    def film():
        yield rows(0, 3)
        raise OSError("the film was unplugged")

    writer = CropsWriter(tmp_path / "crops.parquet")
    with pytest.raises(OSError, match="unplugged"), writer:
        deque(map(writer.add, film()))
