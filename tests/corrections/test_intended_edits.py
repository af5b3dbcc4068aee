"""What a person means by the labels of tracks, as edits of the cast."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personae.corrections.intended_edits import IntendedEdit, PresentCast, plan_edits

OWNERS: dict[int, str | None] = {
    **dict.fromkeys((0, 1, 2, 3), "P01"),
    **dict.fromkeys((4, 5, 6), "P02"),
    **dict.fromkeys((7, 8), "P03"),
    9: None,
    10: None,
}
CAST = PresentCast(OWNERS, {"P01": "Ann", "P02": "P02", "P03": "Zoë"})


def file_with(**changes: str) -> dict[int, str]:
    """Return the labels of an export in which some tracks were given others: t3="Zoë"."""
    labels = {track: CAST.labels[owner] if owner else "unknown" for track, owner in OWNERS.items()}
    return labels | {int(track.removeprefix("t")): label for track, label in changes.items()}


def plan(labels: dict[int, str]) -> list[tuple]:
    return [
        (one.kind, one.tracks, one.character, one.other, one.name)
        for one in plan_edits(CAST, labels)
    ]


def test_an_unchanged_file_asks_for_nothing() -> None:
    assert plan(file_with()) == []


def test_labels_may_be_written_in_any_case_and_as_numbers() -> None:
    assert plan(file_with(t0="ann", t1="P01", t4="p02", t7="ZOË", t9="Unknown", t10="")) == []


def test_one_track_given_to_another_character_is_moved() -> None:
    assert plan(file_with(t3="Zoë")) == [("move", (3,), "P03", None, None)]


def test_unknown_tracks_given_to_a_character_are_moved() -> None:
    assert plan(file_with(t9="Ann", t10="Ann")) == [("move", (9, 10), "P01", None, None)]


def test_a_character_whose_tracks_all_have_a_new_label_is_named() -> None:
    assert plan(file_with(t4="Bob", t5="Bob", t6="Bob")) == [
        ("name", (4, 5, 6), "P02", None, "Bob")
    ]


def test_some_tracks_with_a_new_label_become_a_character() -> None:
    assert plan(file_with(t2="Bob", t6="Bob", t10="Bob")) == [
        ("split", (2, 6, 10), None, None, None),
        ("name", (2, 6, 10), None, None, "Bob"),
    ]


def test_a_character_given_another_ones_label_is_merged_into_it() -> None:
    assert plan(file_with(t4="Ann", t5="Ann", t6="Ann", t8="Ann")) == [
        ("move", (8,), "P01", None, None),
        ("merge", (4, 5, 6), "P01", "P02", None),
    ]


def test_two_characters_with_one_new_label_are_merged_and_named() -> None:
    bob = dict.fromkeys(("t4", "t5", "t6", "t7", "t8"), "Bob")
    assert plan(file_with(**bob)) == [
        ("merge", (7, 8), "P02", "P03", None),
        ("name", (4, 5, 6), "P02", None, "Bob"),
    ]


def test_swapped_names_are_taken_away_before_they_are_given() -> None:
    swapped = dict.fromkeys(("t0", "t1", "t2", "t3"), "Zoë") | dict.fromkeys(("t7", "t8"), "Ann")
    assert plan(file_with(**swapped)) == [
        ("name", (0, 1, 2, 3), "P01", None, None),
        ("name", (7, 8), "P03", None, None),
        ("name", (0, 1, 2, 3), "P01", None, "Zoë"),
        ("name", (7, 8), "P03", None, "Ann"),
    ]


def test_ignored_tracks_are_ignored_once() -> None:
    assert plan(file_with(t3="ignored", t9="Ignored")) == [("ignore", (3, 9), None, None, None)]
    assert plan(file_with() | {11: "ignored"}) == []


def test_an_ignored_track_with_a_label_comes_back() -> None:
    assert plan(file_with() | {11: "Zoë"}) == [("move", (11,), "P03", None, None)]


def test_unknown_tracks_leave_their_character_one_by_one() -> None:
    edits = plan_edits(CAST, file_with(t2="unknown", t3="unknown"))
    assert [(one.kind, one.tracks, one.of_character) for one in edits] == [
        ("different", (2,), (0, 1)),
        ("different", (3,), (0, 1)),
    ]


def test_tracks_that_are_not_in_the_file_stay_with_their_character() -> None:
    assert plan_edits(CAST, {4: "Bob", 5: "Bob", 3: "Zoë"}) == [
        IntendedEdit("move", (3,), "P03", (7, 8)),
        IntendedEdit("name", (4, 5, 6), "P02", (4, 5, 6), name="Bob"),
    ]


def test_a_few_tracks_of_a_large_character_do_not_name_it() -> None:
    assert plan_edits(CAST, {3: "Bob"}) == [
        IntendedEdit("split", (3,)),
        IntendedEdit("name", (3,), name="Bob"),
    ]


def test_the_largest_part_of_a_divided_character_goes_on_with_it() -> None:
    assert plan_edits(CAST, file_with(t4="Bob", t5="Bob", t6="Ann")) == [
        IntendedEdit("move", (6,), "P01", (0, 1, 2, 3)),
        IntendedEdit("name", (4, 5), "P02", (4, 5), name="Bob"),
    ]
    assert plan(file_with(t4="Bob", t5="Bob", t6="Eve")) == [
        ("split", (6,), None, None, None),
        ("name", (4, 5), "P02", None, "Bob"),
        ("name", (6,), None, None, "Eve"),
    ]


def test_a_character_that_gets_a_plain_number_loses_its_name() -> None:
    swapped = dict.fromkeys(("t4", "t5", "t6"), "Zoë") | dict.fromkeys(("t7", "t8"), "P02")
    assert plan(file_with(**swapped)) == [
        ("name", (7, 8), "P03", None, None),
        ("name", (4, 5, 6), "P02", None, "Zoë"),
    ]
    assert IntendedEdit("name", (7, 8), "P03").describe() == "take the name from P03"


@pytest.mark.parametrize(
    ("edit", "text"),
    [
        (IntendedEdit("name", (4,), "P02", name="Bob"), "name P02 'Bob'"),
        (IntendedEdit("merge", (4, 5), "P01", other="P02"), "merge P02 into P01"),
        (IntendedEdit("move", (4, 5), "P01"), "move tracks 4, 5 to P01"),
        (IntendedEdit("name", (4, 5), name="Bob"), "name tracks 4, 5 'Bob'"),
        (IntendedEdit("split", (4,)), "make track 4 a character of its own"),
        (IntendedEdit("different", (4,), "P01"), "take track 4 out of P01"),
        (IntendedEdit("ignore", (4, 5)), "ignore tracks 4, 5"),
    ],
)
def test_every_edit_is_described_in_a_line(edit: IntendedEdit, text: str) -> None:
    assert edit.describe() == text


def apply(edits: list[IntendedEdit]) -> dict[int, str | None]:
    """Return who every track is after some edits, by its name or its character."""
    people: dict[int, str | None] = dict(OWNERS)
    names = dict(CAST.labels)
    for made, edit in enumerate(edits):
        match edit.kind:
            case "ignore":
                people |= dict.fromkeys(edit.tracks, "ignored")
            case "different":
                people |= dict.fromkeys(edit.tracks)
            case "split":
                people |= dict.fromkeys(edit.tracks, f"new {made}")
            case "move" | "merge":
                assert edit.character is not None
                people |= dict.fromkeys(edit.tracks, edit.character)
            case "name":
                [person] = (
                    {people[track] for track in edit.tracks} if edit.name else [edit.character]
                )
                assert person is not None
                assert edit.name is None or edit.name not in names.values()
                names[person] = edit.name or person
    return {track: names.get(who, who) if who else None for track, who in people.items()}


@given(
    st.dictionaries(
        st.sampled_from(sorted(OWNERS)),
        st.sampled_from(["Ann", "P02", "Zoë", "Bob", "Eve", "unknown", "ignored"]),
    )
)
def test_the_edits_give_every_track_its_label(changes: dict[int, str]) -> None:
    labels = file_with() | changes
    after = apply(plan_edits(CAST, labels))
    people: dict[str, set[str | None]] = {}
    for track, label in labels.items():
        if label == "ignored":
            assert after[track] == "ignored"
        elif label == "unknown":
            others = [labels[one] for one, owner in OWNERS.items() if owner == OWNERS[track]]
            nobody_left = set(others) <= {"unknown", "ignored"}
            assert after[track] is None or nobody_left
        else:
            people.setdefault(label, set()).add(after[track])
    for label, found in people.items():
        assert found == {label} or (label == "P02" and len(found) == 1)
    assert len({who for found in people.values() for who in found}) == len(people)


@given(
    st.dictionaries(
        st.sampled_from(sorted(OWNERS)), st.sampled_from(["Ann", "P02", "Zoë", "Bob", "unknown"])
    )
)
def test_a_part_of_a_file_leaves_most_of_a_large_character_alone(labels: dict[int, str]) -> None:
    after = apply(plan_edits(CAST, labels))
    people: dict[str, set[str | None]] = {}
    for track, label in labels.items():
        if label != "unknown":
            people.setdefault(label, set()).add(after[track])
    assert all(len(found) == 1 for found in people.values())
    for character, label in CAST.labels.items():
        own = CAST.tracks_of(character)
        untouched = [track for track in own if track not in labels]
        if 2 * len(untouched) > len(own):
            assert {after[track] for track in untouched} == {label}
