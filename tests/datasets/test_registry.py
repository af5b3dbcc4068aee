"""Names of data sets and the registry of kinds."""

from __future__ import annotations

import pytest

from personae.core.errors import SettingError
from personae.datasets import DATASETS, load_dataset
from personae.datasets.spec import parse_spec


def test_name_is_parsed_into_kind_files_and_options():
    spec = parse_spec("bbt:a.npz,b.ids,c?cast=main&width=720")
    assert (spec.kind, [str(path) for path in spec.paths]) == ("bbt", ["a.npz", "b.ids", "c"])
    assert spec.get_option("width", 1024.0) == 720.0
    assert spec.get_choice("cast", ("all", "main")) == "main"
    assert parse_spec("demo").paths == ()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("nothing:x", "no kind of data 'nothing'"),
        ("features", "write features:FILE.npz"),
        ("features:gone.npz", "there is no gone.npz"),
        ("demo?speed=2", "it has none"),
        ("simulated?noise=loud", "noise should be a number"),
        ("simulated?people", "write options as"),
        ("simulated?people=0", "at least one person"),
        ("simulated?dim=1", "dim should be at least 2"),
        ("simulated?cast=main", "no option 'cast'"),
    ],
)
def test_unreadable_name_raises_one_sentence(text, says, context):
    with pytest.raises(SettingError, match=says) as caught:
        load_dataset(text, context)
    assert "\n" not in str(caught.value)


def test_every_registered_kind_has_a_reader():
    for kind in DATASETS.values():
        assert callable(kind.reader())
