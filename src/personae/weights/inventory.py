"""Which networks there are on this machine, and whether their files are intact."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from personae.core.digest import file_sha256
from personae.core.errors import WeightsError
from personae.weights.downloads import DOWNLOADS, Download, weights_cache_folder
from personae.weights.registry import WEIGHTS, WeightFile


@dataclass(frozen=True)
class ModelState:
    """The state of one network on this machine."""

    entry: WeightFile | Download
    """What the network is, and under which terms."""

    present: bool
    """Whether its file is on this machine."""

    problem: str | None
    """What is wrong with the file, in one sentence; None where nothing is."""

    @property
    def name(self) -> str:
        """Name of the network, as `--encoder` and `--fetch` take it."""
        return self.entry.name if isinstance(self.entry, WeightFile) else self.entry.encoder

    @property
    def shipped(self) -> bool:
        """Whether the package carries the file."""
        return isinstance(self.entry, WeightFile)

    def as_dict(self) -> dict[str, object]:
        """Return plain data for JSON: the entry's fields, `shipped`, `present` and `problem`."""
        fields = asdict(self.entry)
        if isinstance(self.entry, Download):
            fields = {
                "name": self.entry.encoder,
                "role": "encoder",
                "source": self.entry.url,
                **fields,
            }
        return {
            **fields,
            "shipped": self.shipped,
            "present": self.present,
            "problem": self.problem,
        }


def list_models() -> list[ModelState]:
    """Return the state of every network that is shipped or can be fetched."""
    return [
        *(_shipped_state(weight) for weight in WEIGHTS.values()),
        *(_fetched_state(download) for download in DOWNLOADS.values()),
    ]


def _shipped_state(weight: WeightFile) -> ModelState:
    try:
        weight.verify()
        problem = None
    except WeightsError as error:
        problem = str(error)
    return ModelState(weight, weight.path().exists(), problem)


def _fetched_state(download: Download) -> ModelState:
    path = weights_cache_folder() / download.file
    altered = path.exists() and file_sha256(path) != download.sha256
    problem = f"{path} has been altered: delete it and fetch it again" if altered else None
    return ModelState(download, path.exists(), problem)
