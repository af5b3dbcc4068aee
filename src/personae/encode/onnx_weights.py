"""Weights from an ONNX file, whose export may have renamed tensors and folded normalisations."""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from personae.core.arrays import Float32Array
from personae.core.errors import WeightsError
from personae.encode.architectures.backbone import Backbone

Tensors = dict[str, Float32Array]
"""The tensors of one layer, named as in torch: weight, bias, running_mean, running_var."""

MIN_OUTPUT_COSINE = 0.9999
"""Cosine of a graph's and a network's embedding above which both compute the same."""

_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)


@dataclass
class Layer:
    """A layer of the graph with weights."""

    tensors: Tensors

    norm: Tensors | None = None
    """The batch normalisation after a convolution; None where there is none."""


Layers = dict[tuple[object, ...], deque[Layer]]
"""Layers by kind and shape, each in the order in which the graph uses them."""


def read_onnx(path: Path, module: Backbone, input_size: int) -> dict[str, Tensor]:
    """Read a graph's tensors under the network's names.

    Where the file has kept the names, its tensors are returned as they are. Otherwise the layers
    are matched in the order of use, each with the next one of its kind and shape. Where the graph
    has folded a batch normalisation into a convolution, the network's only adds the bias that the
    fold has left.

    Args:
        path: The ONNX file.
        module: The network.
        input_size: Side of the network's input in pixels.

    Raises:
        WeightsError: The file is not readable, or its layers are not the network's.
    """
    try:
        import onnx
    except ImportError:
        raise WeightsError(
            "Reading ONNX weights needs the package onnx: pip install 'personae[onnx]'."
        ) from None
    try:
        graph = onnx.load(path).graph
    except Exception as error:  # protobuf's own errors share no base class with onnx's
        raise WeightsError(f"{path} is no readable ONNX file ({error}).") from error
    constants = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}
    wanted = [name for name in module.state_dict() if not name.endswith("num_batches_tracked")]
    if all(name in constants for name in wanted):
        return {name: torch.from_numpy(constants[name].copy()) for name in wanted}
    return _match_layers(_collect_layers(graph, constants), module, input_size, path)


def outputs_agree(path: Path, module: Backbone, input_size: int) -> bool:
    """Return whether the graph's and the network's embeddings of a random image agree.

    They do where their cosine similarity exceeds `MIN_OUTPUT_COSINE`.
    """
    import onnxruntime as ort

    session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    image = (
        np.random.default_rng(0).uniform(-1, 1, (1, 3, input_size, input_size)).astype(np.float32)
    )
    outputs = session.run(None, {session.get_inputs()[0].name: image})
    expected = next((value for value in outputs if value.shape == (1, module.dim)), None)
    if expected is None:
        return False
    training = module.training
    with torch.no_grad():
        found = module.eval()(torch.from_numpy(image))
    module.train(training)
    cosine = torch.nn.functional.cosine_similarity(found, torch.from_numpy(expected))
    return bool(cosine > MIN_OUTPUT_COSINE)


def _collect_layers(graph: Any, constants: Tensors) -> Layers:
    """Collect the graph's layers with weights by kind and shape."""
    import onnx

    found: Layers = defaultdict(deque)
    convolved: dict[str, Layer] = {}  # by the name of the output
    for node in graph.node:
        settings = {item.name: onnx.helper.get_attribute_value(item) for item in node.attribute}
        if node.op_type == "Constant" and "value" in settings:
            constants[node.output[0]] = onnx.numpy_helper.to_array(settings["value"])
        elif node.op_type == "Identity" and node.input[0] in constants:
            constants[node.output[0]] = constants[node.input[0]]
        values = [constants[name] for name in node.input[1:] if name in constants]
        if not values or len(values) < len(node.input) - 1:
            continue
        tensors = dict(zip(("weight", "bias"), values, strict=False))
        if node.op_type == "Conv":
            convolved[node.output[0]] = layer = Layer(tensors)
            found[("conv", *values[0].shape)].append(layer)
        elif node.op_type == "BatchNormalization":
            variance = values[3] + np.float32(settings.get("epsilon", 1e-5))
            tensors |= {"running_mean": values[2], "running_var": variance}
            before = convolved.get(node.input[0])
            if before is not None:
                before.norm = tensors
            else:
                found[("norm", values[0].size)].append(Layer(tensors))
        elif node.op_type == "Gemm":
            if not settings.get("transB"):
                tensors["weight"] = tensors["weight"].T
            found[("linear", *tensors["weight"].shape)].append(Layer(tensors))
        elif node.op_type == "PRelu":
            found[("prelu", values[0].size)].append(Layer({"weight": values[0].reshape(-1)}))
    return found


def _match_layers(
    layers: Layers, module: Backbone, input_size: int, path: Path
) -> dict[str, Tensor]:
    """Return the graph's tensors under the network's names, matched layer by layer."""
    named: dict[str, Tensor] = {}
    following: Tensors | None = None  # for the normalisation after the last convolution
    for name, part in _layers_in_order_of_use(module, input_size):
        kind = _kind_and_shape(part)
        if isinstance(part, _NORMS) and following is not None:
            tensors, following = following, None
        elif layers[kind]:
            layer = layers[kind].popleft()
            tensors = layer.tensors
            if isinstance(part, nn.Conv2d) and part.bias is None:
                no_bias = np.zeros(part.out_channels, np.float32)
                following = layer.norm or _bias_only_norm(layer.tensors.get("bias", no_bias))
        else:
            raise WeightsError(
                f"{path} does not fit {type(module).__name__} (it has no layer for {name})."
            )
        if isinstance(part, _NORMS):
            tensors = {**tensors, "running_var": tensors["running_var"] - np.float32(part.eps)}
        for own in part.state_dict():
            if own in tensors:
                named[f"{name}.{own}"] = torch.from_numpy(np.array(tensors[own], np.float32))
    left = sum(len(queue) for queue in layers.values())
    if left:
        raise WeightsError(
            f"{path} does not fit {type(module).__name__} (it has {left} layers too many)."
        )
    return named


def _bias_only_norm(bias: Float32Array) -> Tensors:
    """Return a batch normalisation that only adds a bias, as folding leaves it."""
    ones = np.ones_like(bias)
    return {"weight": ones, "bias": bias, "running_mean": 0 * ones, "running_var": ones}


def _kind_and_shape(part: nn.Module) -> tuple[object, ...]:
    """Return the key of a layer in `Layers`."""
    if isinstance(part, nn.Conv2d):
        return ("conv", *part.weight.shape)
    if isinstance(part, nn.Linear):
        return ("linear", *part.weight.shape)
    if isinstance(part, nn.PReLU):
        return ("prelu", part.num_parameters)
    if isinstance(part, _NORMS):
        return ("norm", part.num_features)
    return ("other", type(part).__name__)


def _layers_in_order_of_use(module: Backbone, input_size: int) -> list[tuple[str, nn.Module]]:
    """Return the network's layers with weights in the order in which a forward pass uses them."""
    reached: list[tuple[str, nn.Module]] = []
    handles = [
        part.register_forward_hook(lambda part, _, __, name=name: reached.append((name, part)))
        for name, part in module.named_modules()
        if not list(part.children()) and list(part.state_dict())
    ]
    training = module.training
    with torch.no_grad():
        module.eval()(torch.zeros(1, 3, input_size, input_size))
    module.train(training)
    for handle in handles:
        handle.remove()
    return reached
