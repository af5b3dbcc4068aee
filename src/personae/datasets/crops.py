"""Aligned crops from known boxes in a film, or from images, with the landmarks of the detector."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from personae.core.arrays import Float64Array, Int32Array, Int64Array, UInt8Array
from personae.core.boxes import box_iou
from personae.core.config import ScanConfig
from personae.core.crops import (
    ARCFACE_TEMPLATE,
    CROP_MARGIN,
    CROP_SIZE,
    FACE_WIDTH_SHARE,
    TEMPLATE_SIZE,
)
from personae.core.errors import SettingError
from personae.core.trackset import Crops
from personae.datasets import DatasetContext
from personae.datasets.labelled import content_digest
from personae.metrics.hand_labels import MIN_MATCH_IOU

if TYPE_CHECKING:
    from personae.scan.retinaface import FaceDetections, RetinaFace

CROPS_VERSION = "4"
"""Raised whenever crops are computed differently, so that cached ones are computed again."""

DETECTION_SIZE = 960
"""Long side in pixels at which faces are detected, at most."""

MIN_IMAGE_SIZE = 320
"""Images with a shorter long side, in pixels, are enlarged before detection."""


@dataclass(frozen=True)
class TrackBoxes:
    """N boxes of T known tracks."""

    track_of: Int64Array
    """(N,) track of each box, 0..T-1."""
    times: Float64Array
    """(N,) time of each box, in seconds or as a frame index from 0."""
    boxes: Float64Array
    """(N, 4) x, y, w, h in pixels of frames that are `frame_width` wide."""
    frame_width: float | None = None
    """None: the film's own width."""
    times_are_frames: bool = False
    """Whether `times` are frame indices."""


@dataclass(frozen=True)
class CroppedTracks:
    """n aligned crops of T tracks."""

    track_of: Int32Array
    """(n,) track of each crop."""
    crops: Crops
    """Images, widths and sharpness of the crops; of a film, their clothes and times too."""
    n_without_landmarks: int
    """Number of crops aligned by their box alone, because the detector found no face there."""


def sample_boxes(boxes: TrackBoxes) -> Int64Array:
    """Select the boxes that become crops: evenly spaced, with the intervals of the scan.

    Returns:
        (n,) indices of boxes: every 12th of a track, or 5 of a short one.
    """
    scan = ScanConfig()
    interval, min_crops = scan.crop_interval, scan.min_crops_per_track
    selected = []
    order = np.lexsort((boxes.times, boxes.track_of))
    bounds = np.cumsum(np.bincount(boxes.track_of))[:-1]
    for members in np.split(order, bounds):
        count = max(-(-len(members) // interval), min(min_crops, len(members)))
        selected.append(members[np.arange(count) * len(members) // count])
    return np.concatenate(selected) if selected else np.empty(0, dtype=np.int64)


def crops_from_film(video: Path, boxes: TrackBoxes, context: DatasetContext) -> CroppedTracks:
    """Cut aligned crops of known boxes out of a film, and cache them in the context's folder.

    Where the detector finds a face at the box, its landmarks align the crop, otherwise the box
    does.

    Raises:
        FilmError: The film cannot be decoded.
        SettingError: The film ends before the boxes do.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    from personae.core.colour_histogram import unpack_histograms
    from personae.core.content_hash import compute_content_hash
    from personae.core.files import atomic_write
    from personae.project.crop_store import IMAGE, ROWS_PER_GROUP, StoredCrops
    from personae.project.track_set import CLOTHES

    rows = sample_boxes(boxes)
    key = content_digest(
        CROPS_VERSION,
        compute_content_hash(video),
        boxes.track_of[rows],
        boxes.times[rows],
        boxes.boxes[rows],
        str(boxes.frame_width),
    )
    path = context.folder / f"crops-{key[:16]}.parquet"
    names = (IMAGE, "width", "sharpness", CLOTHES, "time_s", "without_landmarks")
    if not path.exists():
        crop_of_row = dict(_cut_crops(video, boxes, rows, context))
        if missing := len(rows) - len(crop_of_row):
            raise SettingError(
                f"{video} ends before its labels do ({missing} of {len(rows)} boxes come after "
                "its end): it is another version of the film, or its labels count frames at "
                "another rate."
            )
        columns = zip(*(crop_of_row[int(row)] for row in rows), strict=True)
        table = pa.table(
            {
                "track": boxes.track_of[rows],
                **dict(zip(names, map(list, columns), strict=True)),
            }
        )
        with atomic_write(path) as stream:
            pq.write_table(table, stream, row_group_size=ROWS_PER_GROUP)
    table = pq.ParquetFile(path).read(["track", *names[1:]], use_threads=False)
    return CroppedTracks(
        track_of=table["track"].to_numpy().astype(np.int32),
        crops=Crops(
            images=StoredCrops(path),
            widths=table["width"].to_numpy().astype(np.float32),
            sharpness=table["sharpness"].to_numpy().astype(np.float32),
            clothes=unpack_histograms(table[CLOTHES].to_pylist()),
            times_s=table["time_s"].to_numpy().astype(np.float32),
        ),
        n_without_landmarks=int(np.sum(table["without_landmarks"].to_pylist())),
    )


def _cut_crops(
    video: Path, boxes: TrackBoxes, rows: Int64Array, context: DatasetContext
) -> Iterator[tuple[int, tuple[bytes, float, float, bytes | None, float, bool]]]:
    """Decode the film once and yield the row of each box with its crop.

    A crop is its JPEG, width, sharpness, packed clothes, time in seconds, and whether it was
    aligned without landmarks.
    """
    from personae.core.colour_histogram import pack_histogram
    from personae.scan.alignment import align_crop, encode_crop, sharpness
    from personae.scan.clothes import describe_clothes, find_picture_area
    from personae.scan.retinaface import detector_input_size
    from personae.scan.video_reader import VideoReader

    reader, detector = VideoReader(video), _load_detector(context)
    media = reader.media
    scale = 1.0 if boxes.frame_width is None else media.width / boxes.frame_width
    pending = rows[np.argsort(boxes.times[rows], kind="stable")]
    size = detector_input_size(
        round(media.width * media.pixel_aspect), media.height, DETECTION_SIZE
    )
    done = 0
    for frame in reader:
        now = frame.index if boxes.times_are_frames else frame.time_s + 0.5 / media.fps
        due = []
        while done < len(pending) and boxes.times[pending[done]] <= now:
            due.append(int(pending[done]))
            done += 1
        if due:
            faces = detector(frame.to_bgr(*size)).scaled(
                media.width / size[0], media.height / size[1]
            )
            image = frame.to_rgb()
            area = find_picture_area(image)
            for row in due:
                box = boxes.boxes[row] * scale
                landmarks = _landmarks_at(faces, box)
                points = landmarks_from_box(box) if landmarks is None else landmarks
                crop = align_crop(image, points, media.pixel_aspect)
                clothes = describe_clothes(image, box, faces.boxes, area)
                yield (
                    row,
                    (
                        encode_crop(crop),
                        float(box[2]),
                        sharpness(crop),
                        None if clothes is None else pack_histogram(clothes),
                        frame.time_s,
                        landmarks is None,
                    ),
                )
            context.hook("crops", done, len(pending))
        if done == len(pending):
            return


def _landmarks_at(faces: FaceDetections, box: Float64Array) -> Float64Array | None:
    """Return the (5, 2) landmarks of the detection that overlaps a box most; None if none does."""
    if not len(faces):
        return None
    ious = box_iou(faces.boxes.astype(np.float64), box[None])[:, 0]
    if ious.max() <= MIN_MATCH_IOU:
        return None
    return np.asarray(faces.landmarks[int(np.argmax(ious))], dtype=np.float64)


def landmarks_from_box(box: Float64Array) -> Float64Array:
    """Estimate the five landmarks (5, 2) of an upright frontal face from its (4,) box."""
    centre = box[:2] + box[2:] / 2
    pixel = box[2] / FACE_WIDTH_SHARE / TEMPLATE_SIZE
    points: Float64Array = centre + (ARCFACE_TEMPLATE - TEMPLATE_SIZE / 2) * pixel
    return points


def crops_from_images(paths: Sequence[Path], context: DatasetContext) -> CroppedTracks:
    """Align the largest face of each image.

    An image of 112 x 112 or 160 x 160 pixels counts as aligned already. Images smaller than
    `MIN_IMAGE_SIZE` are enlarged for the detector. Where it finds no face, the centre of the image
    is taken for one.

    Returns:
        One track of one crop per image.

    Raises:
        SettingError: A file cannot be read as an image.
    """
    import cv2

    from personae.scan.alignment import align_crop, sharpness

    detector = _load_detector(context)
    crops: list[UInt8Array] = []
    widths: list[float] = []
    n_without_landmarks = 0
    for path in paths:
        # IMREAD_COLOR: three channels for a grey image too
        loaded = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if loaded is None:
            raise SettingError(f"{path} cannot be read as an image.")
        image: UInt8Array = np.asarray(loaded, dtype=np.uint8)
        height, width = image.shape[:2]
        if (height, width) in ((TEMPLATE_SIZE, TEMPLATE_SIZE), (CROP_SIZE, CROP_SIZE)):
            border = CROP_MARGIN if height == TEMPLATE_SIZE else 0
            crop = cv2.copyMakeBorder(image, border, border, border, border, cv2.BORDER_REPLICATE)
            crops.append(np.ascontiguousarray(crop[..., ::-1], dtype=np.uint8))
            widths.append(float(TEMPLATE_SIZE))
            continue
        scale = _detection_scale(max(height, width))
        faces = detector(_resize_for_detection(image, scale))
        if len(faces):
            largest = int(np.argmax(faces.boxes[:, 2] * faces.boxes[:, 3]))
            box, points = faces.boxes[largest] / scale, faces.landmarks[largest] / scale
        else:
            side = 0.6 * min(height, width)
            box = np.array([(width - side) / 2, (height - side) / 2, side, side])
            points = landmarks_from_box(box)
            n_without_landmarks += 1
        crops.append(align_crop(np.ascontiguousarray(image[..., ::-1], dtype=np.uint8), points))
        widths.append(float(box[2]))
        context.hook("crops", len(crops), len(paths))
    return CroppedTracks(
        track_of=np.arange(len(crops), dtype=np.int32),
        crops=Crops(
            images=crops,
            widths=np.array(widths, dtype=np.float32),
            sharpness=np.array([sharpness(crop) for crop in crops], dtype=np.float32),
        ),
        n_without_landmarks=n_without_landmarks,
    )


def _detection_scale(side: int) -> float:
    """Return the factor that brings an image's long side into the detector's range."""
    return min(DETECTION_SIZE / side, max(1.0, MIN_IMAGE_SIZE / side))


def _resize_for_detection(image: UInt8Array, scale: float) -> UInt8Array:
    """Scale an image and pad it with grey to multiples of 8.

    The detector needs some space around a face at the edge of the image.
    """
    import cv2

    height, width = (max(1, round(side * scale)) for side in image.shape[:2])
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    resized = cv2.resize(image, (width, height), interpolation=interpolation)
    bottom, right = -height % 8 + 32, -width % 8 + 32
    grey = (127, 127, 127)
    padded = cv2.copyMakeBorder(resized, 0, bottom, 0, right, cv2.BORDER_CONSTANT, value=grey)
    return np.asarray(padded, dtype=np.uint8)


def _load_detector(context: DatasetContext) -> RetinaFace:
    from personae.core.compute import select_device
    from personae.scan.retinaface import RetinaFace
    from personae.weights import weight_file

    entry = weight_file("retinaface-mobilenet025")
    entry.verify()
    return RetinaFace(entry.path(), select_device(context.device))


def cannot_links_from_frames(track_of: Int64Array, frame: Int64Array) -> Int32Array:
    """Return (m, 2) pairs of tracks that have boxes in the same frame: two different people.

    Args:
        track_of: (N,) track of each box.
        frame: (N,) frame of each box.
    """
    tracks_in: defaultdict[int, set[int]] = defaultdict(set)
    for track, number in zip(track_of.tolist(), frame.tolist(), strict=True):
        tracks_in[number].add(track)
    pairs = {(a, b) for tracks in tracks_in.values() for a in tracks for b in tracks if a < b}
    return np.array(sorted(pairs), dtype=np.int32).reshape(-1, 2)
