"""Encoders: from crops to embeddings, with the shipped network and with what a user brings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor

from personae.core.crops import CROP_SIZE, TEMPLATE_SIZE, template_square
from personae.core.errors import WeightsError
from personae.encode.encoder import CPU_READ_SIZE, Encoder, load_encoder
from personae.weights import weight_file


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return load_encoder("mobilefacenet-192")


def some_crops(n: int, side: int = CROP_SIZE, seed: int = 0) -> npt.NDArray[np.uint8]:
    """Smooth random images: views of one crop resemble each other more than other crops."""
    random = torch.Generator().manual_seed(seed)
    coarse = torch.rand(n, 3, 8, 8, generator=random)
    fine = F.interpolate(coarse, (side, side), mode="bilinear") * 255
    return fine.permute(0, 2, 3, 1).to(torch.uint8).numpy()


def mobilefacenet_by_hand(tensors: dict[str, Tensor], x: Tensor) -> Tensor:
    """MobileFaceNet's forward pass written as functions, without the package's modules."""

    def conv(name: str, x: Tensor, stride: int = 1, activate: bool = True) -> Tensor:
        weight, bias = tensors[f"{name}.conv.weight"].float(), tensors[f"{name}.conv.bias"].float()
        side = weight.shape[-1]
        extra = max(
            side - stride, 0
        )  # TensorFlow's SAME: the odd pixel of padding goes right and below
        x = F.pad(x, (extra // 2, extra - extra // 2) * 2)
        y = F.conv2d(x, weight, bias, stride, groups=1 if weight.shape[1] > 1 else x.shape[1])
        if not activate:
            return y
        slope = tensors[f"{name}.prelu.weight"].float().view(1, -1, 1, 1)
        return y.clamp(min=0) + slope * y.clamp(max=0)

    def block(name: str, x: Tensor, stride: int = 1) -> Tensor:
        y = conv(f"{name}.depthwise", conv(f"{name}.expand", x), stride)
        y = conv(f"{name}.project", y, activate=False)
        return y + x if y.shape == x.shape else y

    def final(name: str, x: Tensor, groups: int = 1) -> Tensor:
        return F.conv2d(
            x, tensors[f"{name}.weight"].float(), tensors[f"{name}.bias"].float(), groups=groups
        )

    x = conv("pointwise", conv("depthwise", conv("stem", x, stride=2)), activate=False)
    for stage, blocks in (("stage1", 5), ("stage2", 7)):
        for i in range(blocks):
            x = block(f"{stage}.{i}", x, stride=2 if i == 0 else 1)
    x = block("stage3", x, stride=2)
    x = conv("widen", block("stage4.1", block("stage4.0", x)))
    return final("embedding", final("mix", final("global_depthwise", x, groups=512))).flatten(1)


def test_the_network_matches_a_forward_pass_written_by_hand(encoder: Encoder) -> None:
    images = encoder.preprocess(some_crops(3))
    expected = mobilefacenet_by_hand(load_file(weight_file("mobilefacenet-192").path()), images)
    torch.testing.assert_close(encoder.forward(images), expected, atol=1e-3, rtol=1e-4)


def test_preprocessing_cuts_the_template_square_and_normalises(encoder: Encoder) -> None:
    crops = some_crops(2)
    expected = (template_square(crops).astype(np.float32).transpose(0, 3, 1, 2) - 127.5) / 128
    np.testing.assert_allclose(encoder.preprocess(crops).numpy(), expected, atol=1e-6)
    np.testing.assert_allclose(encoder.preprocess(crops[0]).numpy(), expected[:1], atol=1e-6)
    np.testing.assert_allclose(
        encoder.preprocess(template_square(crops)).numpy(), expected, atol=1e-6
    )


def test_embeddings_do_not_depend_on_batch_size_or_container(encoder: Encoder) -> None:
    crops = some_crops(7)
    whole = encoder.encode(crops)
    assert whole.shape == (7, encoder.dim) == (7, 192)
    assert whole.dtype == np.float32
    np.testing.assert_allclose(encoder.encode(list(crops), batch_size=3), whole, atol=1e-3)


def test_flip_averages_a_crop_with_its_mirror_image(encoder: Encoder) -> None:
    crops = some_crops(2)
    mirrored = np.ascontiguousarray(crops[:, :, ::-1])
    mean = (encoder.encode(crops, flip=False) + encoder.encode(mirrored, flip=False)) / 2
    np.testing.assert_allclose(encoder.encode(crops, flip=True), mean, atol=1e-3)


def test_progress_is_reported_up_to_the_last_crop(encoder: Encoder) -> None:
    calls: list[tuple[str, int, int | None]] = []

    def hook(stage: str, done: int, total: int | None, **facts: Any) -> None:
        calls.append((stage, done, total))

    encoder.encode(some_crops(CPU_READ_SIZE + 2), flip=False, hook=hook)
    assert calls == [
        ("encode", CPU_READ_SIZE, CPU_READ_SIZE + 2),
        ("encode", CPU_READ_SIZE + 2, CPU_READ_SIZE + 2),
    ]
    assert encoder.encode(some_crops(0)).shape == (0, 192)


def test_trunk_and_tail_make_the_whole_and_the_tail_owns_its_modules(encoder: Encoder) -> None:
    images = encoder.preprocess(some_crops(2))
    module = encoder.module
    torch.testing.assert_close(
        module.tail(encoder.forward_trunk(images)), encoder.forward(images), atol=1e-3, rtol=1e-4
    )

    tail = {id(p) for m in module.tail_modules() for p in m.parameters()}
    cached = encoder.forward_trunk(images)
    module.tail(cached).square().sum().backward()
    reached = {id(p) for p in module.parameters() if p.grad is not None}
    module.zero_grad(set_to_none=True)
    assert reached == tail


def test_every_parameter_trains() -> None:
    encoder = load_encoder()
    encoder.module.train()
    encoder.module(encoder.preprocess(some_crops(2))).square().mean().backward()
    for name, parameter in encoder.module.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name


def test_forward_follows_training_and_restores_the_mode() -> None:
    encoder = load_encoder()
    images = encoder.preprocess(some_crops(1))
    before = encoder.forward(images)
    encoder.module.train()
    with torch.no_grad():
        encoder.module.embedding.bias.add_(1)  # type: ignore[operator, union-attr]
    torch.testing.assert_close(encoder.forward(images), before + 1, atol=1e-4, rtol=1e-4)
    assert encoder.module.training


def test_half_precision_stays_close(encoder: Encoder) -> None:
    images = encoder.preprocess(some_crops(8))
    exact, half = encoder.forward(images), encoder.forward(images, half=True)
    assert half.dtype == torch.float32
    assert F.cosine_similarity(exact, half).min() > 0.995


def test_cached_embeddings_can_feed_training(encoder: Encoder) -> None:
    layer = torch.nn.Linear(encoder.dim, 2)
    layer(encoder.forward(encoder.preprocess(some_crops(2)))).sum().backward()
    assert layer.weight.grad is not None


def test_a_users_own_file_is_loaded_and_named_by_its_hash(encoder: Encoder, tmp_path: Path) -> None:
    file = tmp_path / "own.safetensors"
    state = {name: value.clone() for name, value in encoder.module.state_dict().items()}
    state["embedding.bias"] += 1
    save_file(state, file)
    own = load_encoder("mobilefacenet-192", file)
    assert own.weight_sha256 != encoder.weight_sha256 == weight_file("mobilefacenet-192").sha256
    np.testing.assert_allclose(
        own.encode(some_crops(1)), encoder.encode(some_crops(1)) + 1, atol=1e-3
    )


def test_an_unknown_encoder_lists_the_known_ones() -> None:
    with pytest.raises(WeightsError, match="mobilefacenet-192"):
        load_encoder("deepid")


def test_crops_smaller_than_the_template_are_refused(encoder: Encoder) -> None:
    with pytest.raises(ValueError, match=str(TEMPLATE_SIZE)):
        encoder.preprocess(some_crops(1, side=96))
