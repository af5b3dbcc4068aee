"""The queue asks what saves most, never twice, and never what cannot be."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.answered_questions import answer_as_edits, located_edit, regroup
from helpers.edited_film import edited_film
from helpers.review_client import review_of, shown_question
from personae.pipeline.settings import recorded_settings
from personae.project import Project
from personae.project.edits import compile_edits
from personae.review.answers import statements_of
from personae.review.evidence_similarity import EvidenceSimilarity
from personae.review.film import ReviewedFilm
from personae.review.questions import Pair, Question
from personae.review.queue import CLICKS_TO_MERGE, ReviewQueue
from personae.review.settled_pairs import SettledPairs
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


def sides(question):
    return [{pair.left, pair.right} for pair in question.pairs]


def all_sides(questions, kind):
    return [{one.left, one.right} for each in questions for one in each.pairs if one.kind == kind]


def test_two_groups_of_one_person_are_asked_about_first():
    descriptors, _ = people(4, 6, 0.4, seed=0)
    characters = [(0, 1, 2), (3, 4, 5), *(tuple(range(6 * k, 6 * k + 6)) for k in (1, 2, 3))]
    first = make_queue(descriptors).build(characters, [], compile_edits([]))[0]
    assert sides(first)[0] == {(0, 1, 2), (3, 4, 5)}
    assert first.pairs[0].kind == "apart"
    assert first.pairs[0].probability > 0.9
    assert all(pair.is_selected == (pair.kind == "parts") for pair in first.pairs[1:])


def test_a_character_of_two_people_is_asked_about_by_its_parts():
    descriptors, person = people(4, 6, 0.4, seed=1)
    characters = [tuple(range(12)), *(tuple(range(6 * k, 6 * k + 6)) for k in (2, 3))]
    first = make_queue(descriptors).build(characters, [], compile_edits([]))[0]
    pair = first.pairs[0]
    assert pair.kind == "parts"
    assert len(set(person[list(pair.left)])) == len(set(person[list(pair.right)])) == 1
    assert not pair.is_selected


def test_unknown_tracks_of_several_people_are_asked_about_together():
    descriptors, _ = people(3, 6, 0.4, seed=2)
    characters = [tuple(range(6 * k, 6 * k + 5)) for k in (0, 1, 2)]
    first = make_queue(descriptors).build(characters, [5, 11, 17], compile_edits([]))[0]
    apart = [pair for pair in first.pairs if pair.kind == "apart" and pair.is_selected]
    assert first.pairs[:3] == tuple(apart)
    assert {pair.right: pair.left for pair in apart} == {
        (6 * k + 5,): characters[k] for k in (0, 1, 2)
    }


def test_every_character_is_compared_with_its_nearest_however_improbable():
    descriptors, _ = people(4, 6, 0.05, seed=3)
    characters = [tuple(range(6 * k, 6 * k + 6)) for k in range(4)]
    asked = make_queue(descriptors).build(characters, [], compile_edits([]))
    pairs = all_sides(asked, "apart")
    apart = [pair for one in asked for pair in one.pairs if pair.kind == "apart"]
    assert all(pair.probability < 0.01 for pair in apart)
    assert {group for pair in pairs for group in pair} == set(characters)
    assert len(pairs) <= 2 * len(characters)


def test_people_on_screen_together_are_not_asked_about():
    descriptors, _ = people(2, 6, 0.4, seed=0)
    characters = [(0, 1, 2), (3, 4, 5), tuple(range(6, 12))]
    queue = make_queue(descriptors)
    pair = {(0, 1, 2), (3, 4, 5)}
    assert pair in all_sides(queue.build(characters, [], compile_edits([])), "apart")
    asked = queue.build(characters, [], compile_edits([]), [(2, 4)])
    assert pair not in all_sides(asked, "apart")


def test_what_follows_from_answers_is_not_asked():
    descriptors, _ = people(3, 4, 3.0, seed=0)
    characters = [(0, 1), (2, 3), (4, 5), *[(k, k + 1) for k in (6, 8, 10)]]
    said = compile_edits(
        [
            located_edit(1, "merge", (0, 1), (2, 3)),
            located_edit(2, "different", (2, 3), (4, 5)),
        ]
    )
    pairs = all_sides(make_queue(descriptors).build(characters, [], said), "apart")
    assert pairs
    for settled in ({(0, 1), (2, 3)}, {(2, 3), (4, 5)}, {(0, 1), (4, 5)}):
        assert settled not in pairs


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    noise=st.floats(0.1, 3.0),
    answers=st.lists(st.lists(st.booleans(), min_size=24, max_size=24), min_size=1, max_size=8),
)
def test_an_answered_pair_never_returns(seed, noise, answers):
    descriptors, _ = people(4, 5, noise, seed)
    rng = np.random.default_rng(seed)
    groups = rng.integers(0, 6, len(descriptors) - 3)
    characters = [tuple(np.flatnonzero(groups == k).tolist()) for k in range(6) if k in groups]
    unknown = list(range(len(descriptors) - 3, len(descriptors)))
    queue, edits, answered = make_queue(descriptors), [], set()
    for are_same in answers:
        asked = queue.build(characters, unknown, compile_edits(edits))
        pairs = {(frozenset(p.left), frozenset(p.right)) for one in asked for p in one.pairs}
        assert answered.isdisjoint(pairs)
        assert len({one.id for one in asked}) == len(asked)
        saved = [one.clicks_saved for one in asked]
        assert saved == sorted(saved, reverse=True)
        if not asked:
            break
        question = asked[0]
        chosen = [pair for pair, same in zip(question.pairs, are_same, strict=False) if same]
        made = [*edits, *answer_as_edits(len(edits) + 1, question, chosen)]
        if compile_edits(made).contradictions:
            continue  # such an edit is refused
        edits = made
        answered |= {(frozenset(p.left), frozenset(p.right)) for p in question.pairs}
        settled = SettledPairs(compile_edits(edits))
        assert all(settled.is_answered(pair.left, pair.right) for pair in question.pairs)
        characters, unknown = regroup(characters, unknown, question, chosen)


@pytest.mark.parametrize("seed", range(3))
def test_a_shattered_cast_is_put_together_in_a_third_of_the_merges(seed):
    descriptors, person = people(6, 12, 1.2, seed)
    characters = [tuple(range(first, first + 3)) for first in range(0, len(person), 3)]
    n_merges = len(characters) - 6
    queue, edits, unknown, n_answers = make_queue(descriptors), [], [], 0
    while len(characters) > 6:
        question = queue.build(characters, unknown, compile_edits(edits))[0]
        n_answers += 1
        chosen = [
            pair
            for pair in question.pairs
            if len(set(person[[*pair.left, *pair.right]].tolist())) == 1
        ]
        edits += answer_as_edits(len(edits) + 1, question, chosen)
        characters, unknown = regroup(characters, unknown, question, chosen)
    assert sorted(len(one) for one in characters) == [12] * 6
    assert n_answers <= n_merges / 3


def test_promised_clicks_are_those_of_merging_by_hand():
    descriptors, _ = people(4, 6, 0.2, seed=0)
    characters = [(0, 1, 2), (3, 4, 5), *(tuple(range(6 * k, 6 * k + 6)) for k in (1, 2, 3))]
    first = make_queue(descriptors).build(characters, [], compile_edits([]))[0]
    assert first.pairs[0].clicks_saved == pytest.approx(CLICKS_TO_MERGE, abs=0.3)
    assert first.clicks_saved == pytest.approx(sum(pair.clicks_saved for pair in first.pairs))


def right_pairs(question: Question) -> list[int]:
    """Return the places of the pairs of the film's first twelve tracks that are one person."""
    return [
        place
        for place, pair in enumerate(question.pairs)
        if len({track // 3 for track in (*pair.left, *pair.right)}) == 1 and max(pair.right) < 12
    ]


def test_answers_on_the_page_become_edits_and_cluster_anew(tmp_path):
    folder = edited_film(tmp_path / "f.personae", method="personae", noise=0.5).folder
    with review_of(folder) as client:
        seen = []
        for _ in range(40):
            if 'id="yes"' not in client.get("/queue"):
                break
            question = client.app._actions.next_question(ask_of_seen_together=False).question
            right = right_pairs(question)
            seen.append(client.answer("yes" if right else "no", right))
        assert seen
        assert len(set(seen)) == len(seen)
        assert "No question is worth asking now" in client.get("/queue")
        for tracks in client.cast().values():
            assert len({track // 3 for track in tracks}) == 1


def test_to_say_that_nothing_is_wrong_leaves_everybody_as_they_are(tmp_path):
    folder = edited_film(tmp_path / "f.personae", noise=1.2).folder
    with review_of(folder) as client:
        before = client.cast()
        assert client.get("/queue").count('name="chosen"') > 1
        question = client.app._actions.next_question(ask_of_seen_together=False).question
        fields = {"question": question.id, "answer": "yes", "chosen": 99, "back": "/queue"}
        sent = client.post("/answer", **fields)
        assert "fewer faces" in client.get(sent.headers["location"])
        assert not Project.open(folder).edits.any_entered()
        client.answer("no")
        assert {pair.kind for pair in question.pairs} >= {"apart", "parts"}
        said = Project.open(folder).edits.compiled()
        for pair in question.pairs:
            whole = {*pair.left, *pair.right}
            assert any(whole <= set(one) for one in said.same_person) == (pair.kind == "parts")
            assert SettledPairs(said).is_answered(pair.left, pair.right)
        assert client.cast() == before


def test_of_pairs_that_are_apart_somebody_is_selected_or_nothing_is_wrong(tmp_path):
    folder = edited_film(tmp_path / "f.personae", tracks_each=1, noise=1.2, characters=6).folder
    with review_of(folder) as client:
        question = shown_question(client.get("/queue"))
        sent = client.post("/answer", question=question, answer="yes", back="/queue")
        assert "Nobody is selected" in client.get(sent.headers["location"])


def test_a_part_that_is_somebody_else_is_moved_there():
    whole, part, other, third = (1, 2, 3), (4, 5), (6, 7), (8, 9)
    question = Question(
        (
            Pair("parts", whole, part, 0.4, 1.0),
            Pair("part", other, part, 0.5, 1.0),
            Pair("apart", (*whole, *part), third, 0.5, 1.0),
        )
    )
    parts, moved, apart = question.pairs
    assert statements_of(question, [moved, apart]) == [
        ("merge", (whole, third)),
        ("move", (part, other, whole)),
    ]
    assert statements_of(question, []) == [
        ("different", (other, part)),
        ("different", (whole, third)),
        ("split", (part, whole)),
    ]
    assert statements_of(question, question.pairs) == [
        ("merge", (other, part)),
        ("merge", ((*whole, *part), third)),
        ("confirm", ((*whole, *part),)),
    ]
    assert statements_of(question, [parts]) == [
        ("confirm", ((*whole, *part),)),
        ("different", (other, part)),
        ("different", ((*whole, *part), third)),
    ]


def test_a_character_is_split_at_several_cuts_at_once():
    core, small, large = (1, 2, 3, 4), (5,), (6, 7)
    question = Question(
        (
            Pair("parts", (*core, *large), small, 0.4, 1.0),
            Pair("parts", core, (*large, *small), 0.5, 1.0),
        )
    )
    assert statements_of(question, []) == [
        ("split", (small, (*core, *large))),
        ("split", (large, core)),
    ]
    assert statements_of(question, question.pairs[:1]) == [("split", ((*large, *small), core))]
    [(verb, groups)] = statements_of(question, question.pairs)
    assert verb == "confirm"
    assert [set(group) for group in groups] == [{*core, *small, *large}]


def test_what_follows_from_the_chosen_pairs_is_not_denied():
    a, b, c, d = (0,), (1,), (2,), (3,)
    sides = [(a, b), (b, c), (a, c), (a, d)]
    question = Question(tuple(Pair("apart", *both, 0.5, 1.0) for both in sides))
    said = statements_of(question, question.pairs[:2])
    assert said == [("merge", (a, b)), ("merge", (b, c)), ("different", (a, d))]


def test_the_part_of_a_mixed_character_is_asked_about_with_whom_it_may_be():
    descriptors, person = people(4, 8, 0.4, seed=1)
    characters = [
        (*range(8), 8, 9),
        tuple(range(10, 16)),
        *(tuple(range(8 * k, 8 * k + 8)) for k in (2, 3)),
    ]
    first = make_queue(descriptors).build(characters, [], compile_edits([]))[0]
    pair = next(one for one in first.pairs if one.kind == "part")
    assert (pair.left, pair.right) == (characters[1], (8, 9))
    assert pair.is_selected
    said = statements_of(
        first, [one for one in first.pairs if len(set(person[[*one.left, *one.right]])) == 1]
    )
    assert ("move", ((8, 9), characters[1], tuple(range(8)))) in said


def test_the_queue_goes_by_the_evidence_of_the_film_once_it_is_measured(tmp_path):
    folder = edited_film(tmp_path / "f.personae", method="personae", noise=0.5).folder
    film = ReviewedFilm(folder)
    assert isinstance(film.state().similarity, FaceSimilarity)
    measured = film.evidence.measure(film.project, recorded_settings(film.project))
    similarity = film.state().similarity
    assert isinstance(similarity, EvidenceSimilarity)
    groups = [one.tracks for one in film.state().cast]
    found = similarity.log_odds(groups, groups)
    for a, left in enumerate(groups):
        for b, right in enumerate(groups):
            if a != b:
                block = measured.evidence.log_odds[np.ix_(left, right)]
                links = measured.tracks.cannot_link_matrix()[np.ix_(left, right)].sum()
                assert found[a, b] == pytest.approx(block.mean() - 5 * links, abs=1e-3)


def test_a_skipped_question_comes_last_and_nothing_is_entered(tmp_path, monkeypatch):
    monkeypatch.setattr("personae.review.queue.MAX_PAIRS", 2)  # several pages
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
