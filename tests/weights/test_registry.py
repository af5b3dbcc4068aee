"""The weight files that travel with the package: present, unaltered, described."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.paths import ROOT
from personae.core.errors import WeightsError
from personae.weights import WEIGHTS, weight_file


@pytest.mark.parametrize("name", WEIGHTS)
def test_shipped_file_is_the_one_described(name: str) -> None:
    weight_file(name).verify()


@pytest.mark.parametrize("name", WEIGHTS)
def test_every_weight_has_a_model_card_and_stands_among_the_third_parties(name: str) -> None:
    entry = weight_file(name)
    card = (ROOT / "docs" / "model-cards" / f"{name}.md").read_text()
    third_party = (ROOT / "THIRD-PARTY.md").read_text()
    for text in (card, third_party):
        assert entry.file in text
        assert entry.sha256 in text
        assert entry.licence in text


def test_every_file_in_the_folder_is_described() -> None:
    folder = weight_file("mobilefacenet-192").path().parent
    carried = {path.name for path in folder.iterdir() if path.suffix in {".onnx", ".safetensors"}}
    assert carried == {entry.file for entry in WEIGHTS.values()}


def test_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(WeightsError, match="mobilefacenet-192") as caught:
        weight_file("arcface-nine-thousand")
    assert "retinaface-mobilenet025" in str(caught.value)


@pytest.mark.parametrize("content", [None, b"not the weights"])
def test_missing_or_altered_file_is_reported(content: bytes | None, tmp_path: Path) -> None:
    file = tmp_path / "somewhere.onnx"
    if content is not None:
        file.write_bytes(content)
    entry = dataclasses.replace(
        weight_file("retinaface-mobilenet025"), file=str(file)
    )  # absolute: leaves the folder
    with pytest.raises(WeightsError, match="missing" if content is None else "altered") as caught:
        entry.verify()
    assert "reinstall" in str(caught.value)


def test_the_registry_loads_no_torch() -> None:
    code = (
        "import sys; from personae.weights import weight_file;"
        "weight_file('mobilefacenet-192').verify();"
        "sys.exit(bool({'torch', 'cv2', 'onnxruntime'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_detector_is_a_network_that_runs() -> None:
    import numpy as np
    import onnxruntime as ort

    session = ort.InferenceSession(
        weight_file("retinaface-mobilenet025").path(), providers=["CPUExecutionProvider"]
    )
    outputs = session.run(
        ["loc", "conf", "landmarks"], {"input": np.zeros((2, 3, 64, 96), np.float32)}
    )
    anchors = 2 * (8 * 12 + 4 * 6 + 2 * 3)  # two a cell, strides 8, 16 and 32
    assert [value.shape for value in outputs] == [
        (2, anchors, 4),
        (2, anchors, 2),
        (2, anchors, 10),
    ]


def test_preprocessing_of_a_shipped_network_is_stated_once() -> None:
    from personae.encode import ARCHITECTURES
    from personae.scan.retinaface import MEAN_BGR

    for entry in WEIGHTS.values():
        if entry.role == "encoder":
            assert ARCHITECTURES[entry.name].preprocessing is entry.preprocessing
            assert ARCHITECTURES[entry.name].build().dim == entry.embedding_dim
    assert MEAN_BGR is weight_file("retinaface-mobilenet025").preprocessing.mean
