"""ArcFace's residual network ("IResNet"), with the tensor names of insightface's checkpoints.

VideoClusterNet's base model is the 100-layer one.

Source:
    Deng, Guo, Xue, Zafeiriou: "ArcFace: Additive Angular Margin Loss for Deep Face Recognition",
    CVPR 2019, Section 3.1; Duta et al.: "Improved Residual Networks", ICPR 2020.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from personae.encode.architectures.backbone import Backbone


def conv3x3(inputs: int, outputs: int, stride: int = 1) -> nn.Conv2d:
    """Return a 3x3 convolution without bias, for a batch normalisation to follow."""
    return nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)


class IBasicBlock(nn.Module):
    """Residual block: BN, conv, BN, PReLU, conv, BN, and a shortcut."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv1 = conv3x3(inputs, outputs)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.prelu = nn.PReLU(outputs)
        self.conv2 = conv3x3(outputs, outputs, stride)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.downsample: nn.Module | None = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, in, H, W) to (n, out, H / stride, W / stride)."""
        y = self.prelu(self.bn2(self.conv1(self.bn1(x))))
        y = self.bn3(self.conv2(y))
        shortcut: Tensor = x if self.downsample is None else self.downsample(x)
        out: Tensor = shortcut + y
        return out


class IResNet(Backbone):
    """ArcFace's network: (n, 3, 112, 112) -> (n, dim), not L2-normalised.

    `blocks` counts the residual blocks of the four layers.
    """

    def __init__(
        self, blocks: Sequence[int], dim: int = 512, widths: Sequence[int] = (64, 128, 256, 512)
    ) -> None:
        super().__init__()
        self.dim = dim
        self.conv1 = conv3x3(3, widths[0])
        self.bn1 = nn.BatchNorm2d(widths[0])
        self.prelu = nn.PReLU(widths[0])
        self.layer1 = self._layer(widths[0], widths[0], blocks[0])
        self.layer2 = self._layer(widths[0], widths[1], blocks[1])
        self.layer3 = self._layer(widths[1], widths[2], blocks[2])
        self.layer4 = self._layer(widths[2], widths[3], blocks[3])
        self.bn2 = nn.BatchNorm2d(widths[3])
        self.fc = nn.Linear(widths[3] * 7 * 7, dim)
        self.features = nn.BatchNorm1d(dim)

    @staticmethod
    def _layer(inputs: int, outputs: int, blocks: int) -> nn.Sequential:
        rest = (IBasicBlock(outputs, outputs) for _ in range(blocks - 1))
        return nn.Sequential(IBasicBlock(inputs, outputs, stride=2), *rest)

    def trunk(self, x: Tensor) -> Tensor:
        """Run everything before the last layer: (n, 3, 112, 112) -> (n, 256, 14, 14)."""
        x = self.prelu(self.bn1(self.conv1(x)))
        y: Tensor = self.layer3(self.layer2(self.layer1(x)))
        return y

    def tail(self, x: Tensor) -> Tensor:
        """Run the last layer and the embedding: (n, 256, 14, 14) -> (n, dim)."""
        x = self.bn2(self.layer4(x))
        y: Tensor = self.features(self.fc(torch.flatten(x, 1)))
        return y

    def tail_modules(self) -> list[nn.Module]:
        """Return the modules that only `tail` runs."""
        return [self.layer4, self.bn2, self.fc, self.features]


def iresnet18() -> IResNet:
    """Build the 18-layer network."""
    return IResNet((2, 2, 2, 2))


def iresnet50() -> IResNet:
    """Build the 50-layer network."""
    return IResNet((3, 4, 14, 3))


def iresnet100() -> IResNet:
    """Build the 100-layer network."""
    return IResNet((3, 13, 30, 3))
