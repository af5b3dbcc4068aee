"""What edits say, and what happens where they contradict each other."""

from __future__ import annotations

import pytest

from personae.project.edits import LocatedEdit, LocatedGroup, compile_edits


def group(role, *tracks, label=None):
    return LocatedGroup(role, tracks, label)


def people(*tracks, label="P01"):
    return group("person", *tracks, label=label)


class Said:
    """Edits numbered as they come."""

    def __init__(self):
        self.edits = []

    def __call__(self, kind, *groups, name=None):
        self.edits.append(LocatedEdit(len(self.edits) + 1, kind, groups, name))
        return self

    def name(self, name, *tracks, label="P01"):
        return self("name", people(*tracks, label=label), name=name)

    def merge(self, one, other):
        return self("merge", people(*one), people(*other))

    def different(self, one, other):
        return self("different", people(*one), people(*other))

    def split(self, moved, rest):
        return self("split", group("moved", *moved, label="P01"), group("rest", *rest, label="P01"))

    def move(self, moved, rest, target):
        moved = group("moved", *moved, label="P01")
        rests = [group("rest", *rest, label="P01")] if rest else []
        return self("move", moved, *rests, group("target", *target, label="P02"))

    @property
    def compiled(self):
        return compile_edits(self.edits)


def test_nothing_said_compiles_to_nothing():
    assert compile_edits([]).as_dict() == {}


def test_merges_are_transitive():
    found = Said().merge([1], [2, 3]).merge([3], [4]).compiled
    assert found.same_person == ((1, 2, 3, 4),)
    assert found.reviewed == {1, 2, 3, 4}


def test_different_people_are_told_apart_by_their_typical_tracks():
    found = Said().different([9, 8, 7, 6, 5, 4, 3], [1]).compiled
    assert found.different_people == ((1, 5), (1, 6), (1, 7), (1, 8), (1, 9))
    assert not found.reviewed


def test_a_split_is_one_other_person():
    found = Said().split([1, 2], [3, 4]).compiled
    assert found.same_person == ((1, 2),)
    assert found.different_people == ((1, 3), (1, 4), (2, 3), (2, 4))
    assert found.founders == ((1, 2),)
    assert found.certain == {1, 2}
    assert Said().split([1], [2]).compiled.certain == {1}
    assert Said().name("Ann", 1, 2).compiled.certain == frozenset()


def test_a_split_takes_back_what_made_the_tracks_one_person_with_others():
    found = Said().merge([1, 2], [3, 4]).split([1, 2], [3, 4]).compiled
    assert found.same_person == ((1, 2), (3, 4))
    assert [(one.edit, one.taken_back) for one in found.withdrawals] == [(2, (1,))]
    assert not found.contradictions


def test_a_split_keeps_that_the_tracks_are_somebody_else_than_a_third():
    found = Said().different([1], [9]).split([1], [3]).compiled
    assert (1, 9) in found.different_people


def test_a_move_takes_back_what_was_said_against_the_target():
    found = Said().split([1, 2], [3]).move([3], [], [1, 2]).compiled
    assert found.same_person == ((1, 2, 3),)
    assert not found.different_people
    assert not found.contradictions


def test_a_moved_track_is_not_the_person_it_came_from():
    found = Said().move([1], [2, 3], [8]).compiled
    assert found.same_person == ((1, 8),)
    assert found.different_people == ((1, 2), (1, 3))


def test_ignored_tracks_are_in_no_link_until_an_edit_names_them_again():
    said = Said().merge([1, 2], [3])("ignore", people(3))
    found = said.different([3], [9]).compiled
    assert (found.same_person, found.different_people) == (((1, 2),), ())
    assert found.ignored == {3}
    assert 3 not in found.reviewed
    found = said.move([3], [], [7]).compiled
    assert not found.ignored
    assert found.same_person == ((1, 2), (3, 7))
    assert found.different_people == ((3, 9),)


def test_confirmed_characters_are_one_person_each():
    found = Said()("confirm", people(1, 2), people(5, 6)).compiled
    assert found.same_person == ((1, 2), (5, 6))


def test_a_name_given_to_a_character_links_nothing_but_one_given_to_tracks_does():
    assert Said().name("Ann", 1, 2).compiled.same_person == ()
    assert Said().name("Ann", 1, 2, label=None).compiled.same_person == ((1, 2),)


def test_tracks_of_one_name_are_one_person_and_of_two_names_are_two():
    found = Said().name("Ann", 1, 2).name("Bob", 3, 4, 5).name("Ann", 6).compiled
    assert found.same_person == ((1, 2, 6),)
    assert found.different_people == ((1, 3), (1, 4), (2, 3), (2, 4))
    assert found.names == {"Ann": (1, 2, 6), "Bob": (3, 4, 5)}


def test_a_character_is_renamed_as_a_whole_and_a_stray_track_alone():
    found = Said().name("Ann", 1, 2, 3).name("Eve", 1, 2).compiled
    assert found.names == {"Eve": (1, 2, 3)}
    found = Said().name("Ann", 1, 2, 3).name("Bob", 3, 4, 5).compiled
    assert found.names == {"Ann": (1, 2), "Bob": (3, 4, 5)}


def test_a_name_is_that_of_the_whole_person():
    said = Said().name("Ann", 1, 2).name("Ann", 3, 4)
    assert said.name("Eve", 3, 4).compiled.names == {"Eve": (1, 2, 3, 4)}
    assert not said.compiled.contradictions
    assert said.merge([5], [1]).name("Bob", 5).compiled.names == {"Bob": (1, 2, 3, 4, 5)}


def test_a_name_can_be_taken_away():
    assert Said().name("Ann", 1, 2, 3).name(None, 1, 2).compiled.names == {}
    assert Said().name("Ann", 1, 2, 3).name(None, 3).compiled.names == {"Ann": (1, 2)}


def test_merged_characters_have_the_name_of_the_first():
    said = Said().name("Ann", 1, 2).name("Eve", 3, 4)
    found = said.merge([1, 2], [3, 4]).compiled
    assert found.names == {"Ann": (1, 2, 3, 4)}
    assert not found.contradictions
    assert Said().name("Eve", 3, 4).merge([1, 2], [3, 4]).compiled.names == {"Eve": (3, 4)}


def test_who_is_split_off_or_moved_leaves_the_name_behind():
    found = Said().name("Ann", 1, 2).split([1, 2], [3]).compiled
    assert found.names == {"Ann": (3,)}
    found = Said().name("Ann", 1, 2, 3).move([2, 3], [1], [8]).compiled
    assert found.names == {"Ann": (1,)}
    assert Said().name("Ann", 1)("ignore", people(1)).compiled.names == {}


def test_a_rest_gets_no_name_from_a_stray():
    said = Said().name("Ann", 1, 2, 3).move([3], [7, 8], [1, 2])
    assert said.compiled.names == {"Ann": (1, 2)}


@pytest.mark.parametrize(
    ("said", "edit", "because_of"),
    [
        (Said().merge([1], [2]).merge([2], [3]).different([1], [3]), 3, (1, 2)),
        (Said().different([1], [3]).merge([1], [2]).merge([2], [3]), 3, (1, 2)),
        (Said().merge([1], [2]).different([1], [3]).merge([2], [3]), 3, (1, 2)),
        (
            Said()
            .name("Ann", 1)
            .name("Bob", 2)
            .merge([8], [1])
            .merge([9], [2])("confirm", people(8, 9)),
            5,
            (1, 2, 3, 4),
        ),
        (Said().split([1], [2]).merge([1, 5], [2, 6]), 2, (1,)),
        (Said().merge([1], [2]).different([5], [6]).merge([3], [4]).different([2], [1]), 4, (1,)),
    ],
)
def test_a_contradiction_is_set_aside_with_the_edits_that_cause_it(said, edit, because_of):
    found = said.compiled
    assert [one[:2] for one in found.contradictions] == [(edit, because_of)]
    without = compile_edits(said.edits[: edit - 1])
    assert found.same_person == without.same_person
    assert found.different_people == without.different_people


def test_the_shortest_chain_of_edits_is_named():
    said = Said().merge([1], [2]).merge([2], [3]).merge([3], [4]).merge([1], [4])
    found = said.different([1], [4]).compiled.contradictions
    assert [(one.edit, one.because_of, one.tracks) for one in found] == [(5, (4,), (1, 4))]


def test_two_tracks_that_are_one_in_a_new_scan_cannot_differ():
    [found] = Said().different([4], [4]).compiled.contradictions
    assert (found.edit, found.because_of, found.tracks) == (1, (), (4, 4))


def test_the_character_named_first_keeps_its_number():
    said = Said().merge([1], [2]).move([5], [6], [7]).split([3], [4])
    assert said.compiled.heads == (1, 6, 7, 4)
    assert said.move([1], [], [9]).compiled.heads == (6, 7, 4, 9)
