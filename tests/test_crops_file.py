import math
from collections import deque

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from personae.core.crops import THUMBNAIL_SHAPE
from personae.core.errors import OutputError
from personae.core.schema import CROPS
from personae.project.crop_store import GROUP, GROUPS_KEPT, CropsWriter, StoredCrops


def crop(number):
    """A row whose picture is of one grey, which says its number."""
    import cv2

    grey = np.full((160, 160, 3), number % 256, dtype=np.uint8)
    jpeg = cv2.imencode(".jpg", grey)[1].tobytes()
    about = dict.fromkeys(("time_s", "width", "sharpness", "score", "frontality"), float(number))
    pixels = {"image": jpeg, "picture": bytes([number % 256]) * math.prod(THUMBNAIL_SHAPE)}
    return {"crop": number, "track": number // 5, "frame": number, **pixels, **about}


def rows(first, end):
    return pa.Table.from_pylist([crop(n) for n in range(first, end)], schema=CROPS)


def greys(crops):
    return [round(float(picture.mean())) for picture in crops]


def test_crops_that_came_in_parts_lie_in_one_file_in_groups(tmp_path):
    path, total = tmp_path / "crops.parquet", 2 * GROUP + 40
    with CropsWriter(path) as writer:
        for first in range(0, total, 70):
            writer.add(rows(first, min(first + 70, total)))
    assert writer.rows == total
    whole = pq.ParquetFile(path)
    assert whole.schema_arrow.equals(CROPS)
    assert whole.read(use_threads=False).equals(rows(0, total))
    sizes = [whole.metadata.row_group(i).num_rows for i in range(whole.num_row_groups)]
    assert max(sizes) <= GROUP


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
    with pytest.raises(IndexError):
        crops[total]


def test_reading_every_crop_keeps_few_groups_in_memory(tmp_path):
    groups = GROUPS_KEPT + 4
    with CropsWriter(tmp_path / "crops.parquet") as writer:
        for group in range(groups):
            writer.add(rows(group * GROUP, (group + 1) * GROUP))
    before = pa.total_allocated_bytes()
    crops = StoredCrops(tmp_path / "crops.parquet")
    group_bytes = rows(0, GROUP).nbytes
    for row in range(0, len(crops), GROUP):
        crops[row]
    assert pa.total_allocated_bytes() - before < (GROUPS_KEPT + 3) * group_bytes


def test_a_film_without_crops_has_an_empty_file(tmp_path):
    with CropsWriter(tmp_path / "crops.parquet"):
        pass
    assert len(StoredCrops(tmp_path / "crops.parquet")) == 0


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(OutputError, match=r"crops\.parquet cannot be written"):
        CropsWriter(tmp_path / "nowhere" / "crops.parquet")


def test_what_went_wrong_while_crops_came_is_not_blamed_on_their_file(tmp_path):
    def film():
        yield rows(0, 3)
        raise OSError("the film was unplugged")

    writer = CropsWriter(tmp_path / "crops.parquet")
    with pytest.raises(OSError, match="unplugged"), writer:
        deque(map(writer.add, film()))
