"""The five stages of a run, in their order: scan, encode, adapt, cluster, report.

Each stage states what its result depends on and what it does; the runner decides which have to run.
The one method in which a stage calls another package (`scan`, `load_encoder`, `adapt`, `cluster`,
`write_report`) may be overridden; tests put fakes there.
"""

from __future__ import annotations

from personae.pipeline.stage import Stage
from personae.pipeline.stages.adapt import AdaptStage
from personae.pipeline.stages.cluster import ClusterStage
from personae.pipeline.stages.encode import EncodeStage
from personae.pipeline.stages.report import ReportStage
from personae.pipeline.stages.scan import ScanStage

__all__ = [
    "DEFAULT_STAGES",
    "AdaptStage",
    "ClusterStage",
    "EncodeStage",
    "ReportStage",
    "ScanStage",
]

DEFAULT_STAGES: tuple[Stage, ...] = (
    ScanStage(),
    EncodeStage(),
    AdaptStage(),
    ClusterStage(),
    ReportStage(),
)
"""In the order in which they run."""
