"""Review: the least certain decisions of the clustering, with faces of both sides."""

from __future__ import annotations

from dataclasses import dataclass

from personae.export.titles import shot_title
from personae.report.gallery import THUMBNAIL_SIDE
from personae.report.report_data import CharacterLink, FaceImage, ReportData

MAX_CARDS = 24
"""Decisions on the page."""

FACES_PER_SIDE = 4

TITLES = {"merge": "Merged", "split": "Kept separate", "unknown": "Left unknown"}
"""Kind of decision -> its title."""


@dataclass(frozen=True)
class ReviewSide:
    """One of the two sides of a decision: a typical track, and the character it belongs to."""

    link: CharacterLink | None
    caption: str
    start_s: float
    end_s: float
    faces: list[FaceImage]


@dataclass(frozen=True)
class ReviewCard:
    """A decision to review."""

    title: str
    text: str
    probability: float
    """0..1: probability that both sides are the same person."""

    sides: list[ReviewSide]


def make_review_cards(data: ReportData) -> list[ReviewCard]:
    """Return the least certain decisions, least certain first."""
    return [
        ReviewCard(
            title=TITLES[item["kind"]],
            text=item["text"],
            probability=item["probability"],
            sides=[_make_side(data, track, item["kind"]) for track in item["tracks"]],
        )
        for item in data.project.review_items[:MAX_CARDS]
    ]


def _make_side(data: ReportData, number: int, kind: str) -> ReviewSide:
    """Show a track; where characters are compared, half of the faces are from its other tracks."""
    track = data.tracks[number]
    link = data.link(track.character)
    other_tracks: list[int] = []
    if link is not None and kind != "merge":
        character = next(one for one in data.characters if one.label == link.label)
        other_tracks = [other for other in character.tracks if other != number]
    other_faces = data.best_faces(other_tracks, FACES_PER_SIDE // 2, THUMBNAIL_SIDE)
    faces = data.best_faces([number], FACES_PER_SIDE - len(other_faces), THUMBNAIL_SIDE)
    caption = f"track {number}, {shot_title(track.shot)},"
    return ReviewSide(link, caption, track.start_s, track.end_s, faces + other_faces)
