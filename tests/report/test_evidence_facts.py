"""The report says what told people apart."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.cast import cast
from helpers.dressed_cast import dress
from helpers.fake_film import NamedProject, fake_film
from helpers.html_page import Page, report_page
from personae.cluster.calibrated_linkage import CalibratedLinkage
from personae.report.evidence_facts import collect_evidence_facts

FACTS: dict[str, object] = {
    "share_of_pairs_of_one_person": 0.178,
    "face_scores": [
        {"name": "base", "weight": 0.027, "expected_error": 0.0282, "validation_auc": 0.951},
        {
            "name": "iteration 5",
            "weight": 0.973,
            "expected_error": 0.0025,
            "validation_auc": None,
        },
    ],
    "pair_cues": [
        {"name": "shot threads", "pairs": 849, "mean_absolute_log_odds": 0.59},
        {"name": "clothes", "pairs": 0, "mean_absolute_log_odds": 0.0},
    ],
}


def film_with(facts: dict[str, object], folder: Path) -> NamedProject:
    project = fake_film(folder / "f")
    record = project.require("cluster").model_copy(update={"facts": facts})
    project.add_record("cluster", record, project.source)
    return project


def row_starting(page: Page, title: str) -> str:
    (row,) = (text for text in page.texts["tr"] if text.strip().startswith(title))
    return " ".join(row.removeprefix(title).split())


def test_the_run_section_says_what_told_people_apart(tmp_path: Path) -> None:
    page = report_page(film_with(FACTS, tmp_path))
    assert "What told people apart" in page.texts["h3"]
    shipped = row_starting(page, "Face, by the network as shipped")
    learned = row_starting(page, "Face, as learned by iteration 5")
    assert shipped == "3 %2.8 % of pairs95.1 %"
    assert learned == "97 %0.2 % of pairstoo few sure pairs"
    assert row_starting(page, "Shot threads") == "8491.8", "849 pairs, exp(0.59)"
    assert row_starting(page, "Clothes") == "0"


def test_what_is_in_the_table_is_not_among_the_facts_of_the_stage(tmp_path: Path) -> None:
    page = report_page(film_with(FACTS, tmp_path))
    facts = row_starting(page, "cluster")
    assert "share of pairs of one person 0.178" in facts
    assert "face scores" not in facts
    assert "pair cues" not in facts


@pytest.mark.parametrize("facts", [{}, {"characters": 3}])
def test_methods_that_do_not_say_have_no_such_table(
    facts: dict[str, object], tmp_path: Path
) -> None:
    page = report_page(film_with(facts, tmp_path))
    assert "What told people apart" not in page.texts["h3"]
    assert collect_evidence_facts(None) is None


def test_facts_of_the_default_method_can_be_shown(tmp_path: Path) -> None:
    tracks, person = cast([6, 5, 4])
    facts = CalibratedLinkage().cluster(dress(tracks, person), None).facts
    page = report_page(film_with(facts, tmp_path))
    assert row_starting(page, "Face, by the network as shipped").startswith("100 %")
    (clothes,) = (one for one in facts["pair_cues"] if one["name"] == "clothes")
    assert clothes["pairs"] > 50
    assert row_starting(page, "Clothes").startswith(str(clothes["pairs"]))
