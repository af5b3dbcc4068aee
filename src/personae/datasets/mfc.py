"""`mfc:FILE.csv,VIDEO`: boxes and identities as in MovieFaceCluster, which publishes no images."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import numpy as np

from personae.core.errors import SettingError
from personae.core.trackset import TrackSet
from personae.datasets import DatasetContext
from personae.datasets.crops import TrackBoxes, cannot_links_from_frames, crops_from_film
from personae.datasets.labelled import LabelledTracks, content_digest, factorize_people
from personae.datasets.spec import DatasetSpec

BOX_COLUMNS = ("movie", "frame", "x", "y", "w", "h", "track", "identity")


def read(spec: DatasetSpec, context: DatasetContext) -> LabelledTracks:
    """Read a table with one row per box, columns movie, frame, x, y, w, h, track, identity.

    Options: movie (one of several in the file), fps (rate at which frames are counted; by default
    they are the film's own), width (of the frames that boxes refer to, in pixels).

    Raises:
        SettingError: The file is not such a table, or does not fit the film.
        FilmError: The film cannot be decoded.
    """
    spec.check_options("movie", "fps", "width")
    spec.check_paths(2, 2, "mfc:FILE.csv,VIDEO")
    path, video = spec.paths
    movie, rows = _read_rows(path, spec)
    names = sorted({row["track"] for row in rows}, key=_natural_key)
    index = {name: number for number, name in enumerate(names)}
    identities: dict[str, Counter[str]] = {name: Counter() for name in names}
    for row in rows:
        identities[row["track"]][row["identity"]] += 1
    try:
        track_of = np.array([index[row["track"]] for row in rows], dtype=np.int64)
        frame = np.array([int(row["frame"]) for row in rows], dtype=np.int64)
        boxes = np.array([[float(row[side]) for side in ("x", "y", "w", "h")] for row in rows])
    except ValueError as error:
        raise SettingError(f"{path} has a value that is not a number: {error}.") from error
    fps, width = spec.get_option("fps", 0.0), spec.get_option("width", 0.0)
    track_boxes = TrackBoxes(
        track_of=track_of,
        times=frame / fps if fps else frame.astype(np.float64),
        boxes=boxes,
        frame_width=width or None,
        times_are_frames=not fps,
    )
    cropped = crops_from_film(video, track_boxes, context)
    cannot_link = cannot_links_from_frames(track_of, frame)
    truth, people = factorize_people([identities[name].most_common(1)[0][0] for name in names])
    return LabelledTracks(
        name=movie,
        kind="mfc",
        tracks=TrackSet(track_of=cropped.track_of, crops=cropped.crops, cannot_link=cannot_link),
        truth=truth,
        people=people,
        frame_counts=np.bincount(track_of, minlength=len(names)).astype(np.int64),
        digest=content_digest(cropped.crops.sharpness, cropped.track_of, cannot_link),
        note="Tracks and identities as in the file.",
        protocol=f"MovieFaceCluster {movie}",
        facts={
            "crops": len(cropped.track_of),
            "aligned by the box alone": cropped.n_without_landmarks,
        },
    )


def _read_rows(path: Path, spec: DatasetSpec) -> tuple[str, list[dict[str, str]]]:
    """Return the name of the chosen movie and its rows."""
    with open(path, newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        if missing := [name for name in BOX_COLUMNS if name not in (reader.fieldnames or ())]:
            raise SettingError(f"{path} has no column {', '.join(missing)}.")
        rows = list(reader)
    movies = sorted({row["movie"] for row in rows})
    if not movies:
        raise SettingError(f"{path} has no row.")
    movie = spec.get_option("movie", movies[0] if len(movies) == 1 else "")
    if movie not in movies:
        raise SettingError(
            f"{spec.text}: choose one with ?movie=NAME; there are: {', '.join(movies)}."
        )
    return movie, [row for row in rows if row["movie"] == movie]


def _natural_key(name: str) -> tuple[int, int, str]:
    """Sort numbers by value and before texts."""
    return (0, int(name), name) if name.isdigit() else (1, 0, name)
