"""Settings: one frozen model per stage.

The Python API, the command's options, the manifest and the digests all use these models.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from personae.core.errors import SettingError

Model = TypeVar("Model", bound=BaseModel)

Depth = Literal["auto", "head", "last", "full"]
CrossTrackPairs = Literal["auto", "cues", "matches", "none"]
Device = Literal["auto", "cpu", "cuda"]


class _Settings(BaseModel):
    # Validators are built when a setting is first given, not when `personae --help` describes it.
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class ScanConfig(_Settings):
    """Settings of the scan: from a film to shots, faces, tracks and crops."""

    stride: int | None = Field(
        None, ge=1, description="Detect faces on every n-th frame; None chooses by frame rate."
    )
    detection_size: int = Field(
        960, ge=160, description="Long side in pixels of the frames that faces are detected on."
    )
    min_score: float = Field(
        0.5, gt=0, lt=1, description="Lowest detector confidence of a face that may extend a track."
    )
    min_start_score: float = Field(
        0.7, gt=0, lt=1, description="Lowest detector confidence of a face that may start a track."
    )
    crop_interval: int = Field(
        12, ge=1, description="Frames between two sampled crops of a track (paper: 12)."
    )
    min_crops_per_track: int = Field(
        5, ge=1, description="Short tracks are sampled more densely to reach this many crops."
    )
    max_faces_per_frame: int = Field(
        12, ge=1, description="Most faces kept per frame, the largest (paper: top-K by area)."
    )
    min_face_width: float = Field(
        0.02,
        ge=0,
        lt=1,
        description="Smallest face width of a `kept` track, as a share of the film's width.",
    )


class EncodeConfig(_Settings):
    """Settings of the encoder: from crops to embeddings."""

    encoder: str = Field(
        "mobilefacenet-192", description="Face-ID network; `personae models` lists them."
    )
    weights: Path | None = Field(
        None, description="Weight file of the encoder's architecture; None: the shipped one."
    )


class AdaptConfig(_Settings):
    """Settings of adaptation: VideoClusterNet's self-supervised finetuning on one film."""

    depth: Depth = Field(
        "auto",
        description="What is trained: the head, the encoder's last layers too, or all of it "
        "(paper); auto: the last layers where there are images.",
    )
    iterations: int = Field(
        5, ge=0, le=20, description="Rounds of finetuning and matching (paper: 5 or more); 0: none."
    )
    extra_iterations: int = Field(
        3,
        ge=0,
        le=20,
        description="Most rounds beyond these, while the pairs of which all cues are sure still "
        "change; not in the paper.",
    )
    students: int = Field(
        2,
        ge=1,
        le=8,
        description="Students that are trained side by side and averaged where all cues select the "
        "pairs (paper: 1).",
    )
    seed: int = Field(0, ge=0, description="Seed of all random choices.")

    first_epochs: int = Field(30, ge=1, description="Epochs of the first iteration (paper: 30).")
    head_only_epochs: int = Field(
        10, ge=0, description="Its first epochs, with a frozen encoder (paper: 10)."
    )
    later_epochs: int = Field(10, ge=1, description="Epochs of every later iteration (paper: 10).")
    batch_size: int = Field(32, ge=1, description="Pairs per step; not stated in the paper.")
    pairs_per_crop: int = Field(
        1, ge=1, description="Pairs per crop and epoch; not stated in the paper."
    )
    min_steps_per_epoch: int = Field(
        12, ge=1, description="Fewest steps of an epoch, so that short clips train too."
    )
    max_steps_per_epoch: int = Field(
        50, ge=1, description="Most steps of an epoch, so that long films end in time."
    )
    # Three times the paper's rate for half of the steps, chosen on labelled clips.
    learning_rate: float = Field(
        3e-4, gt=0, description="AdamW's peak rate (paper: 1e-4, in epochs of thousands of crops)."
    )
    initial_learning_rate: float = Field(
        5e-6, ge=0, description="Rate at the start of each iteration's warm-up (paper: 5e-6)."
    )
    warmup_epochs: int = Field(
        5, ge=0, description="Epochs of linear warm-up in every iteration (paper: 5)."
    )
    final_learning_rate: float = Field(
        1e-5, ge=0, description="Rate at the end of the cosine schedule (paper: 1e-5)."
    )
    weight_decay: float = Field(
        0.04, ge=0, description="AdamW's weight decay; not stated in the paper (iBOT: 0.04)."
    )
    ema_momentum: float = Field(
        0.9, ge=0, lt=1, description="Teacher's momentum per epoch; not stated in the paper."
    )
    student_temperature: float = Field(
        0.1, gt=0, description="tau_s; not stated in the paper (iBOT: 0.1)."
    )
    teacher_temperature: float = Field(
        0.04, gt=0, description="tau_t; not stated in the paper (iBOT: 0.04)."
    )
    centre_momentum: float = Field(
        0.9, ge=0, lt=1, description="Momentum of the teacher's centre, a running mean (iBOT: 0.9)."
    )
    embedding_norm: float = Field(
        4.0, gt=0, description="Length that embeddings are scaled to before the head; see docs."
    )
    head_hidden_dim: int = Field(
        256, ge=8, description="Hidden width of the head; not stated in the paper."
    )
    mask_sample_probability: float = Field(
        0.5,
        ge=0,
        le=1,
        description="Share of the student's global views with masked patches, for transformers at "
        "depth full (0: no masked image modelling); not stated in the paper (iBOT: 0.5).",
    )
    mask_ratio: float = Field(
        0.3,
        gt=0,
        lt=1,
        description="Share of their patches that is masked; not stated in the paper (iBOT: 0.3).",
    )
    mask_ratio_variation: float = Field(
        0.2,
        ge=0,
        lt=1,
        description="Largest deviation of that share; not stated in the paper (iBOT: 0.2).",
    )
    patch_loss_weight: float = Field(
        1.0, gt=0, description="Weight of the patch loss; not stated in the paper (iBOT: 1)."
    )
    cross_track_share: float = Field(
        0.5,
        ge=0,
        le=1,
        description="Share of pairs across matched tracks; not stated in the paper.",
    )
    cross_track_pairs: CrossTrackPairs = Field(
        "auto",
        description="Pairs of tracks whose crops are paired: those of which all cues are sure, "
        "coarse matches from the second iteration on (paper), or none; auto: as the clustering "
        "method is made for.",
    )
    learn_edits: bool = Field(
        False,
        description="Learn from the edits of the cast: train on confirmed pairs, never on refused "
        "ones. A changed edit then repeats the adaptation.",
    )
    initial_weights: Path | None = Field(
        None,
        description="Weights to start from: `adapt/student.safetensors` of a film that was adapted "
        "before, at the same depth and with the same encoder; None: those of the encoder.",
    )
    match_filter: bool = Field(
        True,
        description="Drop coarse matches that base scores or a cannot-link exclude; not in the "
        "paper.",
    )
    matching_space: Literal["pca", "raw", "tsne"] = Field(
        "pca", description="Space of coarse matching's Gaussians."
    )
    quality_filter: bool = Field(
        True, description="Leave tracks of outlying SER-FIQ quality out of an iteration."
    )
    quality_mad: Literal["median", "mean"] = Field(
        "median", description="Median or mean absolute deviation in the quality threshold."
    )
    resolution_augmentation: bool = Field(
        True,
        description="Downscale half of the cached views to the size of the film's smaller faces.",
    )
    global_views: int = Field(
        2, ge=1, description="Cached global views per crop at depth head and last."
    )
    local_views: int = Field(
        2, ge=0, description="Cached local views per crop at depth head and last."
    )


class ClusterConfig(_Settings):
    """Settings of clustering: from embeddings to characters."""

    method: str = Field(
        "personae",
        description="Clustering method: `personae`, `videoclusternet-paper`, `hac` or `finch`.",
    )
    num_people: int | None = Field(
        None, ge=1, description="Hint: how many people there are. Never needed."
    )
    min_people: int | None = Field(
        None, ge=1, description="Hint: there are this many people or more. Never needed."
    )
    max_people: int | None = Field(
        None, ge=1, description="Hint: there are this many people or fewer. Never needed."
    )

    @model_validator(mode="after")
    def _check_hints(self) -> Self:
        check_people_hints(self.num_people, self.min_people, self.max_people)
        return self


def check_people_hints(
    num_people: int | None, min_people: int | None, max_people: int | None
) -> None:
    """Check that the hints on the number of people do not contradict each other.

    Raises:
        SettingError: They do.
    """
    if min_people and max_people and min_people > max_people:
        raise SettingError(
            f"min_people cannot be {min_people}: that is more than max_people, {max_people}."
        )
    for name, bound, broken in (
        ("min_people", min_people, num_people and min_people and num_people < min_people),
        ("max_people", max_people, num_people and max_people and num_people > max_people),
    ):
        if broken:
            raise SettingError(
                f"num_people cannot be {num_people} where {name} is {bound}; give one of the two."
            )


def check_setting_names(names: Iterable[str], known: Collection[str]) -> None:
    """Check that there are settings of these names.

    Raises:
        SettingError: There is no such setting; the message suggests a similar name or lists all.
    """
    for name in names:
        if name not in known:
            similar = get_close_matches(name, known, n=1)
            all_names = f"there are: {', '.join(sorted(known))}."
            hint = f"did you mean {similar[0]!r}?" if similar else all_names
            raise SettingError(f"There is no setting {name!r}; {hint}")


def validate_settings(model: type[Model], values: Mapping[str, object]) -> Model:
    """Make settings from values by name.

    Raises:
        SettingError: A name is unknown, or a value is out of range.
    """
    check_setting_names(values, model.model_fields)
    try:
        return model.model_validate(dict(values))
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        expected = first["msg"][0].lower() + first["msg"][1:]
        expected = expected.replace("input should", "it should")
        raise SettingError(f"{name} cannot be {first['input']!r}: {expected}.") from None
