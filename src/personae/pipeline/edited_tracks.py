"""The tracks as edits leave them: without ignored ones, and with what people have said."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, overload

import numpy as np

from personae.core.arrays import Int32Array, Int64Array
from personae.project.edits import CompiledEdits

if TYPE_CHECKING:
    from personae.adapt import Adaptation, Iteration
    from personae.project import Project
    from personae.project.track_set import ProjectTracks


def edit_tracks(tracks: ProjectTracks, edits: CompiledEdits) -> ProjectTracks:
    """Return those of a project's tracks that take part in the clustering, with people's links.

    Args:
        tracks: All tracks of the project that have crops.
        edits: What people have said.
    """
    ignored = np.isin(tracks.track_ids, sorted(edits.ignored))
    if ignored.any():
        # their images are not needed, and a subset would read them all
        tracks = replace(tracks, crops=replace(tracks.crops, images=None)).subset(~ignored)
    return link_tracks(tracks, edits)


def teach_tracks(tracks: ProjectTracks, edits: CompiledEdits) -> ProjectTracks:
    """Return all tracks as a film is learned with edits: ignored ones only as something to attach.

    Args:
        tracks: All tracks of a project that have crops.
        edits: What people have said.
    """
    ignored = np.isin(tracks.track_ids, sorted(edits.ignored))
    if ignored.any() and tracks.attach_only is not None:
        tracks = replace(tracks, attach_only=tracks.attach_only | ignored)
    return link_tracks(tracks, edits)


def link_tracks(tracks: ProjectTracks, edits: CompiledEdits) -> ProjectTracks:
    """Return tracks with the links that people have made between them.

    A chain of tracks of one person holds through tracks that are not among them, too.

    Args:
        tracks: Tracks of a project.
        edits: What people have said.
    """
    row_of = {int(track): row for row, track in enumerate(tracks.track_ids)}
    people = ([row_of[t] for t in group if t in row_of] for group in edits.same_person)
    same = [(group[0], other) for group in people for other in group[1:]]
    person_of = {track: group for group in edits.same_person for track in group}
    different = []
    for pair in edits.different_people:
        # a track that is not among them is represented by another one of its person
        sides = [
            next((row_of[t] for t in (track, *person_of.get(track, ())) if t in row_of), None)
            for track in pair
        ]
        if None not in sides:
            different.append(sides)
    return replace(tracks, must_link=_pairs(same), must_not_link=_pairs(different))


def select_adaptation(
    adaptation: Adaptation, project: Project, tracks: ProjectTracks
) -> Adaptation:
    """Return what an adaptation learned of some of its tracks.

    Args:
        adaptation: Of all tracks of the project that have crops.
        project: The project.
        tracks: Some of these tracks.
    """
    track_of = project.table("crops", "track")["track"].to_numpy()
    all_tracks = np.unique(track_of)
    if len(all_tracks) == tracks.n_tracks:
        return adaptation
    crops = np.flatnonzero(np.isin(track_of, tracks.track_ids))
    kept = np.flatnonzero(np.isin(all_tracks, tracks.track_ids))
    return replace(adaptation, iterations=_SelectedIterations(adaptation.iterations, crops, kept))


class _SelectedIterations(Sequence["Iteration"]):
    """Iterations of some crops and tracks, each read when it is accessed."""

    def __init__(
        self, iterations: Sequence[Iteration], crops: Int64Array, tracks: Int64Array
    ) -> None:
        self._iterations, self._crops, self._tracks = iterations, crops, tracks

    def __len__(self) -> int:
        return len(self._iterations)

    @overload
    def __getitem__(self, index: int) -> Iteration: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Iteration]: ...
    def __getitem__(self, index: int | slice) -> Iteration | Sequence[Iteration]:
        if isinstance(index, slice):
            return _SelectedIterations(self._iterations[index], self._crops, self._tracks)
        iteration = self._iterations[index]
        number = np.full(len(iteration.quality), -1, dtype=np.int32)
        number[self._tracks] = np.arange(len(self._tracks))
        matches = number[iteration.matches]
        return replace(
            iteration,
            embeddings=iteration.embeddings[self._crops],
            quality=iteration.quality[self._tracks],
            matches=matches[(matches >= 0).all(axis=1)],
        )


def _pairs(pairs: Iterable[Sequence[int | None]]) -> Int32Array:
    return np.array(list(pairs), dtype=np.int32).reshape(-1, 2)
