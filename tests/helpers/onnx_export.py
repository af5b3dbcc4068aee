"""Writes residual networks as ONNX files, the ways exporters do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from personae.encode.architectures.backbone import Backbone
from personae.encode.architectures.iresnet import IResNet


def write_onnx(
    module: Backbone, size: int, path: Path, fold: bool, keep_names: bool = False
) -> None:
    """Write a residual network as exporters do: unnamed tensors, folded normalisations."""
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
        return node(
            "Conv", x, constant(weight), constant(bn.bias - bn.running_mean * factor), **settings
        )

    def prelu(x: str, layer: nn.PReLU) -> str:
        if not keep_names:
            return node("PRelu", x, constant(layer.weight.view(-1, 1, 1)))
        axes = torch.tensor([1, 2])
        return node("PRelu", x, node("Unsqueeze", constant(layer.weight), constant(axes)))

    def residual(x: str, parts: list[nn.Module], shortcut: nn.Module | None) -> str:
        bn1, conv1, bn2, activation, conv2, bn3 = parts
        other = x
        if isinstance(shortcut, nn.Sequential):
            # before the main branch: order of use differs from torch's
            other = conv(x, shortcut[0], shortcut[1])
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
        x = prelu(
            conv("input", module.input_layer[0], module.input_layer[1]), module.input_layer[2]
        )
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
