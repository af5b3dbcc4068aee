"""What results/speed.csv says: medians over repeats, and what follows from them."""

from __future__ import annotations

from statistics import median

from measure import SAME, Row


class Results:
    """The rows of speed.csv by film and system."""

    def __init__(self, rows: list[Row]) -> None:
        self.rows = [row for row in rows if row.get("wall_s")]
        self.notes = [row for row in rows if row.get("note")]
        self.films = list(dict.fromkeys(row["film"] for row in sorted(self.rows, key=_length)))

    def of(self, film: str, system: str) -> list[Row]:
        """List the repeats of a system on a film that are of the same commit and machine as the last one."""
        runs = [row for row in self.rows if (row["film"], row["system"]) == (film, system)]
        return [row for row in runs if _of(row) == _of(runs[-1])]

    def figure(self, film: str, system: str, name: str) -> float | None:
        """Give the median of a figure; None where it was not measured."""
        values = [float(row[name]) for row in self.of(film, system) if row.get(name)]
        return median(values) if values else None

    def times_faster(self, film: str, system: str, name: str = "wall_s") -> float | None:
        """Say how often the command's own time goes into a system's.

        None if one of them was not measured, or if they are not of one commit and machine.
        """
        if len({_of(row) for name in ("personae", system) for row in self.of(film, name)}) > 1:
            return None
        other, own = self.figure(film, system, name), self.figure(film, "personae", name)
        return other / own if other and own else None

    def a_track(self, film: str, stage: str) -> float | None:
        """Give a stage's seconds for each track."""
        seconds, tracks = (
            self.figure(film, "personae", f"{stage}_s"),
            self.figure(film, "personae", "tracks"),
        )
        return seconds / tracks if seconds is not None and tracks else None


def _of(row: Row) -> tuple[str, ...]:
    return tuple(row.get(name, "") for name in SAME)


def _length(row: Row) -> float:
    return float(row["film_s"])
