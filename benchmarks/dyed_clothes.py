"""Clothes of other colours: recolours the region below the faces of chosen people, frame by frame.

Faces come from the tracks that the scan finds; a track belongs to the person of most of its labels.
Light and folds stay; colour and mean lightness are replaced.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from personae.core.arrays import Float32Array, Float64Array, UInt8Array
from personae.core.config import ScanConfig
from personae.datasets.clip import count_votes, tracks_from_faces
from personae.metrics.hand_labels import LabelledFace, PredictedTrack
from personae.scan import scan_film

Colour = tuple[float, float, float]
"""L, a and b in 8-bit Lab."""

ALIKE_COLOUR: Colour = (95, 118, 100)
"""Blue."""
CHANGED_COLOUR: Colour = (150, 112, 170)
"""Yellowish green."""
N_ALIKE = 2
"""People with clothes alike."""

BODY_OUTLINE = np.array(
    [(-0.35, 1.1), (-1.3, 1.55), (-1.6, 3), (-1.6, 4), (1.6, 4), (1.6, 3), (1.3, 1.55), (0.35, 1.1)]
)
"""(8, 2) x, y of the shoulders and the body below a face: in face widths from its centre, and in
face heights from its top."""
BLUR = 0.12
"""Softness of the outline, in face widths."""
TIME_TOLERANCE_S = 0.002
"""Two times of one frame differ by less; `PredictedTrack.box_at` alone would go on past a cut."""
MASK_HEIGHT = 180
"""Height in pixels at which masks are drawn, at most; they are soft anyway."""


def find_people(path: Path, labels: Sequence[LabelledFace]) -> dict[str, list[PredictedTrack]]:
    """Scan a film and return the tracks of each person, those with most labels first."""
    tracks = tracks_from_faces(scan_film(path, ScanConfig()).faces)
    votes = count_votes(list(labels), tracks)
    people = defaultdict(list)
    for number, counts in sorted(votes.items()):
        people[counts.most_common(1)[0][0]].append(tracks[number])
    order = [person for person, _ in Counter(face.person for face in labels).most_common()]
    return {person: people[person] for person in order if person in people}


def dress_alike(people: Mapping[str, object]) -> dict[str, Colour]:
    """Return clothes of one colour for the people after the first."""
    return dict.fromkeys(list(people)[1 : 1 + N_ALIKE], ALIKE_COLOUR)


@dataclass(frozen=True)
class Wardrobe:
    """The colours of some people's clothes in a film."""

    people: dict[str, list[PredictedTrack]]
    """Person -> tracks; the bodies of all of them keep others' colours off."""
    colours: dict[str, Colour]
    """Person -> colour of the clothes; the others' stay as they are."""

    def edit(self, image: UInt8Array, time_s: float) -> UInt8Array:
        """Return an RGB frame with recoloured clothes."""
        faces = [
            (person, box)
            for person, tracks in self.people.items()
            for track in tracks
            if track.times[0] - TIME_TOLERANCE_S < time_s < track.times[-1] + TIME_TOLERANCE_S
            and (box := track.box_at(time_s)) is not None
        ]
        dyed = [i for i, (person, _) in enumerate(faces) if person in self.colours]
        if not dyed:
            return image
        height, width = image.shape[:2]
        scale = min(1.0, MASK_HEIGHT / height)
        size = round(height * scale), round(width * scale)
        masks = _body_masks(size, [box * scale for _, box in faces])
        dyed_image = image.copy()
        for i in dyed:
            mask = cv2.resize(masks[i], (width, height), interpolation=cv2.INTER_LINEAR)
            _dye(dyed_image, np.asarray(mask, np.float32), self.colours[faces[i][0]])
        return dyed_image


def _body_masks(shape: tuple[int, int], boxes: Sequence[Float64Array]) -> list[Float32Array]:
    """Return a soft mask (H, W) in 0..1 of the body below each face; larger faces are in front."""
    masks = []
    for x, y, w, h in boxes:
        outline = BODY_OUTLINE * (w, h) + (x + w / 2, y)
        mask = np.zeros(shape, np.float32)
        cv2.fillPoly(mask, [np.rint(outline).astype(np.int32)], 1.0)
        masks.append(np.asarray(cv2.GaussianBlur(mask, (0, 0), max(0.5, BLUR * w)), np.float32))
    free = _outside_heads(shape, boxes)
    for i in sorted(range(len(boxes)), key=lambda i: -float(boxes[i][2])):
        masks[i], free = masks[i] * free, free * (1 - masks[i])
    return masks


def _outside_heads(shape: tuple[int, int], boxes: Sequence[Float64Array]) -> Float32Array:
    """Return a mask (H, W) that is 0 on all faces, and 1 elsewhere."""
    mask = np.ones(shape, np.float32)
    for x, y, w, h in boxes:
        centre, axes = (round(x + w / 2), round(y + h / 2)), (round(0.6 * w), round(0.6 * h))
        cv2.ellipse(mask, centre, axes, 0, 0, 360, 0.0, -1)
    return mask


def _dye(image: UInt8Array, mask: Float32Array, colour: Colour) -> None:
    """Give a masked part of an RGB image another mean lightness, and one colour, in place."""
    rows, columns = (np.flatnonzero(mask.max(axis=axis) > 0.01) for axis in (1, 0))
    if not len(rows):
        return
    part = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    weight = mask[part]
    lab = cv2.cvtColor(np.ascontiguousarray(image[part]), cv2.COLOR_RGB2LAB).astype(np.float32)
    mean = float((lab[..., 0] * weight).sum() / weight.sum())
    dyed = np.empty_like(lab)
    dyed[..., 0] = lab[..., 0] + colour[0] - mean
    dyed[..., 1:] = colour[1:]
    lab += (dyed - lab) * weight[..., None]
    rounded = np.clip(np.rint(lab), 0, 255).astype(np.uint8)
    image[part] = cv2.cvtColor(rounded, cv2.COLOR_LAB2RGB)
