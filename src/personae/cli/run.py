"""`personae run`: from a film to its cast."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from personae.cli.options import Progress, Quiet, given_settings, setting_option
from personae.cli.progress import progress_hook
from personae.core.config import AdaptConfig, ClusterConfig, EncodeConfig, ScanConfig

if TYPE_CHECKING:
    from personae.pipeline.settings import Settings


def run(
    context: typer.Context,
    video: Annotated[Path, typer.Argument(help="The film.", show_default=False)],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="The project folder. [default: VIDEO.personae, beside the film if writable]",
            show_default=False,
        ),
    ] = None,
    method: Annotated[str | None, setting_option(ClusterConfig, "method")] = None,
    depth: Annotated[str | None, setting_option(AdaptConfig, "depth")] = None,
    device: Annotated[
        str, typer.Option(help="Where the networks run: auto, cpu or cuda.")
    ] = "auto",
    seed: Annotated[int | None, setting_option(AdaptConfig, "seed")] = None,
    stride: Annotated[int | None, setting_option(ScanConfig, "stride")] = None,
    learn_edits: Annotated[
        bool,
        typer.Option("--learn-edits", help=AdaptConfig.model_fields["learn_edits"].description),
    ] = False,
    with_catalogue: Annotated[
        str | None,
        typer.Option(
            "--with",
            metavar="DIR",
            help="Start from what the latest film of this catalogue has taught the network.",
            show_default=False,
        ),
    ] = None,
    num_people: Annotated[int | None, setting_option(ClusterConfig, "num_people")] = None,
    min_people: Annotated[int | None, setting_option(ClusterConfig, "min_people")] = None,
    max_people: Annotated[int | None, setting_option(ClusterConfig, "max_people")] = None,
    encoder: Annotated[str | None, setting_option(EncodeConfig, "encoder")] = None,
    weights: Annotated[Path | None, setting_option(EncodeConfig, "weights")] = None,
    progress: Progress = "bar",
    as_json: Annotated[bool, typer.Option("--json", help="Print the cast as JSON.")] = False,
    quiet: Quiet = False,
) -> None:
    """Find the cast of a film. Stages that have finished before are not run again."""
    from personae.pipeline.runner import run as run_stages
    from personae.pipeline.settings import Settings
    from personae.pipeline.stages import DEFAULT_STAGES

    settings = Settings.from_flat(
        device=device,
        **given_settings(
            method=method,
            depth=depth,
            seed=seed,
            stride=stride,
            learn_edits=learn_edits or None,
            num_people=num_people,
            min_people=min_people,
            max_people=max_people,
            encoder=encoder,
            weights=weights,
        ),
    )
    try:
        with (
            _starting_from(with_catalogue, video, settings) as settings,
            progress_hook("none" if quiet else progress) as hook,
        ):
            project = run_stages(video, output, settings, hook, context.obj or DEFAULT_STAGES)
    except KeyboardInterrupt:
        print(
            "personae: interrupted; finished stages are kept, the same command goes on.",
            file=sys.stderr,
        )
        raise typer.Exit(130) from None
    cast = project.cast()
    if as_json:
        typer.echo(json.dumps(cast.as_dict(), indent=1, ensure_ascii=False))
    elif not quiet:
        from personae.cli.show import show_cast

        show_cast(cast, project)


@contextmanager
def _starting_from(folder: str | None, film: Path, settings: Settings) -> Iterator[Settings]:
    """Give the settings with the weights that a catalogue has learned, if there is one."""
    if folder is None:
        yield settings
        return
    from personae.catalogue import open_catalogue

    with open_catalogue(folder) as catalogue:
        from personae.catalogue.learned_weights import starting_from_catalogue

        with starting_from_catalogue(catalogue, film, settings) as started:
            yield started
