"""Unknown tracks, grouped by the reason why they have no character."""

from __future__ import annotations

from dataclasses import dataclass

from personae.report.gallery import TINY_SIDE
from personae.report.report_data import FaceImage, ReportData

MAX_FACES_PER_REASON = 48
"""Faces shown for each reason."""

REASONS = {
    "kept": ("No clear match", "Recognisable faces that are not similar enough to any character."),
    "small": ("Too small", "Narrower than the smallest face that is compared."),
    "blurred": ("Blurred", "Not sharp enough to be compared."),
    "short": ("Too short", "Seen in too few frames."),
    "low_quality": (
        "Low quality",
        "Turned away or covered; most false detections are here.",
    ),
}
"""Status of a track -> title and explanation, in the order of the page."""


@dataclass(frozen=True)
class UnknownGroup:
    """The unknown tracks with one status."""

    title: str
    explanation: str
    n_tracks: int
    seconds: float
    """Total length of the tracks."""

    faces: list[FaceImage]

    @property
    def n_without_image(self) -> int:
        """Number of tracks that are not shown."""
        return self.n_tracks - len(self.faces)


def group_unknown_tracks(data: ReportData) -> list[UnknownGroup]:
    """Group the unknown tracks by status, the longest of each group first."""
    unknown = [data.tracks[number] for number in data.unknown]
    groups = []
    for status, (title, explanation) in REASONS.items():
        tracks = [track for track in unknown if track.status == status]
        if not tracks:
            continue
        by_length = sorted(tracks, key=lambda track: (-track.duration_s, track.number))
        longest = by_length[:MAX_FACES_PER_REASON]
        faces = [
            face for track in longest for face in data.best_faces([track.number], 1, TINY_SIDE)
        ]
        seconds = sum(track.duration_s for track in tracks)
        groups.append(UnknownGroup(title, explanation, len(tracks), seconds, faces))
    return groups
