"""Pictures in one folder a person: every picture is a track of one crop."""

from __future__ import annotations

import numpy as np

from personae.core.errors import SettingError
from personae.core.trackset import Crops, TrackSet
from personae.datasets import DatasetContext
from personae.datasets.crops import crops_of_pictures
from personae.datasets.labelled import LabelledTracks, digest_of, number_people
from personae.datasets.spec import Spec

ENDINGS = {".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff"}


def read(spec: Spec, room: DatasetContext) -> LabelledTracks:
    """Read `folder:DIR` with pictures in DIR/PERSON/, grey or in colour; SettingError where there are none.

    The largest face of each picture is found and aligned; a picture of 112 x 112 or 160 x 160 pixels counts
    as aligned already.
    """
    spec.check_options()
    spec.check_paths(1, 1, "folder:DIR")
    root = spec.paths[0]
    pictures = sorted(path for path in root.glob("*/*") if path.suffix.lower() in ENDINGS)
    if not pictures:
        raise SettingError(f"{root} has no pictures in folders that are named after people.")
    crops = crops_of_pictures(pictures, room)
    truth, people = number_people([path.parent.name for path in pictures])
    return LabelledTracks(
        name=root.resolve().name,
        kind="folder",
        tracks=TrackSet(
            track_of=crops.track_of,
            crops=Crops(images=crops.images, widths=crops.width, sharpness=crops.sharpness),
        ),
        truth=truth,
        people=people,
        frames=np.ones(len(pictures), dtype=np.int64),
        digest=digest_of(*(path.read_bytes() for path in pictures)),
        note="Every picture is a track of one crop.",
        facts={"pictures": len(pictures), "aligned by their middle alone": crops.guessed},
    )
