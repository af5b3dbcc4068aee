"""Small networks of every kind, randomly initialised, for the tests of encoders and their files."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from personae.encode.architectures.adaface import AdaFaceIR
from personae.encode.architectures.backbone import Backbone
from personae.encode.architectures.dlib_resnet import DlibResNet
from personae.encode.architectures.inception_resnet import InceptionResnetV1
from personae.encode.architectures.iresnet import IResNet
from personae.encode.architectures.vit import VisionTransformer

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
