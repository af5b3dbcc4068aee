"""Inception-ResNet-v1 for faces, with the tensor names of facenet-pytorch's checkpoints.

Source:
    Szegedy et al.: "Inception-v4, Inception-ResNet and the Impact of Residual Connections on
    Learning", AAAI 2017; Schroff, Kalenichenko, Philbin: "FaceNet", CVPR 2015.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from personae.encode.architectures.backbone import Backbone

KernelSize = int | tuple[int, int]


class BasicConv2d(nn.Module):
    """Convolution, batch normalisation, ReLU."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: KernelSize,
        stride: int = 1,
        padding: KernelSize = 0,
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(outputs, eps=0.001)

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, in, H, W) to (n, out, H', W')."""
        return F.relu(self.bn(self.conv(x)))


class Residual(nn.Module):
    """Parallel branches, joined by a 1x1 convolution, scaled and added to the input."""

    def __init__(
        self, width: int, scale: float, *branches: nn.Module, joined: int, relu: bool = True
    ) -> None:
        super().__init__()
        self.scale = scale
        self.relu = relu
        self.count = len(branches)
        for i, branch in enumerate(branches):
            self.add_module(f"branch{i}", branch)
        self.conv2d = nn.Conv2d(joined, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, width, H, W) to the same shape."""
        y = self.conv2d(torch.cat([getattr(self, f"branch{i}")(x) for i in range(self.count)], 1))
        y = y * self.scale + x
        return F.relu(y) if self.relu else y


def block35() -> Residual:
    """Build the block of the 17x17 grid (35x35 in the paper): 256 channels."""
    return Residual(
        256,
        0.17,
        BasicConv2d(256, 32, 1),
        nn.Sequential(BasicConv2d(256, 32, 1), BasicConv2d(32, 32, 3, padding=1)),
        nn.Sequential(
            BasicConv2d(256, 32, 1),
            BasicConv2d(32, 32, 3, padding=1),
            BasicConv2d(32, 32, 3, padding=1),
        ),
        joined=96,
    )


def block17() -> Residual:
    """Build the block of the 8x8 grid (17x17 in the paper): 896 channels."""
    return Residual(
        896,
        0.10,
        BasicConv2d(896, 128, 1),
        nn.Sequential(
            BasicConv2d(896, 128, 1),
            BasicConv2d(128, 128, (1, 7), padding=(0, 3)),
            BasicConv2d(128, 128, (7, 1), padding=(3, 0)),
        ),
        joined=256,
    )


def block8(scale: float = 0.20, relu: bool = True) -> Residual:
    """Build the block of the 3x3 grid (8x8 in the paper): 1792 channels."""
    return Residual(
        1792,
        scale,
        BasicConv2d(1792, 192, 1),
        nn.Sequential(
            BasicConv2d(1792, 192, 1),
            BasicConv2d(192, 192, (1, 3), padding=(0, 1)),
            BasicConv2d(192, 192, (3, 1), padding=(1, 0)),
        ),
        joined=384,
        relu=relu,
    )


class Reduction(nn.Module):
    """Parallel branches that halve the grid; their channels are concatenated."""

    def __init__(self, *branches: nn.Module) -> None:
        super().__init__()
        self.count = len(branches)
        for i, branch in enumerate(branches):
            self.add_module(f"branch{i}", branch)

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, in, H, W) to (n, out, H / 2, W / 2)."""
        return torch.cat([getattr(self, f"branch{i}")(x) for i in range(self.count)], 1)


class InceptionResnetV1(Backbone):
    """FaceNet's network: (n, 3, 160, 160) -> (n, 512), not L2-normalised."""

    ignored_prefixes = ("logits.",)  # the classifier it was trained with

    def __init__(self) -> None:
        super().__init__()
        self.dim = 512
        self.conv2d_1a = BasicConv2d(3, 32, 3, stride=2)
        self.conv2d_2a = BasicConv2d(32, 32, 3)
        self.conv2d_2b = BasicConv2d(32, 64, 3, padding=1)
        self.maxpool_3a = nn.MaxPool2d(3, 2)
        self.conv2d_3b = BasicConv2d(64, 80, 1)
        self.conv2d_4a = BasicConv2d(80, 192, 3)
        self.conv2d_4b = BasicConv2d(192, 256, 3, stride=2)
        self.repeat_1 = nn.Sequential(*(block35() for _ in range(5)))
        self.mixed_6a = Reduction(
            BasicConv2d(256, 384, 3, stride=2),
            nn.Sequential(
                BasicConv2d(256, 192, 1),
                BasicConv2d(192, 192, 3, padding=1),
                BasicConv2d(192, 256, 3, stride=2),
            ),
            nn.MaxPool2d(3, 2),
        )
        self.repeat_2 = nn.Sequential(*(block17() for _ in range(10)))
        self.mixed_7a = Reduction(
            nn.Sequential(BasicConv2d(896, 256, 1), BasicConv2d(256, 384, 3, stride=2)),
            nn.Sequential(BasicConv2d(896, 256, 1), BasicConv2d(256, 256, 3, stride=2)),
            nn.Sequential(
                BasicConv2d(896, 256, 1),
                BasicConv2d(256, 256, 3, padding=1),
                BasicConv2d(256, 256, 3, stride=2),
            ),
            nn.MaxPool2d(3, 2),
        )
        self.repeat_3 = nn.Sequential(*(block8() for _ in range(5)))
        self.block8 = block8(scale=1.0, relu=False)
        self.last_linear = nn.Linear(1792, 512, bias=False)
        self.last_bn = nn.BatchNorm1d(512, eps=0.001)

    def trunk(self, x: Tensor) -> Tensor:
        """Run everything before the last inception blocks: (n, 3, 160, 160) -> (n, 1792, 3, 3)."""
        x = self.maxpool_3a(self.conv2d_2b(self.conv2d_2a(self.conv2d_1a(x))))
        x = self.repeat_1(self.conv2d_4b(self.conv2d_4a(self.conv2d_3b(x))))
        y: Tensor = self.mixed_7a(self.repeat_2(self.mixed_6a(x)))
        return y

    def tail(self, x: Tensor) -> Tensor:
        """Run the last inception blocks and the embedding: (n, 1792, 3, 3) -> (n, 512)."""
        x = self.block8(self.repeat_3(x)).mean((2, 3))
        y: Tensor = self.last_bn(self.last_linear(x))
        return y

    def tail_modules(self) -> list[nn.Module]:
        """Return the modules that only `tail` runs."""
        return [self.repeat_3, self.block8, self.last_linear, self.last_bn]
