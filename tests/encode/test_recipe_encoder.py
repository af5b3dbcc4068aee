"""The recipe of docs/how-to/add-an-encoder.md works as it is written."""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from helpers.paths import DOCS
from personae.core.errors import WeightsError
from personae.encode import ARCHITECTURES, load_encoder

NETWORK, REGISTRATION, USE = re.findall(
    r"^```python\n(.*?)^```$",
    (DOCS / "how-to" / "add-an-encoder.md").read_text(),
    re.MULTILINE | re.DOTALL,
)
"""The code of the recipe's three steps."""


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a file that adds the network and the weights of one, saved as publishers do."""
    (tmp_path / "tiny_net.py").write_text(NETWORK + "\n\n" + REGISTRATION)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    known = dict(ARCHITECTURES)
    module = importlib.import_module("tiny_net")
    torch.manual_seed(0)
    state = {f"module.{name}": value for name, value in module.TinyNet().state_dict().items()}
    classifier = {"module.classifier.weight": torch.zeros(100, 32)}
    torch.save({"state_dict": state | classifier}, "tiny_net.pth")
    yield tmp_path
    ARCHITECTURES.clear()
    ARCHITECTURES.update(known)
    del sys.modules["tiny_net"]


def test_an_encoder_is_added_by_one_file_and_one_line(plugin: Path) -> None:
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


def test_weights_of_another_network_are_refused(plugin: Path) -> None:
    torch.save({"conv1.weight": torch.zeros(1)}, "other.pth")
    with pytest.raises(WeightsError, match=r"does not fit TinyNet \(missing: conv1\.bias"):
        load_encoder("tiny-net", Path("other.pth"))
    with pytest.raises(WeightsError, match="tiny-net needs weights"):
        load_encoder("tiny-net")


def test_the_registration_is_one_line() -> None:
    lines = [line for line in REGISTRATION.splitlines() if line and not line.startswith("from ")]
    assert len(lines) == 1
