"""`learn_edits`: what a person has said is learned from where that is asked for, and only then."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from helpers.edited_film import edited_film
from helpers.fake_stages import FAKE_STAGES, FakeAdaptStage
from personae.core.errors import SettingError
from personae.pipeline import runner
from personae.pipeline.edited_tracks import teach_tracks
from personae.pipeline.kept_evidence import KeptEvidence
from personae.pipeline.learned import load_adaptation, load_learned_edits
from personae.pipeline.settings import Settings, recorded_settings
from personae.pipeline.stages import DEFAULT_STAGES
from personae.pipeline.status import judge_stages
from personae.project.manifest import STAGES

DEMO = Path(__file__).parents[2] / "examples" / "demo.mp4"
SEEN_TRACKS = []


class SeenAdaptStage(FakeAdaptStage):
    """Keeps the tracks that it was given."""

    def adapt(self, context, tracks, checkpoint):
        SEEN_TRACKS.append(tracks)
        return super().adapt(context, tracks, checkpoint)


STAGES_THAT_SEE = tuple(
    SeenAdaptStage() if stage.name == "adapt" else stage for stage in FAKE_STAGES
)
LEARN = Settings.from_flat(learn_edits=True)


def run(film, settings=None):
    return runner.run(film, None, settings, stages=STAGES_THAT_SEE)


@pytest.fixture(autouse=True)
def seen_tracks():
    SEEN_TRACKS.clear()
    return SEEN_TRACKS


def take_calls(calls):
    stages = {name for name in STAGES if calls[name]}
    calls.clear()
    return stages


def test_edits_alone_never_repeat_the_adaptation(fake_video, stage_calls, seen_tracks):
    project = run(fake_video)
    digest = project.manifest.stages["adapt"].digest
    assert "learn_edits" not in project.manifest.stages["adapt"].parameters
    project.edits.merge([0], [2])
    stage_calls.clear()
    again = run(fake_video)
    assert take_calls(stage_calls) == {"cluster", "report"}
    assert again.manifest.stages["adapt"].digest == digest
    assert not len(seen_tracks[0].must_link)


def test_the_same_edits_are_learned_once_and_changed_ones_anew(
    fake_video, stage_calls, seen_tracks
):
    project = run(fake_video)
    project.edits.merge([0], [2])
    project.edits.different([1], [3])
    stage_calls.clear()
    learned = run(fake_video, LEARN)
    assert take_calls(stage_calls) == {"adapt", "cluster", "report"}
    tracks = seen_tracks[-1]
    assert tracks.must_link.tolist() == [[0, 2]]
    assert tracks.must_not_link.tolist() == [[1, 3]]
    said = load_learned_edits(learned)
    assert said.same_person == ((0, 2),)
    assert said.different_people == ((1, 3),)
    run(fake_video, LEARN)
    assert take_calls(stage_calls) == set()
    learned.edits.name([0], "Ann")  # nobody learns anything from a name
    run(fake_video, LEARN)
    assert take_calls(stage_calls) == {"cluster", "report"}
    learned.edits.undo(1)
    run(fake_video, LEARN)
    assert take_calls(stage_calls) == {"adapt", "cluster", "report"}
    assert not len(seen_tracks[-1].must_link)


def test_an_answer_after_learning_clusters_anew_and_learns_nothing(fake_video, stage_calls):
    run(fake_video).edits.merge([0], [2])
    learned = run(fake_video, LEARN)
    assert recorded_settings(learned).adapt.learn_edits
    learned.edits.different([1], [3])
    stage_calls.clear()
    runner.recluster(learned.folder, with_report=False, stages=STAGES_THAT_SEE)
    assert take_calls(stage_calls) == {"cluster"}
    assert load_learned_edits(learned).different_people == ()
    conditions = {one.stage: one for one in judge_stages(type(learned).open(learned.folder))}
    assert "--learn-edits" in conditions["adapt"].why


def test_a_method_that_adapts_nothing_cannot_learn():
    settings = Settings.from_flat(learn_edits=True, method="hac")
    cluster = next(stage for stage in DEFAULT_STAGES if stage.name == "cluster")
    with pytest.raises(SettingError, match="learn_edits"):
        cluster.check_settings(settings)


def test_ignored_tracks_are_only_something_to_attach(tmp_path):
    film = edited_film(tmp_path / "f.personae", method="personae")
    film.edits.ignore(1, 2)
    tracks = film.track_set()
    taught = teach_tracks(tracks, film.edits.compiled())
    changed = np.flatnonzero(taught.attach_only != tracks.attach_only)
    assert tracks.track_ids[changed].tolist() == [1, 2]


def test_evidence_is_measured_once_and_edits_do_not_change_it(tmp_path, monkeypatch):
    from personae.cluster.calibrated_linkage import CalibratedLinkage

    measured = []
    measure = CalibratedLinkage.measure_evidence

    def count(self, tracks, adaptation):
        measured.append(tracks.n_tracks)
        return measure(self, tracks, adaptation)

    monkeypatch.setattr(CalibratedLinkage, "measure_evidence", count)
    film = edited_film(tmp_path / "f.personae", method="personae", noise=0.6)
    measured.clear()
    kept = KeptEvidence()
    for edit in (
        lambda edits: edits.merge([0], [4]),
        lambda edits: edits.ignore(7),
        lambda edits: edits.different([1], [9]),
        lambda edits: edits.undo(),
    ):
        edit(film.edits)
        again = runner.recluster(film.folder, with_report=False, evidence=kept)
        with_kept = again.table("characters").to_pylist()
        # another process, which has nothing in memory, comes to the same cast
        (film.folder / "characters.parquet").unlink()
        alone = runner.recluster(film.folder, with_report=False)
        assert alone.table("characters").to_pylist() == with_kept
    assert measured == [14] * 5  # once for all four edits, and in each of the others


def test_the_demo_film_is_learned_with_what_was_said_of_it(tmp_path):
    quick = {
        "depth": "head",
        "iterations": 1,
        "first_epochs": 2,
        "min_steps_per_epoch": 2,
        "max_steps_per_epoch": 2,
    }
    folder = tmp_path / "demo.personae"
    project = runner.run(DEMO, folder, Settings.from_flat(**quick))
    first, second = project.cast().characters[:2]
    project.edits.confirm(first.label)
    project.edits.different(first.label, second.label)
    ignored = second.tracks[-1]
    project.edits.ignore([ignored])
    learned = runner.run(DEMO, folder, Settings.from_flat(**quick, learn_edits=True))
    matches = load_adaptation(learned).iterations[-1].matches
    track = learned.track_set(with_frames=False).track_ids[matches]
    pairs = {tuple(pair) for pair in track.tolist()}
    confirmed = {(a, b) for a in first.tracks for b in first.tracks if a != b}
    assert confirmed <= pairs
    assert ignored not in track
    assert not any({*pair} & {*first.tracks} and {*pair} & {*second.tracks} for pair in pairs)
    assert set(first.tracks) <= set(learned.cast()[first.label].tracks)
    assert learned.manifest.stages["adapt"].inputs.keys() == {"edits"}
    before = learned.manifest.stages["adapt"].finished
    again = runner.run(DEMO, folder, Settings.from_flat(**quick, learn_edits=True))
    assert again.manifest.stages["adapt"].finished == before
