"""The methods of the benchmark by name: ours, their ablations, and the compared systems.

A name is a method and any number of flags, `videoclusternet-paper:similarity=cosine:iterations=3`. Flags of
our methods are the settings of adaptation (`core.config.AdaptConfig`, with dashes) and those in `FLAGS`;
flags of a compared system are its own settings. Some names stand for several methods; see `GROUPS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from personae.bench.task import Task, algorithm1_on, metric_of
from personae.cluster.finch import FINCH
from personae.cluster.hac import HAC
from personae.compared import SYSTEMS
from personae.core.config import AdaptConfig
from personae.core.errors import SettingError
from personae.core.labels import Labels

Fit = Callable[[Task], Labels]

PERSONAE, PAPER = "personae", "videoclusternet-paper"
OURS = (PERSONAE, PAPER, "hac", "finch")
ADAPTING = (PERSONAE, PAPER)

FLAGS: dict[str, tuple[str, ...]] = {
    "clustering": (PERSONAE, "algorithm1", "hac", "finch"),
    "similarity": ("loss", "cosine", "euclidean"),
    "centre": ("on", "off"),
    "people": ("unknown", "known"),
}
"""Flags of our methods besides adaptation's settings and `encoder`, with their values."""

ITERATIONS = 10
"""How far the iteration curves go, as in the paper's supplementary Table 2."""

GROUPS: dict[str, tuple[str, ...]] = {
    "ours": OURS,
    "compared": tuple(name for name, system in SYSTEMS.items() if system.runnable),
    "iterations": tuple(
        f"{name}:iterations={number}" for name in ADAPTING for number in range(1, ITERATIONS + 1)
    ),
    "ablations": (
        f"{PERSONAE}:iterations=0",
        f"{PERSONAE}:matching=off",
        f"{PERSONAE}:check-matches=off",
        f"{PERSONAE}:match-detail=off",
        f"{PERSONAE}:quality-filter=off",
        f"{PERSONAE}:people=known",
        f"{PAPER}:matching=off",
        f"{PAPER}:check-matches=off",
        f"{PAPER}:check-matches=off:match-detail=off",
        f"{PAPER}:quality-filter=off",
        f"{PAPER}:centre=off",
        f"{PAPER}:similarity=cosine",
        f"{PAPER}:similarity=euclidean",
        f"{PAPER}:clustering=hac",
        f"{PAPER}:similarity=cosine:iterations=0",
    ),
    "depths": (
        f"{PERSONAE}:depth=last",
        f"{PERSONAE}:depth=full",
        f"{PAPER}:depth=last",
        f"{PAPER}:depth=full",
    ),
}
"""Names that stand for several methods; `all` is ours and compared."""


@dataclass(frozen=True)
class Method:
    """One method, ready to be run on any data set."""

    name: str
    """As asked for, flags sorted."""
    title: str
    """As tables must show it: compared systems that we rebuilt say so."""
    given: str
    """What it is told that others are not: "", "K" (the number of people) or "a labelled track a person"."""
    adapt: AdaptConfig | None
    """How to adapt before; None: not at all. Its seed is set by the run."""
    encoder: str | None
    """Another face-ID network than the run's."""
    seeded: bool
    """Whether the seed can change the result."""
    fit: Fit
    settings: dict[str, Any] = field(default_factory=dict)
    """Everything asked for, as plain data."""


def methods(names: list[str]) -> list[Method]:
    """Resolve names and groups, each method once; SettingError for what there is not."""
    wanted: list[str] = []
    for name in names:
        if name == "all":
            wanted += [*GROUPS["ours"], *GROUPS["compared"]]
        else:
            wanted += GROUPS.get(name, (name,))
    found = {one.name: one for one in map(method, wanted)}
    return list(found.values())


def method(text: str) -> Method:
    """Resolve one name with its flags; SettingError where there is no such method, flag or value."""
    name, *pairs = text.split(":")
    flags: dict[str, str] = {}
    for pair in pairs:
        flag, equals, value = pair.partition("=")
        if not equals or not value:
            raise SettingError(f"{text}: write flags as :name=value, not {pair!r}.")
        flags[flag] = value
    full = ":".join([name, *(f"{flag}={value}" for flag, value in sorted(flags.items()))])
    encoder = flags.pop("encoder", None)
    if name in ADAPTING:
        return _adapting(full, name, flags, encoder)
    if name in OURS:
        return _plain(full, name, flags, encoder)
    if name in SYSTEMS:
        return _compared(full, name, flags, encoder)
    there = ", ".join(
        [*OURS, *(one for one, system in SYSTEMS.items() if system.runnable), *GROUPS, "all"]
    )
    raise SettingError(f"There is no method {name!r}; there are: {there}.")


def _adapting(full: str, name: str, flags: dict[str, str], encoder: str | None) -> Method:
    chosen = _choose(full, flags, FLAGS)
    config = _adapt_config(
        full, {flag: value for flag, value in flags.items() if flag not in FLAGS}
    )
    clustering = chosen["clustering"] if "clustering" in flags else _usual(name)
    for flag, needed in (("similarity", "algorithm1"), ("centre", "algorithm1")):
        if flag in flags and clustering != needed:
            raise SettingError(
                f"{full}: {flag} is a flag of Algorithm 1; this method clusters by {clustering}."
            )
    similarity, centre = chosen["similarity"], chosen["centre"] == "on"
    if clustering == "algorithm1" and similarity == "loss" and not config.iterations:
        raise SettingError(
            f"{full}: the learned similarity needs an adaptation of at least one iteration."
        )
    known = chosen["people"] == "known"
    if known and clustering == "algorithm1":
        raise SettingError(f"{full}: Algorithm 1 cannot be told the number of people.")

    def fit(task: Task) -> Labels:
        count = task.n_people if known else None
        if clustering == "algorithm1":
            return algorithm1_on(task, metric_of(similarity, task, centre), config.quality_filter)
        if clustering == PERSONAE:
            from personae.cluster.personae import CalibratedLinkage

            return CalibratedLinkage(count).cluster(task.tracks, task.adaptation).labels
        return _base(clustering, count).fit_predict(task.adapted())

    return Method(
        name=full,
        title=full,
        given="K" if known else "",
        adapt=config,
        encoder=encoder,
        seeded=config.iterations > 0,
        fit=fit,
        settings={
            **chosen,
            "clustering": clustering,
            "adapt": config.model_dump(mode="json", exclude={"seed"}),
        },
    )


def _usual(name: str) -> str:
    return PERSONAE if name == PERSONAE else "algorithm1"


def _choose(
    full: str, flags: Mapping[str, str], known: Mapping[str, tuple[str, ...]]
) -> dict[str, str]:
    chosen = {}
    for flag, values in known.items():
        chosen[flag] = flags.get(flag, values[0])
        if chosen[flag] not in values:
            raise SettingError(f"{full}: {flag} should be one of {', '.join(values)}.")
    return chosen


def _adapt_config(full: str, flags: Mapping[str, str]) -> AdaptConfig:
    from pydantic import ValidationError

    known = set(AdaptConfig.model_fields) - {"seed"}
    asked = {flag.replace("-", "_"): value for flag, value in flags.items()}
    for flag in asked:
        if flag not in known:
            there = ", ".join(
                sorted([*FLAGS, "encoder", *(one.replace("_", "-") for one in known)])
            )
            raise SettingError(
                f"{full}: there is no flag {flag.replace('_', '-')!r}; there are: {there}."
            )
    try:
        return AdaptConfig.model_validate(asked)
    except ValidationError as error:
        first = error.errors()[0]
        raise SettingError(
            f"{full}: {first['loc'][0]} cannot be {first['input']!r}: {first['msg']}."
        ) from None


def _plain(full: str, name: str, flags: dict[str, str], encoder: str | None) -> Method:
    if other := [flag for flag in flags if flag != "people"]:
        raise SettingError(f"{full}: there is no flag {other[0]!r}; there are: people, encoder.")
    known = _choose(full, flags, {"people": FLAGS["people"]})["people"] == "known"

    def fit(task: Task) -> Labels:
        return _base(name, task.n_people if known else None).fit_predict(task.tracks)

    given = "K" if known else ""
    return Method(full, full, given, None, encoder, False, fit, {"family": name, "people": known})


def _base(name: str, n_clusters: int | None) -> HAC | FINCH:
    return HAC(n_clusters=n_clusters) if name == "hac" else FINCH(n_clusters=n_clusters)


def _compared(full: str, name: str, flags: dict[str, str], encoder: str | None) -> Method:
    system = SYSTEMS[name]
    made = system.load()
    own = {
        one.name: one for one in fields(made) if one.init and one.name not in ("seed", "labelled")
    }
    settings: dict[str, Any] = {}
    for flag, value in flags.items():
        setting = flag.replace("-", "_")
        if setting not in own:
            there = ", ".join(sorted(one.replace("_", "-") for one in [*own, "encoder"]))
            raise SettingError(f"{full}: there is no flag {flag!r}; there are: {there}.")
        settings[setting] = _number(value)
    needs_k = bool(made.needs_n_clusters) and not {"n_clusters", "threshold"} & set(settings)
    semi = "labelled tracks" in system.needs
    takes_seed = any(one.name == "seed" for one in fields(made))

    def fit(task: Task) -> Labels:
        given: dict[str, Any] = {"n_clusters": task.n_people} if needs_k else {}
        if semi:
            given["labelled"] = task.labelled
        if takes_seed:
            given["seed"] = task.seed
        labels: Labels = made(**settings, **given).fit_predict(task.tracks)
        return labels

    given = (
        "a labelled track a person" if semi else "K" if needs_k or "n_clusters" in settings else ""
    )
    title = full.replace(name, system.title, 1)
    return Method(full, title, given, None, encoder, takes_seed, fit, {"family": name, **settings})


def _number(value: str) -> Any:
    """Turn a flag's text into what it looks like: a truth value, a whole number, a number, or a text."""
    if value in ("on", "off"):
        return value == "on"
    for kind in (int, float):
        try:
            return kind(value)
        except ValueError:
            continue
    return value
