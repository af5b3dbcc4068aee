"""Odds that a photo shows the person of a character, by how many people there are to be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit, logsumexp

from personae.core.arrays import Float32Array, Float64Array, Int64Array
from personae.cues.score_mixture import MAX_LOG_ODDS

if TYPE_CHECKING:
    from personae.catalogue.people.evidence import CatalogueEvidence

PRIOR_IN_CATALOGUE = 0.5
"""Prior probability that somebody who is searched for is in the catalogue at all."""


def photo_log_odds(
    evidence: CatalogueEvidence,
    photo: Float32Array,
    characters: Float32Array,
    people: Int64Array,
    n_people: int,
) -> Float64Array:
    """Return the log-odds that a photo shows the person of each of some characters.

    Before it is compared, a photo is as likely to be of a stranger as of somebody in the catalogue,
    and as likely of anybody there as of anybody else. It shows one person: who resembles it more
    makes the others less probable, as far as these are somebody else.

    Args:
        evidence: The evidence of the catalogue.
        photo: (d,) vector that `CatalogueEvidence.centre_faces` returned.
        characters: (n, d) vectors that `CatalogueEvidence.centre` returned, the nearest ones.
        people: (n,) the person of each; -1: of its own.
        n_people: How many people the catalogue has.

    Returns:
        (n,) within `MAX_LOG_ODDS`.
    """
    of_person = np.log(PRIOR_IN_CATALOGUE) - np.log(max(n_people, 1))
    own = of_person + evidence.of_faces(photo[None], characters)[0].astype(np.float64)
    groups, group_of = np.unique(
        np.where(people >= 0, people, -1 - np.arange(len(people))), return_inverse=True
    )
    counts = np.bincount(group_of)
    joint = np.bincount(group_of, own) / counts
    member = np.zeros((len(people), len(groups)))
    member[np.arange(len(people)), group_of] = 1
    alike = evidence.of_characters(characters, characters).astype(np.float64) @ member / counts
    is_other = np.where(member > 0, 0.0, 1 - expit(alike))
    others = logsumexp(joint[None, :], axis=1, b=is_other)
    rest = np.logaddexp(np.log1p(-PRIOR_IN_CATALOGUE), others)
    clipped: Float64Array = np.clip(own - rest, -MAX_LOG_ODDS, MAX_LOG_ODDS)
    return clipped
