"""Encoders: from crops to embeddings, with the shipped network and with what a user brings."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor

from personae.core.compute import choose_device, prepare_torch, usable_cores
from personae.core.crops import CROP_SIZE, TEMPLATE_SIZE, template_square
from personae.core.errors import SettingError, WeightsError
from personae.encode.encoder import READ, Encoder, load_encoder
from personae.weights import weight


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return load_encoder("mobilefacenet-192")


def some_crops(n: int, side: int = CROP_SIZE, seed: int = 0) -> npt.NDArray[np.uint8]:
    """Smooth random pictures, so that views of one crop resemble each other more than other crops."""
    random = torch.Generator().manual_seed(seed)
    coarse = torch.rand(n, 3, 8, 8, generator=random)
    fine = F.interpolate(coarse, (side, side), mode="bilinear") * 255
    return fine.permute(0, 2, 3, 1).to(torch.uint8).numpy()


def mobilefacenet_by_hand(tensors: dict[str, Tensor], x: Tensor) -> Tensor:
    """MobileFaceNet's forward pass written out as functions, without any of the package's modules."""

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


def test_the_module_computes_what_the_paper_draws(encoder: Encoder) -> None:
    images = encoder.prepare(some_crops(3))
    expected = mobilefacenet_by_hand(load_file(weight("mobilefacenet-192").path()), images)
    torch.testing.assert_close(encoder.encode(images), expected, atol=1e-3, rtol=1e-4)


def test_prepare_cuts_the_template_square_and_normalises(encoder: Encoder) -> None:
    crops = some_crops(2)
    expected = (template_square(crops).astype(np.float32).transpose(0, 3, 1, 2) - 127.5) / 128
    np.testing.assert_allclose(encoder.prepare(crops).numpy(), expected, atol=1e-6)
    np.testing.assert_allclose(encoder.prepare(crops[0]).numpy(), expected[:1], atol=1e-6)
    np.testing.assert_allclose(encoder.prepare(template_square(crops)).numpy(), expected, atol=1e-6)


def test_embedding_does_not_depend_on_batch_or_container(encoder: Encoder) -> None:
    crops = some_crops(7)
    whole = encoder.embed(crops)
    assert whole.shape == (7, encoder.dim) == (7, 192)
    assert whole.dtype == np.float32
    np.testing.assert_allclose(encoder.embed(list(crops), batch=3), whole, atol=1e-3)


def test_flip_averages_a_crop_with_its_mirror_image(encoder: Encoder) -> None:
    crops = some_crops(2)
    mirrored = np.ascontiguousarray(crops[:, :, ::-1])
    mean = (encoder.embed(crops, flip=False) + encoder.embed(mirrored, flip=False)) / 2
    np.testing.assert_allclose(encoder.embed(crops, flip=True), mean, atol=1e-3)


def test_progress_is_reported_up_to_the_last_crop(encoder: Encoder) -> None:
    calls: list[tuple[str, int, int | None]] = []

    def hook(stage: str, done: int, total: int | None, **facts: Any) -> None:
        calls.append((stage, done, total))

    encoder.embed(some_crops(READ + 2), flip=False, hook=hook)
    assert calls == [("embed", READ, READ + 2), ("embed", READ + 2, READ + 2)]
    assert encoder.embed(some_crops(0)).shape == (0, 192)


def test_trunk_and_tail_make_the_whole_and_the_tail_owns_its_modules(encoder: Encoder) -> None:
    images = encoder.prepare(some_crops(2))
    module = encoder.module
    torch.testing.assert_close(
        module.tail(encoder.activations(images)), encoder.encode(images), atol=1e-3, rtol=1e-4
    )

    tail = {id(p) for m in module.tail_modules() for p in m.parameters()}
    cached = encoder.activations(images)
    module.tail(cached).square().sum().backward()
    reached = {id(p) for p in module.parameters() if p.grad is not None}
    module.zero_grad(set_to_none=True)
    assert reached == tail


def test_every_parameter_trains() -> None:
    encoder = load_encoder()
    encoder.module.train()
    encoder.module(encoder.prepare(some_crops(2))).square().mean().backward()
    for name, parameter in encoder.module.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name


def test_encode_follows_training_and_leaves_the_mode_alone() -> None:
    encoder = load_encoder()
    images = encoder.prepare(some_crops(1))
    before = encoder.encode(images)
    encoder.module.train()
    with torch.no_grad():
        encoder.module.embedding.bias.add_(1)  # type: ignore[operator, union-attr]
    torch.testing.assert_close(encoder.encode(images), before + 1, atol=1e-4, rtol=1e-4)
    assert encoder.module.training


def test_half_precision_stays_close(encoder: Encoder) -> None:
    images = encoder.prepare(some_crops(8))
    exact, half = encoder.encode(images), encoder.encode(images, half=True)
    assert half.dtype == torch.float32
    assert F.cosine_similarity(exact, half).min() > 0.995


def test_cached_embeddings_can_feed_training(encoder: Encoder) -> None:
    layer = torch.nn.Linear(encoder.dim, 2)
    layer(encoder.encode(encoder.prepare(some_crops(2)))).sum().backward()
    assert layer.weight.grad is not None


def test_a_users_own_file_is_loaded_and_named_by_its_hash(encoder: Encoder, tmp_path: Path) -> None:
    file = tmp_path / "own.safetensors"
    state = {name: value.clone() for name, value in encoder.module.state_dict().items()}
    state["embedding.bias"] += 1
    save_file(state, file)
    own = load_encoder("mobilefacenet-192", file)
    assert own.weight_sha256 != encoder.weight_sha256 == weight("mobilefacenet-192").sha256
    np.testing.assert_allclose(
        own.embed(some_crops(1)), encoder.embed(some_crops(1)) + 1, atol=1e-3
    )


def test_an_unknown_encoder_lists_the_known_ones() -> None:
    with pytest.raises(WeightsError, match="mobilefacenet-192"):
        load_encoder("deepid")


def test_devices_and_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    assert choose_device("cpu") == "cpu"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_device("auto") == "cpu"
    with pytest.raises(SettingError, match="CUDA"):
        choose_device("cuda")
    with pytest.raises(SettingError, match="choose"):
        choose_device("tpu")
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert usable_cores() == 3
    monkeypatch.delenv("OMP_NUM_THREADS")
    assert usable_cores() >= 1
    with pytest.raises(SettingError, match="at least 1"):
        prepare_torch(0)
    before = torch.get_num_threads()
    prepare_torch(1)
    assert torch.get_num_threads() == 1
    torch.set_num_threads(before)


@pytest.mark.parametrize("stated", [None, "ACTIVE"])
def test_waiting_threads_sleep_unless_told_otherwise(stated: str | None) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    if stated:
        environment["OMP_WAIT_POLICY"] = stated
    code = (
        "import sys, os; from personae.core.compute import prepare_torch; assert 'torch' not in sys.modules;"
        "prepare_torch(1); print(os.environ['OMP_WAIT_POLICY'])"
    )
    told = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, check=True
    )
    assert told.stdout.decode().strip() == (stated or "PASSIVE")


def test_crops_smaller_than_the_template_are_refused(encoder: Encoder) -> None:
    with pytest.raises(ValueError, match=str(TEMPLATE_SIZE)):
        encoder.prepare(some_crops(1, side=96))
