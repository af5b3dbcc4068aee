"""Build the demo film and its labels in `examples/` from freely usable material in packages.

    python tools/build_demo.py [--archives DIR] [--out DIR] [--sheet FILE.png]

`demo_script.py` lists the shots; this file renders them. Besides personae it needs scikit-image for
one of the photographs, and npm and pip for archives that DIR lacks.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from demo_script import ARCHIVES, HEIGHT, RATE, SHOTS, SOURCES, WIDTH, Box, Panel, Shot
from personae.core.arrays import Float64Array, UInt8Array
from personae.scan.retinaface import RetinaFace
from personae.weights import weight_file

Label = tuple[str, Box]
"""A person and the face box in the frame."""

LABEL_INTERVAL_S = 0.5
SUPERSAMPLING = 2  # the camera renders at twice the size, then averages: no shimmer in slow moves
MAT_COLOUR = (238, 236, 230)
ASTRONAUT_SHA256 = (
    "a8c429c18afa7b0fd5673e598d73a21225d94c864a71bbb3885126fdecb41071"  # of the pixels
)


def fetch(name: str, folder: Path) -> Path:
    """Return an archive in `folder`; download it if it is missing, and exit if it differs."""
    archive = ARCHIVES[name]
    path = folder / archive.file
    if not path.exists():
        subprocess.run(archive.fetch, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    if hashlib.sha256(path.read_bytes()).hexdigest() != archive.sha256:
        sys.exit(f"{path} is not the published {archive.file}: its sha256 differs.")
    return path


def unpack(archives: Path, folder: Path) -> dict[str, Path]:
    """Extract the members that the script names into `folder`, and return source name -> file."""
    files = {}
    for name, source in SOURCES.items():
        if source.archive is not None:
            with tarfile.open(fetch(source.archive, archives)) as archive:
                archive.extract(source.member, folder, filter="data")
            files[name] = folder / source.member
    return files


def load_astronaut() -> UInt8Array:
    """Return NASA's portrait of Eileen Collins, (512, 512, 3) RGB."""
    from skimage.data import astronaut as portrait

    pixels: UInt8Array = portrait()
    if hashlib.sha256(pixels.tobytes()).hexdigest() != ASTRONAUT_SHA256:
        sys.exit(
            "scikit-image's astronaut() has other pixels than the ones the faces were marked in."
        )
    return pixels


class SourceLibrary:
    """The frames of every source as RGB, and the face box in each."""

    def __init__(self, files: dict[str, Path]) -> None:
        self._files = files
        self._photos: dict[str, UInt8Array] = {}
        self._detector = RetinaFace(weight_file("retinaface-mobilenet025").path())

    def photo(self, name: str) -> UInt8Array:
        if name not in self._photos:
            path = self._files.get(name)
            self._photos[name] = (
                load_astronaut() if path is None else cv2.imread(str(path))[:, :, ::-1].copy()
            )
        return self._photos[name]

    def frames(self, panel: Panel, count: int) -> list[UInt8Array]:
        """Return the `count` source frames of a panel; a photograph is repeated."""
        if SOURCES[panel.source].face is not None:
            return [self.photo(panel.source)] * count
        wanted = range(panel.first, panel.first + count)
        with av.open(str(self._files[panel.source])) as container:
            numbered = enumerate(container.decode(video=0))
            frames = [f.to_ndarray(format="rgb24") for i, f in numbered if i in wanted]
        if len(frames) < count:
            sys.exit(
                f"{panel.source} is too short for a panel that starts on its frame {panel.first}."
            )
        return frames

    def face(self, panel: Panel, frame: UInt8Array) -> Box:
        """Return the marked face of a photograph or the detected one of a frame, in pixels."""
        return SOURCES[panel.source].face or self._detected(frame)

    def _detected(self, frame: UInt8Array) -> Box:
        # Detected at twice the size: the recordings are small, and boxes become more precise.
        larger = cv2.resize(frame[:, :, ::-1], None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
        faces = self._detector(larger)
        if not len(faces):
            sys.exit("No face found in a recording's frame: choose another stretch of it.")
        x, y, w, h = (float(v) / 2 for v in faces.boxes[0])
        return x, y, w, h


def camera_map(panel: Panel, progress: float) -> Float64Array:
    """Return the (2, 3) map from source to frame coordinates, `progress` 0..1 through the shot."""
    x, y, width, height = panel.at
    centre_x, centre_y, seen = (
        a + progress * (b - a) for a, b in zip(panel.start, panel.end, strict=True)
    )
    scale, turn = width / seen, np.deg2rad(panel.tilt)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    linear = scale * rotation @ np.diag([-1.0 if panel.mirror else 1.0, 1.0])
    shift = np.array([x + width / 2, y + height / 2]) - linear @ [centre_x, centre_y]
    return np.column_stack([linear, shift])


def transform_box(box: Box, view: Float64Array) -> Box:
    """Map a face box by a camera map; tilts are small, so the box stays upright."""
    x, y, w, h = box
    scale = float(np.sqrt(abs(np.linalg.det(view[:, :2]))))
    centre_x, centre_y = view @ [x + w / 2, y + h / 2, 1]
    return centre_x - scale * w / 2, centre_y - scale * h / 2, scale * w, scale * h


def render_panel(panel: Panel, source: UInt8Array, view: Float64Array) -> UInt8Array:
    """Return the panel's part of the frame, (height, width, 3) RGB: warped, scaled and graded."""
    x, y, width, height = panel.at
    corners = np.array([[x, y], [x + width, y], [x, y + height], [x + width, y + height]], float)
    seen = np.linalg.solve(view[:, :2], corners.T - view[:, 2:])
    size = np.array([source.shape[1], source.shape[0]])
    if (seen < -0.5).any() or (seen > size[:, None] + 0.5).any():
        sys.exit(f"The camera leaves {panel.source}: {seen.round().tolist()} of {size.tolist()}.")
    # A source much larger than the image is averaged down first: interpolation alone would alias.
    scale = float(np.sqrt(abs(np.linalg.det(view[:, :2])))) * SUPERSAMPLING
    octaves = max(0, int(np.floor(-np.log2(scale))))
    for _ in range(octaves):
        source = source[: source.shape[0] // 2 * 2, : source.shape[1] // 2 * 2]
        source = cv2.resize(source, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    # cv2 counts from pixel centres, the maps here from pixel corners.
    linear = view[:, :2] * SUPERSAMPLING * 2**octaves
    shift = (view[:, 2] - [x, y]) * SUPERSAMPLING + linear @ [0.5, 0.5] - 0.5
    target = (width * SUPERSAMPLING, height * SUPERSAMPLING)
    warped = cv2.warpAffine(
        source,
        np.column_stack([linear, shift]),
        target,
        flags=cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return apply_grade(cv2.resize(warped, (width, height), interpolation=cv2.INTER_AREA), panel)


def apply_grade(image: UInt8Array, panel: Panel) -> UInt8Array:
    """Apply the panel's brightness, colour temperature and saturation."""
    light = image.astype(np.float32)
    grey = light @ np.array([0.299, 0.587, 0.114], np.float32)
    light = grey[:, :, None] + panel.colour * (light - grey[:, :, None])
    light *= panel.gain * np.array([1 + panel.warmth, 1.0, 1 - panel.warmth], np.float32)
    return np.clip(light + 0.5, 0, 255).astype(np.uint8)


def render_backdrop(kind: str, library: SourceLibrary) -> UInt8Array:
    """Return the background: black, a plain wall, or a photograph far out of focus."""
    if kind == "black":
        return np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    if kind == "wall":
        y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
        light = 1.0 - 0.35 * (((x - WIDTH / 2) / WIDTH) ** 2 + ((y - HEIGHT / 3) / HEIGHT) ** 2)
        return np.round(light[:, :, None] * [168, 156, 142]).astype(np.uint8)
    photo = library.photo(kind)
    strip = photo[photo.shape[0] // 4 : photo.shape[0] // 4 + photo.shape[1] * HEIGHT // WIDTH]
    soft = cv2.GaussianBlur(
        cv2.resize(strip, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA), (0, 0), 32
    )
    return np.round(soft * 0.55).astype(np.uint8)


def is_labelled(frame: int) -> bool:
    """Return whether a frame of the film is labelled: about every LABEL_INTERVAL_S seconds."""
    return frame == round(round(frame / RATE / LABEL_INTERVAL_S) * LABEL_INTERVAL_S * RATE)


def render_shot(
    shot: Shot, first_frame: int, library: SourceLibrary
) -> Iterator[tuple[UInt8Array, list[Label]]]:
    """Render a shot that starts at `first_frame`: (HEIGHT, WIDTH, 3) RGB frames, and labels."""
    count = round(shot.seconds * RATE)
    footage = [library.frames(panel, count) for panel in shot.panels]
    background = render_backdrop(shot.backdrop, library)
    for i in range(count):
        image, labels = background.copy(), []
        for panel, frames in zip(shot.panels, footage, strict=True):
            view = camera_map(panel, i / (count - 1))
            x, y, w, h = panel.at
            image[y - panel.mat : y + h + panel.mat, x - panel.mat : x + w + panel.mat] = MAT_COLOUR
            image[y : y + h, x : x + w] = render_panel(panel, frames[i], view)
            if panel.face_shown and is_labelled(first_frame + i):
                labels.append(
                    (
                        SOURCES[panel.source].person,
                        transform_box(library.face(panel, frames[i]), view),
                    )
                )
        yield image, labels


def render_film(library: SourceLibrary) -> Iterator[tuple[UInt8Array, list[Label], bool]]:
    """Yield the film's frames in order, their labels, and whether a shot starts.

    In a dissolve the labels are those of the shot with the larger weight.
    """
    frame, fading = 0, list[tuple[UInt8Array, list[Label]]]()
    for shot, following in zip(SHOTS, (*SHOTS[1:], None), strict=True):
        kept = round(shot.seconds * RATE) - (round(following.dissolve * RATE) if following else 0)
        shown, tail = list(render_shot(shot, frame, library)), fading
        fading = shown[kept:]
        for i, (image, labels) in enumerate(shown[:kept]):
            if i < len(tail):
                weight = (i + 1) / (len(tail) + 1)
                image = cv2.addWeighted(tail[i][0], 1 - weight, image, weight, 0)
                labels = labels if weight >= 0.5 else tail[i][1]
            yield image, labels, i == 0
        frame += kept


def draw_labels(image: UInt8Array, labels: list[Label], frame: int) -> UInt8Array:
    """Return a copy of the frame with its labels drawn, for the contact sheet."""
    image = image.copy()
    cv2.putText(
        image, f"{frame / RATE:.2f}", (8, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (255, 255, 0), 1
    )
    for person, (x, y, w, h) in labels:
        cv2.rectangle(image, (round(x), round(y)), (round(x + w), round(y + h)), (0, 255, 0), 1)
        at = (max(0, round(x)), max(12, round(y) - 4))
        cv2.putText(image, person, at, cv2.FONT_HERSHEY_SIMPLEX, 0.45, (0, 255, 0), 1)
    return image


def clip_to_frame(box: Box) -> Box:
    """Return the part of a box that lies in the frame."""
    x, y = max(0.0, box[0]), max(0.0, box[1])
    return x, y, min(WIDTH, box[0] + box[2]) - x, min(HEIGHT, box[1] + box[3]) - y


def build(library: SourceLibrary, out: Path, sheet: Path | None) -> None:
    """Write the film and its labels into `out`, and a contact sheet of labelled frames."""
    thumbnails, cuts, frame = [], 0, 0
    with (
        av.open(str(out / "demo.mp4"), "w", options={"movflags": "+faststart"}) as container,
        open(out / "demo_labels.csv", "w", newline="") as table,
    ):
        container.flags |= av.container.Flags.bitexact.value  # no dates, no library versions
        stream: Any = container.add_stream("libx264", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.thread_count = 1  # the same bytes on every run
        stream.options = {"crf": "25", "preset": "slow", "g": "50"}
        rows = csv.writer(table, lineterminator="\n")
        rows.writerow(["video", "time_s", "x", "y", "w", "h", "person"])
        for frame, (image, labels, starts) in enumerate(render_film(library)):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
            cuts += starts
            for person, box in labels:
                rows.writerow(
                    [
                        "demo.mp4",
                        f"{frame / RATE:.3f}",
                        *(f"{v:.1f}" for v in clip_to_frame(box)),
                        person,
                    ]
                )
            if sheet and is_labelled(frame):
                thumbnails.append(draw_labels(image, labels, frame))
        container.mux(stream.encode(None))
    if sheet:
        thumbnails += [np.zeros_like(thumbnails[0])] * (-len(thumbnails) % 8)
        rows_of = [np.hstack(thumbnails[i : i + 8]) for i in range(0, len(thumbnails), 8)]
        cv2.imwrite(str(sheet), cv2.cvtColor(np.vstack(rows_of), cv2.COLOR_RGB2BGR))
    size = (out / "demo.mp4").stat().st_size
    print(f"demo.mp4: {(frame + 1) / RATE:.1f} s, {cuts} shots, {size / 1e6:.2f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--archives", type=Path, help="folder that holds, or is to hold, the packages' archives"
    )
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "examples")
    parser.add_argument("--sheet", type=Path, help="PNG for a contact sheet of all labelled frames")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        files = unpack(options.archives or Path(folder), Path(folder))
        build(SourceLibrary(files), options.out, options.sheet)


if __name__ == "__main__":
    main()
