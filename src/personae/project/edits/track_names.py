"""Names of tracks: who gets one, keeps one and passes it on."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence


class TrackNames:
    """The names that edits have given to tracks.

    A character carries a name if it holds more than half of the tracks that have it.
    """

    def __init__(self) -> None:
        self._name_of: dict[int, tuple[str, int]] = {}
        """Track -> its name, and the edit that gave it."""
        self._holders: dict[str, dict[int, None]] = defaultdict(dict)
        """Name -> its tracks, in the order in which they were named."""

    def holders(self, name: str) -> list[int]:
        """Return the tracks of a name, in the order in which they were named."""
        return list(self._holders.get(name, ()))

    def all_holders(self) -> dict[str, tuple[int, ...]]:
        """Return the tracks of every name."""
        return {name: tuple(tracks) for name, tracks in self._holders.items() if tracks}

    def given_by(self, tracks: Iterable[int]) -> tuple[int, ...]:
        """Return the edits that gave some tracks their names, in order."""
        return tuple(sorted({self._name_of[track][1] for track in tracks}))

    def give(self, edit: int, tracks: Sequence[int], name: str) -> None:
        """Give tracks a name; a character that carries another one is renamed as a whole."""
        for old in self._carried(tracks):
            self._rename(old, name, edit)
        for track in tracks:
            self._set(track, name, edit)

    def take_away(self, tracks: Sequence[int]) -> None:
        """Take away the names of tracks, and those that they carry from all."""
        for name in self._carried(tracks):
            self.drop(self.holders(name))
        self.drop(tracks)

    def drop(self, tracks: Iterable[int]) -> None:
        """Take away the names of tracks."""
        for track in tracks:
            if track in self._name_of:
                name, _ = self._name_of.pop(track)
                del self._holders[name][track]

    def keep_one(self, groups: Iterable[Sequence[int]]) -> None:
        """Let the first group that carries a name give it to the people it is merged with."""
        carried = [name for tracks in groups for name in self._carried(tracks)]
        for name in carried[1:]:
            if name != carried[0]:
                self._rename(name, carried[0], self._first_given(carried[0]))

    def leave(self, moved: Sequence[int], rest: Sequence[int]) -> None:
        """Let the rest of a character keep its name when tracks leave it."""
        for name in self._carried([*moved, *rest])[:1]:
            given_by = self._first_given(name)
            for track in rest:
                if track not in self._name_of:
                    self._set(track, name, given_by)

    def pairs(self, n_typical: int) -> Iterator[tuple[int, int]]:
        """Yield pairs of differently named tracks, from the first `n_typical` of each name."""
        typical = [tracks[:n_typical] for tracks in self.all_holders().values()]
        for place, tracks in enumerate(typical):
            for others in typical[:place]:
                yield from ((one, other) for one in tracks for other in others)

    def _carried(self, tracks: Sequence[int]) -> list[str]:
        """Return the names that `tracks` carry, the one of most tracks first."""
        named = [self._name_of[track][0] for track in tracks if track in self._name_of]
        if not named:
            return []
        counted = Counter(named).most_common()
        return [name for name, count in counted if 2 * count > len(self._holders[name])]

    def _set(self, track: int, name: str, edit: int) -> None:
        if track in self._name_of and self._name_of[track][0] != name:
            self.drop([track])
        self._name_of[track] = (name, edit)
        self._holders[name][track] = None

    def _rename(self, old: str, new: str, edit: int) -> None:
        for track in self.holders(old):
            self._set(track, new, edit)

    def _first_given(self, name: str) -> int:
        return min(self._name_of[track][1] for track in self._holders[name])
