"""The recipe of docs/how-to/add-a-clustering-method.md works as it is written."""

from __future__ import annotations

from collections.abc import Iterator
from unittest.mock import patch

import numpy as np
import pytest

from helpers.cast import cast, no_tracks, partition
from helpers.docs import code_blocks
from helpers.paths import DOCS
from personae.cluster import METHODS, check_method, cluster_tracks
from personae.core.config import ClusterConfig
from personae.core.errors import SettingError

METHOD, ENTRY, USE = code_blocks((DOCS / "how-to" / "add-a-clustering-method.md").read_text())
"""The code of the recipe's three steps."""


@pytest.fixture
def recipe() -> Iterator[dict[str, object]]:
    """Run the first two steps; what they define."""
    scope: dict[str, object] = {}
    with patch.dict(METHODS):
        exec(METHOD, scope)
        exec(ENTRY, scope)
        yield scope


def test_method_is_added_by_one_class_and_one_entry(recipe: dict[str, object]) -> None:
    tracks, person = cast([6, 4, 3, 1])
    alone = np.flatnonzero(person == 3)
    scope = {**recipe, "tracks": tracks}
    exec(USE, scope)
    labels = scope["labels"]
    assert isinstance(labels, np.ndarray)
    assert labels.dtype == np.int64
    assert labels[alone].tolist() == [-1]
    assert partition(labels) == partition(np.where(person == 3, -1, person))
    clustering = cluster_tracks(tracks, None, ClusterConfig(method="density"))
    np.testing.assert_array_equal(clustering.labels, labels)
    assert cluster_tracks(no_tracks(), None, ClusterConfig(method="density")).labels.shape == (0,)


@pytest.mark.usefixtures("recipe")
def test_added_method_refuses_hints_that_its_entry_does_not_name() -> None:
    check_method(ClusterConfig(method="density"))
    with pytest.raises(SettingError, match="'density' takes no num_people"):
        check_method(ClusterConfig(method="density", num_people=3))
