"""Which faces of a film are hidden, and how."""

from __future__ import annotations

from dataclasses import dataclass, field

from personae.core.errors import SettingError, join_choices
from personae.film_export.codecs import DEFAULT_CRF, check_crf
from personae.film_export.hidden_faces import HiddenPeople
from personae.film_export.obscuring import SHAPES, STYLES
from personae.film_export.segments import check_seconds

MAX_PADDING = 3.0
"""Largest padding; what is hidden is then seven times as wide as the face."""


@dataclass(frozen=True)
class BlurSettings:
    """Which faces are hidden, and how.

    Raises:
        SettingError: A value is out of its range.
    """

    people: HiddenPeople = field(default_factory=HiddenPeople)
    """Whose faces."""

    style: str = "pixelate"
    """pixelate (coarse squares), blur (smooth colours) or box (a black area)."""

    shape: str = "ellipse"
    """Outline of what is hidden: ellipse or rectangle."""

    padding: float = 0.4
    """Share of its width and height by which a face's box grows on each side."""

    hold_s: float = 0.5
    """Seconds to hide before a face was first and after it was last seen in a shot."""

    crf: int = DEFAULT_CRF
    """Quality of encoded frames: 0 is without loss, 51 is worst."""

    thorough: bool = False
    """Search all of the film again for faces that the scan missed, rather than only the stretches
    in which a hidden face was not followed."""

    def __post_init__(self) -> None:
        for name, value, choices in (("style", self.style, STYLES), ("shape", self.shape, SHAPES)):
            if value not in choices:
                raise SettingError(f"There is no {name} {value!r}; choose {join_choices(choices)}.")
        if not 0 <= self.padding <= MAX_PADDING:
            raise SettingError(
                f"The padding is a share from 0 to {MAX_PADDING:g}, not {self.padding:g}."
            )
        check_seconds(self.hold_s, "A hold")
        check_crf(self.crf)
