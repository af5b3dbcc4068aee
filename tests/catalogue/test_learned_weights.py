"""`personae run --with`: adaptation starts from what the films of a catalogue have learned."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import fsspec
import numpy as np
import pytest

from helpers.adaptation_inputs import SHORT_HEAD, embedding_tracks, random_adaptation
from helpers.fake_stages import FAKE_STAGES, FakeAdaptation, FakeAdaptStage
from personae.adapt import adapt
from personae.adapt.student_weights import WeightsOrigin, read_origin
from personae.catalogue import create_catalogue, jobs
from personae.catalogue.film_worker import FilmWorker, WorkerOptions
from personae.catalogue.films import get_film
from personae.catalogue.learned_weights import WEIGHTS_FILE, starting_from_catalogue
from personae.catalogue.project_faces import forget_tracks
from personae.catalogue.running import run_films
from personae.core.config import AdaptConfig
from personae.core.errors import CatalogueError, ProjectError, SettingError, WeightsError
from personae.core.files import FileMark
from personae.pipeline.encoder import hash_encoder_weights
from personae.pipeline.runner import run
from personae.pipeline.settings import Settings, recorded_settings
from personae.project import Project

HEAD = Settings.from_flat(depth="head")


class LearningAdaptation(FakeAdaptation):
    """Is saved with a student's weights beside it."""

    def save(self, folder: Path) -> None:
        super().save(folder)
        short = AdaptConfig(**SHORT_HEAD | {"iterations": 1})
        learned = adapt(embedding_tracks(), None, short).weights
        film = folder.parent.name.partition("-")[2].partition(".")[0]
        (encoder,) = hash_encoder_weights(HEAD).values()
        replace(learned, origin=WeightsOrigin("head", encoder, film)).save(
            folder / "student.safetensors"
        )


class LearningAdaptStage(FakeAdaptStage):
    def adapt(self, context, tracks, checkpoint):
        made = super().adapt(context, tracks, checkpoint)
        return LearningAdaptation(made.iterations, made.embeddings, {"depth": "head"})


STAGES = tuple(LearningAdaptStage() if one.name == "adapt" else one for one in FAKE_STAGES)


@pytest.fixture
def season(tmp_path, write_films):
    """A catalogue whose first two films are done, and the films of three episodes."""
    episodes = write_films("one", "two", "three")
    with create_catalogue(tmp_path / "season", depth="head") as made:
        made.add(*episodes[:2])
        FilmWorker(made, "worker", WorkerOptions(STAGES)).work()
        yield made, episodes


def origin_of(catalogue, film, settings=HEAD):
    with starting_from_catalogue(catalogue, film, settings) as started:
        return read_origin(started.adapt.initial_weights)


def test_a_new_film_starts_from_the_latest_finished_one(season):
    catalogue, episodes = season
    assert origin_of(catalogue, episodes[2]).film == "film1"
    catalogue.add(episodes[2])
    assert origin_of(catalogue, episodes[2]).film == "film1", "that it waits there is no matter"


def test_a_film_of_the_catalogue_starts_from_the_one_before_it(season):
    catalogue, episodes = season
    assert origin_of(catalogue, episodes[1]).film == "film0"
    with pytest.raises(CatalogueError, match="no finished film before film 1, which this one is"):
        origin_of(catalogue, episodes[0])


def test_the_weights_count_and_not_where_they_lie(season, tmp_path, stage_calls):
    catalogue, episodes = season
    folder = tmp_path / "three.personae"
    plain = run(episodes[2], folder, HEAD, stages=STAGES)
    digest = plain.manifest.stages["adapt"].digest
    for _ in range(2):
        stage_calls.clear()
        with starting_from_catalogue(catalogue, episodes[2], HEAD) as started:
            project = run(episodes[2], folder, started, stages=STAGES)
    assert stage_calls["adapt"] == 0, "the second copy lay elsewhere"
    record = project.manifest.stages["adapt"]
    assert record.digest != digest
    assert "initial_weights" not in record.parameters
    latest = Path(get_film(catalogue, 2).folder) / WEIGHTS_FILE
    assert record.weights["initial"] == FileMark.of(latest).sha256
    assert record.facts["learned_before"] == "film1"
    assert recorded_settings(project).adapt.initial_weights is None
    again = run(episodes[2], folder, HEAD, stages=STAGES)
    assert again.manifest.stages["adapt"].digest == digest, "without it all is as before"


def test_weights_at_a_url_are_fetched(tmp_path, write_films):
    first, second = write_films("one", "two")
    fsspec.filesystem("memory").makedirs(f"{tmp_path}/projects", exist_ok=True)
    place = f"memory://{tmp_path}/projects"
    with create_catalogue(tmp_path / "c", projects=place, depth="head") as catalogue:
        catalogue.add(first)
        FilmWorker(catalogue, "worker", WorkerOptions(STAGES)).work()
        with starting_from_catalogue(catalogue, second, HEAD) as started:
            assert read_origin(started.adapt.initial_weights).depth == "head"


def test_a_film_that_keeps_no_weights_is_passed_over(season):
    catalogue, episodes = season
    project = Project.open(get_film(catalogue, 2).folder)
    record = project.manifest.stages["adapt"]
    files = {name: mark for name, mark in record.files.items() if name != WEIGHTS_FILE}
    project.add_record("adapt", record.model_copy(update={"files": files}))
    assert origin_of(catalogue, episodes[2]).film == "film0"


def test_what_cannot_be_started_from_is_said(season, tmp_path, on_sqlite):
    catalogue, episodes = season
    with pytest.raises(CatalogueError, match="no finished film to start from: run its films"):
        origin_of(on_sqlite, episodes[2])
    with pytest.raises(CatalogueError, match="with the encoder mobilefacenet-192 at depth last"):
        origin_of(catalogue, episodes[2], Settings())
    with pytest.raises(SettingError, match="'hac' adapts nothing"):
        origin_of(catalogue, episodes[2], Settings.from_flat(method="hac"))
    both = Settings.from_flat(depth="head", initial_weights=tmp_path / "x.safetensors")
    with pytest.raises(SettingError, match="not from both"):
        origin_of(catalogue, episodes[2], both)
    with pytest.raises(WeightsError, match="cannot be read"):
        run(episodes[2], tmp_path / "x.personae", both, stages=STAGES)
    (Path(get_film(catalogue, 2).folder) / WEIGHTS_FILE).write_bytes(b"x")
    with pytest.raises(ProjectError, match="is damaged or missing: run its film again"):
        origin_of(catalogue, episodes[2])


def test_who_is_forgotten_is_forgotten_by_the_network_too(season):
    catalogue, _ = season
    folder = Path(get_film(catalogue, 2).folder)
    tracks = Project.open(folder).track_set()
    (iteration,) = random_adaptation(tracks.n_crops, n_iterations=1).iterations
    quality = np.ones(tracks.n_tracks, np.float32)
    replace(iteration, quality=quality).save(folder / "adapt/iteration-1.safetensors")
    assert (folder / WEIGHTS_FILE).exists()
    forget_tracks(folder, {0}, frozenset())
    assert not (folder / WEIGHTS_FILE).exists()
    assert WEIGHTS_FILE not in Project.open(folder).manifest.stages["adapt"].files


def learned_before(catalogue):
    """Of every film, the film whose network its adaptation started from."""
    projects = [Project.open(film.folder) for film in catalogue.films()]
    return [one.manifest.stages["adapt"].facts.get("learned_before") for one in projects]


def test_a_season_in_order_starts_every_film_from_the_one_before(tmp_path, write_films):
    with create_catalogue(tmp_path / "c", depth="head") as catalogue:
        catalogue.add(*write_films("one", "two", "three"))
        run_films(catalogue, in_process=True, in_order=True, stages=STAGES)
        assert learned_before(catalogue) == [None, "film0", "film1"]


def test_without_an_order_no_film_starts_from_another(season):
    catalogue, _ = season
    assert learned_before(catalogue) == [None, None]


def test_a_film_in_order_passes_over_one_that_failed(tmp_path, write_films):
    films = write_films("one", "two", "three")
    films[1].write_text("garbage")
    with create_catalogue(tmp_path / "c", depth="head") as catalogue:
        catalogue.add(*films)
        run_films(catalogue, in_process=True, in_order=True, stages=STAGES)
        assert [film.state for film in catalogue.films()] == ["done", "failed", "done"]
        last = Project.open(get_film(catalogue, 3).folder)
        assert last.manifest.stages["adapt"].facts["learned_before"] == "film0"


def test_films_in_order_wait_for_the_one_before(catalogue, write_films):
    catalogue.add(*write_films("one", "two", "three"))
    first = jobs.claim_film(catalogue, "a", in_order=True)
    assert first.film_id == 1
    assert jobs.claim_film(catalogue, "b", in_order=True) is None
    jobs.fail_film(catalogue.database, first, "It is broken.")
    assert jobs.claim_film(catalogue, "b", in_order=True).film_id == 2
    assert jobs.claim_film(catalogue, "c", in_order=True) is None
    assert jobs.claim_film(catalogue, "c").film_id == 3


def test_a_method_that_adapts_nothing_is_refused_in_order(tmp_path):
    with (
        create_catalogue(tmp_path / "c", method="hac") as catalogue,
        pytest.raises(SettingError, match="'hac' adapts nothing"),
    ):
        run_films(catalogue, in_process=True, in_order=True)
