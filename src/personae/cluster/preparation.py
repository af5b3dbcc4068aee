"""Embed and adapt tracks before they are clustered."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from personae.core.config import AdaptConfig
from personae.core.hooks import Hook, silent_hook
from personae.core.trackset import TrackSet

if TYPE_CHECKING:
    from personae.adapt import Adaptation
    from personae.encode.encoder import Encoder


def embed_and_adapt(
    tracks: TrackSet,
    encoder: Encoder | None,
    config: AdaptConfig | None,
    hook: Hook = silent_hook,
) -> tuple[TrackSet, Adaptation | None]:
    """Embed the crops of tracks that lack embeddings, and adapt to the tracks if a config is given.

    Args:
        tracks: Tracks with crops, with embeddings, or both.
        encoder: Face-ID network; None: the default one, loaded where there are crops to read.
        config: Settings of the adaptation; None: no adaptation.
        hook: Reports progress.

    Returns:
        The tracks with embeddings, and the adaptation.

    Raises:
        ValueError: The tracks have neither crops nor embeddings.
    """
    reads_crops = tracks.embeddings is None or config is not None
    if tracks.crops.images is not None and reads_crops:
        from personae.encode import load_encoder

        encoder = encoder or load_encoder()
        if tracks.embeddings is None:
            tracks = replace(tracks, embeddings=encoder.encode(tracks.crops.images, hook=hook))
    tracks.require_embeddings()
    if config is None:
        return tracks, None
    from personae.adapt import adapt
    from personae.cues.evidence import plausible_pairs

    return tracks, adapt(tracks, encoder, config, hook, plausible=plausible_pairs(tracks))
