"""Films made from a film: the reel of a character, and a copy with faces made unrecognisable.

The film itself is only read.
"""

from __future__ import annotations

from personae.film_export.blur import write_blurred_film
from personae.film_export.blur_settings import BlurSettings
from personae.film_export.hidden_faces import HiddenPeople
from personae.film_export.reel import ReelSettings, write_reel
from personae.film_export.result import BlurredFilm, WrittenFilm

__all__ = [
    "BlurSettings",
    "BlurredFilm",
    "HiddenPeople",
    "ReelSettings",
    "WrittenFilm",
    "write_blurred_film",
    "write_reel",
]
