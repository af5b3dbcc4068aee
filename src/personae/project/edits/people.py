"""Find the tracks that a person means by a label, a name or track numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from personae.core.errors import EditError

if TYPE_CHECKING:
    import pyarrow as pa

    from personae.project.cast import Cast

Person: TypeAlias = str | int | Iterable[int]
"""Who is meant: a character by its label or name, a track by its number, or several tracks."""


class FoundTracks(NamedTuple):
    """The tracks that somebody means."""

    label: str | None
    """The character that was named as a whole; None where track numbers were given."""

    tracks: tuple[int, ...]
    """The most typical of the person first."""


class People:
    """The characters and tracks of a clustered film, to look up what a person means."""

    def __init__(self, cast: Cast, tracks: pa.Table, characters: pa.Table) -> None:
        self._cast = cast
        self.label_of: dict[int, str] = {
            track: character.label for character in cast for track in character.tracks
        }
        """Track -> the character that holds it."""
        columns = (tracks[name].to_pylist() for name in ("track", "start_s", "end_s"))
        lengths = {track: end - start for track, start, end in zip(*columns, strict=True)}
        columns = (characters[name].to_pylist() for name in ("track", "confidence"))
        self._weight = {
            track: confidence * lengths[track] for track, confidence in zip(*columns, strict=True)
        }

    def find(self, who: Person) -> FoundTracks:
        """Return the tracks that are meant.

        Raises:
            EditError: There is no such character or track, or none is named.
        """
        if isinstance(who, str):
            return self.find_character(who)
        tracks = [who] if isinstance(who, int) else list(dict.fromkeys(who))
        self._check(tracks)
        return FoundTracks(None, self.by_typicality(tracks))

    def find_character(self, word: str) -> FoundTracks:
        """Return the tracks of a character by its label or name.

        Raises:
            EditError: There is none.
        """
        try:
            character = self._cast[word]
        except KeyError:
            raise EditError(self._no_character(word)) from None
        return FoundTracks(character.label, self.by_typicality(character.tracks))

    def by_character(self, tracks: Iterable[int]) -> dict[str | None, tuple[int, ...]]:
        """Group tracks by the character that holds them; None holds the unknown and ignored."""
        groups: dict[str | None, list[int]] = {}
        for track in tracks:
            groups.setdefault(self.label_of.get(track), []).append(track)
        return {label: tuple(members) for label, members in groups.items()}

    def by_typicality(self, tracks: Iterable[int]) -> tuple[int, ...]:
        """Return tracks, those that are long and surely of their character first."""
        return tuple(sorted(tracks, key=lambda track: (-self._weight[track], track)))

    def _check(self, tracks: Sequence[int]) -> None:
        if not tracks:
            raise EditError("No track is named: name one at least.")
        for track in tracks:
            if track not in self._weight:
                raise EditError(f"There is no track {track}: {self._known_tracks()}.")

    def _known_tracks(self) -> str:
        if not self._weight:
            return "the film has none"
        return f"the film has the tracks {min(self._weight)} to {max(self._weight)}"

    def _no_character(self, word: str) -> str:
        known = {one.label: one.label for one in self._cast}
        known |= {one.name: one.name for one in self._cast if one.name is not None}
        if not known:
            return f"There is no character {word!r}: the film has none."
        folded = {known_word.casefold(): known_word for known_word in known}
        close = get_close_matches(word.casefold(), folded, n=1)
        if close:
            return f"There is no character {word!r}: did you mean {folded[close[0]]!r}?"
        labels = sorted(one.label for one in self._cast)
        shown = f"{labels[0]} to {labels[-1]}" if len(labels) > 1 else labels[0]
        return f"There is no character {word!r}: there is {shown}."
