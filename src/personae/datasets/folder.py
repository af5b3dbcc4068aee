"""`folder:DIR`: one folder of images per person; every image is a track of one crop."""

from __future__ import annotations

import numpy as np

from personae.core.errors import SettingError
from personae.core.trackset import TrackSet
from personae.datasets import DatasetContext
from personae.datasets.crops import crops_from_images
from personae.datasets.labelled import LabelledTracks, content_digest, factorize_people
from personae.datasets.spec import DatasetSpec

IMAGE_SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff"}


def read(spec: DatasetSpec, context: DatasetContext) -> LabelledTracks:
    """Read the images DIR/PERSON/*, grey or in colour.

    The largest face of each image is detected and aligned. An image of 112 x 112 or 160 x 160
    pixels counts as aligned already.

    Raises:
        SettingError: There are no images, or one cannot be read.
    """
    spec.check_options()
    spec.check_paths(1, 1, "folder:DIR")
    root = spec.paths[0]
    paths = sorted(path for path in root.glob("*/*") if path.suffix.lower() in IMAGE_SUFFIXES)
    if not paths:
        raise SettingError(f"{root} has no images in folders that are named after people.")
    cropped = crops_from_images(paths, context)
    truth, people = factorize_people([path.parent.name for path in paths])
    return LabelledTracks(
        name=root.resolve().name,
        kind="folder",
        tracks=TrackSet(track_of=cropped.track_of, crops=cropped.crops),
        truth=truth,
        people=people,
        frame_counts=np.ones(len(paths), dtype=np.int64),
        digest=content_digest(*(path.read_bytes() for path in paths)),
        note="Every image is a track of one crop.",
        facts={"images": len(paths), "aligned by the image centre": cropped.n_without_landmarks},
    )
