"""The page that people read."""

from __future__ import annotations

from pathlib import Path

from personae.pipeline.settings import Settings
from personae.pipeline.stage import Stage, StageContext, StageResult
from personae.project.folder import Project


class ReportStage(Stage):
    """Write the page that people read."""

    name = "report"
    version = 1

    def parameters(self, settings: Settings) -> dict[str, object]:
        """Return nothing: the page has no settings."""
        return {}

    def reads(self, settings: Settings) -> tuple[str, ...]:
        """Return the stages that made the tables."""
        return ("scan", "cluster")

    def run(self, context: StageContext) -> StageResult:
        """Write the report."""
        context.hook(self.name, 0, 1)
        context.files.add_written(self.write_report(context.project))
        context.hook(self.name, 1, 1)
        return StageResult()

    def write_report(self, project: Project) -> Path:
        """Render the report into the folder, and return its path."""
        from personae.report import write_report

        return write_report(project)
