"""Unknown tracks, grouped by the reason why they have no character."""

from __future__ import annotations

from dataclasses import dataclass

from personae.report.gallery import TINY_SIDE
from personae.report.report_data import FaceImage, ReportData, ReportTrack

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

IGNORED = ("Ignored", "Left out of the cast by a person.")
"""Title and explanation of the tracks that edits ignore."""


@dataclass(frozen=True)
class UnknownGroup:
    """The unknown tracks with one status, or the ignored ones."""

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
    """Group the unknown tracks by status and the ignored ones, the longest of each first."""
    unknown = [data.tracks[number] for number in data.unknown]
    groups = [
        (title, explanation, [track for track in unknown if track.status == status])
        for status, (title, explanation) in REASONS.items()
    ]
    groups.append((*IGNORED, [data.tracks[number] for number in data.ignored]))
    return [
        _make_group(data, title, explanation, tracks)
        for title, explanation, tracks in groups
        if tracks
    ]


def _make_group(
    data: ReportData, title: str, explanation: str, tracks: list[ReportTrack]
) -> UnknownGroup:
    by_length = sorted(tracks, key=lambda track: (-track.duration_s, track.number))
    faces = [
        face
        for track in by_length[:MAX_FACES_PER_REASON]
        for face in data.best_faces([track.number], 1, TINY_SIDE)
    ]
    seconds = sum(track.duration_s for track in tracks)
    return UnknownGroup(title, explanation, len(tracks), seconds, faces)
