"""Registry of the systems that VideoClusterNet is compared with.

A system is imported only when it is loaded, so that listing them costs neither PyTorch nor
scikit-learn.
"""

from __future__ import annotations

from dataclasses import Field, dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, cast

if TYPE_CHECKING:
    from personae.core.labels import Labels
    from personae.core.trackset import TrackSet


class ComparedClusterer(Protocol):
    """A dataclass of settings whose `fit_predict` groups tracks; every compared system is one."""

    needs_n_clusters: ClassVar[bool]
    """Whether the system cannot estimate the number of people."""
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    def __init__(self, **settings: object) -> None: ...

    def fit_predict(self, tracks: TrackSet) -> Labels:
        """Return (T,) labels 0.. by falling size.

        Raises:
            SettingError: A setting that the system needs is missing or out of range.
            ValueError: The tracks have no embeddings.
        """
        ...


@dataclass(frozen=True)
class ComparedSystem:
    """Registry entry of one compared system."""

    name: str
    """As the papers call it, in lower case."""
    description: str
    """What it does, in one line."""
    inputs: tuple[str, ...]
    """What it takes. "n_clusters" only if it cannot estimate it, "cannot_link" if it uses links;
    "images" and "clothes" of the crops are used where the tracks have them."""
    location: str
    """``module:Class`` inside `personae.compared`."""
    exact: bool = False
    """Whether every constant is known from the source; otherwise it is our reconstruction."""

    @property
    def title(self) -> str:
        """Name for tables of results: the name, or "our reconstruction of" the name."""
        return self.name if self.exact else f"our reconstruction of {self.name}"

    def load(self) -> type[ComparedClusterer]:
        """Import the system and return its class."""
        module, class_name = self.location.split(":")
        found = getattr(import_module(f"personae.compared.{module}"), class_name)
        return cast(type[ComparedClusterer], found)


_E, _K, _C = "embeddings", "n_clusters", "cannot_link"

_SYSTEMS = (
    ComparedSystem(
        "tsiam", "siamese network on pairs within and between tracks", (_E, _K, _C), "tsiam:TSiam"
    ),
    ComparedSystem(
        "ssiam", "siamese network on hard pairs from ranked distances", (_E, _K), "ssiam:SSiam"
    ),
    ComparedSystem(
        "pseudo-rf", "siamese network on nearest and farthest crops", (_E, _K), "pseudo_rf:PseudoRF"
    ),
    ComparedSystem("ccl", "siamese network on pairs from FINCH clusters", (_E, _K, _C), "ccl:CCL"),
    ComparedSystem(
        "jfac",
        "alternating random-field clustering and feature adaptation; also JFRAC",
        (_E, _C),
        "jfac:JFAC",
    ),
    ComparedSystem(
        "vctrsf",
        "transformer over whole tracks, trained around learnable centres",
        (_E, _K, _C),
        "vctrsf:VCTRSF",
    ),
    ComparedSystem("c1c", "first neighbours under must- and cannot-links", (_E, _C), "c1c:C1C"),
    ComparedSystem(
        "muhpc-1",
        "close first neighbours under cannot-links, faces only",
        (_E, _C),
        "muhpc:MuHPC",
    ),
    ComparedSystem("kmeans", "k-means of track means", (_E, _K), "kmeans:KMeans", exact=True),
    ComparedSystem(
        "bcl",
        "complete linkage cut at the diameter of a ball; supervised after `fit`",
        (_E,),
        "bcl:BCL",
    ),
    ComparedSystem(
        "hmrf", "Gaussians in a random field with cannot-links", (_E, _K, _C), "hmrf:HMRF"
    ),
    ComparedSystem(
        "sctl",
        "clustering and tracklet linking in one random field; also HMRF2",
        (_E, _K, _C),
        "sctl:SCTL",
    ),
    ComparedSystem(
        "uldml", "metric learned from tracks, then average linkage", (_E, _C), "uldml:ULDML"
    ),
    ComparedSystem(
        "imp-triplet",
        "triplets from links with an extra pull on positive pairs",
        (_E, _K, _C),
        "imp_triplet:ImpTriplet",
    ),
    ComparedSystem(
        "wbslrr", "low-rank, block-sparse self-representation", (_E, _K, _C), "wbslrr:WBSLRR"
    ),
    ComparedSystem(
        "cp-ssc", "sparse self-representation with propagated links", (_E, _K, _C), "cpssc:CPSSC"
    ),
    ComparedSystem(
        "diffrac", "labels that a linear classifier fits best", (_E, _K, _C), "diffrac:DIFFRAC"
    ),
    ComparedSystem("vdf", "Fisher vectors of tracks, then Ward linkage", (_E, _K), "vdf:VDF"),
    ComparedSystem(
        "mlr", "semi-supervised logistic regression", (_E, _C, "labelled tracks"), "mlr:MLR"
    ),
    ComparedSystem(
        "mvcorr",
        "network on hard examples that maximises multiview correlation",
        (_E, _K, _C),
        "mvcorr:MvCorr",
    ),
    ComparedSystem(
        "mcafc",
        "sparse self-representation guided by links and colours of hair and torso",
        (_E, _K, _C, "images", "clothes"),
        "mcafc:McAFC",
    ),
    ComparedSystem(
        "cmvfc",
        "sparse self-representation of several views that have to agree",
        (_E, _K, _C, "images"),
        "cmvfc:CMVFC",
    ),
)

SYSTEMS: dict[str, ComparedSystem] = {system.name: system for system in _SYSTEMS}
"""Every compared system by name."""
