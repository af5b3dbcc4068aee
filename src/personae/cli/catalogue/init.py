"""`personae catalogue init`: an empty catalogue in a new folder."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from personae.cli.catalogue.options import Folder
from personae.cli.options import given_settings, setting_option
from personae.core.config import AdaptConfig, ClusterConfig, EncodeConfig, ScanConfig
from personae.core.errors import SettingError

DAYS_OF_UNIT = {"d": 1, "w": 7, "m": 30, "y": 365}


def init(
    folder: Folder,
    database: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="A database for several machines: postgresql://USER@SERVER/DATABASE. "
            "[default: SQLite in DIR]",
            show_default=False,
        ),
    ] = None,
    projects: Annotated[
        str | None,
        typer.Option(
            metavar="PATH",
            help="Where project folders are made: a folder, or a URL such as s3://BUCKET/FOLDER. "
            "[default: in DIR]",
            show_default=False,
        ),
    ] = None,
    vectors: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="A database with pgvector for the faces: postgresql://USER@SERVER/DATABASE. "
            "[default: LanceDB in DIR]",
            show_default=False,
        ),
    ] = None,
    keep_biometrics: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="Forget faces after this time: 90d, 12w, 6m, 1y. [default: keep them]",
            show_default=False,
        ),
    ] = None,
    method: Annotated[str | None, setting_option(ClusterConfig, "method")] = None,
    depth: Annotated[str | None, setting_option(AdaptConfig, "depth")] = None,
    seed: Annotated[int | None, setting_option(AdaptConfig, "seed")] = None,
    stride: Annotated[int | None, setting_option(ScanConfig, "stride")] = None,
    encoder: Annotated[str | None, setting_option(EncodeConfig, "encoder")] = None,
) -> None:
    """Make an empty catalogue; its settings hold for every film."""
    from personae.catalogue import create_catalogue

    with create_catalogue(
        folder,
        database=database,
        projects=projects,
        vectors=vectors,
        keep_biometrics_days=None if keep_biometrics is None else read_days(keep_biometrics),
        **given_settings(method=method, depth=depth, seed=seed, stride=stride, encoder=encoder),
    ) as made:
        typer.echo(f"{made.location.folder} is a new catalogue: add films to it.")


def read_days(text: str) -> int:
    """Return the days of a time such as 90d, 12w, 6m or 1y.

    Raises:
        SettingError: The text is no such time.
    """
    found = re.fullmatch(r"\s*(\d+)\s*([dwmy])\s*", text.lower())
    if found is None or int(found[1]) == 0:
        raise SettingError(f"{text!r} is no time: write it like 90d, 12w, 6m or 1y.")
    return int(found[1]) * DAYS_OF_UNIT[found[2]]
