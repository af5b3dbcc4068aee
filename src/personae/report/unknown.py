"""Tracks that were given to nobody, by the reason."""

from __future__ import annotations

from dataclasses import dataclass

from personae.report.gallery import TINY
from personae.report.report_data import Face, Film

SHOWN = 48
"""Faces shown of each reason."""

REASONS = {
    "kept": ("Like nobody for certain", "Clear faces that resemble no character well enough."),
    "small": ("Too small", "Narrower than the smallest face that is compared."),
    "blurred": ("Blurred", "Not sharp enough to be compared."),
    "short": ("Too short", "Seen for too few frames."),
    "low_quality": (
        "Low quality",
        "Turned away or covered; things mistaken for faces are mostly here.",
    ),
}
"""Status of a track -> title and explanation, in the order of the page."""


@dataclass(frozen=True)
class Group:
    """Unknown tracks with one status."""

    title: str
    explanation: str
    tracks: int
    seconds: float
    faces: list[Face]

    @property
    def left_out(self) -> int:
        """Tracks without a picture here."""
        return self.tracks - len(self.faces)


def unknown_groups(film: Film) -> list[Group]:
    """Group the unknown tracks, the longest of each group first."""
    groups = []
    for status, (title, explanation) in REASONS.items():
        tracks = [
            film.tracks[number] for number in film.unknown if film.tracks[number].status == status
        ]
        if not tracks:
            continue
        longest = sorted(tracks, key=lambda track: (-track.length, track.number))[:SHOWN]
        faces = [face for track in longest for face in film.best_faces([track.number], 1, TINY)]
        groups.append(Group(title, explanation, len(tracks), sum(t.length for t in tracks), faces))
    return groups
