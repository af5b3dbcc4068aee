"""The recipe of docs/how-to/add-an-encoder.md works as it is written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
import torch

from helpers.docs import code_blocks
from helpers.paths import DOCS
from personae.core.errors import WeightsError
from personae.encode import ARCHITECTURES, load_encoder

NETWORK, REGISTRATION, USE = code_blocks((DOCS / "how-to" / "add-an-encoder.md").read_text())
"""The code of the recipe's three steps."""


@pytest.fixture
def _registered_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Register the recipe's network, and save weights of it as publishers do."""
    monkeypatch.chdir(tmp_path)
    scope: dict[str, object] = {"__name__": "tiny_net"}
    with patch.dict(ARCHITECTURES):
        exec(NETWORK + "\n\n" + REGISTRATION, scope)
        torch.manual_seed(0)
        state = {f"module.{name}": value for name, value in scope["TinyNet"]().state_dict().items()}
        classifier = {"module.classifier.weight": torch.zeros(100, 32)}
        torch.save({"state_dict": state | classifier}, "tiny_net.pth")
        yield


@pytest.mark.usefixtures("_registered_network")
def test_an_encoder_is_added_by_one_file_and_one_line() -> None:
    crops = np.random.default_rng(0).integers(0, 256, (3, 160, 160, 3), np.uint8)
    scope = {"crops": crops}
    exec(USE, scope)
    encoder, embeddings = scope["encoder"], scope["embeddings"]
    assert embeddings.shape == (3, encoder.dim) == (3, 32)
    assert embeddings.dtype == np.float32
    assert np.isfinite(embeddings).all()
    assert np.ptp(embeddings, axis=0).max() > 0

    images = encoder.preprocess(crops)
    assert images.shape == (3, 3, 64, 64)
    reversed_colours = encoder.preprocess(crops[..., ::-1]).flip(1)
    torch.testing.assert_close(images, reversed_colours, msg="BGR is the reverse of RGB")
    tail = {id(p) for part in encoder.module.tail_modules() for p in part.parameters()}
    activations = encoder.forward_trunk(images)
    encoder.module.tail(activations).sum().backward()
    trained = {id(p) for p in encoder.module.parameters() if p.grad is not None}
    assert trained == tail


@pytest.mark.usefixtures("_registered_network")
def test_weights_of_another_network_are_refused() -> None:
    torch.save({"conv1.weight": torch.zeros(1)}, "other.pth")
    with pytest.raises(WeightsError, match=r"does not fit TinyNet \(missing: conv1\.bias"):
        load_encoder("tiny-net", Path("other.pth"))
    with pytest.raises(WeightsError, match="tiny-net needs weights"):
        load_encoder("tiny-net")


def test_the_registration_is_one_line() -> None:
    lines = [line for line in REGISTRATION.splitlines() if line and not line.startswith("from ")]
    assert len(lines) == 1
