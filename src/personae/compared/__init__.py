"""The systems FaceTrackClusterer is compared with, by name; none is loaded before it is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

from personae.core.errors import SettingError


@dataclass(frozen=True)
class System:
    """One compared system."""

    name: str
    """As the field calls it."""
    description: str
    """What it does, in one line."""
    needs: tuple[str, ...]
    """What it takes; "n_clusters" only where it cannot find it, "cannot_link" where it profits from links."""
    where: str | None = None
    """``module:Class`` inside `personae.compared`; None where the system cannot be run."""
    missing: str | None = None
    """What a `TrackSet` lacks for this system, where it cannot be run."""
    exact: bool = False
    """Whether every constant is known from the source; otherwise it is our reconstruction."""

    @property
    def runnable(self) -> bool:
        """Whether the system can be run on tracks alone."""
        return self.where is not None

    @property
    def title(self) -> str:
        """How tables of results must call it: its name, or "our reconstruction of" its name."""
        return (
            self.name if self.exact or not self.runnable else f"our reconstruction of {self.name}"
        )

    def load(self) -> Any:
        """Import the system and give its class; raises SettingError where it cannot be run."""
        if self.where is None:
            raise SettingError(f"{self.name} cannot be run here: {self.missing}")
        module, cls = self.where.split(":")
        return getattr(import_module(f"personae.compared.{module}"), cls)


_E, _K, _C = "embeddings", "n_clusters", "cannot_link"

_ALL = (
    System(
        "tsiam", "siamese network on pairs within and between tracks", (_E, _K, _C), "tsiam:TSiam"
    ),
    System("ssiam", "siamese network on hard pairs from ranked distances", (_E, _K), "ssiam:SSiam"),
    System(
        "pseudo-rf", "siamese network on nearest and farthest crops", (_E, _K), "pseudo_rf:PseudoRF"
    ),
    System("ccl", "siamese network on pairs from FINCH clusters", (_E, _K, _C), "ccl:CCL"),
    System(
        "jfac", "random-field clustering and adaptation in turns; also JFRAC", (_E, _C), "jfac:JFAC"
    ),
    System(
        "vctrsf",
        "transformer of whole tracks around learnable centres",
        (_E, _K, _C),
        "vctrsf:VCTRSF",
    ),
    System("c1c", "first neighbours under must- and cannot-links", (_E, _C), "c1c:C1C"),
    System(
        "muhpc-1", "close first neighbours under cannot-links, faces only", (_E, _C), "muhpc:MuHPC"
    ),
    System("kmeans", "k-means of track means", (_E, _K), "kmeans:KMeans", exact=True),
    System(
        "bcl",
        "complete linkage cut at the size of a ball; supervised after `fit`",
        (_E,),
        "bcl:BCL",
    ),
    System("hmrf", "Gaussians in a random field with cannot-links", (_E, _K, _C), "hmrf:HMRF"),
    System(
        "sctl", "clustering and linking in one random field; also HMRF2", (_E, _K, _C), "sctl:SCTL"
    ),
    System("uldml", "metric learned from tracks, then average linkage", (_E, _C), "uldml:ULDML"),
    System(
        "imp-triplet",
        "triplets from links with an extra pull",
        (_E, _K, _C),
        "imp_triplet:ImpTriplet",
    ),
    System("wbslrr", "low-rank, block-sparse self-representation", (_E, _K, _C), "wbslrr:WBSLRR"),
    System(
        "cp-ssc", "sparse self-representation with propagated links", (_E, _K, _C), "cpssc:CPSSC"
    ),
    System("diffrac", "labels that a linear classifier fits best", (_E, _K, _C), "diffrac:DIFFRAC"),
    System("vdf", "Fisher vectors of tracks, then Ward linkage", (_E, _K), "vdf:VDF"),
    System("mlr", "semi-supervised logistic regression", (_E, _C, "labelled tracks"), "mlr:MLR"),
    System(
        "mvcorr",
        "embeddings adapted on hard pairs from other films by multiview correlation",
        (_E, "weakly labelled tracks of some 240 other films"),
        missing="it is trained on 169,000 weakly labelled tracks of 240 films, which are not published",
    ),
    System(
        "mcafc",
        "face clusters constrained by clothing and context",
        (_E, _C, "clothing and scene features"),
        missing="it needs features of clothing and background around the face, which tracks of faces lack",
    ),
    System(
        "cmvfc",
        "constrained clustering over several views of a face",
        (_E, _C, "several hand-made features a face"),
        missing="it needs several kinds of features of every face, and tracks carry one embedding",
    ),
)

SYSTEMS: dict[str, System] = {system.name: system for system in _ALL}
"""Every compared system by name, those that cannot be run included."""
