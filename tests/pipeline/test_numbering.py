"""Numbers of characters are kept over re-clusterings, and never given to somebody new."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from personae.pipeline.numbering import KnownNumber, number_characters


def known(current, retired=()):
    """Numbers in use and out of use, from label -> tracks."""
    return [
        *(KnownNumber(label, frozenset(tracks), True) for label, tracks in current.items()),
        *(KnownNumber(label, frozenset(tracks), False) for label, tracks in dict(retired).items()),
    ]


def test_the_first_numbers_follow_the_given_order():
    assert number_characters({4: {1}, 2: {0, 3}}) == {4: "P01", 2: "P02"}


def test_a_hundred_characters_have_three_digits():
    names = number_characters({label: {label} for label in range(100)})
    assert (names[0], names[99]) == ("P001", "P100")
    assert number_characters({label: {label} for label in range(99)})[0] == "P01"


def test_characters_keep_their_numbers_whatever_their_order():
    before = known({"P01": {0, 1, 2}, "P02": {3, 4}})
    assert number_characters({0: {3, 4, 9}, 1: {0, 1, 2}}, before) == {0: "P02", 1: "P01"}


def test_somebody_new_gets_a_new_number():
    before = known({"P01": {0, 1, 2}, "P02": {3, 4}}, {"P07": {5, 6}})
    names = number_characters({0: {0, 1, 2}, 1: {3, 4}, 2: {7, 8}, 3: {9}}, before)
    assert names == {0: "P01", 1: "P02", 2: "P08", 3: "P09"}


def test_the_larger_part_of_a_split_character_keeps_the_number():
    assert number_characters({0: {0, 1}, 1: {2, 3, 4}}, known({"P01": set(range(5))})) == {
        0: "P02",
        1: "P01",
    }


def test_of_merged_characters_the_one_named_first_keeps_its_number():
    before = known({"P01": {0}, "P02": {1, 2, 3}})
    assert number_characters({0: {0, 1, 2, 3}}, before) == {0: "P02"}
    assert number_characters({0: {0, 1, 2, 3}}, before, heads=[0]) == {0: "P01"}
    assert number_characters({0: {0, 1, 2, 3}}, before, heads=[0, 1]) == {0: "P02"}


def test_a_head_that_has_strayed_takes_no_number_along():
    before = known({"P01": set(range(9)), "P02": set(range(10, 19))})
    groups = {0: set(range(1, 9)), 1: {0, *range(10, 19)}}
    assert number_characters(groups, before, heads=[0]) == {0: "P01", 1: "P02"}


def test_a_number_out_of_use_comes_back_with_its_tracks_only():
    before = known({"P01": {0, 1, 2, 3}}, {"P02": {2, 3}})
    assert number_characters({0: {0, 1}, 1: {2, 3}}, before) == {0: "P01", 1: "P02"}
    stray = known({"P01": {0, 1}}, {"P02": {2, 3, 4}})
    assert number_characters({0: {0, 1}, 1: {2, 7, 8, 9}}, stray) == {0: "P01", 1: "P03"}


@given(
    st.lists(st.integers(-1, 4), min_size=1, max_size=12),
    st.lists(st.integers(-1, 4), min_size=1, max_size=12),
)
def test_numbers_are_distinct_and_stay_once_given(before, after):
    def groups(labels):
        found: dict[int, set[int]] = {}
        for track, label in enumerate(labels):
            if label >= 0:
                found.setdefault(label, set()).add(track)
        return found

    first = number_characters(groups(before))
    memory = known({first[label]: tracks for label, tracks in groups(before).items()})
    second = number_characters(groups(after), memory)
    assert len(set(second.values())) == len(second)
    later = known({second[label]: tracks for label, tracks in groups(after).items()})
    assert number_characters(groups(after), [*later, *memory][: len(later)]) == second
