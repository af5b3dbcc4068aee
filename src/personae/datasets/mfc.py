"""Boxes and identities in the manner of MovieFaceCluster, which publishes annotations without pictures."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import numpy as np

from personae.core.errors import SettingError
from personae.core.trackset import Crops, TrackSet
from personae.datasets import DatasetContext
from personae.datasets.crops import Boxes, crops_of_film, links_of_boxes
from personae.datasets.labelled import LabelledTracks, digest_of, number_people
from personae.datasets.spec import Spec

COLUMNS = ("movie", "frame", "x", "y", "w", "h", "track", "identity")


def read(spec: Spec, room: DatasetContext) -> LabelledTracks:
    """Read `mfc:FILE.csv,VIDEO`: one row a box, columns movie, frame, x, y, w, h, track, identity.

    Options: movie (which one, where the file holds several), fps (rate at which frames are counted; without
    it they are the film's own), width (pixels of the frames that boxes refer to). Raises SettingError for a
    file that is not that.
    """
    spec.check_options("movie", "fps", "width")
    spec.check_paths(2, 2, "mfc:FILE.csv,VIDEO")
    path, video = spec.paths
    movie, rows = _rows(path, spec)
    names = sorted({row["track"] for row in rows}, key=_in_order)
    place = {name: number for number, name in enumerate(names)}
    identities: dict[str, Counter[str]] = {name: Counter() for name in names}
    for row in rows:
        identities[row["track"]][row["identity"]] += 1
    try:
        track_of = np.array([place[row["track"]] for row in rows], dtype=np.int64)
        frame = np.array([int(row["frame"]) for row in rows], dtype=np.int64)
        corners = np.array([[float(row[side]) for side in ("x", "y", "w", "h")] for row in rows])
    except ValueError as error:
        raise SettingError(f"{path} holds something that is no number: {error}.") from error
    fps, width = spec.option("fps", 0.0), spec.option("width", 0.0)
    boxes = Boxes(
        track_of, frame / fps if fps else frame.astype(np.float64), corners, width or None, not fps
    )
    crops = crops_of_film(video, boxes, room)
    links = links_of_boxes(track_of, frame)
    truth, people = number_people([identities[name].most_common(1)[0][0] for name in names])
    return LabelledTracks(
        name=movie,
        kind="mfc",
        tracks=TrackSet(
            track_of=crops.track_of,
            crops=Crops(images=crops.images, widths=crops.width, sharpness=crops.sharpness),
            cannot_link=links,
        ),
        truth=truth,
        people=people,
        frames=np.bincount(track_of, minlength=len(names)).astype(np.int64),
        digest=digest_of(crops.sharpness, crops.track_of, links),
        note="Tracks and identities as the file gives them.",
        protocol=f"MovieFaceCluster {movie}",
        facts={"crops": len(crops.images), "aligned by their box alone": crops.guessed},
    )


def _rows(path: Path, spec: Spec) -> tuple[str, list[dict[str, str]]]:
    """Give the movie's name and its rows."""
    with open(path, newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        if missing := [name for name in COLUMNS if name not in (reader.fieldnames or ())]:
            raise SettingError(f"{path} has no column {', '.join(missing)}.")
        rows = list(reader)
    movies = sorted({row["movie"] for row in rows})
    if not movies:
        raise SettingError(f"{path} has no row.")
    movie = spec.option("movie", movies[0] if len(movies) == 1 else "")
    if movie not in movies:
        raise SettingError(
            f"{spec.text}: choose one with ?movie=NAME; there are: {', '.join(movies)}."
        )
    return movie, [row for row in rows if row["movie"] == movie]


def _in_order(name: str) -> tuple[int, int, str]:
    return (0, int(name), name) if name.isdigit() else (1, 0, name)
