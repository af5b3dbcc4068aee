"""The evidence of a film, kept in memory so that an answer only links and cuts anew."""

from __future__ import annotations

from dataclasses import dataclass, replace
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from personae.core.digest import json_digest
from personae.core.trackset import Crops
from personae.pipeline.edited_tracks import teach_tracks
from personae.pipeline.learned import load_adaptation, load_learned_edits, needs_adaptation

if TYPE_CHECKING:
    from personae.cluster.track_evidence import TrackEvidence
    from personae.pipeline.settings import Settings
    from personae.project import Project
    from personae.project.track_set import ProjectTracks

MAX_KEPT_TRACKS = 6000
"""Most tracks whose evidence is kept: 144 MB. That of longer films is measured every time."""


@dataclass(frozen=True)
class MeasuredTracks:
    """All tracks of a film that have crops, and the evidence for their pairs."""

    tracks: ProjectTracks
    """Without crops, and without what people have said since the film was learned."""

    evidence: TrackEvidence

    def of(self, tracks: ProjectTracks) -> TrackEvidence:
        """Return the evidence of some of the tracks."""
        return self.evidence.subset(np.searchsorted(self.tracks.track_ids, tracks.track_ids))


class KeptEvidence:
    """Keeps the evidence of one project as long as what it was measured on is the same.

    It does not depend on edits, unless the film was learned with them. Threads may share it.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: tuple[str, MeasuredTracks] | None = None
        self.version = 0
        """A number that changes when other evidence is kept."""

    def get(self, project: Project, settings: Settings) -> MeasuredTracks | None:
        """Return the evidence if it is here and still right; never measure it."""
        kept = self._kept
        return kept[1] if kept is not None and kept[0] == _key(project, settings) else None

    def measure(self, project: Project, settings: Settings) -> MeasuredTracks:
        """Return the evidence, measured now unless it is here.

        Args:
            project: A project whose crops are encoded.
            settings: Those that it is clustered with.

        Raises:
            ProjectError: A stage before the clustering has not finished.
        """
        with self._lock:
            known = self.get(project, settings)
            if known is None:
                self._kept = None  # never two squares in memory
                known = _measure(project, settings)
                if known.tracks.n_tracks <= MAX_KEPT_TRACKS:
                    self._kept = _key(project, settings), known
                    self.version += 1
        return known


def _measure(project: Project, settings: Settings) -> MeasuredTracks:
    from personae.cluster.calibrated_linkage import CalibratedLinkage

    tracks, adaptation = project.track_set(), None
    if needs_adaptation(settings):
        tracks = teach_tracks(tracks, load_learned_edits(project))
        adaptation = load_adaptation(project)
    method = CalibratedLinkage(learn_links=settings.adapt.learn_edits)
    evidence = method.measure_evidence(tracks, adaptation)
    return MeasuredTracks(replace(tracks, crops=Crops()), evidence)


def _key(project: Project, settings: Settings) -> str:
    """Return a digest of all that the evidence depends on."""
    stages = project.manifest.stages
    made = ("scan", "encode", "adapt") if needs_adaptation(settings) else ("scan", "encode")
    digests: dict[str, object] = {name: stages[name].digest for name in made if name in stages}
    return json_digest({**digests, "learn_edits": settings.adapt.learn_edits})
