"""`TrackSet`: the checks of its fields, and subsets in which every field follows its axis."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from personae.core.trackset import PAIRS, PER_CROP, PER_TRACK, Crops, TrackSet, per_pair


@dataclass(frozen=True)
class ExtendedCrops(Crops):
    yaw: npt.NDArray[np.float32] | None = field(default=None, metadata=PER_CROP)


@dataclass(frozen=True)
class ExtendedTracks(TrackSet):
    """A subclass with one more field of every kind."""

    track_ids: npt.NDArray[np.int32] | None = field(default=None, metadata=PER_TRACK)
    crop_ids: npt.NDArray[np.int64] | None = field(default=None, metadata=PER_CROP)
    suggested: npt.NDArray[np.int32] | None = field(default=None, metadata=PAIRS)
    votes: npt.NDArray[np.int32] | None = field(default=None, metadata=per_pair("suggested"))
    title: str = ""


class LazyImages:
    """A sequence that is no array, as the crops of a project are."""

    def __init__(self, n: int) -> None:
        self.n = n

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, i: int) -> npt.NDArray[np.uint8]:
        assert type(i) is int
        return np.full((112, 112, 3), i, np.uint8)


def extended_tracks(track_of: list[int], pairs: list[tuple[int, int]]) -> ExtendedTracks:
    """Tracks whose every entry tells which crop, track or pair it belongs to."""
    owner = np.array(track_of, np.int32)
    n, n_tracks = len(owner), owner.max() + 1
    crop, track = np.arange(n, dtype=np.float32), np.arange(n_tracks)
    linked = np.array(pairs, np.int32).reshape(-1, 2)
    code = (linked[:, 0] * 100 + linked[:, 1]).astype(np.int32)
    return ExtendedTracks(
        track_of=owner,
        embeddings=np.stack([crop, -crop], axis=1),
        crops=ExtendedCrops(
            images=LazyImages(n),
            widths=crop + 1,
            sharpness=crop + 2,
            boxes=np.repeat(crop[:, None], 4, axis=1),
            thumbnails=np.zeros((n, 2, 2, 3), np.uint8)
            + crop[:, None, None, None].astype(np.uint8),
            clothes=np.stack([crop, -crop], axis=1),
            times_s=crop / 10,
            yaw=crop * 2,
        ),
        cannot_link=linked,
        cannot_link_frames=code,
        must_link=linked[::-1],
        quality=track.astype(np.float32) / 100,
        attach_only=track % 2 == 1,
        track_ids=track.astype(np.int32) + 1000,
        crop_ids=np.arange(n) + 500,
        suggested=linked,
        votes=code,
        title="a film",
    )


@st.composite
def tracks_and_choice(draw: st.DrawFn) -> tuple[ExtendedTracks, list[int]]:
    n_tracks = draw(st.integers(1, 6))
    extra = draw(st.lists(st.integers(0, n_tracks - 1), max_size=8))
    track_of = draw(st.permutations([*range(n_tracks), *extra]))
    of_track = st.integers(0, n_tracks - 1)
    pairs = draw(st.lists(st.tuples(of_track, of_track), max_size=8))
    chosen = draw(st.lists(of_track, unique=True))
    return extended_tracks(track_of, pairs), chosen


@given(tracks_and_choice())
def test_every_field_of_a_subset_follows_its_axis(
    drawn: tuple[ExtendedTracks, list[int]],
) -> None:
    tracks, chosen = drawn
    part = tracks.subset(np.array(chosen, np.int64))
    rows = [row for track in chosen for row in np.flatnonzero(tracks.track_of == track)]
    new = {old: number for number, old in enumerate(chosen)}

    assert type(part) is ExtendedTracks
    assert type(part.crops) is ExtendedCrops
    assert part.title == "a film"
    assert part.track_of.tolist() == [new[tracks.track_of[row]] for row in rows]
    expected_of_axis: dict[str, Any] = {"crops": rows, "tracks": chosen}
    checked = set()
    for holder, whole in ((part, tracks), (part.crops, tracks.crops)):
        for one in fields(holder):
            axis = one.metadata.get("axis")
            if axis not in expected_of_axis or one.name == "track_of":
                continue
            value, source = getattr(holder, one.name), getattr(whole, one.name)
            picked = [source[int(i)] for i in expected_of_axis[axis]]
            assert len(value) == len(picked), one.name
            for found, expected in zip(value, picked, strict=True):
                np.testing.assert_array_equal(found, expected, err_msg=one.name)
            if isinstance(source, np.ndarray):
                assert value.dtype == source.dtype, one.name
            checked.add(one.name)
    assert {"images", "yaw", "thumbnails", "embeddings", "quality", "track_ids"} <= checked

    for pairs, entries in (
        ("cannot_link", "cannot_link_frames"),
        ("must_link", None),
        ("suggested", "votes"),
    ):
        inside = [i for i, (a, b) in enumerate(getattr(tracks, pairs)) if a in new and b in new]
        expected_pairs = [[new[int(t)] for t in getattr(tracks, pairs)[i]] for i in inside]
        assert getattr(part, pairs).tolist() == expected_pairs
        assert getattr(part, pairs).shape == (len(inside), 2)
        assert getattr(part, pairs).dtype == np.int32
        if entries:
            assert getattr(part, entries).tolist() == getattr(tracks, entries)[inside].tolist()


@given(tracks_and_choice())
def test_a_mask_is_the_subset_of_its_tracks_in_ascending_order(
    drawn: tuple[ExtendedTracks, list[int]],
) -> None:
    tracks, chosen = drawn
    mask = np.isin(np.arange(tracks.n_tracks), chosen)
    by_mask, by_number = tracks.subset(mask), tracks.subset(np.array(sorted(chosen), np.int64))
    for one in fields(by_mask):
        if one.name != "crops":
            np.testing.assert_array_equal(
                getattr(by_mask, one.name), getattr(by_number, one.name), err_msg=one.name
            )


def test_a_subset_of_bare_tracks_has_no_more_fields() -> None:
    part = TrackSet(track_of=np.array([1, 0, 1, 2], np.int32)).subset(np.array([2, 1]))
    assert part.track_of.tolist() == [0, 1, 1]
    assert part.embeddings is part.cannot_link_frames is part.quality is part.crops.images is None
    assert part.cannot_link.shape == (0, 2)


@pytest.mark.parametrize(
    ("tracks", "message"),
    [
        ([0, 0], "at most once"),
        ([3], r"outside 0\.\.2"),
        ([-1], r"outside 0\.\.2"),
        ([True, False], "mask has 2 entries for 3 tracks"),
    ],
)
def test_a_subset_of_tracks_that_do_not_exist_is_refused(tracks: list[Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TrackSet(track_of=np.arange(3, dtype=np.int32)).subset(np.array(tracks))


def test_a_subset_does_not_write_to_the_original() -> None:
    tracks = extended_tracks([0, 1, 1, 2], [(0, 1), (1, 2)])
    before = replace(tracks, cannot_link=tracks.cannot_link.copy())
    tracks.subset(np.array([2, 1])).cannot_link[:] = 0
    np.testing.assert_array_equal(tracks.cannot_link, before.cannot_link)


NO_FIELDS = {"track_of": np.array([0, 0, 1], np.int32)}
"""Two tracks, three crops."""


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"track_of": np.array([0, 2])}, "at least one crop"),
        ({"track_of": np.array([0, -1])}, "at least one crop"),
        ({"embeddings": np.zeros((2, 4))}, "embeddings has 2 rows for 3 crops"),
        ({"crops": Crops(widths=np.zeros(4))}, "widths has 4 rows for 3 crops"),
        ({"crops": ExtendedCrops(yaw=np.zeros(2))}, "yaw has 2 rows for 3 crops"),
        ({"quality": np.zeros(3)}, "quality has 3 entries for 2 tracks"),
        ({"attach_only": np.zeros(1, bool)}, "attach_only has 1 entries for 2 tracks"),
        ({"track_ids": np.zeros(1, int)}, "track_ids has 1 entries for 2 tracks"),
        ({"cannot_link": np.zeros((2, 3), int)}, r"cannot_link must have shape \(m, 2\)"),
        ({"must_link": np.zeros(2, int)}, r"must_link must have shape \(m, 2\)"),
        ({"cannot_link": np.array([[0, 2]])}, r"cannot_link names a track outside 0\.\.1"),
        ({"must_link": np.array([[-1, 0]])}, r"must_link names a track outside 0\.\.1"),
        ({"suggested": np.array([[0, 2]])}, r"suggested names a track outside 0\.\.1"),
        (
            {"cannot_link": np.array([[0, 1]]), "cannot_link_frames": np.zeros(2, int)},
            "cannot_link_frames has 2 entries for 1 pairs",
        ),
        (
            {"suggested": np.array([[0, 1]]), "votes": np.zeros(0, int)},
            "votes has 0 entries for 1 pairs",
        ),
    ],
)
def test_a_field_that_does_not_fit_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ExtendedTracks(**{**NO_FIELDS, **changes})


def test_an_empty_set_has_no_tracks() -> None:
    empty = TrackSet(track_of=np.empty(0, np.int32))
    assert empty.n_tracks == empty.n_crops == 0
    assert empty.subset(np.empty(0, np.int64)).n_tracks == 0


def test_members_are_the_crops_of_each_track() -> None:
    tracks = TrackSet(track_of=np.array([1, 0, 1, 2, 0], np.int32))
    assert [rows.tolist() for rows in tracks.members()] == [[1, 4], [0, 2], [3]]


def test_anchors_are_the_tracks_that_may_make_a_character() -> None:
    def anchors(attach_only: list[bool] | None) -> list[int]:
        mask = None if attach_only is None else np.array(attach_only)
        return TrackSet(track_of=np.arange(3, dtype=np.int32), attach_only=mask).anchors().tolist()

    assert anchors(None) == anchors([True, True, True]) == [0, 1, 2]
    assert anchors([False, True, False]) == [0, 2]


def test_the_cannot_link_matrix_is_symmetric_without_the_diagonal() -> None:
    pairs = np.array([[0, 2], [1, 1]], np.int32)
    matrix = TrackSet(track_of=np.arange(3, dtype=np.int32), cannot_link=pairs).cannot_link_matrix()
    assert matrix.tolist() == [[False, False, True], [False] * 3, [True, False, False]]


def test_embeddings_are_required_where_a_method_needs_them() -> None:
    with pytest.raises(ValueError, match="encode the crops first"):
        TrackSet(track_of=np.zeros(1, np.int32)).require_embeddings()
