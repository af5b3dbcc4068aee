"""Tracks as a method may learn from them: with what a person has said of them, or without."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

import numpy as np

from personae.core.arrays import Int32Array, Int64Array
from personae.core.grouping import connect_pairs
from personae.core.trackset import TrackSet

Tracks = TypeVar("Tracks", bound=TrackSet)

MAX_REFUSED_TRACKS = 32
"""Tracks of a person that a refusal is spelt out for; it bounds the pairs of large groups."""


def without_links(tracks: Tracks) -> Tracks:
    """Return tracks as if nobody had said anything of them."""
    if not len(tracks.must_link) and not len(tracks.must_not_link):
        return tracks
    none = np.empty((0, 2), dtype=np.int32)
    return replace(tracks, must_link=none, must_not_link=none)


def learn_from_links(tracks: Tracks) -> Tracks:
    """Return tracks in which what a person has said of pairs is evidence like that of the film.

    A track of which a person has said who it is may be learned from, however poor it is. People who
    were said to be different are as certain as people on screen together. Where a must-link says
    that two tracks on screen together are one person, as in a mirror, that cannot-link is dropped.
    """
    if not len(tracks.must_link) and not len(tracks.must_not_link):
        return tracks
    person = connect_pairs(tracks.must_link, tracks.n_tracks)
    attach_only = tracks.attach_only
    if attach_only is not None:
        attach_only = attach_only & ~np.isin(np.arange(tracks.n_tracks), tracks.must_link)
    pairs = np.concatenate([tracks.cannot_link, _spell_out(tracks.must_not_link, person)])
    pairs = pairs[person[pairs[:, 0]] != person[pairs[:, 1]]]
    cannot_link = np.unique(np.sort(pairs, axis=1), axis=0).astype(np.int32)
    return replace(
        tracks, attach_only=attach_only, cannot_link=cannot_link, cannot_link_frames=None
    )


def _spell_out(must_not_link: Int32Array, person: Int64Array) -> Int32Array:
    """Return the pairs of tracks of people of whom a pair must not be linked."""
    people = np.unique(np.sort(person[must_not_link], axis=1), axis=0)
    order = np.argsort(person, kind="stable")
    members = np.split(order, np.cumsum(np.bincount(person))[:-1])
    pairs = [must_not_link]
    for one, other in people.tolist():
        sides = (members[one][:MAX_REFUSED_TRACKS], members[other][:MAX_REFUSED_TRACKS])
        pairs.append(np.stack(np.meshgrid(*sides), axis=-1).reshape(-1, 2).astype(np.int32))
    return np.concatenate(pairs)
