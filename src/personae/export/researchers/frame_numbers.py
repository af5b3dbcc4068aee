"""What the frame numbers of an exported file mean, in a sentence for the file itself."""

from __future__ import annotations

from personae.export.film_time import FilmTime


def describe_frame_numbers(time: FilmTime, first: int = 0) -> str:
    """Return what frame numbers mean in a film.

    Args:
        time: The film's clock.
        first: Number of the first frame: 0, or 1 in formats that count from there.
    """
    start_s = float(time.seconds(time.start_pts))
    text = (
        f"Frames are numbered as they are decoded; frame {first} is the first, at {start_s:.3f} s "
        "of the container's clock."
    )
    if time.rate is not None:
        return f"{text} They come at {time.rate} per second."
    return (
        f"{text} The frame rate is variable, {float(time.average_rate):.3f} per second on "
        "average: a frame's time does not follow from its number."
    )
