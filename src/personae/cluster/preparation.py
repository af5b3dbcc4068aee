"""Embed and adapt tracks before they are clustered."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from personae.cluster.anchors import select_anchors
from personae.cluster.taught_tracks import learn_from_links, without_links
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
    return tracks, adapt_tracks(tracks, encoder, config, hook)


def adapt_tracks(
    tracks: TrackSet,
    encoder: Encoder | None,
    config: AdaptConfig,
    hook: Hook = silent_hook,
    checkpoint: Path | None = None,
) -> Adaptation:
    """Adapt to tracks, with the pairs of tracks that the settings ask for.

    Args:
        tracks: Tracks with embeddings. What a person has said of pairs of them counts only if
            `learn_edits` is set.
        encoder: Network to adapt; None for tracks with embeddings alone.
        config: Settings of the adaptation; `cross_track_pairs="auto"` stands for `cues`.
        hook: Reports progress.
        checkpoint: Folder for checkpoints, see `personae.adapt.adapt`; None: none.
    """
    from personae.adapt import adapt
    from personae.cues.plausible_pairs import plausible_pairs
    from personae.cues.positives import CuePositives

    tracks = learn_from_links(tracks) if config.learn_edits else without_links(tracks)
    if config.cross_track_pairs in ("auto", "cues"):
        positives = CuePositives(tracks, select_anchors(tracks), config.seed)
        return adapt(tracks, encoder, config, hook, checkpoint, find_positives=positives)
    plausible = plausible_pairs(tracks)
    return adapt(tracks, encoder, config, hook, checkpoint, plausible=plausible)
