"""`project.edits`: the verbs, their refusals, undo and redo, and what the cast shows of them."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from helpers.fake_film import fake_film
from helpers.paths import TESTS
from personae.core.errors import ContradictionError, EditError
from personae.project import Project
from personae.project.edits import CastList


@pytest.fixture
def film(tmp_path):
    """Four characters of three tracks each, and two unknown tracks, 12 and 13."""
    return Project.open(fake_film(tmp_path / "f.personae").folder)


def members(film, label):
    return film.cast()[label].tracks


def test_a_name_is_seen_at_once_and_looks_the_character_up(film):
    entered = film.edits.name("P02", "  Hamlet \n the   Dane ", by="ann")
    assert (entered.edit.id, entered.edit.kind, entered.edit.who) == (1, "name", "ann")
    assert film.cast()["P02"].name == "Hamlet the Dane"
    assert film.cast()["Hamlet the Dane"].label == "P02"
    assert film.cast()["P02"].reviewed
    assert not film.cast()["P01"].reviewed
    film.edits.name("Hamlet the Dane", None)
    assert film.cast()["P02"].name is None


def test_edits_are_on_tracks_with_their_spans_and_boxes(film):
    edit = film.edits.confirm("P01").edit
    [group] = edit.groups
    assert (group.role, group.label) == ("person", "P01")
    spans = {row["track"]: row for row in film.table("tracks").to_pylist()}
    faces = film.table("faces").to_pylist()
    assert {mark.track for mark in group.tracks} == set(members(film, "P01"))
    for mark in group.tracks:
        assert mark.start_s == pytest.approx(spans[mark.track]["start_s"], abs=1e-3)
        assert mark.end_s == pytest.approx(spans[mark.track]["end_s"], abs=1e-3)
        assert len(mark.boxes) == 3
        for time_s, x, y, *_ in mark.boxes:
            assert any(
                face["track"] == mark.track
                and face["time_s"] == pytest.approx(time_s, abs=1e-3)
                and (face["x"], face["y"]) == pytest.approx((x, y), abs=0.06)
                for face in faces
            )


def test_long_and_certain_tracks_come_first(film):
    [group] = film.edits.confirm("P01").edit.groups
    confidence = {r["track"]: r["confidence"] for r in film.table("characters").to_pylist()}
    weights = [confidence[m.track] * (m.end_s - m.start_s) for m in group.tracks]
    assert weights == sorted(weights, reverse=True)


def test_merge_and_split_name_all_tracks_concerned(film):
    merged = film.edits.merge("P01", "P03").edit
    assert [group.label for group in merged.groups] == ["P01", "P03"]
    one, *rest = members(film, "P02")
    split = film.edits.split("P02", [one]).edit
    found = {group.role: {mark.track for mark in group.tracks} for group in split.groups}
    assert found == {"moved": {one}, "rest": set(rest)}


def test_tracks_of_several_characters_become_one_person(film):
    one, other = members(film, "P01")[0], members(film, "P02")[0]
    edit = film.edits.split(None, [one, other, 12]).edit
    assert [(group.role, group.label) for group in edit.groups] == [
        ("moved", "P01"), ("rest", "P01"), ("moved", "P02"), ("rest", "P02"), ("moved", None),
    ]  # fmt: skip
    assert film.edits.compiled().same_person == (tuple(sorted([one, other, 12])),)


def test_a_move_names_where_the_tracks_came_from_and_go(film):
    one = members(film, "P01")[0]
    edit = film.edits.move([one, 12], "P02").edit
    roles = [(group.role, group.label) for group in edit.groups]
    assert roles == [("moved", "P01"), ("rest", "P01"), ("moved", None), ("target", "P02")]


def test_unknown_tracks_move_to_whom_a_list_of_tracks_names(film):
    known = members(film, "P02")
    edit = film.edits.move([12], known).edit
    assert [(group.role, group.label) for group in edit.groups] == [
        ("moved", None), ("target", None),
    ]  # fmt: skip
    assert set(film.edits.compiled().same_person[0]) == {12, *known}
    film.edits.move([13], [12])
    assert set(film.edits.compiled().same_person[0]) == {12, 13, *known}
    with pytest.raises(EditError, match="no change"):
        film.edits.move([12, 13], [13])


def test_ignored_tracks_are_out_of_the_cast(film):
    gone = members(film, "P04")
    film.edits.ignore("P04", 12)
    cast = film.cast()
    assert "P04" not in [one.label for one in cast]
    assert set(cast.ignored) == {*gone, 12}
    assert cast.unknown == (13,)
    assert cast.as_dict()["ignored"] == list(cast.ignored)
    film.edits.undo()
    assert film.cast().ignored == ()


def test_a_name_stays_with_the_character_that_holds_most_of_its_tracks(film):
    a, b, _ = members(film, "P01")
    film.edits.name("P01", "Ann")
    film.edits.ignore(a, b)
    assert film.cast()["P01"].name == "Ann"
    assert film.cast()["Ann"].tracks == tuple(set(members(film, "P01")))


def test_undo_and_redo_walk_back_and_forth(film):
    edits = film.edits
    for name in ("Ann", "Bob", "Eve"):
        edits.name("P01", name)
    assert edits.edit_to_undo().name == "Eve"
    assert edits.edit_to_redo() is None
    edits.undo()
    assert film.cast()["P01"].name == "Bob"
    edits.undo()
    assert film.cast()["P01"].name == "Ann"
    assert edits.edit_to_redo().name == "Bob"
    edits.redo()
    edits.redo()
    assert film.cast()["P01"].name == "Eve"
    with pytest.raises(EditError, match="no edit to redo"):
        edits.redo()
    assert [entry.holds for entry in edits.log()] == [True] * 7


def test_a_new_edit_ends_what_a_plain_redo_would_do_but_any_edit_can_be_redone(film):
    film.edits.name("P01", "Ann")
    film.edits.undo()
    film.edits.name("P02", "Bob")
    with pytest.raises(EditError, match="no edit to redo"):
        film.edits.redo()
    film.edits.redo(1)
    assert {one.name for one in film.cast()} == {"Ann", "Bob", None}


def test_any_edit_can_be_undone_whatever_followed(film):
    film.edits.name("P01", "Ann")
    film.edits.name("P02", "Bob")
    entered = film.edits.undo(1)
    assert "P01 is 'Ann'" in entered.notes[0]
    assert [entry.holds for entry in film.edits.log()] == [False, True, True]
    assert {one.name for one in film.cast()} == {"Bob", None}


@pytest.mark.parametrize(
    ("act", "sentence"),
    [
        (lambda edits: edits.undo(), "There is no edit to undo."),
        (lambda edits: edits.redo(), "There is no edit to redo."),
        (lambda edits: edits.undo(7), "There is no edit 7: `log` lists them."),
        (lambda edits: edits.name("P77", "Ann"), "no character 'P77'"),
        (lambda edits: edits.merge("P01", 99), "no track 99: the film has the tracks 0 to 13"),
        (lambda edits: edits.merge("P01"), "name two or more"),
        (lambda edits: edits.merge(3, [3]), "name two or more"),
        (lambda edits: edits.confirm([]), "No track is named"),
        (lambda edits: edits.split("P01", [12]), "P01 does not hold track 12"),
        (lambda edits: edits.split(None, [12, 13]), "nobody to split them from"),
        (lambda edits: edits.different("P01", "P01"), "name two different people"),
        (lambda edits: edits.name("P01", ""), "cannot be empty"),
        (lambda edits: edits.name("P01", "P3"), "reads as a label"),
        (lambda edits: edits.name("P01", "12, 13"), "track numbers"),
        (lambda edits: edits.name("P01", "x" * 201), "200 characters"),
        (lambda edits: edits.name("P01", "a\x00b"), "cannot be shown"),
    ],
)
def test_a_mistake_is_one_sentence_and_leaves_nothing_behind(film, act, sentence):
    with pytest.raises(EditError) as caught:
        act(film.edits)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)
    assert film.edits.log() == []
    assert not (film.folder / "edits.jsonl").exists()


def test_a_whole_character_cannot_be_split_from_itself_nor_moved_to_itself(film):
    with pytest.raises(EditError, match="no other track of P01"):
        film.edits.split("P01", members(film, "P01"))
    with pytest.raises(EditError, match="no change"):
        film.edits.move(members(film, "P01")[0], "P01")
    with pytest.raises(EditError, match="no change"):
        film.edits.move("P01", "P01")


def test_the_closest_character_is_suggested(film):
    film.edits.name("P01", "Rosencrantz")
    with pytest.raises(EditError, match="did you mean 'Rosencrantz'"):
        film.edits.confirm("Rosenkranz")


def test_undone_edits_are_not_undone_twice(film):
    film.edits.name("P01", "Ann")
    film.edits.undo()
    with pytest.raises(EditError, match="Edit 1 is undone already"):
        film.edits.undo(1)
    with pytest.raises(EditError, match="redo edit 1 instead"):
        film.edits.undo(2)
    film.edits.redo(1)
    with pytest.raises(EditError, match="Edit 1 is not undone"):
        film.edits.redo(1)


def test_a_contradiction_is_refused_with_the_edits_that_cause_it(film):
    a, b, c = (members(film, label)[0] for label in ("P01", "P02", "P03"))
    film.edits.merge(a, b)
    film.edits.merge(b, c)
    with pytest.raises(ContradictionError) as caught:
        film.edits.different(a, c)
    assert caught.value.edits == (1, 2)
    for part in ("edit 1 (", "edit 2 (", f"tracks {a} and {c} would be one person and two"):
        assert part in str(caught.value)
    assert len(film.edits.log()) == 2
    film.edits.undo(1)
    film.edits.different(a, c)
    with pytest.raises(ContradictionError) as caught:
        film.edits.redo(1)
    assert caught.value.edits == (1, 2, 4)
    assert not film.edits.compiled().contradictions


def test_one_name_for_people_said_to_be_two_is_refused(film):
    film.edits.name("P01", "Ann")
    film.edits.different("P01", "P02")
    with pytest.raises(ContradictionError, match="are different people"):
        film.edits.name("P02", "Ann")


def test_what_an_edit_takes_back_and_overrules_is_told(film):
    one, *_ = members(film, "P01")
    film.edits.confirm("P01")
    notes = film.edits.move(one, "P02").notes
    assert notes == ("Edit 1 (P01 is right) no longer holds for these tracks.",)
    film.edits.name("P02", "Ann")
    [note] = film.edits.name("P03", "Ann").notes
    assert note.startswith("It is one person with tracks ")


def test_each_line_of_the_log_says_who_did_what_and_when(film):
    film.edits.merge("P01", "P02", by="ann")
    film.edits.split("P03", [members(film, "P03")[0]])
    film.edits.different(0, 4)
    film.edits.ignore("P04")
    film.edits.undo()
    texts = [entry.text for entry in film.edits.log()]
    assert texts[0] == "P01 and P02 are one person"
    assert texts[1].endswith("of P03 somebody else")
    assert texts[2:] == [
        "track 0 and track 4 are different people",
        "P04 left out of the cast",
        "edit 4 undone",
    ]
    assert film.edits.log()[0].edit.who == "ann"
    assert [entry.holds for entry in film.edits.log()] == [True, True, True, False, True]


def test_two_processes_and_several_threads_enter_edits_at_once(film):
    script = str(TESTS / "helpers" / "edit_writer.py")
    writers = [
        subprocess.Popen([sys.executable, script, str(film.folder), who, "9"])
        for who in ("ann", "bob")
    ]
    with ThreadPoolExecutor(4) as pool:
        for entered in [pool.submit(film.edits.confirm, "P02") for _ in range(8)]:
            entered.result()
    assert [writer.wait() for writer in writers] == [0, 0]
    edits = [entry.edit for entry in film.edits.log()]
    assert [edit.id for edit in edits] == list(range(1, 2 * 12 + 8 + 1))
    for who in ("ann", "bob"):
        own = [edit for edit in edits if edit.who == who]
        names = [edit.name for edit in own if edit.kind == "name"]
        assert names == [f"{who} {n}" for n in range(9)]
        assert [edit.of for edit in own if edit.kind == "undo"] == [
            edit.id for edit in own if edit.kind == "name" and int(edit.name.split()[1]) % 3 == 2
        ]
    assert not film.edits.problems()


def test_a_cast_list_knows_its_names_and_suggests_the_closest(tmp_path):
    path = tmp_path / "names.txt"
    path.write_text("\ufeff# the play\nHamlet\n\n  Gertrude  of Denmark\nhamlet\n", "utf-8")
    names = CastList.read(path)
    assert names.names() == ["Hamlet", "Gertrude of Denmark"]
    assert names.require(" HAMLET") == "Hamlet"
    assert names.complete("den") == ["Gertrude of Denmark"]
    assert names.complete("xyz") == []
    with pytest.raises(EditError, match="'Hamlett' is not in the cast list: did you mean 'Hamlet'"):
        names.require("Hamlett")
    with pytest.raises(EditError, match="add it to the list"):
        names.require("Xyzzy")


@pytest.mark.parametrize("content", [None, b"", b"# none\n", b"\xff\xfe\xff"])
def test_a_cast_list_that_cannot_be_read_is_named(tmp_path, content):
    path = tmp_path / "names.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(EditError, match=r"names\.txt"):
        CastList.read(path)


def test_edits_entered_together_are_undone_and_redone_together(film):
    film.edits.name("P03", "Hamlet")
    p01, p02 = members(film, "P01"), members(film, "P02")
    with film.edits.together(by="ann") as batch:
        batch.merge("P01", "P02")
        batch.different("P01", "P04")
        batch.ignore([12])
    assert [one.edit.part_of for one in batch.entered] == [None, 2, 2]
    assert {one.edit.who for one in batch.entered} == {"ann"}
    said = film.edits.compiled()
    assert said.same_person == (tuple(sorted({*p01, *p02})),)
    assert said.ignored == {12}
    assert film.edits.edit_to_undo().id == 2
    assert film.edits.describe(film.edits.edit_to_undo()).endswith("; and 2 more")
    [note] = film.edits.undo().notes
    assert "and 2 more" in note
    undone = film.edits.compiled()
    assert not undone.same_person
    assert not undone.different_people
    assert not undone.ignored
    assert film.cast()["P03"].name == "Hamlet"
    film.edits.redo()
    assert film.edits.compiled() == said


def test_one_of_several_edits_can_be_undone_alone(film):
    with film.edits.together() as batch:
        batch.ignore([12])
        batch.ignore([13])
    film.edits.undo(2)
    assert film.edits.compiled().ignored == {12}
    film.edits.undo()
    assert film.edits.compiled().ignored == set()
    film.edits.redo(2)
    assert film.edits.compiled().ignored == {13}
    assert film.edits.edit_to_undo().id == 2


def test_of_edits_that_contradict_each_other_none_is_entered(film):
    def enter(*said):
        with film.edits.together() as batch:
            for verb, *people in said:
                getattr(batch, verb)(*people)

    with pytest.raises(ContradictionError):
        enter(("merge", "P01", "P02"), ("different", "P02", "P01"))
    with pytest.raises(EditError, match="no track 99"):
        enter(("ignore", [12]), ("ignore", [99]))
    assert not film.edits.any_entered()


@pytest.mark.parametrize(
    "last", [lambda batch: batch.name("P02", "Horatio"), lambda batch: batch.ignore("P02")]
)
def test_edits_entered_together_contradict_nothing_even_if_the_last_are_lost(film, last):
    """A crash may leave some lines of a batch, so the last one must not be what makes peace."""
    film.edits.different("P01", "P02")

    def enter() -> None:
        with film.edits.together() as batch:
            batch.name("P01", "Hamlet")
            batch.name("P02", "Hamlet")
            last(batch)

    with pytest.raises(ContradictionError):
        enter()
    assert len(film.edits.log()) == 1


def test_what_contradicts_may_be_left_out_of_edits_entered_together(film):
    film.edits.different("P01", "P02")
    with film.edits.together(leave_out=True) as batch:
        batch.merge("P01", "P03")
        batch.merge("P02", "P03")
        batch.ignore([12])
    [refused] = batch.refused
    assert "contradicts edit 1" in str(refused)
    assert [(one.edit.id, one.edit.kind, one.edit.part_of) for one in batch.entered] == [
        (2, "merge", None),
        (3, "ignore", 2),
    ]
    assert not film.edits.compiled().contradictions
    with film.edits.together(leave_out=True) as batch:
        batch.merge("P01", "P02")
    assert (len(batch.refused), batch.entered) == (1, ())
    assert len(film.edits.log()) == 3
