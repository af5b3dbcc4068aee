"""From a project's tables to the `TrackSet` that methods take: only tracks that have crops, numbered anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, overload

import numpy as np
import numpy.typing as npt

from personae.core.trackset import IntArray, TrackSet

if TYPE_CHECKING:
    import pyarrow as pa

    from personae.project.folder import Project


@dataclass(frozen=True)
class FilmTracks(TrackSet):
    """A film's tracks; row t of every (T,) array is the table's track `track_ids[t]`."""

    track_ids: IntArray = field(default_factory=lambda: np.empty(0, dtype=np.int32))
    """(T,) the tracks' numbers in the project's tables, ascending."""


class StoredCrops(Sequence[npt.NDArray[np.uint8]]):
    """The crops of `crops.parquet`, each decoded from its JPEG when it is asked for."""

    def __init__(self, images: pa.ChunkedArray) -> None:
        self._images = images

    def __len__(self) -> int:
        return len(self._images)

    @overload
    def __getitem__(self, index: int) -> npt.NDArray[np.uint8]: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[npt.NDArray[np.uint8]]: ...
    def __getitem__(self, index: int | slice) -> npt.NDArray[np.uint8] | Sequence[npt.NDArray[np.uint8]]:
        if isinstance(index, slice):
            return StoredCrops(self._images.take(list(range(*index.indices(len(self))))))
        import cv2

        if not -len(self) <= index < len(self):
            raise IndexError(f"there is no crop {index} among {len(self)}")
        jpeg = np.frombuffer(self._images[index % len(self)].as_py(), dtype=np.uint8)
        image: Any = cv2.imdecode(jpeg, cv2.IMREAD_COLOR_RGB)
        return np.asarray(image, dtype=np.uint8)


def read_tracks(project: Project, embedded: bool) -> FilmTracks:
    """Assemble the tracks that have crops, and their embeddings where these are wished for and finished."""
    tracks, crops, links = (project.table(name) for name in ("tracks", "crops", "links"))
    owner = crops["track"].to_numpy()
    track_ids, track_of = np.unique(owner, return_inverse=True)
    described = {int(number): row for row, number in enumerate(tracks["track"].to_numpy())}
    rows = [described[int(number)] for number in track_ids]
    status = tracks["status"].to_pylist()
    row_of = {int(number): row for row, number in enumerate(track_ids)}
    pairs, frames = [], []
    for a, b, together in zip(
        *(links[name].to_pylist() for name in ("track_a", "track_b", "frames")), strict=True
    ):
        if a in row_of and b in row_of:
            pairs.append((row_of[a], row_of[b]))
            frames.append(together)
    return FilmTracks(
        track_of=track_of.astype(np.int32),
        crops=StoredCrops(crops["image"]),
        embeddings=_embeddings(project) if embedded else None,
        cannot_link=np.array(pairs, dtype=np.int32).reshape(-1, 2),
        cannot_link_frames=np.array(frames, dtype=np.int32),
        quality=tracks["quality"].to_numpy()[rows].astype(np.float32),
        weak=np.array([status[row] != "kept" for row in rows], dtype=np.bool_),
        width=crops["width"].to_numpy().astype(np.float32),
        sharpness=crops["sharpness"].to_numpy().astype(np.float32),
        track_ids=track_ids.astype(np.int32),
    )


def _embeddings(project: Project) -> npt.NDArray[np.float32] | None:
    from personae.core.errors import ProjectError
    from personae.project.folder import EMBEDDINGS

    if "embed" not in project.manifest.stages:
        return None
    try:
        project.require("embed")
    except ProjectError:
        return None
    from safetensors.numpy import load

    base: npt.NDArray[np.float32] = load(project.read_file("embed", EMBEDDINGS))["base"]
    return base
