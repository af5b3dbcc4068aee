"""Faces that come back: a film returns to a camera set-up, and who was there is there again.

Films cut back and forth between few set-ups (shot and reverse shot), and whoever is at the same place of the
picture soon after, and looks the same down to light and pose, is the same person: evidence that needs no
recognisable face, so it holds where faces are small, dark or turned away. Hoai and Zisserman (Thread-safe,
2014) call such shots a thread; here single faces are linked, and how much that says is learnt from the film.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import expit, logit

from personae.cluster.mixture import PRIOR_PAIRS, SUREST, ScoreMixture
from personae.cluster.pairs import Indices, Single
from personae.core.boxes import overlaps
from personae.core.trackset import TrackSet

Floats = npt.NDArray[np.float64]

SOON_S = 60.0
"""Most seconds after which a set-up is expected back: within a scene. 20 seconds or the whole film give
nearly the same characters."""
SAME_PLACE = 0.5
"""Least IoU of two faces at one place of the picture, the usual bound."""
SIDE = 8
"""Pixels a side at which crops are compared: light, pose, hair and collar, hardly a feature of the face."""
AT_ONCE = 512
"""Crops that are compared with all that follow soon."""
ROUNDS = 20
"""Most times that what a return says is fitted; it settles after a few."""
SETTLED = 1e-3
"""Change of log-odds that counts for none."""
ALIKE = 1e-3
"""Least difference that counts between two crops: what a codec leaves of none."""


@dataclass(frozen=True)
class Returns:
    """Pairs of tracks of which the later one's face is at a place where the earlier one's was."""

    pairs: Indices
    """(m, 2) tracks, the lower number first."""
    likeness: Floats
    """(m,) -log(1 - r) with r the correlation of the two most alike crops at one place."""


def returned_faces(tracks: TrackSet) -> Returns:
    """Find the tracks that return; none where crops, places or times are not known.

    Two tracks on screen at the same time are no return of one another.
    """
    none = Returns(np.empty((0, 2), np.int64), np.empty(0))
    if tracks.crops is None or tracks.place is None or tracks.time_s is None or not tracks.n_crops:
        return none
    order = np.argsort(tracks.time_s, kind="stable")
    time, place, owner = tracks.time_s[order], tracks.place[order], tracks.track_of[order].astype(np.int64)
    looks = _looks(tracks)[order]
    first, last = np.full(tracks.n_tracks, np.inf), np.full(tracks.n_tracks, -np.inf)
    np.minimum.at(first, owner, time)
    np.maximum.at(last, owner, time)
    keys, best = np.empty(0, np.int64), np.empty(0)
    for start in range(0, len(order), AT_ONCE):
        end = min(start + AT_ONCE, len(order))
        until = int(np.searchsorted(time, time[end - 1] + SOON_S, side="right"))
        earlier, later = np.nonzero(overlaps(place[start:end], place[start:until])[0] >= SAME_PLACE)
        earlier, later = earlier + start, later + start
        a, b = owner[earlier], owner[later]
        returns = (later > earlier) & (time[later] - time[earlier] <= SOON_S)
        returns &= (last[a] < first[b]) | (last[b] < first[a])
        earlier, later, a, b = earlier[returns], later[returns], a[returns], b[returns]
        alike = np.einsum("mp,mp->m", looks[earlier], looks[later])
        keys = np.append(keys, np.minimum(a, b) * tracks.n_tracks + np.maximum(a, b))
        keys, of_pair = np.unique(keys, return_inverse=True)
        greatest = np.full(len(keys), -np.inf)
        np.maximum.at(greatest, of_pair, np.append(best, alike))
        best = greatest
    pairs = np.column_stack(np.divmod(keys, tracks.n_tracks))
    return Returns(pairs, -np.log(np.maximum(1 - best, ALIKE)))


def _looks(tracks: TrackSet) -> Single:
    """Give each crop as a zero-mean vector of length 1, (n, 3 SIDE^2): their products are correlations."""
    assert tracks.crops is not None
    looks = np.empty((tracks.n_crops, SIDE * SIDE, 3), np.float32)
    for i in range(tracks.n_crops):
        looks[i] = cv2.resize(tracks.crops[i], (SIDE, SIDE), interpolation=cv2.INTER_AREA).reshape(-1, 3)
    looks -= looks.mean(axis=1, keepdims=True)
    flat = looks.reshape(tracks.n_crops, -1)
    flat /= np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-6)
    return flat


def odds_of_return(likeness: Floats, face: Floats, share: float, judged: npt.NDArray[np.bool_]) -> Floats:
    """Give (m,) the log-odds by which a return speaks for one person, 0 to `SUREST`.

    A logistic regression on the likeness, fitted to this film without labels: the targets are the
    probabilities of one person by the log-odds of the `face` (m,) and of the return together, of the `judged`
    pairs, so it is fitted again until they agree (expectation-maximisation). What it says beyond the odds of
    any pair of tracks, of which a `share` show one person, is what the return says. `PRIOR_PAIRS` pairs from
    which nothing follows are its prior. Only what speaks for one person counts: that a set-up looks different
    when it comes back says nothing.
    """
    odds = np.zeros(len(likeness))
    given = likeness[judged]
    if not len(given):
        return odds
    middle, spread = float(given.mean()), float(given.std()) or 1.0
    scaled = np.append((given - middle) / spread, 0.0)
    weight = np.append(np.ones(len(given)), PRIOR_PAIRS)
    line = np.zeros(2)
    for _ in range(ROUNDS):
        before = odds
        same = np.append(expit(face[judged] + odds[judged]), share)
        line = minimize(_loss, line, args=(scaled, same, weight), jac=True).x
        odds = np.clip(line[0] + line[1] * (likeness - middle) / spread - logit(share), 0.0, SUREST)
        if np.abs(odds - before).max() < SETTLED:
            break
    return odds


def _loss(line: Floats, x: Floats, same: Floats, weight: Floats) -> tuple[float, Floats]:
    """Give the cross-entropy of a logistic line (height, slope), its slope held by a unit prior, and its
    gradient."""
    odds = line[0] + line[1] * x
    error = weight * (expit(odds) - same)
    value = float(weight @ (np.logaddexp(0, odds) - same * odds)) + line[1] ** 2 / 2
    return value, np.array([error.sum(), error @ x + line[1]])


def hear_returns(scores: Single, mixture: ScoreMixture, returns: Returns, anchors: Indices) -> None:
    """Raise, in place, the scores (T, T) of tracks that return to where the odds of face and return lie."""
    a, b = returns.pairs.T
    of_face = scores[a, b].astype(np.float64)
    face = np.asarray(mixture.log_odds(of_face), np.float64)
    judged = np.asarray(np.isin(returns.pairs, anchors).all(axis=1))
    more = odds_of_return(returns.likeness, face, mixture.share, judged)
    scores[a, b] = scores[b, a] = mixture.raised(of_face, more)
