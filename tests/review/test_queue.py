"""The queue asks what saves most, never twice, and never what cannot be."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.answered_questions import answer_as_edit, located_edit, regroup
from helpers.edited_film import edited_film
from helpers.review_client import review_of
from personae.project import Project
from personae.project.edits import compile_edits
from personae.review.queue import CLICKS_TO_MERGE, ReviewQueue, SettledPairs
from personae.review.similarity import FaceSimilarity

DIM = 32


def people(n_people, tracks_each, noise, seed):
    """Return descriptors of tracks, and the person of each."""
    rng = np.random.default_rng(seed)
    person = np.repeat(np.arange(n_people), tracks_each)
    centres = rng.normal(size=(n_people, DIM))
    return centres[person] + noise * rng.normal(size=(len(person), DIM)), person


def make_queue(descriptors):
    return ReviewQueue(FaceSimilarity(np.arange(len(descriptors)), descriptors))


def test_two_groups_of_one_person_are_asked_about_first():
    descriptors, _ = people(4, 6, 0.4, seed=0)
    characters = [(0, 1, 2), (3, 4, 5), *(tuple(range(6 * k, 6 * k + 6)) for k in (1, 2, 3))]
    first = make_queue(descriptors).build(characters, [], compile_edits([]))[0]
    assert (first.kind, {first.left, first.right}) == ("characters", {(0, 1, 2), (3, 4, 5)})
    assert first.probability > 0.9


def test_a_character_of_two_people_is_asked_about_by_its_parts():
    descriptors, person = people(4, 6, 0.4, seed=1)
    characters = [tuple(range(12)), *(tuple(range(6 * k, 6 * k + 6)) for k in (2, 3))]
    first = make_queue(descriptors).build(characters, [], compile_edits([]))[0]
    assert first.kind == "parts"
    assert len(set(person[list(first.left)])) == len(set(person[list(first.right)])) == 1


def test_an_unknown_track_is_asked_about_with_its_nearest_character():
    descriptors, _ = people(3, 6, 0.4, seed=2)
    characters = [tuple(range(5)), *(tuple(range(6 * k, 6 * k + 6)) for k in (1, 2))]
    asked = make_queue(descriptors).build(characters, [5], compile_edits([]))
    first = next(one for one in asked if one.kind == "unknown")
    assert (first.left, first.right) == (characters[0], (5,))


def test_people_on_screen_together_are_not_asked_about():
    descriptors, _ = people(2, 6, 0.4, seed=0)
    characters = [(0, 1, 2), (3, 4, 5), tuple(range(6, 12))]
    queue = make_queue(descriptors)
    pair = {(0, 1, 2), (3, 4, 5)}
    assert any({q.left, q.right} == pair for q in queue.build(characters, [], compile_edits([])))
    asked = queue.build(characters, [], compile_edits([]), [(2, 4)])
    assert all({q.left, q.right} != pair for q in asked)


def test_what_follows_from_answers_is_not_asked():
    descriptors, _ = people(3, 4, 3.0, seed=0)
    characters = [(0, 1), (2, 3), (4, 5), *[(k, k + 1) for k in (6, 8, 10)]]
    said = compile_edits(
        [
            located_edit(1, "merge", (0, 1), (2, 3)),
            located_edit(2, "different", (2, 3), (4, 5)),
        ]
    )
    asked = make_queue(descriptors).build(characters, [], said)
    pairs = [{q.left, q.right} for q in asked if q.kind == "characters"]
    assert pairs
    for settled in ({(0, 1), (2, 3)}, {(2, 3), (4, 5)}, {(0, 1), (4, 5)}):
        assert settled not in pairs


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    noise=st.floats(0.1, 3.0),
    answers=st.lists(st.booleans(), min_size=1, max_size=30),
)
def test_an_answered_question_never_returns(seed, noise, answers):
    descriptors, _ = people(4, 5, noise, seed)
    rng = np.random.default_rng(seed)
    groups = rng.integers(0, 6, len(descriptors) - 3)
    characters = [tuple(np.flatnonzero(groups == k).tolist()) for k in range(6) if k in groups]
    unknown = list(range(len(descriptors) - 3, len(descriptors)))
    queue, edits, answered = make_queue(descriptors), [], set()
    for number, is_same in enumerate(answers, start=1):
        asked = queue.build(characters, unknown, compile_edits(edits))
        assert answered.isdisjoint(one.id for one in asked)
        assert len({one.id for one in asked}) == len(asked)
        saved = [one.clicks_saved for one in asked]
        assert saved == sorted(saved, reverse=True)
        if not asked:
            break
        question = asked[0]
        made = [*edits, answer_as_edit(number, question, is_same)]
        if compile_edits(made).contradictions:
            continue  # such an edit is refused
        edits = made
        answered.add(question.id)
        compiled = compile_edits(edits)
        assert SettledPairs(compiled).is_answered(question.left, question.right)
        characters, unknown = regroup(characters, unknown, question, is_same)


@pytest.mark.parametrize("seed", range(3))
def test_merges_save_the_clicks_that_were_promised(seed):
    """On a simulated cast in fragments: what the questions promise is what the answers save."""
    descriptors, person = people(6, 12, 1.2, seed)
    characters = [tuple(range(first, first + 3)) for first in range(0, len(person), 3)]
    queue, edits, promised, saved, unknown = make_queue(descriptors), [], 0.0, 0, []
    for number in range(1, 200):
        asked = [
            one
            for one in queue.build(characters, unknown, compile_edits(edits))
            if one.kind == "characters"
        ]
        if not asked:
            break
        is_same = person[asked[0].left[0]] == person[asked[0].right[0]]
        promised += asked[0].clicks_saved
        saved += CLICKS_TO_MERGE * is_same
        edits.append(answer_as_edit(number, asked[0], is_same))
        characters, unknown = regroup(characters, unknown, asked[0], is_same)
    assert saved == CLICKS_TO_MERGE * 6 * 3  # every fragment found its person
    assert len(characters) == 6
    assert promised == pytest.approx(saved, rel=0.3)


def test_answers_on_the_page_become_edits_and_cluster_anew(tmp_path):
    folder = edited_film(tmp_path / "f.personae", method="personae", noise=0.5).folder
    with review_of(folder) as client:
        seen = []
        for _ in range(40):
            if 'id="yes"' not in client.get("/queue"):
                break
            question, _ = client.app._actions.next_question()
            same = len({track // 3 for track in (*question.left, *question.right)}) == 1
            seen.append(client.answer("yes" if same and max(question.right) < 12 else "no"))
        assert seen
        assert len(set(seen)) == len(seen)
        assert "No question is worth asking now" in client.get("/queue")
        for tracks in client.cast().values():
            assert len({track // 3 for track in tracks}) == 1


def test_a_skipped_question_comes_last_and_nothing_is_entered(tmp_path):
    folder = edited_film(tmp_path / "f.personae", noise=1.2).folder
    with review_of(folder) as client:
        first = client.answer("skip")
        second = client.answer("skip")
        assert first != second
        assert not Project.open(folder).edits.any_entered()


def test_a_question_that_another_browser_has_answered_is_said_to_be_gone(tmp_path):
    with review_of(edited_film(tmp_path / "f.personae", method="personae").folder) as client:
        sent = client.post("/answer", question="0" * 16, answer="yes", back="/queue")
        assert "not asked any more" in client.get(sent.headers["location"])
