"""The general entry: tracks in, labels out, by any method of the registry."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from personae.cluster.links import hold_links
from personae.cluster.methods import METHODS, make_method, resolve_cross_track_pairs
from personae.cluster.preparation import embed_and_adapt
from personae.core.config import AdaptConfig, ClusterConfig, validate_settings
from personae.core.hooks import Hook, silent_hook
from personae.core.labels import Labels
from personae.core.trackset import TrackSet

if TYPE_CHECKING:
    from personae.encode.encoder import Encoder


class FaceTrackClusterer:
    """Cluster face tracks into characters by a method of the registry.

    Works on crops, or on `TrackSet.embeddings` alone. Methods that need it get an adaptation of the
    face-ID model to the tracks first. After `fit_predict`, `adaptation_` (None where the method
    needs none), `clustering_` and `labels_` hold what was learnt and decided.

    >>> labels = FaceTrackClusterer(seed=1).fit_predict(tracks)  # doctest: +SKIP
    """

    name: ClassVar[str] = "face-track-clusterer"

    def __init__(
        self,
        method: str = "personae",
        encoder: Encoder | None = None,
        num_people: int | None = None,
        min_people: int | None = None,
        max_people: int | None = None,
        **adapt_settings: object,
    ) -> None:
        """Choose the method.

        Args:
            method: Registry name; see `personae.cluster.METHODS`.
            encoder: Face-ID network for tracks with crops; None: the default one.
            num_people: Hint: how many people there are.
            min_people: Hint: there are this many or more.
            max_people: Hint: there are this many or fewer.
            **adapt_settings: Fields of `AdaptConfig`, for methods that adapt.

        Raises:
            SettingError: There is no such method, a setting is unknown or out of range, hints
                contradict each other, or the method cannot honour what it is given.
        """
        hints = {"num_people": num_people, "min_people": min_people, "max_people": max_people}
        config = validate_settings(ClusterConfig, {"method": method, **hints})
        given = validate_settings(AdaptConfig, adapt_settings)
        self.method = make_method(config, given)
        self.config = resolve_cross_track_pairs(method, given)
        self.needs_adaptation = METHODS[method].needs_adaptation
        self.encoder = encoder

    def fit_predict(self, tracks: TrackSet, hook: Hook = silent_hook) -> Labels:
        """Adapt to the tracks where the method needs it, and cluster them.

        Args:
            tracks: Tracks with crops, or with embeddings alone.
            hook: Reports progress.

        Returns:
            (T,) labels 0.. by falling size, -1 = unknown.

        Raises:
            ValueError: The tracks have neither crops nor embeddings.
        """
        config = self.config if self.needs_adaptation else None
        tracks, self.adaptation_ = embed_and_adapt(tracks, self.encoder, config, hook)
        self.clustering_ = hold_links(self.method.cluster(tracks, self.adaptation_), tracks)
        self.labels_ = self.clustering_.labels
        return self.labels_
