"""A tiny episode in the formats of the published BBT and Buffy tracks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.io import savemat

FRAMES = {7: range(100, 130), 11: range(110, 125), 14: range(300, 340)}
"""Track -> its frames; the first two share frames."""
FIRST_LABELS = {7: "raj", 11: "unknown", 14: "penny"}
"""Track -> its label in the first release."""


def save_episode_mat(path: Path) -> Path:
    """Write the episode as the published MATLAB file."""
    fields = ["trackerId", "groundTruthIdentity", "frames", "timestamps", "x", "y", "w", "h"]
    tracks = np.zeros(len(FRAMES), dtype=[(name, object) for name in fields])
    for row, (track_id, frames) in enumerate(FRAMES.items()):
        numbers, ones = np.array(frames), np.ones(len(frames))
        sides = (5 * ones, 6 * ones, 40 * ones, 50 * ones)
        tracks[row] = (track_id, FIRST_LABELS[track_id], numbers, numbers / 25, *sides)
    savemat(path, {"FaceTracks": tracks})
    return path


def save_episode_npz(path: Path) -> Path:
    """Write the episode with both releases' labels as an npz file."""
    frames = [np.array(own) for own in FRAMES.values()]
    n = sum(map(len, frames))
    np.savez(
        path,
        track_id=np.array(list(FRAMES)),
        label_tvpid=np.array(list(FIRST_LABELS.values())),
        label_bcl=np.array(["raj", "unknown_e09_1", ""]),
        offset=np.cumsum([0, *map(len, frames)]),
        frame=np.concatenate(frames),
        time=np.concatenate(frames) / 25,
        **{side: np.full(n, value) for side, value in zip("xywh", (5, 6, 40, 50), strict=True)},
        cooccur=np.array([[1, 0]]),
    )
    return path


def save_ids(path: Path) -> Path:
    """Write the labels of the second release."""
    path.write_text("CVHCI_TRACKLABELS_V1\n7 raj\n11 unknown_e09_1\n")
    return path


def save_track_features(folder: Path) -> Path:
    """Write three crops' features of every track, one file per track."""
    folder.mkdir()
    for track_id in FRAMES:
        np.save(folder / f"{track_id}.npy", np.full((3, 4), track_id, dtype=np.float32))
    return folder
