"""The state of a project folder, as `personae status` shows it."""

from __future__ import annotations

import json
import shutil

from helpers.fake_stages import FAKE_STAGES
from personae.pipeline.runner import run
from personae.pipeline.stages import ClusterStage
from personae.pipeline.status import judge_stages, status_as_dict
from personae.project import Project


def test_a_stage_of_another_version_is_stale(fake_video, monkeypatch):
    project = run(fake_video, stages=FAKE_STAGES)
    assert {state.condition for state in judge_stages(project)} == {"finished"}
    monkeypatch.setattr(ClusterStage, "version", ClusterStage.version + 1)
    state = next(state for state in judge_stages(project) if state.stage == "cluster")
    assert state.condition == "stale"
    assert "differently" in state.why


def test_status_as_plain_data(fake_video):
    found = status_as_dict(run(fake_video, stages=FAKE_STAGES))
    json.dumps(found)
    assert found["film"] == str(fake_video)
    assert found["film_present"]
    assert [stage["state"] for stage in found["stages"]] == ["finished"] * 5
    shutil.move(fake_video, fake_video.with_name("b.mp4"))
    opened = Project.open(fake_video.with_suffix(".personae"))
    assert not status_as_dict(opened)["film_present"]
