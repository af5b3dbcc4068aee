"""MLR: semi-supervised multinomial logistic regression with constraints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from personae.compared.features import scale_to_mean_norm
from personae.compared.training import gradient_step
from personae.core.errors import SettingError
from personae.core.labels import Labels, order_by_size
from personae.core.trackset import TrackSet


@dataclass(frozen=True, kw_only=True)
class MLR:
    """Classifier of named people, trained on *labelled* tracks; our reconstruction of MLR.

    Known: multinomial logistic regression whose loss has a term for unlabelled data and one for
    cannot-links; a classifier of named characters, not a clustering. Reconstructed: the terms
    (entropy of unlabelled tracks; the probability that two cannot-linked tracks have one name),
    their weights, and the optimiser.

    Args:
        labelled_tracks: Person of each track whose person is known; needed. People without a
            labelled track cannot be found.
        n_clusters: Has no effect: the labelled people are the people.
        seed: Has no effect: nothing is random.
        weight_decay: Weight of |W|^2; not stated in our sources.
        entropy_weight: Weight of the unlabelled tracks' entropy; not stated in our sources.
        cannot_link_weight: Weight of the cannot-link term; not stated in our sources.
        steps: Steps of Adam at learning rate 0.05; not stated in our sources.

    Source:
        Baeuml, Tapaswi, Stiefelhagen, "Semi-supervised Learning with Constraints for Person
        Identification in Multimedia Data", CVPR 2013.
    """

    name: ClassVar[str] = "MLR"
    needs_n_clusters: ClassVar[bool] = False

    labelled_tracks: Mapping[int, int] = field(default_factory=dict)
    n_clusters: int | None = None
    seed: int = 0
    weight_decay: float = 1e-3
    entropy_weight: float = 0.03
    cannot_link_weight: float = 1.0
    steps: int = 500

    def fit_predict(self, tracks: TrackSet) -> Labels:
        """Train on the labelled tracks and name all tracks.

        Returns:
            (T,) labels 0.. by falling size.

        Raises:
            SettingError: No track is labelled.
        """
        known = {
            track: person
            for track, person in self.labelled_tracks.items()
            if 0 <= track < tracks.n_tracks
        }
        if not known:
            raise SettingError(
                "MLR is semi-supervised: name the people of some tracks in `labelled_tracks`."
            )
        track_of = torch.from_numpy(tracks.track_of.astype(np.int64))
        x = torch.from_numpy(scale_to_mean_norm(tracks.require_embeddings()).astype(np.float32))
        people, target = np.unique(list(known.values()), return_inverse=True)
        track_target = torch.full((tracks.n_tracks,), -1)
        track_target[list(known)] = torch.from_numpy(target.astype(np.int64))
        crop_target = track_target[track_of]
        labelled = crop_target >= 0
        sizes = torch.bincount(track_of, minlength=tracks.n_tracks)[:, None]
        cannot_link = torch.from_numpy(tracks.cannot_link.astype(np.int64))

        weight = torch.zeros(x.shape[1], len(people), requires_grad=True)
        bias = torch.zeros(len(people), requires_grad=True)
        optimiser = torch.optim.Adam([weight, bias], lr=0.05)

        def track_probabilities(crop_probabilities: torch.Tensor) -> torch.Tensor:
            sums = torch.zeros(tracks.n_tracks, len(people)).index_add(
                0, track_of, crop_probabilities
            )
            return sums / sizes

        for _ in range(self.steps):
            logits = x @ weight + bias
            probability = logits.softmax(dim=1)
            loss = cross_entropy(logits[labelled], crop_target[labelled])
            loss = loss + self.weight_decay * weight.square().sum()
            if not bool(labelled.all()):
                free = logits[~labelled]
                negative_entropy = (free.softmax(1) * free.log_softmax(1)).sum(dim=1).mean()
                loss = loss - self.entropy_weight * negative_entropy
            if len(cannot_link):
                p = track_probabilities(probability)
                clash = (p[cannot_link[:, 0]] * p[cannot_link[:, 1]]).sum(dim=1)
                log_no_clash = torch.log((1 - clash).clamp_min(1e-6)).mean()
                loss = loss - self.cannot_link_weight * log_no_clash
            gradient_step(optimiser, loss)
        with torch.no_grad():
            decided = track_probabilities((x @ weight + bias).softmax(dim=1)).argmax(dim=1)
        return order_by_size(decided.numpy())
