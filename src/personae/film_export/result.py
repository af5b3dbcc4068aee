"""What the makers of films return."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from personae.film_export.unfollowed import Unfollowed


@dataclass(frozen=True)
class WrittenFilm:
    """A film that was written."""

    path: Path
    frames: int
    """Frames that it holds."""
    duration_s: float
    """From the first frame to the end of the last."""
    compute_s: float
    """Seconds that making it took."""
    notes: tuple[str, ...]
    """Sentences for the user: what was left out, or done in another way."""

    @property
    def compute_share(self) -> float:
        """Return the time that making it took, in multiples of the film's length."""
        return self.compute_s / max(self.duration_s, 1e-9)


@dataclass(frozen=True)
class BlurredFilm(WrittenFilm):
    """A copy of a film in which faces are unrecognisable."""

    unfollowed: tuple[Unfollowed, ...]
    """Where a face may have been lost, in order of time."""
    unfollowed_path: Path
    """The CSV file that lists them."""
