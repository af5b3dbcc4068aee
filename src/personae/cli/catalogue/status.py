"""`personae catalogue status`: how far every film is."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from personae.cli.catalogue.options import AsJson, Folder

if TYPE_CHECKING:
    from personae.catalogue.films import Film


def status(folder: Folder, as_json: AsJson = False) -> None:
    """Print how far every film is, and why one failed."""
    from personae.catalogue import open_catalogue

    with open_catalogue(folder) as catalogue:
        films = catalogue.films()
    if as_json:
        rows = [asdict(film) for film in films]
        typer.echo(json.dumps({"films": rows}, indent=1, ensure_ascii=False))
        return
    for film in films:
        typer.echo(f"{film.id:>5}  {film.name:<32.32}  {_describe(film)}")
    states = [film.state for film in films]
    counts = ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states))
    typer.echo(f"Films: {counts or 'none'}.")


def _describe(film: Film) -> str:
    if film.state == "running" and film.stage is not None:
        share = f" {(film.stage_done or 0) / film.stage_total:.0%}" if film.stage_total else ""
        return f"running: {film.stage}{share}"
    if film.state == "failed":
        return f"failed: {film.error}"
    if film.state == "done" and film.seconds is not None:
        return f"done in {film.seconds:.0f} s"
    return film.state
