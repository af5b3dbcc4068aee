"""Features from a file: embeddings of crops, their tracks, and the tracks' people."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from personae.core.errors import SettingError
from personae.core.trackset import TrackSet
from personae.datasets import DatasetContext
from personae.datasets.labelled import LabelledTracks, digest_of, number_people
from personae.datasets.spec import Spec

NEEDED = ("embeddings", "track_of", "labels")


def read(spec: Spec, room: DatasetContext) -> LabelledTracks:
    """Read `features:FILE.npz`: embeddings (n, d), track_of (n,), labels (T,), and optional arrays.

    Labels are texts ('' = nobody knows) or whole numbers (negative = nobody knows). Optional: cannot_link
    (m, 2), frames (T,), weak (T,). Raises SettingError for a file that is not that.
    """
    spec.check_options()
    spec.check_paths(1, 1, "features:FILE.npz")
    path = spec.paths[0]
    arrays = read_npz(path, NEEDED)
    labels = arrays["labels"]
    names = [person(label) for label in labels.tolist()]
    truth, people = number_people(names)
    try:
        track_of = arrays["track_of"].astype(np.int32)
        links = np.asarray(arrays.get("cannot_link", np.empty((0, 2))), dtype=np.int32).reshape(
            -1, 2
        )
        weak = arrays["weak"].astype(np.bool_) if "weak" in arrays else None
        embeddings = arrays["embeddings"].astype(np.float32)
        tracks = TrackSet(
            track_of=track_of, embeddings=embeddings, cannot_link=links, attach_only=weak
        )
        if embeddings.ndim != 2 or len(truth) != tracks.n_tracks:
            raise ValueError(f"{len(truth)} labels for {tracks.n_tracks} tracks")
    except ValueError as error:
        raise SettingError(f"{path} does not hold together: {error}.") from error
    frames = np.asarray(arrays.get("frames", np.bincount(track_of)), dtype=np.int64)
    if len(frames) != len(truth):
        raise SettingError(
            f"{path} does not hold together: {len(frames)} frames for {len(truth)} tracks."
        )
    return LabelledTracks(
        name=path.stem,
        kind="features",
        tracks=tracks,
        truth=truth,
        people=people,
        frames=frames,
        digest=digest_of(embeddings, track_of, links, weak),
        note="Features and labels as the file gives them.",
    )


def read_npz(path: Path, needed: tuple[str, ...]) -> dict[str, npt.NDArray[Any]]:
    """Read all arrays of an npz file; SettingError if it is none or lacks one that is needed."""
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: np.asarray(file[name]) for name in file.files}
    except (OSError, ValueError, EOFError) as error:
        raise SettingError(f"{path} is not a readable npz file of plain arrays.") from error
    except AttributeError as error:  # an .npy file holds one array, without names
        raise SettingError(f"{path} is not an npz file.") from error
    if missing := [name for name in needed if name not in arrays]:
        raise SettingError(f"{path} has no array {', '.join(missing)}.")
    return arrays


def person(label: object) -> str | None:
    """Turn a label into a name; '' and negative numbers are nobody."""
    if isinstance(label, int | float):
        return None if label < 0 else f"{label:g}"
    return str(label) or None
