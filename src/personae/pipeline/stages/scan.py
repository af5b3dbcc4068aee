"""The scan: from a film to its shots, faces, tracks, crops and cannot-links."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from personae.pipeline.settings import Settings
from personae.pipeline.stage import Stage, StageContext, StageResult
from personae.project.manifest import Source
from personae.project.tables import STAGE_OF_TABLE, file_name, write_table

if TYPE_CHECKING:
    import pyarrow as pa

    from personae.core.files import FileMark
    from personae.core.hooks import Hook
    from personae.scan import ScanResult
    from personae.scan.film_range import FilmPass, FilmRange


class ScanStage(Stage):
    """Decode the film once, and find its shots, faces, tracks, crops and cannot-links."""

    name = "scan"
    version = 8

    def check_settings(self, settings: Settings) -> None:
        """Refuse a GPU that is not there."""
        if settings.device == "cuda":
            from personae.core.compute import select_device

            select_device(settings.device)

    def check_film(self, film: Path) -> None:
        """Refuse a file that is no film."""
        from personae.scan import probe

        probe(film)

    def parameters(self, settings: Settings) -> dict[str, object]:
        """Return all settings of the scan."""
        return settings.scan.model_dump(mode="json")

    def weights(self, settings: Settings) -> dict[str, str]:
        """Return the hash of the face detector."""
        from personae.weights import WEIGHTS

        return {
            name: weight.sha256 for name, weight in WEIGHTS.items() if weight.role == "detector"
        }

    def run(self, context: StageContext) -> StageResult:
        """Write the tables of the scan; crops are written as shots end."""
        from personae.project.crop_store import CropsWriter

        with CropsWriter(context.files.path(file_name("crops"))) as crops:
            scan = self.scan(context, crops.add)
        tables = {
            name: getattr(scan, name)
            for name, stage in STAGE_OF_TABLE.items()
            if stage == self.name and name != "crops"  # they are written already
        }
        for name, table in tables.items():
            with context.files.file(file_name(name)) as stream:
                write_table(name, table, stream)
        film_stat = context.film.stat()
        media = {
            name: value for name, value in asdict(scan.media).items() if name in Source.model_fields
        }
        source = Source(
            path=str(context.film.resolve()),
            size=film_stat.st_size,
            mtime_ns=film_stat.st_mtime_ns,
            content_hash=context.content_hash,
            **media,
        )
        counts = {"crops": crops.rows, **{name: len(table) for name, table in tables.items()}}
        facts: dict[str, object] = {name: counts[name] for name in STAGE_OF_TABLE if name in counts}
        if scan.warnings:
            facts["warnings"] = list(scan.warnings)
        return StageResult(facts, source)

    def scan(self, context: StageContext, crop_sink: Callable[[pa.Table], None]) -> ScanResult:
        """Scan the film, passing on the crops as they come."""
        from personae.core.compute import select_device
        from personae.scan import scan_film

        device = select_device(context.settings.device)
        return scan_film(context.film, context.settings.scan, context.hook, device, crop_sink)

    def duration_s(self, film: Path) -> float:
        """Return how long the film is, as its file states it."""
        from personae.scan import probe

        return probe(film).duration_s

    def divide(
        self, film: Path, wanted: int, take_range: Callable[[FilmRange], None], hook: Hook
    ) -> FilmPass:
        """Find the film's shots, and divide it into ranges that `scan_piece` takes."""
        from personae.scan.film_range import divide_film

        return divide_film(film, wanted, take_range, hook)

    def scan_piece(
        self, film: Path, film_range: FilmRange, settings: Settings, folder: Path, hook: Hook
    ) -> dict[str, FileMark]:
        """Scan a range of the film, and write its tables into a folder."""
        from personae.pipeline.scan_pieces import write_piece

        return write_piece(film, film_range, settings, folder, hook)
