"""From known boxes in a film, or from pictures, to aligned crops: the scan's detector lends its landmarks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from personae.core.arrays import Float32Array, Float64Array, Int32Array, Int64Array, UInt8Array
from personae.core.errors import SettingError
from personae.datasets import DatasetContext
from personae.datasets.labelled import digest_of
from personae.metrics.hand_labels import LEAST_IOU, iou

if TYPE_CHECKING:
    from personae.scan.retinaface import RetinaFace

EVERY, AT_LEAST = 12, 5
"""Frames between two crops of a track (paper: 12), and how many a short track has where it is long enough."""

MAKING = "2"
"""Changed whenever crops are made in another way, so that those of a film are made again."""
WORKING_SIDE = 960
SMALL_PICTURE = 320
"""Long side in pixels up to which a picture is enlarged before its face is looked for."""


@dataclass(frozen=True)
class Boxes:
    """N boxes of T known tracks."""

    track_of: Int64Array
    """(N,) 0..T-1."""
    moment: Float64Array
    """(N,) seconds, or frame numbers from 0."""
    boxes: Float64Array
    """(N, 4) x, y, w, h in pixels of a film `width` wide."""
    width: float | None = None
    """None: the film's own width."""
    in_frames: bool = False
    """Whether moments are frame numbers."""


@dataclass(frozen=True)
class Crops:
    """n aligned crops."""

    images: Sequence[UInt8Array]
    track_of: Int32Array
    """(n,)"""
    width: Float32Array
    """(n,) of the face box in pixels of the film."""
    sharpness: Float32Array
    """(n,)"""
    guessed: int
    """How many were aligned by their box alone, since the detector saw no face there."""


def sampled(boxes: Boxes) -> Int64Array:
    """Choose the boxes that become crops: every 12th of a track, or 5 evenly spaced of a short one."""
    chosen = []
    order = np.lexsort((boxes.moment, boxes.track_of))
    bounds = np.cumsum(np.bincount(boxes.track_of))[:-1]
    for own in np.split(order, bounds):
        count = max(-(-len(own) // EVERY), min(AT_LEAST, len(own)))
        chosen.append(own[np.arange(count) * len(own) // count])
    return np.concatenate(chosen) if chosen else np.empty(0, dtype=np.int64)


def crops_of_film(video: Path, boxes: Boxes, room: DatasetContext) -> Crops:
    """Cut aligned crops of known boxes out of a film, once; they are kept in the benchmark's folder.

    Where the detector sees a face at the box, its landmarks align the crop, else the box does. Raises
    FilmError, or SettingError where the film ends before the boxes do.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    from personae.core.files import replacing
    from personae.pipeline.source import content_hash
    from personae.project.crop_store import GROUP, IMAGE, StoredCrops

    rows = sampled(boxes)
    key = digest_of(
        MAKING,
        content_hash(video),
        boxes.track_of[rows],
        boxes.moment[rows],
        boxes.boxes[rows],
        str(boxes.width),
    )
    path = room.folder / f"crops-{key[:16]}.parquet"
    if not path.exists():
        made = dict(_cut(video, boxes, rows, room))
        if missing := len(rows) - len(made):
            raise SettingError(
                f"{video} ends before its labels do ({missing} of {len(rows)} boxes come after its end): "
                "it is another version of the film, or its labels count frames at another rate."
            )
        made_columns = zip(*(made[int(row)] for row in rows), strict=True)
        names = (IMAGE, "width", "sharpness", "guessed")
        table = pa.table(
            {
                "track": boxes.track_of[rows],
                **dict(zip(names, map(list, made_columns), strict=True)),
            }
        )
        with replacing(path) as stream:
            pq.write_table(table, stream, row_group_size=GROUP)
    columns = ["track", "width", "sharpness", "guessed"]
    table = pq.ParquetFile(path).read(columns, use_threads=False)
    return Crops(
        StoredCrops(path),
        table["track"].to_numpy().astype(np.int32),
        table["width"].to_numpy().astype(np.float32),
        table["sharpness"].to_numpy().astype(np.float32),
        int(np.sum(table["guessed"].to_pylist())),
    )


def _cut(
    video: Path, boxes: Boxes, rows: Int64Array, room: DatasetContext
) -> Iterator[tuple[int, tuple[bytes, float, float, bool]]]:
    """Decode the film once and give (row, (JPEG, width, sharpness, guessed)) of every wanted box."""
    from personae.scan.alignment import aligned_crop, sharpness, stored
    from personae.scan.retinaface import working_size
    from personae.scan.video_reader import Film

    film, detector = Film(video), _detector(room)
    media = film.media
    scale = 1.0 if boxes.width is None else media.width / boxes.width
    wanted = rows[np.argsort(boxes.moment[rows], kind="stable")]
    size = working_size(round(media.width * media.pixel_aspect), media.height, WORKING_SIDE)
    done = 0
    for frame in film:
        now = frame.index if boxes.in_frames else frame.time_s + 0.5 / media.fps
        due = []
        while done < len(wanted) and boxes.moment[wanted[done]] <= now:
            due.append(int(wanted[done]))
            done += 1
        if due:
            faces = detector(frame.scaled(*size)).scaled(
                media.width / size[0], media.height / size[1]
            )
            image = frame.rgb()
            for row in due:
                box = boxes.boxes[row] * scale
                landmarks = _landmarks(faces, box)
                points = landmarks_of_box(box) if landmarks is None else landmarks
                crop = aligned_crop(image, points, media.pixel_aspect)
                yield row, (stored(crop), float(box[2]), sharpness(crop), landmarks is None)
            room.hook("crops", done, len(wanted))
        if done == len(wanted):
            return


def _landmarks(faces: Any, box: Float64Array) -> Float64Array | None:
    overlap = [iou(found, box) for found in faces.boxes]
    if not overlap or max(overlap) <= LEAST_IOU:
        return None
    return np.asarray(faces.landmarks[int(np.argmax(overlap))], dtype=np.float64)


def landmarks_of_box(box: Float64Array) -> Float64Array:
    """Guess the five landmarks (5, 2) of an upright frontal face from its (4,) box."""
    from personae.adapt.views import FACE_SHARE
    from personae.core.crops import ARCFACE_TEMPLATE, TEMPLATE_SIZE

    centre = box[:2] + box[2:] / 2
    pixel = box[2] / FACE_SHARE / TEMPLATE_SIZE
    points: Float64Array = centre + (ARCFACE_TEMPLATE - TEMPLATE_SIZE / 2) * pixel
    return points


def crops_of_pictures(paths: Sequence[Path], room: DatasetContext) -> Crops:
    """Align the largest face of each picture; a picture of 112 x 112 or 160 x 160 pixels is aligned already.

    Pictures smaller than `SMALL_PICTURE` are enlarged for the detector. Where it sees no face, the middle of
    the picture is taken for one. Raises SettingError for a file that is no picture.
    """
    import cv2

    from personae.core.crops import CROP_MARGIN, CROP_SIZE, TEMPLATE_SIZE
    from personae.scan.alignment import aligned_crop, sharpness

    detector = _detector(room)
    images, widths, guessed = [], [], 0
    for path in paths:
        image: Any = cv2.imread(
            str(path), cv2.IMREAD_COLOR
        )  # three channels, of a grey picture too
        if image is None:
            raise SettingError(f"{path} cannot be read as a picture.")
        height, width = image.shape[:2]
        if (height, width) in ((TEMPLATE_SIZE, TEMPLATE_SIZE), (CROP_SIZE, CROP_SIZE)):
            border = CROP_MARGIN if height == TEMPLATE_SIZE else 0
            crop = cv2.copyMakeBorder(image, border, border, border, border, cv2.BORDER_REPLICATE)
            images.append(np.ascontiguousarray(crop[..., ::-1], dtype=np.uint8))
            widths.append(float(TEMPLATE_SIZE))
            continue
        zoom = _zoom(max(height, width))
        seen = detector(_resized(image, zoom))
        if len(seen):
            largest = int(np.argmax(seen.boxes[:, 2] * seen.boxes[:, 3]))
            box, points = seen.boxes[largest] / zoom, seen.landmarks[largest] / zoom
        else:
            side = 0.6 * min(height, width)
            box = np.array([(width - side) / 2, (height - side) / 2, side, side])
            points = landmarks_of_box(box)
            guessed += 1
        images.append(aligned_crop(np.ascontiguousarray(image[..., ::-1], dtype=np.uint8), points))
        widths.append(float(box[2]))
        room.hook("crops", len(images), len(paths))
    return Crops(
        images,
        np.arange(len(images), dtype=np.int32),
        np.array(widths, dtype=np.float32),
        np.array([sharpness(image) for image in images], dtype=np.float32),
        guessed,
    )


def _zoom(side: int) -> float:
    return min(WORKING_SIDE / side, max(1.0, SMALL_PICTURE / side))


def _resized(image: Any, zoom: float) -> Any:
    """Scale a picture to a multiple of 8, with a frame of grey around it: the detector wants room at a face's
    edges."""
    import cv2

    height, width = (max(1, round(side * zoom)) for side in image.shape[:2])
    small = cv2.resize(
        image, (width, height), interpolation=cv2.INTER_AREA if zoom < 1 else cv2.INTER_LINEAR
    )
    down, right = -height % 8 + 32, -width % 8 + 32
    return cv2.copyMakeBorder(small, 0, down, 0, right, cv2.BORDER_CONSTANT, value=(127, 127, 127))


def _detector(room: DatasetContext) -> RetinaFace:
    from personae.core.compute import choose_device
    from personae.scan.retinaface import RetinaFace
    from personae.weights import weight

    entry = weight("retinaface-mobilenet025")
    entry.verify()
    return RetinaFace(entry.path(), choose_device(room.device))


def links_of_boxes(track_of: Int64Array, frame: Int64Array) -> Int32Array:
    """Give (m, 2) pairs of tracks that have boxes in one frame: two faces there are two people."""
    at: defaultdict[int, set[int]] = defaultdict(set)
    for track, number in zip(track_of.tolist(), frame.tolist(), strict=True):
        at[number].add(track)
    pairs = {(a, b) for tracks in at.values() for a in tracks for b in tracks if a < b}
    return np.array(sorted(pairs), dtype=np.int32).reshape(-1, 2)
