"""What the verbs that write a film have in common."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from personae.cli.progress import progress_hook
from personae.core.hooks import Hook
from personae.core.time import format_clock

if TYPE_CHECKING:
    from personae.film_export import BlurredFilm, WrittenFilm

MAX_SHOWN = 10
"""Stretches without a followed face that are printed; the file beside the film lists them all."""

FilmOutput = Annotated[
    Path,
    typer.Option(
        "--output", "-o", help="The film to write: .mp4, .mov or .mkv.", show_default=False
    ),
]
Crf = Annotated[
    int, typer.Option(metavar="N", help="Quality of the frames: 0 is without loss, 51 worst.")
]


@contextmanager
def interruptible(progress: str, quiet: bool) -> Iterator[Hook]:
    """Open a hook that shows progress; when interrupted, say so and exit with 130.

    Raises:
        SettingError: There is no such form of progress.
    """
    try:
        with progress_hook("none" if quiet else progress) as hook:
            yield hook
    except KeyboardInterrupt:
        print("personae: interrupted; no film was written.", file=sys.stderr)
        raise typer.Exit(130) from None


def show_written_film(film: WrittenFilm) -> None:
    """Print what was written, how long it took, and what to know about it."""
    typer.echo(
        f"{film.path}: {film.frames} frames, {format_clock(film.duration_s)}, "
        f"made in {film.compute_s:.1f} s ({film.compute_share:.2f} of its length)."
    )
    for note in film.notes:
        typer.echo(note)


def show_blurred_film(film: BlurredFilm) -> None:
    """Print what was written, and where a hidden face may have been lost, the longest first."""
    show_written_film(film)
    if not film.unfollowed:
        typer.echo("Every hidden face was followed from cut to cut.")
        return
    n = len(film.unfollowed)
    shown = sorted(film.unfollowed, key=lambda one: (one.hidden, one.start_s - one.end_s))
    typer.echo(
        f"{n} stretch{'es' if n > 1 else ''} where a hidden face was not followed; look at "
        f"{'them' if n > 1 else 'it'}, {film.unfollowed_path} lists all:"
    )
    for one in shown[:MAX_SHOWN]:
        times = f"{format_clock(one.start_s)} to {format_clock(one.end_s)}"
        state = ", hidden nevertheless" if one.hidden else ""
        typer.echo(f"  {times}  {one.display_name}: {one.why}{state}")
    if n > MAX_SHOWN:
        typer.echo(f"  and {n - MAX_SHOWN} more")
