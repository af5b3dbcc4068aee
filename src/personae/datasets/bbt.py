"""`bbt:TRACKS[,LABELS.ids],FEATURES`: face tracks of BBT and Buffy with their published labels.

Six episodes each of BBT (season 1) and Buffy (season 5). Neither pixels nor features are published
with the tracks, so a user brings features, or the episode itself.

Source: tracks of Baeuml, Tapaswi and Stiefelhagen, CVPR 2013; second labels of Tapaswi, Law and
Fidler, ICCV 2019.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from personae.core.arrays import BoolArray, Float32Array, Int32Array, Int64Array
from personae.core.errors import SettingError
from personae.core.trackset import TrackSet
from personae.datasets import DatasetContext
from personae.datasets.crops import TrackBoxes, cannot_links_from_frames, crops_from_film
from personae.datasets.features import read_npz
from personae.datasets.labelled import LabelledTracks, content_digest, factorize_people
from personae.datasets.spec import DatasetSpec

SYNTAX = "bbt:TRACKS[,LABELS.ids][,FEATURES]"

FRAME_WIDTH = 1024.0
"""Width in pixels of the frames that the published boxes refer to."""

MAIN_CAST = {
    "bbt": ("leonard", "sheldon", "penny", "howard", "raj"),
    "buffy": ("buffy", "dawn", "xander", "willow", "anya", "giles"),
}
"""The labels kept by the protocol of TSiam and SSiam."""

IDS_HEADER = "CVHCI_TRACKLABELS"
EPISODE_ARRAYS = (
    "track_id",
    "label_tvpid",
    "offset",
    "frame",
    "time",
    "x",
    "y",
    "w",
    "h",
    "cooccur",
)


@dataclass(frozen=True)
class Episode:
    """T tracks of one episode with N boxes in all."""

    name: str
    """Name of the files: bbt_s01e01 ... buffy_s05e06."""
    track_id: Int64Array
    """(T,)"""
    first_labels: tuple[str, ...]
    """(T,) labels of the first release; all background people are called unknown."""
    second_labels: tuple[str, ...] | None
    """(T,) labels of the second release that distinguish background people, "" = unlabelled."""
    boxes: TrackBoxes
    frame: Int64Array
    """(N,) frame of each box."""
    cannot_link: Int32Array
    """(m, 2) tracks that share a frame."""

    @property
    def frame_counts(self) -> Int64Array:
        """(T,) number of boxes of each track."""
        return np.bincount(self.boxes.track_of, minlength=len(self.track_id)).astype(np.int64)


@dataclass(frozen=True)
class TrackSelection:
    """The tracks of an episode that are evaluated, and their labels."""

    selected: BoolArray
    """(T,)"""
    names: tuple[str | None, ...]
    """(T,)"""
    protocol: str | None
    """Name of the published protocol, if the selection follows one."""


def read(spec: DatasetSpec, context: DatasetContext) -> LabelledTracks:
    """Read an episode with its features.

    TRACKS is an npz of an episode or the published `*.facetracks.mat`. FEATURES is a folder of
    `TRACK.npy` files (n, d), an npz with embeddings (n, d) and track_id (n,), or the episode as a
    film. Options: cast (all, named or main), labels (first or second release), width (of the
    frames that boxes refer to, in pixels).

    Raises:
        SettingError: A file is not of that form, or an option does not fit.
        FilmError: The episode cannot be decoded.
    """
    spec.check_options("cast", "labels", "width")
    spec.check_paths(1, 3, SYNTAX)
    feature_paths = [path for path in spec.paths[1:] if path.suffix != ".ids"]
    if len(feature_paths) != 1:
        raise SettingError(
            f"{spec.text}: these tracks come without features; name a folder or npz of features, "
            f"or the episode as a film ({SYNTAX}), or use simulated:{spec.paths[0]}."
        )
    episode = read_episode(spec)
    selection = select_tracks(episode, spec)
    tracks, hashed = _read_features(episode, feature_paths[0], context)
    truth, people = factorize_people(selection.names)
    data = LabelledTracks(
        name=episode.name,
        kind="bbt",
        tracks=tracks,
        truth=truth,
        people=people,
        frame_counts=episode.frame_counts,
        digest=content_digest(hashed, tracks.track_of, tracks.cannot_link),
        note="Published tracks and labels.",
        protocol=selection.protocol,
    )
    return data.subset(selection.selected)


def read_episode(spec: DatasetSpec) -> Episode:
    """Read tracks and labels from the first file, and an `.ids` file among the others.

    Raises:
        SettingError: The file is not an episode's face tracks.
    """
    path, width = spec.paths[0], spec.get_option("width", FRAME_WIDTH)
    if path.suffix == ".npz":
        return _read_npz_episode(path, width)
    if path.suffix == ".mat":
        labels = [other for other in spec.paths[1:] if other.suffix == ".ids"]
        return _read_mat_episode(path, labels[0] if labels else None, width)
    raise SettingError(
        f"{path} should be an .npz or the published .mat file of an episode's face tracks."
    )


def select_tracks(episode: Episode, spec: DatasetSpec) -> TrackSelection:
    """Select tracks by the option `cast`, and their labels by the option `labels`.

    all: every track; named: without background people; main: the main cast, as TSiam and SSiam
    report. The main cast takes labels of the first release, the others of the second where given.

    Raises:
        SettingError: The episode has no such cast or labels.
    """
    cast = spec.get_choice("cast", ("all", "named", "main"))
    second_is_default = cast != "main" and episode.second_labels is not None
    releases = ("second", "first") if second_is_default else ("first", "second")
    release = spec.get_choice("labels", releases)
    labels = episode.first_labels if release == "first" else episode.second_labels
    if labels is None:
        raise SettingError(f"{spec.text}: there are no second labels; name their .ids file.")
    # The first release calls all people in the background "unknown": that is not one person.
    names = tuple(name if name and name != "unknown" else None for name in labels)
    if cast == "all":
        return TrackSelection(np.ones(len(names), dtype=np.bool_), names, None)
    if cast == "named":
        named = [name is not None and not name.startswith("unknown") for name in names]
        return TrackSelection(np.array(named, dtype=np.bool_), names, None)
    main = MAIN_CAST.get(episode.name.partition("_")[0])
    if main is None:
        raise SettingError(
            f"{spec.text}: the main cast is known for files called bbt_... and buffy_... only."
        )
    selected = np.array([name in main for name in names], dtype=np.bool_)
    protocol = f"{episode.name} main cast" if release == "first" else None
    return TrackSelection(selected, names, protocol)


def _read_npz_episode(path: Path, width: float) -> Episode:
    arrays = read_npz(path, EPISODE_ARRAYS)
    offset = arrays["offset"].astype(np.int64)
    track_of = np.repeat(np.arange(len(offset) - 1), np.diff(offset))
    boxes = np.column_stack([arrays[name] for name in ("x", "y", "w", "h")]).astype(np.float64)
    second = arrays.get("label_bcl")
    return Episode(
        name=path.stem,
        track_id=arrays["track_id"].astype(np.int64),
        first_labels=tuple(map(str, arrays["label_tvpid"].tolist())),
        second_labels=None if second is None else tuple(map(str, second.tolist())),
        boxes=TrackBoxes(track_of, arrays["time"].astype(np.float64), boxes, width),
        frame=arrays["frame"].astype(np.int64),
        cannot_link=np.sort(arrays["cooccur"].astype(np.int32).reshape(-1, 2), axis=1),
    )


def _read_mat_episode(path: Path, ids: Path | None, width: float) -> Episode:
    """Read the published MATLAB file: a struct array `FaceTracks` with one entry per track."""
    tracks = _load_face_tracks(path)
    try:
        track_id = np.array([int(track.trackerId) for track in tracks], dtype=np.int64)
        first = tuple(str(track.groundTruthIdentity) for track in tracks)
        frames = [np.atleast_1d(track.frames).astype(np.int64) for track in tracks]
        times = [np.atleast_1d(track.timestamps).astype(np.float64) for track in tracks]
        boxes = [
            np.column_stack([np.atleast_1d(getattr(track, side)) for side in ("x", "y", "w", "h")])
            for track in tracks
        ]
    except AttributeError as error:
        raise SettingError(f"{path}: its tracks have no field {error.name!r}.") from error
    track_of = np.repeat(np.arange(len(tracks)), [len(one) for one in frames])
    frame = np.concatenate(frames)
    all_boxes = np.concatenate(boxes).astype(np.float64)
    second = None
    if ids is not None:
        label_of = read_ids(ids)
        second = tuple(label_of.get(int(number), "") for number in track_id)
    return Episode(
        name=re.sub(r"[._]facetracks$", "", path.stem),
        track_id=track_id,
        first_labels=first,
        second_labels=second,
        boxes=TrackBoxes(track_of, np.concatenate(times), all_boxes, width),
        frame=frame,
        cannot_link=cannot_links_from_frames(track_of, frame),
    )


def _load_face_tracks(path: Path) -> list[Any]:
    """Load the structs of a MATLAB file, which scipy returns as objects with attributes."""
    from scipy.io import loadmat

    try:
        content = loadmat(path, squeeze_me=True, struct_as_record=False)
    except (OSError, ValueError, NotImplementedError) as error:
        raise SettingError(f"{path} is not a readable MATLAB file.") from error
    if "FaceTracks" not in content:
        raise SettingError(f"{path} has no variable FaceTracks.")
    return list(np.atleast_1d(content["FaceTracks"]))


def read_ids(path: Path) -> dict[int, str]:
    """Read an `.ids` file: a header, then one `TRACK NAME` per line.

    Raises:
        SettingError: The file is not of that form.
    """
    lines = [line.split() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    try:
        if not lines or not lines[0][0].startswith(IDS_HEADER):
            raise ValueError(f"its first line is not {IDS_HEADER}_V1")
        return {int(number): name for number, name in lines[1:]}
    except ValueError as error:
        raise SettingError(f"{path} is not a file of track labels: {error}.") from error


def _read_features(
    episode: Episode, source: Path, context: DatasetContext
) -> tuple[TrackSet, Float32Array | str]:
    """Return the tracks with embeddings or crops from `source`, and what their digest hashes."""
    if source.is_dir():
        parts = [_load_track_features(source / f"{i}.npy") for i in episode.track_id.tolist()]
        embeddings = np.concatenate(parts)
        track_of = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    elif source.suffix == ".npz":
        arrays = read_npz(source, ("embeddings", "track_id"))
        index = {number: row for row, number in enumerate(episode.track_id.tolist())}
        track_ids = arrays["track_id"].tolist()
        known = np.array([number in index for number in track_ids], dtype=np.bool_)
        embeddings = arrays["embeddings"][known].astype(np.float32)
        track_of = np.array(
            [index[number] for number in arrays["track_id"][known].tolist()], dtype=np.int64
        )
        if missing := len(index) - len(np.unique(track_of)):
            raise SettingError(f"{source} lacks features of {missing} of the {len(index)} tracks.")
    else:
        cropped = crops_from_film(source, episode.boxes, context)
        tracks = TrackSet(
            track_of=cropped.track_of, crops=cropped.crops, cannot_link=episode.cannot_link
        )
        sharpness = cropped.crops.sharpness
        return tracks, str([] if sharpness is None else sharpness.tolist())
    tracks = TrackSet(
        track_of=track_of.astype(np.int32), embeddings=embeddings, cannot_link=episode.cannot_link
    )
    return tracks, embeddings


def _load_track_features(path: Path) -> Float32Array:
    try:
        return np.atleast_2d(np.load(path)).astype(np.float32)
    except (OSError, ValueError) as error:
        raise SettingError(f"{path} cannot be read as the features of a track.") from error
