"""Face tracks of BBT (season 1, episodes 1-6) and Buffy (season 5, episodes 1-6): real structure and labels.

Neither pixels nor features are published with the tracks, so a user brings features, or the episode itself.
Tracks: Baeuml, Tapaswi, Stiefelhagen, CVPR 2013; second labels: Tapaswi, Law, Fidler, ICCV 2019.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from personae.core.arrays import BoolArray, Float32Array, Int32Array, Int64Array
from personae.core.errors import SettingError
from personae.core.trackset import Crops, TrackSet
from personae.datasets import DatasetContext
from personae.datasets.crops import Boxes, crops_of_film, links_of_boxes
from personae.datasets.features import read_npz
from personae.datasets.labelled import LabelledTracks, digest_of, number_people
from personae.datasets.spec import Spec

SYNTAX = "bbt:TRACKS[,LABELS.ids][,FEATURES]"

FRAME_WIDTH = 1024.0
"""Pixels of the frames that the published boxes refer to."""

MAIN_CAST = {
    "bbt": ("leonard", "sheldon", "penny", "howard", "raj"),
    "buffy": ("buffy", "dawn", "xander", "willow", "anya", "giles"),
}
"""The labels that TSiam's and SSiam's protocol keeps."""

IDS_HEADER = "CVHCI_TRACKLABELS"
ARRAYS = ("track_id", "label_tvpid", "offset", "frame", "time", "x", "y", "w", "h", "cooccur")


@dataclass(frozen=True)
class Episode:
    """T tracks of one episode with N boxes in all."""

    name: str
    """As the files are called: bbt_s01e01 ... buffy_s05e06."""
    track_id: Int64Array
    """(T,)"""
    first: tuple[str, ...]
    """(T,) labels of the first release; all background people are one: unknown."""
    second: tuple[str, ...] | None
    """(T,) labels of the second release, background people told apart; '' = none. None where not given."""
    boxes: Boxes
    frame: Int64Array
    """(N,)"""
    cannot_link: Int32Array
    """(m, 2) tracks that share a frame."""

    @property
    def frames(self) -> Int64Array:
        """(T,) boxes of each track."""
        return np.bincount(self.boxes.track_of, minlength=len(self.track_id)).astype(np.int64)


@dataclass(frozen=True)
class Cast:
    """Which tracks of an episode take part, and who they are."""

    kept: BoolArray
    """(T,)"""
    names: tuple[str | None, ...]
    """(T,)"""
    protocol: str | None


def read(spec: Spec, room: DatasetContext) -> LabelledTracks:
    """Read `bbt:TRACKS[,LABELS.ids],FEATURES`; raises SettingError for files that are not those.

    TRACKS is an npz of an episode or the published `*.facetracks.mat`; FEATURES a folder of `TRACK.npy`
    (n, d) files, an npz with embeddings (n, d) and track_id (n,), or the episode as a film. Options: cast
    (all, named or main), labels (first or second release), width (of the frames that boxes refer to).
    """
    spec.check_options("cast", "labels", "width")
    spec.check_paths(1, 3, SYNTAX)
    rest = [path for path in spec.paths[1:] if path.suffix != ".ids"]
    if len(rest) != 1:
        raise SettingError(
            f"{spec.text}: these tracks come without features; name a folder or npz of features, or the "
            f"episode as a film ({SYNTAX}), or use simulated:{spec.paths[0]}."
        )
    episode = read_episode(spec)
    cast = choose_cast(episode, spec)
    tracks, encoded = _with_features(episode, rest[0], spec, room)
    truth, people = number_people(cast.names)
    data = LabelledTracks(
        name=episode.name,
        kind="bbt",
        tracks=tracks,
        truth=truth,
        people=people,
        frames=episode.frames,
        digest=digest_of(encoded, tracks.track_of, tracks.cannot_link),
        note="Published tracks and labels.",
        protocol=cast.protocol,
    )
    return data.subset(cast.kept)


def read_episode(spec: Spec) -> Episode:
    """Read tracks and labels of an episode from the first of the files, and an `.ids` file among them."""
    path, width = spec.paths[0], spec.option("width", FRAME_WIDTH)
    if path.suffix == ".npz":
        return _episode_of_npz(path, width)
    if path.suffix == ".mat":
        labels = [other for other in spec.paths[1:] if other.suffix == ".ids"]
        return _episode_of_mat(path, labels[0] if labels else None, width)
    raise SettingError(
        f"{path} should be an .npz or the published .mat file of an episode's face tracks."
    )


def choose_cast(episode: Episode, spec: Spec) -> Cast:
    """Choose tracks by option `cast`, and their names by option `labels`; SettingError where neither fits.

    all: every track; named: without background people; main: the main cast, as TSiam and SSiam report. The
    main cast is taken from the first release, the others from the second where there is one.
    """
    cast = spec.choice("cast", ("all", "named", "main"))
    second_first = (
        ("second", "first")
        if cast != "main" and episode.second is not None
        else ("first", "second")
    )
    release = spec.choice("labels", second_first)
    labels = episode.first if release == "first" else episode.second
    if labels is None:
        raise SettingError(f"{spec.text}: there are no second labels; name their .ids file.")
    # The first release calls everybody in the background "unknown": not one person.
    names = tuple(name if name and name != "unknown" else None for name in labels)
    named = np.array(
        [name is not None and not name.startswith("unknown") for name in names], dtype=np.bool_
    )
    if cast == "all":
        return Cast(np.ones(len(names), dtype=np.bool_), names, None)
    if cast == "named":
        return Cast(named, names, None)
    main = MAIN_CAST.get(episode.name.partition("_")[0])
    if main is None:
        raise SettingError(
            f"{spec.text}: the main cast is known for files called bbt_... and buffy_... only."
        )
    kept = np.array([name in main for name in names], dtype=np.bool_)
    return Cast(kept, names, f"{episode.name} main cast" if release == "first" else None)


def _episode_of_npz(path: Path, width: float) -> Episode:
    arrays = read_npz(path, ARRAYS)
    offset = arrays["offset"].astype(np.int64)
    track_of = np.repeat(np.arange(len(offset) - 1), np.diff(offset))
    boxes = np.column_stack([arrays[name] for name in ("x", "y", "w", "h")]).astype(np.float64)
    second = arrays.get("label_bcl")
    return Episode(
        name=path.stem,
        track_id=arrays["track_id"].astype(np.int64),
        first=tuple(map(str, arrays["label_tvpid"].tolist())),
        second=None if second is None else tuple(map(str, second.tolist())),
        boxes=Boxes(track_of, arrays["time"].astype(np.float64), boxes, width),
        frame=arrays["frame"].astype(np.int64),
        cannot_link=np.sort(arrays["cooccur"].astype(np.int32).reshape(-1, 2), axis=1),
    )


def _episode_of_mat(path: Path, ids: Path | None, width: float) -> Episode:
    """Read the published MATLAB file: a struct array `FaceTracks`, one entry a track."""
    tracks = _face_tracks(path)
    try:
        ident = np.array([int(track.trackerId) for track in tracks], dtype=np.int64)
        first = tuple(str(track.groundTruthIdentity) for track in tracks)
        frames = [np.atleast_1d(track.frames).astype(np.int64) for track in tracks]
        times = [np.atleast_1d(track.timestamps).astype(np.float64) for track in tracks]
        boxes = [
            np.column_stack([np.atleast_1d(getattr(track, side)) for side in ("x", "y", "w", "h")])
            for track in tracks
        ]
    except AttributeError as error:
        raise SettingError(f"{path}: its tracks have no field {error.name!r}.") from error
    track_of = np.repeat(np.arange(len(tracks)), [len(own) for own in frames])
    frame = np.concatenate(frames)
    second = None
    if ids is not None:
        named = read_ids(ids)
        second = tuple(named.get(int(number), "") for number in ident)
    return Episode(
        name=re.sub(r"[._]facetracks$", "", path.stem),
        track_id=ident,
        first=first,
        second=second,
        boxes=Boxes(
            track_of, np.concatenate(times), np.concatenate(boxes).astype(np.float64), width
        ),
        frame=frame,
        cannot_link=links_of_boxes(track_of, frame),
    )


def _face_tracks(path: Path) -> list[Any]:
    from scipy.io import loadmat

    try:
        content = loadmat(path, squeeze_me=True, struct_as_record=False)
    except (OSError, ValueError, NotImplementedError) as error:
        raise SettingError(f"{path} is not a readable MATLAB file.") from error
    if "FaceTracks" not in content:
        raise SettingError(f"{path} has no variable FaceTracks.")
    return list(np.atleast_1d(content["FaceTracks"]))


def read_ids(path: Path) -> dict[int, str]:
    """Read an `.ids` file: a header, then `TRACK NAME` a line; SettingError if it is none."""
    lines = [line.split() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    try:
        if not lines or not lines[0][0].startswith(IDS_HEADER):
            raise ValueError(f"its first line is not {IDS_HEADER}_V1")
        return {int(number): name for number, name in lines[1:]}
    except ValueError as error:
        raise SettingError(f"{path} is no file of track labels: {error}.") from error


def _with_features(
    episode: Episode, source: Path, spec: Spec, room: DatasetContext
) -> tuple[TrackSet, Float32Array | str]:
    """Give the tracks with what `source` holds of them, and what of it a digest has to cover."""
    if source.is_dir():
        parts = [_features_of(source / f"{number}.npy") for number in episode.track_id.tolist()]
        embeddings = np.concatenate(parts)
        track_of = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    elif source.suffix == ".npz":
        arrays = read_npz(source, ("embeddings", "track_id"))
        place = {number: row for row, number in enumerate(episode.track_id.tolist())}
        known = np.array(
            [number in place for number in arrays["track_id"].tolist()], dtype=np.bool_
        )
        embeddings = arrays["embeddings"][known].astype(np.float32)
        track_of = np.array(
            [place[number] for number in arrays["track_id"][known].tolist()], dtype=np.int64
        )
        if len(np.unique(track_of)) != len(place):
            missing = len(place) - len(np.unique(track_of))
            raise SettingError(f"{source} lacks features of {missing} of the {len(place)} tracks.")
    else:
        crops = crops_of_film(source, episode.boxes, room)
        tracks = TrackSet(
            track_of=crops.track_of,
            crops=Crops(images=crops.images, widths=crops.width, sharpness=crops.sharpness),
            cannot_link=episode.cannot_link,
        )
        return tracks, str(crops.sharpness.tolist())
    tracks = TrackSet(
        track_of=track_of.astype(np.int32), embeddings=embeddings, cannot_link=episode.cannot_link
    )
    return tracks, embeddings


def _features_of(path: Path) -> Float32Array:
    try:
        return np.atleast_2d(np.load(path)).astype(np.float32)
    except (OSError, ValueError) as error:
        raise SettingError(f"{path} cannot be read as the features of a track.") from error
