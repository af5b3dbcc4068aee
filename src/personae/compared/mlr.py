"""MLR: semi-supervised multinomial logistic regression with constraints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from personae.compared.protocol import one_scale
from personae.compared.training import descend
from personae.core.errors import SettingError
from personae.core.labels import Labels, order_by_size
from personae.core.trackset import TrackSet


@dataclass(frozen=True, kw_only=True)
class MLR:
    """Name every track with a classifier trained on some *labelled* tracks; our reconstruction of MLR.

    Baeuml, Tapaswi, Stiefelhagen, "Semi-supervised Learning with Constraints for Person Identification in
    Multimedia Data", CVPR 2013. Known: multinomial logistic regression whose loss has a term for unlabelled
    data and one for cannot-links; a classifier of named characters, not a clustering. Reconstructed: the
    terms (entropy of unlabelled tracks; the probability that two cannot-linked tracks bear one name), their
    weights, and the optimiser.
    """

    name: ClassVar[str] = "MLR"
    needs_n_clusters: ClassVar[bool] = False

    labelled: Mapping[int, int] = field(default_factory=dict)
    """Person of each track whose person is known; needed. People without a labelled track cannot be found."""
    n_clusters: int | None = None
    """Has no effect: the labelled people are the people."""
    seed: int = 0
    """Has no effect: nothing is random."""
    decay: float = 1e-3
    """Weight of |W|^2; not stated in our sources."""
    entropy: float = 0.03
    """Weight of the unlabelled tracks' entropy; not stated in our sources."""
    constraint: float = 1.0
    """Weight of the cannot-link term; not stated in our sources."""
    steps: int = 500
    """Steps of Adam at learning rate 0.05; not stated in our sources."""

    def fit_predict(self, tracks: TrackSet) -> Labels:
        """Name the tracks; gives (T,) labels 0.. by falling size. SettingError without labelled tracks."""
        known = {
            track: person for track, person in self.labelled.items() if 0 <= track < tracks.n_tracks
        }
        if not known:
            raise SettingError(
                "MLR is semi-supervised: give the people of some tracks in `labelled`"
            )
        track_of = torch.from_numpy(tracks.track_of.astype(np.int64))
        x = torch.from_numpy(one_scale(tracks.require_embeddings()).astype(np.float32))
        people, target = np.unique(list(known.values()), return_inverse=True)
        of_track = torch.full((tracks.n_tracks,), -1)
        of_track[list(known)] = torch.from_numpy(target.astype(np.int64))
        crop_target = of_track[track_of]
        labelled = crop_target >= 0
        sizes = torch.bincount(track_of, minlength=tracks.n_tracks)[:, None]
        cannot = torch.from_numpy(tracks.cannot_link.astype(np.int64))

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
            loss = loss + self.decay * weight.square().sum()
            if not bool(labelled.all()):
                free = logits[~labelled]
                loss = (
                    loss - self.entropy * (free.softmax(1) * free.log_softmax(1)).sum(dim=1).mean()
                )
            if len(cannot):
                p = track_probabilities(probability)
                clash = (p[cannot[:, 0]] * p[cannot[:, 1]]).sum(dim=1)
                loss = loss - self.constraint * torch.log((1 - clash).clamp_min(1e-6)).mean()
            descend(optimiser, loss)
        with torch.no_grad():
            decided = track_probabilities((x @ weight + bias).softmax(dim=1)).argmax(dim=1)
        return order_by_size(decided.numpy())
