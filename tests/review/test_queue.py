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
from personae.review.evidence_similarity import EvidenceSimilarity
from personae.review.film import ReviewedFilm
from personae.review.queue import CLICKS_TO_MERGE, Question, ReviewQueue, SettledPairs
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
    return [pair for one in questions if one.kind == kind for pair in sides(one)]


def test_two_groups_of_one_person_are_asked_about_first():
    descriptors, _ = people(4, 6, 0.4, seed=0)
    characters = [(0, 1, 2), (3, 4, 5), *(tuple(range(6 * k, 6 * k + 6)) for k in (1, 2, 3))]
    first = make_queue(descriptors).build(characters, [], compile_edits([]))[0]
    assert first.kind == "apart"
    assert sides(first)[0] == {(0, 1, 2), (3, 4, 5)}
    assert first.pairs[0].probability > 0.9
    assert [pair.is_selected for pair in first.pairs] == [True] + [False] * (len(first.pairs) - 1)


def test_a_character_of_two_people_is_asked_about_by_its_parts():
    descriptors, person = people(4, 6, 0.4, seed=1)
    characters = [tuple(range(12)), *(tuple(range(6 * k, 6 * k + 6)) for k in (2, 3))]
    first = make_queue(descriptors).build(characters, [], compile_edits([]))[0]
    assert first.kind == "parts"
    pair = first.pairs[0]
    assert len(set(person[list(pair.left)])) == len(set(person[list(pair.right)])) == 1
    assert not pair.is_selected


def test_unknown_tracks_of_several_people_are_asked_about_together():
    descriptors, _ = people(3, 6, 0.4, seed=2)
    characters = [tuple(range(6 * k, 6 * k + 5)) for k in (0, 1, 2)]
    first = make_queue(descriptors).build(characters, [5, 11, 17], compile_edits([]))[0]
    assert sides(first)[:3] == [{characters[k], (6 * k + 5,)} for k in (0, 1, 2)] or {
        pair.right: pair.left for pair in first.pairs if pair.is_selected
    } == {(6 * k + 5,): characters[k] for k in (0, 1, 2)}


def test_every_character_is_compared_with_its_nearest_however_improbable():
    descriptors, _ = people(4, 6, 0.05, seed=3)
    characters = [tuple(range(6 * k, 6 * k + 6)) for k in range(4)]
    asked = make_queue(descriptors).build(characters, [], compile_edits([]))
    pairs = all_sides(asked, "apart")
    assert all(pair.probability < 0.01 for one in asked for pair in one.pairs)
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
            question, _ = client.app._actions.next_question(ask_of_seen_together=False)
            right = right_pairs(question)
            seen.append(client.answer("yes" if right else "no", right))
        assert seen
        assert len(set(seen)) == len(seen)
        assert "No question is worth asking now" in client.get("/queue")
        for tracks in client.cast().values():
            assert len({track // 3 for track in tracks}) == 1


def test_of_several_pairs_somebody_is_selected_or_nobody_is_right(tmp_path):
    folder = edited_film(tmp_path / "f.personae", noise=1.2).folder
    with review_of(folder) as client:
        shown = client.get("/queue")
        assert shown.count('name="chosen"') > 1
        question = shown_question(shown)
        sent = client.post("/answer", question=question, answer="yes", back="/queue")
        assert "Nobody is selected" in client.get(sent.headers["location"])
        fields = {"question": question, "answer": "yes", "chosen": 99, "back": "/queue"}
        sent = client.post("/answer", **fields)
        assert "fewer faces" in client.get(sent.headers["location"])
        assert not Project.open(folder).edits.any_entered()
        client.answer("no")
        said = Project.open(folder).edits.compiled()
        assert said.different_people
        assert not said.same_person


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
