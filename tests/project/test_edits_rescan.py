"""Edits survive a new scan: tracks are found again by time and overlap, the rest is listed."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.fake_film import fake_film
from helpers.rescanned_film import rescan
from personae.project import Project

N_TRACKS = 14


@pytest.fixture
def film(tmp_path):
    """Four characters of three tracks each, and two unknown tracks, 12 and 13."""
    return Project.open(fake_film(tmp_path / "f.personae").folder)


def shuffled(seed=1):
    order = np.random.default_rng(seed).permutation(N_TRACKS).tolist()
    return dict(enumerate(order))


def test_edits_follow_their_tracks_to_other_numbers(film):
    film.edits.name("P01", "Ann")
    film.edits.split(None, [film.cast()["P02"].tracks[0]])
    film.edits.ignore(12)
    before, raw = film.edits.compiled(), (film.folder / "edits.jsonl").read_bytes()
    ann, number = set(film.cast()["Ann"].tracks), shuffled()
    again = rescan(film, number)
    after = again.edits.compiled()
    assert after.ignored == {number[12]}
    assert set(again.cast()["Ann"].tracks) == {number[track] for track in ann}
    assert {frozenset(pair) for pair in after.different_people} == {
        frozenset(number[track] for track in pair) for pair in before.different_people
    }
    assert after.reviewed == {number[track] for track in before.reviewed}
    assert again.edits.unmatched() == []
    assert again.edits.problems() == []
    assert (film.folder / "edits.jsonl").read_bytes() == raw


def test_numbers_that_another_machine_gave_differently_are_noticed(film):
    """The digest of the scan is the same, as for a scan with the same settings on a GPU."""
    film.edits.ignore(12)
    number = {**{track: track for track in range(N_TRACKS)}, 12: 3, 3: 12}
    again = rescan(film, number, digest=film.manifest.stages["scan"].digest, jitter=0.0)
    assert again.edits.compiled().ignored == {3}


def test_a_track_that_is_not_found_again_is_listed_and_not_dropped(film):
    film.edits.merge(0, 5)
    film.edits.merge(5, 9)
    number = {track: track for track in range(N_TRACKS) if track != 5}
    gone = rescan(film, number)
    assert gone.edits.compiled().same_person == ()
    assert [(one.edit, one.mark.track) for one in gone.edits.unmatched()] == [(1, 5), (2, 5)]
    [first, _] = gone.edits.problems()
    assert first.startswith("The scan has no track where edit 1 names track 5 (")
    assert len(gone.edits.log()) == 2


def test_a_track_that_a_new_scan_breaks_in_two_is_both(film):
    film.edits.confirm([0, 4])
    middle = {
        row["track"]: (row["start_s"] + row["end_s"]) / 2
        for row in film.table("tracks").to_pylist()
    }

    def second_half(face):
        return 20 if face["track"] == 4 and face["time_s"] > middle[4] else None

    again = rescan(film, {t: t for t in range(N_TRACKS)}, owner_of_face=second_half)
    assert again.edits.compiled().same_person == ((0, 4, 20),)


def test_people_who_became_one_track_are_told_and_not_silently_joined(film):
    film.edits.different(0, 4)
    film.edits.merge(0, 8)
    film.edits.merge(4, 9)
    number = {track: track for track in range(N_TRACKS)} | {4: 0}
    again = rescan(film, number)
    found = again.edits.compiled()
    assert found.same_person == ((0, 8, 9),)
    assert [one[:2] for one in found.contradictions] == [(1, ())]
    [problem] = again.edits.problems()
    assert problem == "Edit 1 is set aside: what it says are two people is track 0 now."


def test_edits_made_after_a_new_scan_join_the_old_ones(film):
    film.edits.name("P01", "Ann")
    number = shuffled(2)
    ann = {number[track] for track in film.cast()["Ann"].tracks}
    again = rescan(film, number)
    again.edits.confirm("Ann")
    assert again.edits.compiled().same_person == (tuple(sorted(ann)),)
    third = rescan(again, {track: track for track in range(N_TRACKS)}, digest="f" * 64)
    assert third.edits.compiled().same_person == (tuple(sorted(ann)),)
    assert len({entry.edit.scan for entry in third.edits.log()}) == 2


def test_an_empty_scan_keeps_the_edits(film):
    film.edits.name("P01", "Ann")
    empty = rescan(film, {})
    assert empty.edits.compiled().names == {}
    assert len(empty.edits.unmatched()) == 3
    assert len(empty.edits.log()) == 1
