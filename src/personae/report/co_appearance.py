"""Co-appearance: the number of shots that two characters share."""

from __future__ import annotations

from dataclasses import dataclass

from personae.report.report_data import CharacterLink, ReportData

MAX_CHARACTERS = 16
"""Characters in the matrix; more columns would not be readable."""


@dataclass(frozen=True)
class CoAppearance:
    """Symmetric matrix of shared shots; the diagonal counts each character's own shots."""

    links: list[CharacterLink]
    shots: list[list[int]]
    max_shared: int
    """Largest number of shots shared by two characters."""

    n_left_out: int
    """Characters beyond `MAX_CHARACTERS`."""


def count_shared_shots(data: ReportData) -> CoAppearance:
    """Count shared shots of the characters with the most screen time."""
    shown = data.characters[:MAX_CHARACTERS]
    shots_of = [{appearance.shot for appearance in one.appearances} for one in shown]
    shots = [[len(a & b) for b in shots_of] for a in shots_of]
    return CoAppearance(
        links=[data.links[one.label] for one in shown],
        shots=shots,
        max_shared=max((shots[i][j] for i in range(len(shown)) for j in range(i)), default=0),
        n_left_out=len(data.characters) - len(shown),
    )
