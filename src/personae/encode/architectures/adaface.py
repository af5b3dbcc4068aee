"""AdaFace's residual network ("IR"), with the tensor names of its published checkpoints.

The blocks are ArcFace's, but the shortcut only subsamples where the width stays. The input's
channels are in BGR order.

Source:
    Kim, Jain, Liu: "AdaFace: Quality Adaptive Margin for Face Recognition", CVPR 2022.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from personae.encode.architectures.backbone import Backbone
from personae.encode.architectures.iresnet import conv3x3


class IRBlock(nn.Module):
    """Residual block: BN, conv, BN, PReLU, conv, BN, and a shortcut."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.shortcut_layer: nn.Module = nn.MaxPool2d(1, stride)
        if inputs != outputs:
            self.shortcut_layer = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )
        self.res_layer = nn.Sequential(
            nn.BatchNorm2d(inputs),
            conv3x3(inputs, outputs),
            nn.BatchNorm2d(outputs),
            nn.PReLU(outputs),
            conv3x3(outputs, outputs, stride),
            nn.BatchNorm2d(outputs),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, in, H, W) to (n, out, H / stride, W / stride)."""
        y: Tensor = self.shortcut_layer(x) + self.res_layer(x)
        return y


class AdaFaceIR(Backbone):
    """AdaFace's network: (n, 3, 112, 112) BGR -> (n, dim), not L2-normalised.

    `blocks` counts the residual blocks of the four layers.
    """

    def __init__(
        self, blocks: Sequence[int], dim: int = 512, widths: Sequence[int] = (64, 128, 256, 512)
    ) -> None:
        super().__init__()
        self.dim = dim
        self.input_layer = nn.Sequential(
            conv3x3(3, widths[0]), nn.BatchNorm2d(widths[0]), nn.PReLU(widths[0])
        )
        body: list[nn.Module] = []
        inputs = widths[0]
        for outputs, count in zip(widths, blocks, strict=True):
            body.append(IRBlock(inputs, outputs, stride=2))
            body.extend(IRBlock(outputs, outputs) for _ in range(count - 1))
            inputs = outputs
        self.body = nn.Sequential(*body)
        self.output_layer = nn.Sequential(
            nn.BatchNorm2d(inputs),
            nn.Dropout(0.4),
            nn.Flatten(),
            nn.Linear(inputs * 7 * 7, dim),
            nn.BatchNorm1d(dim, affine=False),
        )
        self._last = blocks[-1]

    def trunk(self, x: Tensor) -> Tensor:
        """Run everything before the last layer: (n, 3, 112, 112) -> (n, 256, 14, 14)."""
        y: Tensor = self.body[: -self._last](self.input_layer(x))
        return y

    def tail(self, x: Tensor) -> Tensor:
        """Run the last layer and the embedding: (n, 256, 14, 14) -> (n, dim)."""
        y: Tensor = self.output_layer(self.body[-self._last :](x))
        return y

    def tail_modules(self) -> list[nn.Module]:
        """Return the modules that only `tail` runs."""
        return [self.body[-self._last :], self.output_layer]


def adaface18() -> AdaFaceIR:
    """Build the 18-layer network."""
    return AdaFaceIR((2, 2, 2, 2))


def adaface50() -> AdaFaceIR:
    """Build the 50-layer network."""
    return AdaFaceIR((3, 4, 14, 3))


def adaface101() -> AdaFaceIR:
    """Build the 101-layer network."""
    return AdaFaceIR((3, 13, 30, 3))
