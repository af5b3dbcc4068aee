"""Statistics of results/speed.csv: medians over repeats, and comparisons of systems."""

from __future__ import annotations

from statistics import median

from measure import COMPARABLE_COLUMNS, Row

FORMER_COLUMNS = {"embed_s": "encode_s"}
"""Renamed columns: rows measured before the stage `embed` became `encode` have `embed_s`."""


class SpeedResults:
    """The rows of speed.csv by film and system."""

    def __init__(self, rows: list[Row]) -> None:
        rows = [_with_present_columns(row) for row in rows]
        self.rows = [row for row in rows if row.get("wall_s")]
        self.notes = [row for row in rows if row.get("note")]
        by_length = sorted(self.rows, key=lambda row: float(row["film_s"]))
        self.films = list(dict.fromkeys(row["film"] for row in by_length))
        self.systems = list(dict.fromkeys(row["system"] for row in self.rows))

    def repeats(self, film: str, system: str) -> list[Row]:
        """Return the repeats of a system on a film that are comparable with the last one."""
        runs = [row for row in self.rows if (row["film"], row["system"]) == (film, system)]
        return [row for row in runs if _comparable_key(row) == _comparable_key(runs[-1])]

    def median(self, film: str, system: str, column: str) -> float | None:
        """Return the median of a column over repeats; None if it was not measured."""
        values = [float(row[column]) for row in self.repeats(film, system) if row.get(column)]
        return median(values) if values else None

    def speed_up(self, film: str, system: str, column: str = "wall_s") -> float | None:
        """Return a system's time divided by that of `personae run`.

        Returns:
            The ratio; None if one of them was not measured, or if they are not comparable.
        """
        runs = [row for name in ("personae", system) for row in self.repeats(film, name)]
        if len({_comparable_key(row) for row in runs}) > 1:
            return None
        other, own = self.median(film, system, column), self.median(film, "personae", column)
        return other / own if other and own else None

    def seconds_per_track(self, film: str, stage: str) -> float | None:
        """Return a stage's time divided by the number of tracks; None if it was not measured."""
        seconds = self.median(film, "personae", f"{stage}_s")
        tracks = self.median(film, "personae", "tracks")
        return seconds / tracks if seconds is not None and tracks else None


def _with_present_columns(row: Row) -> Row:
    """Rename former columns, unless the row has a value for the present one."""
    renamed = {FORMER_COLUMNS[name]: row[name] for name in FORMER_COLUMNS if row.get(name)}
    kept = {name: value for name, value in row.items() if name not in FORMER_COLUMNS}
    return kept | {name: value for name, value in renamed.items() if not kept.get(name)}


def _comparable_key(row: Row) -> tuple[str, ...]:
    return tuple(row.get(name, "") for name in COMPARABLE_COLUMNS)
