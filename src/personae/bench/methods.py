"""The methods of the benchmark by name: this package's, their ablations, and the compared systems.

A name is a method and any number of flags, such as
`videoclusternet-paper:similarity=cosine:iterations=3`. Flags of this package's methods are the
settings of adaptation (`core.config.AdaptConfig`, with dashes) and those in `FLAGS`; flags of a
compared system are its own settings. Some names stand for several methods; see `GROUPS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields

from personae.bench.task import Task
from personae.cluster.calibrated_linkage import CalibratedLinkage
from personae.cluster.finch import FINCH
from personae.cluster.hac import HAC
from personae.cluster.methods import resolve_cross_track_pairs
from personae.cluster.videoclusternet import VideoClusterNet
from personae.compared import SYSTEMS
from personae.core.config import AdaptConfig, validate_settings
from personae.core.errors import SettingError
from personae.core.labels import Labels

Fit = Callable[[Task], Labels]

PERSONAE, PAPER = "personae", "videoclusternet-paper"
ADAPTING = (PERSONAE, PAPER)
OURS = (*ADAPTING, "hac", "finch")

FLAGS: dict[str, tuple[str, ...]] = {
    "clustering": (PERSONAE, "algorithm1", "hac", "finch"),
    "similarity": ("loss", "cosine", "euclidean"),
    "centre": ("on", "off"),
    "people": ("unknown", "known"),
}
"""Flags of this package's methods, with their values; settings of adaptation are further flags."""

MAX_CURVE_ITERATIONS = 10
"""Length of the iteration curves, as in the paper's supplementary Table 2."""

LABELLED_TRACKS = "one labelled track per person"

GROUPS: dict[str, tuple[str, ...]] = {
    "ours": OURS,
    "compared": tuple(SYSTEMS),
    "iterations": tuple(
        f"{name}:iterations={number}"
        for name in ADAPTING
        for number in range(1, MAX_CURVE_ITERATIONS + 1)
    ),
    "iterations-by-depth": tuple(
        f"{name}:depth={depth}:iterations={number}"
        for name in ADAPTING
        for depth in ("head", "last")
        for number in range(1, MAX_CURVE_ITERATIONS + 1)
    ),
    "ablations": (
        f"{PERSONAE}:iterations=0",
        f"{PERSONAE}:cross-track-pairs=none",
        f"{PERSONAE}:cross-track-pairs=matches",
        f"{PERSONAE}:resolution-augmentation=off",
        f"{PERSONAE}:quality-filter=off",
        f"{PERSONAE}:people=known",
        f"{PAPER}:cross-track-pairs=none",
        f"{PAPER}:match-filter=off",
        f"{PAPER}:match-filter=off:resolution-augmentation=off",
        f"{PAPER}:quality-filter=off",
        f"{PAPER}:centre=off",
        f"{PAPER}:similarity=cosine",
        f"{PAPER}:similarity=euclidean",
        f"{PAPER}:clustering=hac",
        f"{PAPER}:similarity=cosine:iterations=0",
    ),
    "depths": (
        f"{PERSONAE}:depth=head",
        f"{PERSONAE}:depth=full",
        f"{PAPER}:depth=head",
        f"{PAPER}:depth=full",
    ),
}
"""Names that stand for several methods; `all` is `ours` and `compared`."""


@dataclass(frozen=True)
class Method:
    """One method, ready to be run on any data set."""

    name: str
    """As requested, with sorted flags."""
    title: str
    """As shown in tables; says which compared systems are our reconstruction."""
    given: str
    """Ground truth among its inputs: "", "K" (the number of people) or `LABELLED_TRACKS`."""
    adapt: AdaptConfig | None
    """Settings of the adaptation, None without one; the seed is set by the run."""
    encoder: str | None
    """Face-recognition network, if it is not the run's."""
    uses_seed: bool
    """Whether the seed can change the result."""
    fit: Fit
    settings: dict[str, object] = field(default_factory=dict)
    """Everything requested, as plain data."""


def resolve_methods(names: list[str]) -> list[Method]:
    """Resolve names and groups, each method once.

    Raises:
        SettingError: There is no such method or group.
    """
    expanded: list[str] = []
    for name in names:
        if name == "all":
            expanded += [*GROUPS["ours"], *GROUPS["compared"]]
        else:
            expanded += GROUPS.get(name, (name,))
    by_name = {method.name: method for method in map(resolve_method, expanded)}
    return list(by_name.values())


def resolve_method(text: str) -> Method:
    """Resolve one name with its flags.

    Raises:
        SettingError: There is no such method, flag or value.
    """
    name, *pairs = text.split(":")
    flags: dict[str, str] = {}
    for pair in pairs:
        flag, equals, value = pair.partition("=")
        if not equals or not value:
            raise SettingError(f"{text}: write flags as :name=value, not {pair!r}.")
        flags[flag] = value
    full_name = ":".join([name, *(f"{flag}={value}" for flag, value in sorted(flags.items()))])
    encoder = flags.pop("encoder", None)
    if name in ADAPTING:
        return _resolve_adapting(full_name, name, flags, encoder)
    if name in OURS:
        return _resolve_baseline(full_name, name, flags, encoder)
    if name in SYSTEMS:
        return _resolve_compared(full_name, name, flags, encoder)
    known = ", ".join([*OURS, *SYSTEMS, *GROUPS, "all"])
    raise SettingError(f"There is no method {name!r}; there are: {known}.")


def _resolve_adapting(
    full_name: str, name: str, flags: dict[str, str], encoder: str | None
) -> Method:
    choices = _parse_choices(full_name, flags, FLAGS)
    adapt_flags = {flag: value for flag, value in flags.items() if flag not in FLAGS}
    config = resolve_cross_track_pairs(name, _parse_adapt_config(full_name, adapt_flags))
    if config.cross_track_pairs != "cues":  # it has no effect then, and makes no other method
        config = config.model_copy(update={"extra_iterations": 0})
    if "clustering" not in flags:
        choices["clustering"] = PERSONAE if name == PERSONAE else "algorithm1"
    clustering = choices["clustering"]
    for flag in ("similarity", "centre"):
        if flag in flags and clustering != "algorithm1":
            raise SettingError(
                f"{full_name}: {flag} is a flag of Algorithm 1; this method clusters by "
                f"{clustering}."
            )
    similarity, centre = choices["similarity"], choices["centre"] == "on"
    if clustering == "algorithm1" and similarity == "loss" and not config.iterations:
        raise SettingError(
            f"{full_name}: the learned similarity needs an adaptation of at least one iteration."
        )
    k_is_given = choices["people"] == "known"
    if k_is_given and clustering == "algorithm1":
        raise SettingError(f"{full_name}: Algorithm 1 cannot use the number of people.")

    def fit(task: Task) -> Labels:
        n_clusters = task.n_people if k_is_given else None
        if clustering == "algorithm1":
            algorithm1 = VideoClusterNet(similarity, centre, **config.model_dump())
            return algorithm1.cluster(task.tracks, task.adaptation).labels
        if clustering == PERSONAE:
            return CalibratedLinkage(n_clusters).cluster(task.tracks, task.adaptation).labels
        return _make_baseline(clustering, n_clusters).fit_predict(task.adapted_tracks())

    return Method(
        name=full_name,
        title=full_name,
        given="K" if k_is_given else "",
        adapt=config,
        encoder=encoder,
        uses_seed=config.iterations > 0,
        fit=fit,
        settings={**choices, "adapt": config.model_dump(mode="json", exclude={"seed"})},
    )


def _parse_choices(
    full_name: str, flags: Mapping[str, str], choices_of: Mapping[str, tuple[str, ...]]
) -> dict[str, str]:
    """Return the value of every flag that takes one of several words; the first is the default."""
    chosen = {}
    for flag, values in choices_of.items():
        chosen[flag] = flags.get(flag, values[0])
        if chosen[flag] not in values:
            raise SettingError(f"{full_name}: {flag} should be one of {', '.join(values)}.")
    return chosen


def _parse_adapt_config(full_name: str, flags: Mapping[str, str]) -> AdaptConfig:
    known = set(AdaptConfig.model_fields) - {"seed"}
    settings = {flag.replace("-", "_"): value for flag, value in flags.items()}
    for setting in settings:
        if setting not in known:
            names = sorted([*FLAGS, "encoder", *(_flag_name(one) for one in known)])
            raise SettingError(_no_flag(full_name, _flag_name(setting), names))
    if "iterations" in settings:  # a point of a curve: that many, settled or not
        settings.setdefault("extra_iterations", "0")
    try:
        return validate_settings(AdaptConfig, settings)
    except SettingError as error:
        raise SettingError(f"{full_name}: {error}") from None


def _resolve_baseline(
    full_name: str, name: str, flags: dict[str, str], encoder: str | None
) -> Method:
    if other := [flag for flag in flags if flag != "people"]:
        raise SettingError(_no_flag(full_name, other[0], ["people", "encoder"]))
    choices = _parse_choices(full_name, flags, {"people": FLAGS["people"]})
    k_is_given = choices["people"] == "known"

    def fit(task: Task) -> Labels:
        n_clusters = task.n_people if k_is_given else None
        return _make_baseline(name, n_clusters).fit_predict(task.tracks)

    return Method(
        name=full_name,
        title=full_name,
        given="K" if k_is_given else "",
        adapt=None,
        encoder=encoder,
        uses_seed=False,
        fit=fit,
        settings={"family": name, "people": k_is_given},
    )


def _make_baseline(name: str, n_clusters: int | None) -> HAC | FINCH:
    return HAC(n_clusters=n_clusters) if name == "hac" else FINCH(n_clusters=n_clusters)


def _resolve_compared(
    full_name: str, name: str, flags: dict[str, str], encoder: str | None
) -> Method:
    system = SYSTEMS[name]
    clusterer = system.load()
    names = [one.name for one in fields(clusterer) if one.init]
    known = [one for one in names if one not in ("seed", "labelled_tracks")]
    settings: dict[str, object] = {}
    for flag, value in flags.items():
        setting = flag.replace("-", "_")
        if setting not in known:
            hint = sorted(_flag_name(one) for one in [*known, "encoder"])
            raise SettingError(_no_flag(full_name, flag, hint))
        settings[setting] = _parse_value(value)
    k_is_fixed = bool({"n_clusters", "threshold"} & set(settings))
    needs_k = bool(clusterer.needs_n_clusters) and not k_is_fixed
    needs_labelled_tracks = "labelled tracks" in system.inputs
    takes_seed = "seed" in names
    given = "K" if needs_k or "n_clusters" in settings else ""
    if needs_labelled_tracks:
        given = LABELLED_TRACKS

    def fit(task: Task) -> Labels:
        inputs: dict[str, object] = {"n_clusters": task.n_people} if needs_k else {}
        if needs_labelled_tracks:
            inputs["labelled_tracks"] = task.labelled_tracks
        if takes_seed:
            inputs["seed"] = task.seed
        return clusterer(**settings, **inputs).fit_predict(task.tracks)

    return Method(
        name=full_name,
        title=full_name.replace(name, system.title, 1),
        given=given,
        adapt=None,
        encoder=encoder,
        uses_seed=takes_seed,
        fit=fit,
        settings={"family": name, **settings},
    )


def _flag_name(setting: str) -> str:
    return setting.replace("_", "-")


def _no_flag(full_name: str, flag: str, known: list[str]) -> str:
    return f"{full_name}: there is no flag {flag!r}; there are: {', '.join(known)}."


def _parse_value(value: str) -> bool | int | float | str:
    """Convert a flag's text to a truth value, a whole number, a number, or leave it as text."""
    if value in ("on", "off"):
        return value == "on"
    for convert in (int, float):
        try:
            return convert(value)
        except ValueError:
            continue
    return value
