"""Settings: one frozen model per stage; the API, the command's options, the manifest and the digest all use it."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Depth = Literal["head", "last", "full"]
Device = Literal["auto", "cpu", "cuda"]


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ScanConfig(_Settings):
    """From a film to shots, faces, tracks and crops."""

    stride: int | None = Field(None, ge=1, description="Detect faces on every n-th frame; None chooses by frame rate.")
    working_side: int = Field(960, ge=160, description="Long side in pixels at which faces are looked for.")
    min_score: float = Field(0.5, gt=0, lt=1, description="Lowest detector confidence of a face that may extend a track.")
    start_score: float = Field(0.7, gt=0, lt=1, description="Lowest detector confidence of a face that may start a track.")
    crop_every: int = Field(12, ge=1, description="Frames between two sampled crops of a track (paper: 12).")
    crops_at_least: int = Field(5, ge=1, description="Short tracks are sampled more densely to reach this many crops.")
    top_faces: int = Field(12, ge=1, description="Largest faces kept per frame (paper: top-K by area).")
    min_width: float = Field(0.02, ge=0, lt=1, description="Narrowest face of a `kept` track, as a share of the film's width.")


class AdaptConfig(_Settings):
    """VideoClusterNet's self-supervised finetuning on one film."""

    depth: Depth = Field("head", description="What trains: the head, the encoder's last block too, or all of it.")
    iterations: int = Field(5, ge=0, le=20, description="Rounds of finetuning and coarse matching (paper: 5); 0 adapts nothing.")
    seed: int = Field(0, ge=0, description="Seed of every random choice.")


class ClusterConfig(_Settings):
    """From embeddings to characters."""

    method: str = Field("personae", description="Clustering method; `personae`, `videoclusternet-paper`, `hac` or `finch`.")
    people: int | None = Field(None, ge=1, description="Hint: how many people there are. Never needed.")
    seed: int = Field(0, ge=0, description="Seed of every random choice.")
