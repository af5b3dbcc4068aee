"""COCO for video, as TAO lays it out: videos, images, tracks and annotations in one JSON file.

The fields `frame_id` and `instance_id` are those of CocoVID (MMTracking, MMDetection), so both
kinds of readers find what they need. All ids count from 1, since some readers take 0 for none.
"""

from __future__ import annotations

import json
from typing import BinaryIO

import numpy as np

from personae.export.export_format import ExportRequest
from personae.export.provenance import describe_provenance
from personae.export.researchers.face_tracks import FaceTrack, FilmTracks, load_film_tracks
from personae.export.researchers.frame_numbers import describe_frame_numbers

VIDEO_ID = 1
"""The one film of the file."""

FACE_CATEGORY = {"id": 1, "name": "face", "supercategory": "person"}
"""The one category; who it is stands with the track."""

PIXEL_DIGITS = 2
SHARE_DIGITS = 4
SECONDS_DIGITS = 6


def write_coco_video(request: ExportRequest, stream: BinaryIO) -> None:
    """Write the selected face tracks as TAO-style COCO.

    Source:
        Dave et al., TAO: A Large-Scale Benchmark for Tracking Any Object, ECCV 2020.
    """
    film = load_film_tracks(request)
    document = {
        "info": {
            "description": f"Faces of {film.file_name}, by track and character",
            "frame_numbers": describe_frame_numbers(request.time),
            **describe_provenance(request.project),
        },
        "licenses": [],
        "categories": [FACE_CATEGORY],
        "characters": _list_characters(film),
        "videos": [_video(film)],
        "images": _list_images(request, film),
        "tracks": [_track(track, film) for track in film.tracks],
        "annotations": _list_annotations(film),
    }
    stream.write(json.dumps(document, ensure_ascii=False).encode() + b"\n")


def image_file_name(film: FilmTracks, frame: int) -> str:
    """Return where readers look for the picture of a frame: one per frame, numbered from 0."""
    return f"{film.stem}/{frame:06d}.jpg"


def _list_characters(film: FilmTracks) -> list[dict[str, object]]:
    return [
        {"id": number, "label": label, "name": None if name == label else name}
        for number, (label, name) in enumerate(film.labels.items(), start=1)
    ]


def _video(film: FilmTracks) -> dict[str, object]:
    source = film.source
    return {
        "id": VIDEO_ID,
        "name": film.stem,
        "file_name": film.file_name,
        "width": source.width,
        "height": source.height,
        "length": source.frames,
        "fps": source.constant_rate or source.frame_rate,
        "neg_category_ids": [],
        "not_exhaustive_category_ids": [],
        "metadata": {},
    }


def _list_images(request: ExportRequest, film: FilmTracks) -> list[dict[str, object]]:
    """Return the frames that show a selected face."""
    pts = {
        int(frame): int(tick)
        for track in film.tracks
        for frame, tick in zip(track.frames, track.pts, strict=True)
    }
    return [
        {
            "id": frame + 1,
            "video_id": VIDEO_ID,
            "video": film.stem,
            "file_name": image_file_name(film, frame),
            "width": film.source.width,
            "height": film.source.height,
            "frame_index": frame,
            "frame_id": frame,
            "time_s": round(float(request.time.seconds(pts[frame])), SECONDS_DIGITS),
        }
        for frame in sorted(pts)
    ]


def _track(track: FaceTrack, film: FilmTracks) -> dict[str, object]:
    numbers = {label: number for number, label in enumerate(film.labels, start=1)}
    return {
        "id": track.number + 1,
        "video_id": VIDEO_ID,
        "category_id": FACE_CATEGORY["id"],
        "track": track.number,
        "shot": track.shot,
        "character_id": numbers[track.character] if track.character else None,
        "character": track.character,
        "confidence": round(track.confidence, SHARE_DIGITS),
        "reviewed": track.reviewed,
    }


def _list_annotations(film: FilmTracks) -> list[dict[str, object]]:
    annotations: list[dict[str, object]] = []
    for track in film.tracks:
        scores = np.where(track.interpolated, np.nan, track.scores)
        for frame, box, score in zip(track.frames, track.boxes, scores, strict=True):
            x, y, w, h = (round(float(side), PIXEL_DIGITS) for side in box)
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": int(frame) + 1,
                    "video_id": VIDEO_ID,
                    "track_id": track.number + 1,
                    "instance_id": track.number + 1,
                    "category_id": FACE_CATEGORY["id"],
                    "bbox": [x, y, w, h],
                    "area": round(w * h, PIXEL_DIGITS),
                    "iscrowd": 0,
                    "score": None if np.isnan(score) else round(float(score), SHARE_DIGITS),
                    "interpolated": bool(np.isnan(score)),
                }
            )
    return annotations
