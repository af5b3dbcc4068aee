"""The other encoders: tiny variants of each network, their files in every format, and what does not fit."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from personae.core.crops import ARCFACE_TEMPLATE, CROP_MARGIN, CROP_SIZE
from personae.core.errors import WeightsError
from personae.encode.adaface import AdaFaceIR
from personae.encode.architectures import ARCHITECTURES, Architecture
from personae.encode.backbone import Backbone
from personae.encode.checkpoint import fit, load_checkpoint
from personae.encode.dlib_resnet import DlibResNet
from personae.encode.encoder import Encoder, load_encoder
from personae.encode.framing import Framing
from personae.encode.inception_resnet import InceptionResnetV1
from personae.encode.iresnet import IResNet
from personae.encode.vit import VisionTransformer
from personae.weights import default_weights

TINY: dict[str, tuple[Callable[[], Backbone], int]] = {
    "arcface": (lambda: IResNet((1, 2, 1, 1), dim=8, widths=(4, 4, 6, 8)), 112),
    "adaface": (lambda: AdaFaceIR((1, 2, 1, 2), dim=8, widths=(4, 4, 6, 8)), 112),
    "vit": (lambda: VisionTransformer(size=32, patch=8, width=16, layers=3, heads=2, dim=8), 32),
}
LARGE: dict[str, tuple[Callable[[], Backbone], int]] = {
    "inception": (InceptionResnetV1, 160),
    "dlib": (DlibResNet, 150),
}
CONVOLUTIONAL = ("arcface", "adaface")


def trained(name: str, seed: int = 0) -> tuple[Backbone, int]:
    """A network whose normalisations have seen data, so that none is the identity."""
    torch.manual_seed(seed)
    build, size = (TINY | LARGE)[name]
    module = build()
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d | nn.BatchNorm1d):
            nn.init.uniform_(part.running_mean, -0.2, 0.2)
            nn.init.uniform_(part.running_var, 0.5, 2)
            if part.affine:
                nn.init.uniform_(part.weight, 0.5, 1.5)
                nn.init.uniform_(part.bias, -0.2, 0.2)
    return module.eval(), size


def output(module: Backbone, size: int) -> Tensor:
    with torch.no_grad():
        return module(torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(1)))


@pytest.mark.parametrize("name", [*TINY, *LARGE])
def test_a_network_runs_trains_and_keeps_its_seam(name: str) -> None:
    module, size = trained(name)
    images = torch.randn(2, 3, size, size)
    embeddings = module(images)
    assert embeddings.shape == (2, module.dim)
    torch.testing.assert_close(module.tail(module.trunk(images)), embeddings)

    embeddings.square().sum().backward()
    for parameter_name, parameter in module.named_parameters():
        assert parameter.grad is not None, parameter_name
        assert torch.isfinite(parameter.grad).all(), parameter_name

    module.zero_grad(set_to_none=True)
    module.tail(module.trunk(images).detach()).square().sum().backward()
    reached = {n for n, p in module.named_parameters() if p.grad is not None}
    tail = {id(p) for part in module.tail_modules() for p in part.parameters()}
    bare = {"proj"} if name == "vit" else set()  # a bare matrix belongs to no module of its own
    assert reached - bare == {n for n, p in module.named_parameters() if id(p) in tail}


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
        torch.save({"state_dict": {**{f"model.visual.{n}": v for n, v in state.items()}, **other}}, file)
    fresh = trained(name, seed=5)[0]
    assert not torch.allclose(output(fresh, size), output(module, size))
    load_checkpoint(fresh, file, size)
    torch.testing.assert_close(output(fresh, size), output(module, size))


def write_onnx(module: Backbone, size: int, path: Path, fold: bool, keep_names: bool = False) -> None:
    """Write a residual network as exporters do: tensors without names, normalisations folded away."""
    onnx = pytest.importorskip("onnx", reason="the optional package onnx is not installed")
    nodes: list[object] = []
    constants: dict[str, np.ndarray] = {}
    names = {id(value): name for name, value in module.state_dict(keep_vars=True).items()}

    def constant(value: Tensor) -> str:
        name = names[id(value)] if keep_names and id(value) in names else f"onnx::{len(constants)}"
        constants[name] = value.detach().numpy()
        return name

    def node(kind: str, *inputs: str, **settings: object) -> str:
        result = f"/{kind}_{len(nodes)}"
        nodes.append(onnx.helper.make_node(kind, list(inputs), [result], **settings))
        return result

    def norm(x: str, bn: nn.Module) -> str:
        weight = constant(bn.weight) if bn.affine else constant(torch.ones(bn.num_features))
        bias = constant(bn.bias) if bn.affine else constant(torch.zeros(bn.num_features))
        mean, var = constant(bn.running_mean), constant(bn.running_var)
        return node("BatchNormalization", x, weight, bias, mean, var, epsilon=bn.eps)

    def conv(x: str, layer: nn.Conv2d, bn: nn.Module) -> str:
        settings = {
            "kernel_shape": list(layer.kernel_size),
            "strides": list(layer.stride),
            "pads": [layer.padding[0]] * 4,
        }
        if not fold:
            return norm(node("Conv", x, constant(layer.weight), **settings), bn)
        factor = bn.weight / torch.sqrt(bn.running_var + bn.eps)
        weight = layer.weight * factor.view(-1, 1, 1, 1)
        return node("Conv", x, constant(weight), constant(bn.bias - bn.running_mean * factor), **settings)

    def prelu(x: str, layer: nn.PReLU) -> str:
        if not keep_names:
            return node("PRelu", x, constant(layer.weight.view(-1, 1, 1)))
        axes = torch.tensor([1, 2])
        return node("PRelu", x, node("Unsqueeze", constant(layer.weight), constant(axes)))

    def residual(x: str, parts: list[nn.Module], shortcut: nn.Module | None) -> str:
        bn1, conv1, bn2, activation, conv2, bn3 = parts
        other = x
        if isinstance(shortcut, nn.Sequential):
            other = conv(
                x, shortcut[0], shortcut[1]
            )  # before the main branch: order of use differs from torch's
        elif isinstance(shortcut, nn.MaxPool2d) and shortcut.stride != 1:
            other = node("MaxPool", x, kernel_shape=[1, 1], strides=[2, 2])
        y = prelu(conv(norm(x, bn1), conv1, bn2), activation)
        return node("Add", conv(y, conv2, bn3), other)

    if isinstance(module, IResNet):
        x = prelu(conv("input", module.conv1, module.bn1), module.prelu)
        for layer in (module.layer1, module.layer2, module.layer3, module.layer4):
            for b in layer:
                x = residual(x, [b.bn1, b.conv1, b.bn2, b.prelu, b.conv2, b.bn3], b.downsample)
        last, linear, final = module.bn2, module.fc, module.features
    else:
        x = prelu(conv("input", module.input_layer[0], module.input_layer[1]), module.input_layer[2])
        for b in module.body:
            x = residual(x, list(b.res_layer), b.shortcut_layer)
        last, linear, final = module.output_layer[0], module.output_layer[3], module.output_layer[4]
    x = node("Flatten", norm(x, last))
    x = norm(node("Gemm", x, constant(linear.weight), constant(linear.bias), transB=1), final)
    info = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        nodes,
        "network",
        [info("input", onnx.TensorProto.FLOAT, [1, 3, size, size])],
        [info(x, onnx.TensorProto.FLOAT, [1, module.dim])],
        [onnx.numpy_helper.from_array(np.ascontiguousarray(v), n) for n, v in constants.items()],
    )
    opset = onnx.helper.make_opsetid("", 17)
    onnx.save(onnx.helper.make_model(graph, opset_imports=[opset], ir_version=9), path)


@pytest.mark.parametrize("name", CONVOLUTIONAL)
@pytest.mark.parametrize("fold", [False, True], ids=["plain", "folded"])
def test_an_onnx_file_with_anonymous_tensors_loads(name: str, fold: bool, tmp_path: Path) -> None:
    module, size = trained(name)
    write_onnx(module, size, tmp_path / "network.onnx", fold)
    fresh = trained(name, seed=5)[0]
    load_checkpoint(fresh, tmp_path / "network.onnx", size)
    torch.testing.assert_close(output(fresh, size), output(module, size), atol=1e-4, rtol=1e-4)


def test_an_onnx_file_that_kept_its_names_loads(tmp_path: Path) -> None:
    module, size = trained("arcface")
    write_onnx(module, size, tmp_path / "network.onnx", fold=False, keep_names=True)
    fresh = trained("arcface", seed=5)[0]
    load_checkpoint(fresh, tmp_path / "network.onnx", size)
    torch.testing.assert_close(output(fresh, size), output(module, size), atol=1e-4, rtol=1e-4)


def test_an_onnx_file_of_another_depth_or_kind_is_refused(tmp_path: Path) -> None:
    module, size = trained("arcface")
    write_onnx(module, size, tmp_path / "network.onnx", fold=True)
    deeper = IResNet((1, 2, 2, 1), dim=8, widths=(4, 4, 6, 8))
    with pytest.raises(WeightsError, match=r"no layer for layer3\.1"):
        load_checkpoint(deeper, tmp_path / "network.onnx", size)
    shallower = IResNet((1, 1, 1, 1), dim=8, widths=(4, 4, 6, 8))
    with pytest.raises(WeightsError, match="layers too many"):
        load_checkpoint(shallower, tmp_path / "network.onnx", size)
    # The same layers, wired otherwise: AdaFace subsamples where ArcFace convolves.
    other = AdaFaceIR((1, 2, 1, 1), dim=8, widths=(4, 5, 6, 8))
    with pytest.raises(WeightsError):
        load_checkpoint(other, tmp_path / "network.onnx", size)


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
        load_checkpoint(trained("arcface", seed=5)[0], tmp_path / "network.onnx", size)


def test_one_error_lists_all_that_does_not_fit() -> None:
    module, _ = trained("arcface")
    state = {name: value.clone() for name, value in module.state_dict().items()}
    del state["layer2.0.conv1.weight"]
    state["fc.weight"] = torch.zeros(3, 3)
    state["margin.kernel"] = torch.zeros(2)
    with pytest.raises(WeightsError) as caught:
        fit(module, state, "some.pth")
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
def test_unreadable_files_are_reported_by_name(file: str, content: bytes | None, tmp_path: Path) -> None:
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
    load_checkpoint(fresh, tmp_path / "network.dat", 150)
    torch.testing.assert_close(output(fresh, 150), output(module, 150))


def test_tokens_are_open_for_masked_image_modelling() -> None:
    module, size = trained("vit")
    assert isinstance(module, VisionTransformer)
    images = torch.randn(2, 3, size, size)
    patches = module.patches(images)
    tokens = module.tokens(patches)
    assert patches.shape == (2, 16, 16)
    assert tokens.shape == (2, 17, 16)
    torch.testing.assert_close(tokens[:, 0] @ module.proj, module(images))
    masked = patches.clone()
    masked[:, 3] = 0
    assert not torch.allclose(module.tokens(masked)[:, 4], tokens[:, 4])


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_network_sees_the_face_where_it_expects_it(name: str) -> None:
    """Dots drawn at the template's landmarks must arrive at the network's landmarks."""
    spec = ARCHITECTURES[name]
    scale = spec.input_size / 112
    expected = np.array(spec.landmarks) if spec.landmarks else (ARCFACE_TEMPLATE + 0.5) * scale - 0.5
    rows, columns = np.mgrid[:CROP_SIZE, :CROP_SIZE]
    framing = Framing.of(spec)
    for (x, y), (x_there, y_there) in zip(ARCFACE_TEMPLATE + CROP_MARGIN, expected, strict=True):
        dot = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 8).astype(np.float32)
        seen = framing.cut(torch.from_numpy(dot).expand(1, 3, -1, -1))[0, 0].numpy()
        down, across = np.mgrid[: spec.input_size, : spec.input_size]
        centre = (seen * across).sum() / seen.sum(), (seen * down).sum() / seen.sum()
        # Another template is met by scale and shift alone, so its five points only nearly.
        assert np.hypot(centre[0] - x_there, centre[1] - y_there) < (4 if spec.landmarks else 0.1)


def test_bgr_networks_get_bgr() -> None:
    build, _ = TINY["adaface"]
    spec = Architecture(build, channels="BGR")
    encoder = Encoder("tiny", build(), spec, "cpu", "")
    red = np.zeros((1, 112, 112, 3), np.uint8)
    red[..., 0] = 255
    images = encoder.prepare(red)
    assert images[0, 2].min() == 1
    assert images[0, :2].max() == -1


def test_published_sizes() -> None:
    """Parameter counts as the publications and packages give them."""
    counts = {
        "arcface-r50": 43.6e6,
        "arcface-r100": 65.2e6,
        "farl-b16": 86.2e6,
        "facenet-inception-v1": 23.5e6,
        "dlib-resnet-128": 5.61e6,
        "mobilefacenet-192": 1.29e6,
    }
    for name, count in counts.items():
        with torch.device("meta"):
            module = ARCHITECTURES[name].build()
        assert sum(p.numel() for p in module.parameters()) == pytest.approx(count, rel=0.005), name


def test_encoders_without_weights_say_where_to_get_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PERSONAE_WEIGHTS", str(tmp_path))
    with pytest.raises(WeightsError, match=r"--weights FILE.*non-commercial"):
        load_encoder("arcface-r100")
    with pytest.raises(WeightsError, match="--weights FILE"):
        load_encoder("farl-b16")


def test_dlibs_weights_are_found_in_their_package_and_checked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delitem(sys.modules, "face_recognition_models", raising=False)
    monkeypatch.setattr("sys.path", [str(tmp_path)])
    with pytest.raises(WeightsError, match=r"personae\[dlib-weights\]"):
        default_weights("dlib-resnet-128")
    models = tmp_path / "face_recognition_models" / "models"
    models.mkdir(parents=True)
    (models.parent / "__init__.py").write_text("raise ImportError('this package needs pkg_resources')")
    (models / "dlib_face_recognition_resnet_model_v1.dat").write_bytes(b"another network")
    with pytest.raises(WeightsError, match="not dlib's published network"):
        default_weights("dlib-resnet-128")


def test_fetched_weights_are_taken_without_naming_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PERSONAE_WEIGHTS", str(tmp_path))
    (tmp_path / "w600k_r50.onnx").write_bytes(b"")
    assert default_weights("arcface-r50") == tmp_path / "w600k_r50.onnx"
