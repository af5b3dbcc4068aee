"""Weight files in every format fit their network, or say in one sentence why not."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from helpers.onnx_export import write_onnx
from helpers.tiny_networks import CONVOLUTIONAL, TINY, output, trained
from personae.core.errors import WeightsError
from personae.encode.architectures.adaface import AdaFaceIR
from personae.encode.architectures.dlib_resnet import DlibResNet
from personae.encode.architectures.iresnet import IResNet
from personae.encode.checkpoint import load_tensors, load_weights
from personae.encode.encoder import load_encoder


@pytest.mark.parametrize("name", TINY)
@pytest.mark.parametrize("form", [".safetensors", ".pth", "nested.pth", ".ckpt"])
def test_a_file_of_each_format_loads(name: str, form: str, tmp_path: Path) -> None:
    module, size = trained(name)
    state = module.state_dict()
    file = tmp_path / f"weights{form}"
    if form == ".safetensors":
        save_file(state, file)
    elif form == ".pth":
        torch.save(state, file)
    elif form == "nested.pth":
        torch.save({"epoch": 3, "state_dict": {f"module.{n}": v for n, v in state.items()}}, file)
    else:  # the network is one part of what was trained
        other = {"head.kernel": torch.zeros(8, 100), "logit_scale": torch.zeros(())}
        torch.save(
            {"state_dict": {**{f"model.visual.{n}": v for n, v in state.items()}, **other}}, file
        )
    fresh = trained(name, seed=5)[0]
    assert not torch.allclose(output(fresh, size), output(module, size))
    load_weights(fresh, file, size)
    torch.testing.assert_close(output(fresh, size), output(module, size))


@pytest.mark.parametrize("name", CONVOLUTIONAL)
@pytest.mark.parametrize("fold", [False, True], ids=["plain", "folded"])
def test_an_onnx_file_with_anonymous_tensors_loads(name: str, fold: bool, tmp_path: Path) -> None:
    module, size = trained(name)
    write_onnx(module, size, tmp_path / "network.onnx", fold)
    fresh = trained(name, seed=5)[0]
    load_weights(fresh, tmp_path / "network.onnx", size)
    torch.testing.assert_close(output(fresh, size), output(module, size), atol=1e-4, rtol=1e-4)


def test_an_onnx_file_that_kept_its_names_loads(tmp_path: Path) -> None:
    module, size = trained("arcface")
    write_onnx(module, size, tmp_path / "network.onnx", fold=False, keep_names=True)
    fresh = trained("arcface", seed=5)[0]
    load_weights(fresh, tmp_path / "network.onnx", size)
    torch.testing.assert_close(output(fresh, size), output(module, size), atol=1e-4, rtol=1e-4)


def test_an_onnx_file_of_another_depth_or_kind_is_refused(tmp_path: Path) -> None:
    module, size = trained("arcface")
    write_onnx(module, size, tmp_path / "network.onnx", fold=True)
    deeper = IResNet((1, 2, 2, 1), dim=8, widths=(4, 4, 6, 8))
    with pytest.raises(WeightsError, match=r"no layer for layer3\.1"):
        load_weights(deeper, tmp_path / "network.onnx", size)
    shallower = IResNet((1, 1, 1, 1), dim=8, widths=(4, 4, 6, 8))
    with pytest.raises(WeightsError, match="layers too many"):
        load_weights(shallower, tmp_path / "network.onnx", size)
    # The same layers, wired otherwise: AdaFace subsamples where ArcFace convolves.
    other = AdaFaceIR((1, 2, 1, 1), dim=8, widths=(4, 5, 6, 8))
    with pytest.raises(WeightsError):
        load_weights(other, tmp_path / "network.onnx", size)


def test_an_onnx_file_that_computes_something_else_is_refused(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx", reason="the optional package onnx is not installed")
    module, size = trained("arcface")
    write_onnx(module, size, tmp_path / "network.onnx", fold=True)
    altered = onnx.load(tmp_path / "network.onnx")
    for node in altered.graph.node:
        if node.op_type == "Add":
            node.op_type = "Sub"
    onnx.save(altered, tmp_path / "network.onnx")
    with pytest.raises(WeightsError, match="computes something else"):
        load_weights(trained("arcface", seed=5)[0], tmp_path / "network.onnx", size)


def test_one_error_lists_all_that_does_not_fit() -> None:
    module, _ = trained("arcface")
    state = {name: value.clone() for name, value in module.state_dict().items()}
    del state["layer2.0.conv1.weight"]
    state["fc.weight"] = torch.zeros(3, 3)
    state["margin.kernel"] = torch.zeros(2)
    with pytest.raises(WeightsError) as caught:
        load_tensors(module, state, "some.pth")
    text = str(caught.value)
    assert "some.pth" in text
    assert "missing: layer2.0.conv1.weight" in text
    assert "unexpected: margin.kernel" in text
    assert "fc.weight is (3, 3), not (8, 392)" in text


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("gone.pth", None),
        ("weights.h5", b"x"),
        ("weights.pth", b"no torch file"),
        ("weights.safetensors", b"no safetensors file"),
        ("weights.dat", b"\x01\x02no dlib file"),
        ("weights.onnx", b"no onnx file"),
    ],
)
def test_unreadable_files_are_reported_by_name(
    file: str, content: bytes | None, tmp_path: Path
) -> None:
    if file.endswith(".onnx"):
        pytest.importorskip("onnx", reason="the optional package onnx is not installed")
    if content is not None:
        (tmp_path / file).write_bytes(content)
    with pytest.raises(WeightsError, match=file.replace(".", r"\.")):
        load_encoder("dlib-resnet-128", tmp_path / file)


def test_a_file_that_would_run_code_is_refused(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, ...]:
            return (Path.touch, (tmp_path / "sprung",))

    torch.save({"state_dict": {}, "trap": Trap()}, tmp_path / "weights.pth")
    with pytest.raises(WeightsError, match="cannot be read safely"):
        load_encoder("arcface-r18", tmp_path / "weights.pth")
    assert not (tmp_path / "sprung").exists()


def test_dlibs_file_is_read(tmp_path: Path) -> None:
    """Write the published layout from its description, with decoys, and read it back."""
    torch.manual_seed(0)
    module = DlibResNet().eval()

    def serialised(*parts: Tensor) -> bytes:
        values = torch.cat([part.detach().flatten() for part in parts]).numpy().astype("<f4")
        count = len(values).to_bytes(3, "little")
        return b"\x01\x02" + b"\x03" + count + b"\x01\x01" * 3 + values.tobytes()

    content = b"\x01\x02\x01\x04\x01\x01\x01\x01\x01\x01" + bytes(16)  # a small tensor of no layer
    content += serialised(module.conv.weight, module.conv.bias) + b"conv"
    content += serialised(module.affine.gamma, module.affine.beta) + b"\x01\x02"
    for block in module.blocks:
        for conv, affine in ((block.conv1, block.affine1), (block.conv2, block.affine2)):
            content += serialised(conv.weight, conv.bias) + serialised(affine.gamma, affine.beta)
    content += serialised(module.fc.weight.T)
    (tmp_path / "network.dat").write_bytes(content)
    fresh = DlibResNet().eval()
    load_weights(fresh, tmp_path / "network.dat", 150)
    torch.testing.assert_close(output(fresh, 150), output(module, 150))
