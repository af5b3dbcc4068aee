"""`features:FILE.npz`: embeddings of crops, their tracks, and the tracks' people."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from personae.core.arrays import Float32Array
from personae.core.errors import SettingError
from personae.core.trackset import Crops, TrackSet
from personae.datasets import DatasetContext
from personae.datasets.labelled import LabelledTracks, content_digest, factorize_people
from personae.datasets.spec import DatasetSpec

REQUIRED_ARRAYS = ("embeddings", "track_of", "labels")
OPTIONAL_ARRAYS = ("cannot_link", "frames", "attach_only", "clothes", "times_s")


def read(spec: DatasetSpec, context: DatasetContext) -> LabelledTracks:
    """Read an npz file with embeddings (n, d), track_of (n,) and labels (T,).

    Labels are texts ("" = unlabelled) or whole numbers (negative = unlabelled). Optional arrays:
    cannot_link (m, 2), frames (T,), attach_only (T,), clothes (n, k) histograms, times_s (n,).

    Raises:
        SettingError: The file is not such an npz file, or has other arrays.
    """
    spec.check_options()
    spec.check_paths(1, 1, "features:FILE.npz")
    path = spec.paths[0]
    arrays = read_npz(path, REQUIRED_ARRAYS)
    known = (*REQUIRED_ARRAYS, *OPTIONAL_ARRAYS)
    if unknown := sorted(set(arrays) - set(known)):
        raise SettingError(
            f"{path} has unknown arrays ({', '.join(unknown)}): remove or rename them; there are: "
            f"{', '.join(known)}."
        )
    truth, people = factorize_people([person_name(one) for one in arrays["labels"].tolist()])
    try:
        track_of = arrays["track_of"].astype(np.int32)
        pairs = np.asarray(arrays.get("cannot_link", np.empty((0, 2))), dtype=np.int32)
        cannot_link = pairs.reshape(-1, 2)
        attach_only = arrays["attach_only"].astype(np.bool_) if "attach_only" in arrays else None
        embeddings = arrays["embeddings"].astype(np.float32)
        clothes = normalise_histograms(arrays["clothes"]) if "clothes" in arrays else None
        times_s = arrays["times_s"].astype(np.float32) if "times_s" in arrays else None
        tracks = TrackSet(
            track_of=track_of,
            embeddings=embeddings,
            crops=Crops(clothes=clothes, times_s=times_s),
            cannot_link=cannot_link,
            attach_only=attach_only,
        )
        if embeddings.ndim != 2 or len(truth) != tracks.n_tracks:
            raise ValueError(f"{len(truth)} labels for {tracks.n_tracks} tracks")
    except ValueError as error:
        raise SettingError(f"{path} is inconsistent: {error}.") from error
    frame_counts = np.asarray(arrays.get("frames", np.bincount(track_of)), dtype=np.int64)
    if len(frame_counts) != len(truth):
        raise SettingError(
            f"{path} is inconsistent: {len(frame_counts)} frames for {len(truth)} tracks."
        )
    return LabelledTracks(
        name=path.stem,
        kind="features",
        tracks=tracks,
        truth=truth,
        people=people,
        frame_counts=frame_counts,
        digest=content_digest(embeddings, track_of, cannot_link, attach_only, clothes, times_s),
        note="Features and labels as in the file.",
    )


def normalise_histograms(histograms: npt.NDArray[np.generic]) -> Float32Array:
    """Return (n, k) histograms whose rows sum to 1, or are all zeros where nothing was counted.

    Raises:
        ValueError: They are not finite numbers of at least 0 in two dimensions.
    """
    counts = histograms.astype(np.float32)
    if counts.ndim != 2 or not np.isfinite(counts).all() or (counts < 0).any():
        raise ValueError("clothes must be (n, k) histograms of numbers from 0")
    total = counts.sum(axis=1, keepdims=True)
    return np.asarray(counts / np.where(total > 0, total, 1), dtype=np.float32)


def read_npz(path: Path, required: tuple[str, ...]) -> dict[str, npt.NDArray[np.generic]]:
    """Read all arrays of an npz file.

    Raises:
        SettingError: The file is not an npz file, or lacks a required array.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: np.asarray(file[name]) for name in file.files}
    except (OSError, ValueError, EOFError) as error:
        raise SettingError(f"{path} is not a readable npz file of plain arrays.") from error
    except AttributeError as error:  # an .npy file holds one array without a name
        raise SettingError(f"{path} is not an npz file.") from error
    if missing := [name for name in required if name not in arrays]:
        raise SettingError(f"{path} has no array {', '.join(missing)}.")
    return arrays


def person_name(label: object) -> str | None:
    """Convert a label to a name; "" and negative numbers mean unlabelled, None."""
    if isinstance(label, int | float):
        return None if label < 0 else f"{label:g}"
    return str(label) or None
