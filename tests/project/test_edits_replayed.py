"""Random sequences of edits, undos and kills: the compiled state is that of a plain slow replay."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.fake_film import fake_film
from helpers.slow_edits import SlowReplay, replay_reversals
from personae.core.errors import ContradictionError, EditError
from personae.project import Project
from personae.project.edits import LocatedEdit, LocatedGroup, compile_edits
from personae.project.edits.history import edits_that_hold
from personae.project.edits.journal import EDITS, Journal

N_TRACKS = 14
NAMES = ("Ann", "Bob", "Eve", None)

tracks = st.lists(st.integers(0, N_TRACKS - 1), min_size=1, max_size=4, unique=True)


@pytest.fixture(scope="module")
def film_folder(tmp_path_factory):
    return fake_film(tmp_path_factory.mktemp("f") / "f.personae").folder


VERBS = ["name", "merge", "split", "move", "ignore", "confirm", "different"]


@st.composite
def enter_some(draw, edits, labels):
    """Enter one random edit, or a few together; a refusal enters none."""
    if draw(st.integers(0, 3)):
        return say(draw, edits, labels, [*VERBS, "undo", "redo"])
    try:
        with edits.together() as batch:
            for _ in range(draw(st.integers(2, 4))):
                say(draw, batch, labels, VERBS)
    except EditError as error:
        return isinstance(error, ContradictionError)
    return False


def say(draw, edits, labels, verbs):
    """Say one thing; return whether it contradicts what was said before."""
    person = st.one_of(st.sampled_from(labels), tracks)
    verb = draw(st.sampled_from(verbs))
    number = st.one_of(st.none(), st.integers(1, 12))
    given = {
        "name": lambda: (draw(person), draw(st.sampled_from(NAMES))),
        "merge": lambda: (draw(person), draw(person)),
        "different": lambda: (draw(person), draw(person)),
        "move": lambda: (draw(person), draw(person)),
        "split": lambda: (None, draw(tracks)),
        "ignore": lambda: (draw(person),),
        "confirm": lambda: (draw(person),),
        "undo": lambda: (draw(number),),
        "redo": lambda: (draw(number),),
    }[verb]()
    try:
        getattr(edits, verb)(*given)
    except EditError as error:
        return isinstance(error, ContradictionError)
    return False


def locate(edits):
    """Edits by the numbers that they hold; the scan is the same."""
    return [
        LocatedEdit(
            edit.id,
            edit.kind,
            tuple(
                LocatedGroup(g.role, tuple(mark.track for mark in g.tracks), g.label)
                for g in edit.groups
            ),
            edit.name,
        )
        for edit in edits
    ]


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_the_compiled_state_is_that_of_a_slow_replay_whatever_happens(film_folder, data):
    path = film_folder / EDITS
    path.unlink(missing_ok=True)
    project = Project.open(film_folder)
    labels = [one.label for one in project.cast()]
    for _ in range(data.draw(st.integers(1, 8))):
        before = path.read_bytes() if path.exists() else b""
        known = Journal(film_folder).read().edits
        data.draw(enter_some(project.edits, [one.label for one in project.cast()] or labels))
        after = path.read_bytes() if path.exists() else b""
        assert after.startswith(before), "what was written is never rewritten"
        if len(after) > len(before) and data.draw(st.booleans()):
            path.write_bytes(after[: data.draw(st.integers(len(before), len(after)))])
        if data.draw(st.booleans()):
            project = Project.open(film_folder)  # the process was killed; another one goes on
        edits = Journal(film_folder).read().edits
        assert edits[: len(known)] == known, "nothing is lost"
        held = edits_that_hold(edits)
        assert held == replay_reversals(edits)
        found, slow = project.edits.compiled(), SlowReplay().run(locate(held))
        assert not found.contradictions
        assert {frozenset(group) for group in found.same_person} == slow.people()
        assert {t: name for name, own in found.names.items() for t in own} == slow.name
        expected = slow.pairs_apart(found.names)
        assert {frozenset(pair) for pair in found.different_people} == expected
        assert found.ignored == slow.ignored
        assert found.reviewed == slow.reviewed - slow.ignored
        cast = project.cast()
        assert set(cast.ignored) == slow.ignored
        assert {one.name for one in cast} - {None} <= set(found.names)


groups = st.builds(
    lambda role, own, label: LocatedGroup(role, tuple(own), label),
    st.sampled_from(["person", "moved", "rest", "target"]),
    tracks,
    st.sampled_from([None, "P01", "P02"]),
)
anything = st.lists(
    st.tuples(
        st.sampled_from(["name", "merge", "split", "move", "ignore", "confirm", "different"]),
        st.lists(groups, min_size=2, max_size=4),
        st.sampled_from(NAMES),
    ),
    max_size=8,
)


@given(anything)
def test_whatever_a_file_says_is_compiled_without_contradictions(said):
    edits = [LocatedEdit(n, kind, tuple(g), name) for n, (kind, g, name) in enumerate(said, 1)]
    found = compile_edits(edits)
    person_of = {track: group for group in found.same_person for track in group}
    assert sum(map(len, found.same_person)) == len(person_of), "people are disjoint"
    for a, b in found.different_people:
        assert a < b
        assert person_of.get(a, a) != person_of.get(b, b)
    named = {*person_of, *(track for pair in found.different_people for track in pair)}
    assert found.ignored.isdisjoint(named)
    for contradiction in found.contradictions:
        assert contradiction.edit <= len(edits)
        assert all(number < contradiction.edit for number in contradiction.because_of)
    again = compile_edits(edits)
    assert again == found
