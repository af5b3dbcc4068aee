"""dlib's face recognition network: a ResNet of 29 convolutions, with a reader for its `.dat` file.

The weights are in the public domain (CC0). Batch normalisation is an affine map here.

Source:
    King: "High Quality Face Recognition with Deep Metric Learning", dlib blog, 2017.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from personae.encode.architectures.backbone import Backbone

_BLOCKS = (
    *[(32, 32)] * 3,
    (32, 64),
    *[(64, 64)] * 3,
    (64, 128),
    *[(128, 128)] * 2,
    (128, 256),
    *[(256, 256)] * 2,
)


class Affine(nn.Module):
    """Scale and shift of each channel, as a trained batch normalisation leaves them."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(channels))
        self.beta = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, channels, H, W) to the same shape."""
        return x * self.gamma.view(1, -1, 1, 1) + self.beta.view(1, -1, 1, 1)


def pad_to(x: Tensor, channels: int, height: int, width: int) -> Tensor:
    """Append zero channels, rows and columns, as dlib does before it adds unlike shapes."""
    return F.pad(x, (0, width - x.shape[3], 0, height - x.shape[2], 0, channels - x.shape[1]))


class DlibBlock(nn.Module):
    """Residual block; with `down` it halves the grid and averages 2x2 cells for its shortcut."""

    def __init__(self, inputs: int, outputs: int, down: bool) -> None:
        super().__init__()
        self.down = down
        stride, padding = (2, 0) if down else (1, 1)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding)
        self.affine1 = Affine(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.affine2 = Affine(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, in, H, W) to (n, out, H, W), or to half of the grid."""
        y = self.affine2(self.conv2(F.relu(self.affine1(self.conv1(x)))))
        if self.down:
            x = F.avg_pool2d(x, 2, 2)
            largest = [max(sizes) for sizes in zip(x.shape[1:], y.shape[1:], strict=True)]
            x, y = pad_to(x, *largest), pad_to(y, *largest)
        return F.relu(x + y)


class DlibResNet(Backbone):
    """dlib's network: (n, 3, 150, 150) -> (n, 128), not L2-normalised."""

    def __init__(self) -> None:
        super().__init__()
        self.dim = 128
        self.conv = nn.Conv2d(3, 32, 7, 2)
        self.affine = Affine(32)
        blocks = [DlibBlock(inputs, outputs, down=inputs != outputs) for inputs, outputs in _BLOCKS]
        self.blocks = nn.Sequential(*blocks, DlibBlock(256, 256, down=True))
        self.fc = nn.Linear(256, 128, bias=False)

    def trunk(self, x: Tensor) -> Tensor:
        """Run everything before the last three blocks: (n, 3, 150, 150) -> (n, 256, 4, 4)."""
        x = F.max_pool2d(F.relu(self.affine(self.conv(x))), 3, 2)
        y: Tensor = self.blocks[:-3](x)
        return y

    def tail(self, x: Tensor) -> Tensor:
        """Run the last three blocks and the embedding: (n, 256, 4, 4) -> (n, 128)."""
        y: Tensor = self.fc(self.blocks[-3:](x).mean((2, 3)))
        return y

    def tail_modules(self) -> list[nn.Module]:
        """Return the modules that only `tail` runs."""
        return [self.blocks[-3:], self.fc]


def parse_dat(content: bytes) -> dict[str, Tensor]:
    """Parse the tensors of dlib's serialised network under the names of `DlibResNet`.

    The file lists the layers from the input on. A convolution's tensor holds weights and biases, an
    affine map's gamma and beta, the last layer's a transposed matrix.

    Raises:
        ValueError: A tensor is not found.
    """
    layers = ["conv", "affine"]
    for i in range(len(_BLOCKS) + 1):
        layers += [f"blocks.{i}.{layer}" for layer in ("conv1", "affine1", "conv2", "affine2")]
    wanted = DlibResNet().state_dict()
    tensors: dict[str, Tensor] = {}
    at = 0
    for layer in layers:
        names = [
            f"{layer}.{part}"
            for part in (("gamma", "beta") if "affine" in layer else ("weight", "bias"))
        ]
        sizes = [wanted[name].numel() for name in names]
        values, at = _next_tensor(content, at, sum(sizes))
        for name, part in zip(names, torch.split(values, sizes), strict=True):
            tensors[name] = part.reshape(wanted[name].shape)
    values, _ = _next_tensor(content, at, wanted["fc.weight"].numel())
    tensors["fc.weight"] = values.reshape(256, 128).T.contiguous()
    return tensors


def _next_tensor(content: bytes, at: int, size: int) -> tuple[Tensor, int]:
    """Find the next serialised tensor of `size` numbers at or after position `at`.

    It consists of the bytes 01 02, four dimensions, each a count of bytes and as many bytes, and
    float32 values.

    Returns:
        The flat tensor and the position of its end.
    """
    while (at := content.find(b"\x01\x02", at)) >= 0:
        start, total = at + 2, 1
        for _ in range(4):
            count = content[start] if start < len(content) else 0
            total *= int.from_bytes(content[start + 1 : start + 1 + count], "little")
            start += 1 + count
        end = start + 4 * size
        if total == size and end <= len(content):
            return torch.from_numpy(np.frombuffer(content, "<f4", size, start).copy()), end
        at += 1
    raise ValueError(f"no tensor of {size} numbers where one should be")
