"""Every frame of a film with the shot that it starts or ends."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable, Iterator
from typing import NamedTuple

from personae.scan.shots import ShotDetector
from personae.scan.video_reader import Frame


class MarkedFrame(NamedTuple):
    """A frame and its place in its shot."""

    frame: Frame
    starts_shot: bool
    ends_shot: bool
    next_pts: int | None
    """Of the frame after it; None at the film's end."""


def read_marked_frames(
    frames: Iterable[Frame], detector: ShotDetector
) -> Generator[MarkedFrame, None, None]:
    """Yield every frame with its marks; all frames are read, some of them ahead."""
    previous = None
    for marked in mark_shots(frames, detector):
        if previous is not None:
            yield MarkedFrame(*previous, marked[0].pts)
        previous = marked
    if previous is not None:
        yield MarkedFrame(*previous, None)


def mark_shots(
    frames: Iterable[Frame], detector: ShotDetector
) -> Iterator[tuple[Frame, bool, bool]]:
    """Yield every frame with whether it starts a shot and whether it ends one.

    Frames are delayed until the detector can no longer report a cut right after them.
    """
    pending: deque[Frame] = deque()
    cuts = {0}
    for frame in frames:
        pending.append(frame)
        cuts.update(detector.process_frame(frame.index, frame.preview))
        if len(pending) > detector.delay + 1:
            yield _mark(pending.popleft(), cuts)
    while pending:
        frame = pending.popleft()
        if not pending:
            cuts.add(frame.index + 1)
        yield _mark(frame, cuts)


def _mark(frame: Frame, cuts: set[int]) -> tuple[Frame, bool, bool]:
    """Return a frame with its marks, and remove its cut."""
    starts, ends = frame.index in cuts, frame.index + 1 in cuts
    cuts.discard(frame.index)
    return frame, starts, ends
