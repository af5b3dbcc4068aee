"""Views of a face crop beside its embedding: intensities, patterns, Gabor magnitudes, colours.

A view is one kind of feature of the same faces, as multi-view clustering understands it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from personae.core.arrays import Float64Array, Int64Array, IntArray, UInt8Array
from personae.core.crops import TEMPLATE_SIZE, template_square
from personae.core.errors import SettingError
from personae.core.trackset import TrackSet

INTENSITY_SIZE = (40, 50)
"""(w, h) of the grey face whose pixels are the view "intensity"."""

PATTERN_CELLS = (8, 7)
"""Rows and columns of the cells in which local binary patterns are counted."""

GABOR_SIZE = (25, 30)
"""(w, h) of the grey face that is filtered for the view "gabor"."""

GABOR_WAVELENGTH_PX = 4.0
GABOR_ORIENTATIONS_DEG = (0, 45, 90, 135)

HAIR_ROWS = (-8, 24)
"""First row of the strip above the forehead and the row after its last, from the template's top."""

HAIR_COLUMNS = (24, 88)
"""First column of that strip and the column after its last, from the template's left side."""

COLOUR_BINS = 8
"""Bins of each channel of a colour histogram in Lab."""


def parse_views(
    system: str, requested: str | None, choices: tuple[str, ...], tracks: TrackSet
) -> tuple[str, ...]:
    """Return the views that a system takes: the requested ones, or all that the tracks have.

    Args:
        system: System named in error messages.
        requested: Names joined by "+"; None for all that the tracks have.
        choices: Names that the system can take.
        tracks: The tracks.

    Raises:
        SettingError: A requested view does not exist, or the tracks do not have it.
    """
    if requested is None:
        return tuple(name for name in choices if has_view(name, tracks))
    names = tuple(dict.fromkeys(requested.split("+")))
    for name in names:
        if name not in choices:
            raise SettingError(
                f"{system} has no view {name!r}; join some of {', '.join(choices)} by +."
            )
        if not has_view(name, tracks):
            needed = "colours of clothes" if name == "torso" else "images of faces"
            raise SettingError(
                f"{system}: the view {name} needs {needed}, which this data set lacks; leave it "
                "out."
            )
    return names


def has_view(name: str, tracks: TrackSet) -> bool:
    """Return whether the tracks have what a view is computed from."""
    if name == "embedding":
        return True
    return (tracks.crops.clothes if name == "torso" else tracks.crops.images) is not None


def compute_view(name: str, tracks: TrackSet, rows: Int64Array) -> Float64Array:
    """Compute one view of some crops.

    Args:
        name: "embedding", "intensity", "lbp", "gabor", "hair" or "torso".
        tracks: Tracks that have the view.
        rows: (m,) crops.

    Returns:
        (m, d) features, not normalised. Those of hair and torso are histograms that sum to 1, or
        zeros where a crop shows none.
    """
    if name == "embedding":
        return tracks.require_embeddings()[rows].astype(np.float64)
    if name == "torso":
        assert tracks.crops.clothes is not None, "the tracks have the view"
        return tracks.crops.clothes[rows].astype(np.float64)
    assert tracks.crops.images is not None, "the tracks have the view"
    describe = _DESCRIPTORS[name]
    described = [describe(tracks.crops.images[int(row)]) for row in rows]
    return np.array(described).reshape(len(rows), -1)


def grey_face(crop: UInt8Array, size: tuple[int, int]) -> Float64Array:
    """Return the (h, w) grey values 0..255 of a crop's aligned face, scaled to `size` (w, h)."""
    import cv2

    grey = cv2.cvtColor(np.ascontiguousarray(template_square(crop)), cv2.COLOR_RGB2GRAY)
    scaled: Float64Array = cv2.resize(grey, size, interpolation=cv2.INTER_AREA).astype(np.float64)
    return scaled


def intensities(crop: UInt8Array) -> Float64Array:
    """Return the (2000,) grey values of a crop's face at 40 x 50 pixels."""
    return grey_face(crop, INTENSITY_SIZE).ravel()


def local_binary_patterns(crop: UInt8Array) -> Float64Array:
    """Return the (56 * 59,) histograms of uniform local binary patterns in 8 x 7 cells of a face.

    Each cell's histogram sums to 1. A pattern is uniform if its ring of 8 bits changes at most
    twice; all others share the last of 59 bins.

    Source:
        Ahonen, Hadid, Pietikainen, PAMI 2006.
    """
    grey = grey_face(crop, (TEMPLATE_SIZE, TEMPLATE_SIZE))
    side = TEMPLATE_SIZE - 2
    codes = np.zeros((side, side), dtype=np.int64)
    for bit, (dy, dx) in enumerate(_RING):
        neighbour = grey[1 + dy : 1 + dy + side, 1 + dx : 1 + dx + side]
        codes |= (neighbour >= grey[1:-1, 1:-1]).astype(np.int64) << bit
    bins = uniform_pattern_bins()[codes]
    n_bins = int(uniform_pattern_bins().max()) + 1
    cells = [
        np.bincount(cell.ravel(), minlength=n_bins) / cell.size
        for strip in np.array_split(bins, PATTERN_CELLS[0], axis=0)
        for cell in np.array_split(strip, PATTERN_CELLS[1], axis=1)
    ]
    return np.concatenate(cells)


_RING = ((-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1))
"""(y, x) of the 8 neighbours of a pixel, once around it."""


def uniform_pattern_bins() -> IntArray:
    """Return the (256,) bin 0..58 of each local binary pattern; 58 for those not uniform."""
    codes = np.arange(256)
    bits = (codes[:, None] >> np.arange(8)) & 1
    uniform = (bits != np.roll(bits, 1, axis=1)).sum(axis=1) <= 2
    return np.where(uniform, np.cumsum(uniform) - 1, uniform.sum())


def gabor_magnitudes(crop: UInt8Array) -> Float64Array:
    """Return the (3000,) magnitudes of four Gabor filters on a crop's face at 25 x 30 pixels."""
    import cv2

    grey = grey_face(crop, GABOR_SIZE)
    magnitudes = []
    for degrees in GABOR_ORIENTATIONS_DEG:
        parts = [
            cv2.filter2D(
                grey,
                -1,
                cv2.getGaborKernel(
                    ksize=(9, 9),
                    sigma=GABOR_WAVELENGTH_PX / 2,
                    theta=np.deg2rad(degrees),
                    lambd=GABOR_WAVELENGTH_PX,
                    gamma=1.0,
                    psi=phase,
                ),
            )
            for phase in (0.0, np.pi / 2)
        ]
        magnitudes.append(np.hypot(*parts).ravel())
    return np.concatenate(magnitudes)


def hair_colours(crop: UInt8Array) -> Float64Array:
    """Return the (512,) Lab histogram of the strip above a crop's forehead; it sums to 1.

    A crop without a margin around the template shows less of the strip.
    """
    import cv2

    low = (crop.shape[0] - TEMPLATE_SIZE) // 2
    top, bottom = max(0, low + HAIR_ROWS[0]), low + HAIR_ROWS[1]
    left, right = low + HAIR_COLUMNS[0], low + HAIR_COLUMNS[1]
    strip = np.ascontiguousarray(crop[top:bottom, left:right])
    lab = cv2.cvtColor(strip, cv2.COLOR_RGB2LAB).reshape(-1, 3).astype(np.int64)
    l_bin, a_bin, b_bin = (lab * COLOUR_BINS // 256).T
    index = (l_bin * COLOUR_BINS + a_bin) * COLOUR_BINS + b_bin
    counts: Float64Array = np.bincount(index, minlength=COLOUR_BINS**3) / len(index)
    return counts


_DESCRIPTORS: dict[str, Callable[[UInt8Array], Float64Array]] = {
    "intensity": intensities,
    "lbp": local_binary_patterns,
    "gabor": gabor_magnitudes,
    "hair": hair_colours,
}
