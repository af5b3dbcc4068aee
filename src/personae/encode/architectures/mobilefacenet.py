"""MobileFaceNet: a small face-ID network for 112-px crops.

The first expansions are wider than in the paper and the output has 192 dimensions, as in the
weights that the package carries. Batch normalisation is folded into the convolutions, so there are
no running statistics that training at a small batch size could disturb.

Source:
    Chen, Liu, Gao, Han: "MobileFaceNets: Efficient CNNs for Accurate Real-Time Face Verification on
    Mobile Devices", CCBR 2018, Table 1.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from personae.encode.architectures.backbone import Backbone


class ConvPReLU(nn.Module):
    """A convolution with TensorFlow's "SAME" padding, and a PReLU unless it is `linear`.

    H and W must be even at stride 2, where the padding lies at the right and the bottom only.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int = 1,
        stride: int = 1,
        depthwise: bool = False,
        linear: bool = False,
    ) -> None:
        super().__init__()
        self.pad_far_edge = stride == 2
        padding = 0 if self.pad_far_edge else kernel // 2
        groups = inputs if depthwise else 1
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding, groups=groups)
        self.prelu = nn.Identity() if linear else nn.PReLU(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, in, H, W) to (n, out, H / stride, W / stride)."""
        if self.pad_far_edge:
            x = F.pad(x, (0, 1, 0, 1))
        y: Tensor = self.prelu(self.conv(x))
        return y


class Bottleneck(nn.Module):
    """Inverted residual block (Section 3.2): expand 1x1, depthwise 3x3, project 1x1.

    The projection has no activation; the input is added where both shapes are equal.
    """

    def __init__(self, inputs: int, expanded: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.residual = stride == 1 and inputs == outputs
        self.expand = ConvPReLU(inputs, expanded)
        self.depthwise = ConvPReLU(expanded, expanded, kernel=3, stride=stride, depthwise=True)
        self.project = ConvPReLU(expanded, outputs, linear=True)

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, in, H, W) to (n, out, H / stride, W / stride)."""
        y: Tensor = self.project(self.depthwise(self.expand(x)))
        return x + y if self.residual else y


class MobileFaceNet(Backbone):
    """MobileFaceNet: (n, 3, 112, 112) normalised RGB -> (n, dim), not L2-normalised."""

    def __init__(self, dim: int = 192) -> None:
        super().__init__()
        self.dim = dim
        self.stem = ConvPReLU(3, 64, kernel=3, stride=2)
        self.depthwise = ConvPReLU(64, 64, kernel=3, depthwise=True)
        self.pointwise = ConvPReLU(64, 64, linear=True)
        self.stage1 = nn.Sequential(
            Bottleneck(64, 128, 64, stride=2), *(Bottleneck(64, 128, 64) for _ in range(4))
        )
        self.stage2 = nn.Sequential(
            Bottleneck(64, 256, 128, stride=2), *(Bottleneck(128, 256, 128) for _ in range(6))
        )
        self.stage3 = Bottleneck(128, 512, 128, stride=2)
        self.stage4 = nn.Sequential(*(Bottleneck(128, 256, 128) for _ in range(2)))
        self.widen = ConvPReLU(128, 512)
        self.global_depthwise = nn.Conv2d(512, 512, 7, groups=512)
        self.mix = nn.Conv2d(512, 512, 1)
        self.embedding = nn.Conv2d(512, dim, 1)

    def trunk(self, x: Tensor) -> Tensor:
        """Run all spatial layers, the global depthwise convolution the last: -> (n, 512, 1, 1)."""
        x = self.stage1(self.pointwise(self.depthwise(self.stem(x))))
        y: Tensor = self.global_depthwise(self.widen(self.stage4(self.stage3(self.stage2(x)))))
        return y

    def tail(self, x: Tensor) -> Tensor:
        """Run the two linear layers behind the last spatial one: (n, 512, 1, 1) -> (n, dim)."""
        return torch.flatten(self.embedding(self.mix(x)), 1)

    def tail_modules(self) -> list[nn.Module]:
        """Return the two linear layers.

        Adapting them learns a film as well as adapting the last stage too, on activations of a
        twelfth of the size (see `benchmarks/learned_metric.py`).
        """
        return [self.mix, self.embedding]
