"""From the tables of a project to a `TrackSet`."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from helpers.fake_stages import FAKE_STAGES
from personae.core.colour_histogram import CLOTHES_BYTES
from personae.core.crops import THUMBNAIL_SHAPE
from personae.pipeline.runner import run
from personae.project.track_set import build_track_set


@pytest.fixture
def project(fake_video):
    """The finished folder of a film, made by fakes."""
    return run(fake_video, stages=FAKE_STAGES)


def test_the_track_set_numbers_only_tracks_with_crops(project):
    tracks = project.track_set()
    assert tracks.n_tracks == 5
    assert tracks.track_ids.tolist() == [0, 1, 2, 3, 4]
    assert tracks.cannot_link.tolist() == [[0, 1]]  # the other is with a track without crops
    assert tracks.cannot_link_frames.tolist() == [5]
    assert tracks.embeddings.shape == (15, 3)
    images = tracks.crops.images
    assert images[0].shape == (160, 160, 3)
    red, blue = images[4], images[-1]
    assert red[..., 0].mean() > 150 > 50 > red[..., 2].mean()  # RGB
    assert blue[..., 2].mean() > 150
    assert len(images[2:7]) == 5
    np.testing.assert_array_equal(images[2:7][1], images[3])
    with pytest.raises(IndexError):
        images[15]


def test_crops_have_the_box_time_and_thumbnail_of_their_faces(project):
    tracks, faces = project.track_set(), project.table("faces").to_pylist()
    face_of_crop = {face["crop"]: face for face in faces if face["crop"] >= 0}
    assert len(face_of_crop) == tracks.n_crops
    crops = project.table("crops", "crop", "time_s").to_pylist()
    for box, time, crop in zip(tracks.crops.boxes, tracks.crops.times_s, crops, strict=True):
        np.testing.assert_allclose(box, [face_of_crop[crop["crop"]][name] for name in "xywh"])
        assert time == pytest.approx(crop["time_s"], abs=1e-4)
    assert tracks.crops.thumbnails.shape == (15, *THUMBNAIL_SHAPE)
    assert tracks.crops.thumbnails[:, 3, 5, 1].tolist() == list(range(15))
    without = project.track_set(with_frames=False).crops
    assert without.boxes is without.thumbnails is without.clothes is None


def test_crops_have_clothes_or_zeros(project):
    tracks = project.track_set()
    clothes = tracks.crops.clothes
    assert (clothes.dtype, clothes.shape) == (np.float32, (15, CLOTHES_BYTES))
    assert clothes.sum(axis=1).tolist() == [0, 1, 1] * 5
    assert clothes[1::3].argmax(axis=1).tolist() == [100, 101, 102, 103, 104]
    part = tracks.subset(np.array([2])).crops.clothes
    np.testing.assert_array_equal(part, clothes[6:9])


def test_embeddings_are_there_once_the_encode_stage_has_finished(project):
    assert project.track_set(with_embeddings=False).embeddings is None
    project.drop_records(["encode"])
    assert project.track_set().embeddings is None


def empty_film_tables():
    return (
        pa.table({"track": pa.array([], pa.int32()), "status": [], "quality": []}),
        pa.table({"track": pa.array([], pa.int32()), "width": [], "sharpness": [], "time_s": []}),
        pa.table({"track_a": [], "track_b": [], "frames": []}),
    )


def test_a_film_without_tracks_has_an_empty_set():
    found = build_track_set(*empty_film_tables(), images=[])
    assert (found.n_tracks, found.n_crops) == (0, 0)
    assert found.track_ids.shape == found.cannot_link_frames.shape == found.quality.shape == (0,)
    assert found.cannot_link.shape == (0, 2)


@pytest.mark.parametrize("empty", [False, True])
def test_arrays_have_the_documented_types_whatever_the_tables_hold(empty):
    """Tables made by hand hold 64-bit numbers."""
    tracks = pa.table({"track": [3, 7], "status": ["kept", "short"], "quality": [0.3, 0.7]})
    crops = pa.table(
        {"track": [3, 7, 7], "width": [1.0, 2.0, 3.0], "sharpness": [4.0, 5.0, 6.0]}
    ).append_column("time_s", pa.array([7.0, 8.0, 9.0]))
    pairs = pa.table({"track_a": [3], "track_b": [7], "frames": [2]})
    found = build_track_set(*(empty_film_tables() if empty else (tracks, crops, pairs)))
    of_tracks = (found.track_of, found.track_ids, found.cannot_link, found.cannot_link_frames)
    assert [array.dtype for array in of_tracks] == [np.int32] * 4
    measured = (found.quality, found.crops.widths, found.crops.sharpness, found.crops.times_s)
    assert [array.dtype for array in measured] == [np.float32] * 4
    assert found.attach_only.dtype == np.bool_
    if not empty:
        assert found.attach_only.tolist() == [False, True]
        assert [array.tolist() for array in measured[1:]] == [[1, 2, 3], [4, 5, 6], [7, 8, 9]]


def test_numbers_of_the_tables_follow_a_subset(project):
    assert project.track_set().subset(np.array([3, 1])).track_ids.tolist() == [3, 1]


def test_numbers_of_the_tables_are_kept_where_tracks_in_between_have_no_crops(project):
    crops = project.table("crops")
    keep = [track in (1, 4) for track in crops["track"].to_pylist()]
    tracks = build_track_set(
        project.table("tracks"), crops.filter(keep), project.table("cannot_links")
    )
    assert tracks.track_ids.tolist() == [1, 4]
    assert tracks.track_of.tolist() == [0, 0, 0, 1, 1, 1]
    assert tracks.cannot_link.shape == (0, 2)
    assert tracks.attach_only.tolist() == [False, False]
    assert tracks.crops.images is tracks.embeddings is None


def test_boxes_and_qualities_follow_the_numbers_not_the_order_of_rows():
    numbers, positions = [7, 3, 5], [30.0, 10.0, 20.0]
    tracks = pa.table({"track": numbers, "status": ["kept"] * 3, "quality": [0.7, 0.3, 0.5]})
    zeros = [0.0, 0.0]
    crops = pa.table({"track": [3, 7], "width": zeros, "sharpness": zeros, "time_s": zeros})
    faces = pa.table({"crop": [1, -1, 0], **dict.fromkeys("xywh", positions)})
    pairs = pa.table({"track_a": [3, 3], "track_b": [5, 7], "frames": [1, 2]})
    found = build_track_set(tracks, crops, pairs, faces=faces)
    assert found.track_ids.tolist() == [3, 7]
    np.testing.assert_allclose(found.quality, [0.3, 0.7])
    assert found.crops.boxes[:, 0].tolist() == [20.0, 30.0]
    assert found.cannot_link.tolist() == [[0, 1]]
    assert found.cannot_link_frames.tolist() == [2]
