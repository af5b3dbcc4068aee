"""Every architecture runs and trains, sees the face where it expects it, and finds its weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from helpers.tiny_networks import LARGE, TINY, trained
from personae.core.crops import ARCFACE_TEMPLATE, CROP_MARGIN, CROP_SIZE
from personae.core.errors import WeightsError
from personae.encode.architectures.registry import ARCHITECTURES
from personae.encode.architectures.vit import VisionTransformer
from personae.encode.encoder import Encoder, load_encoder
from personae.encode.resampling import TemplateResampler
from personae.weights import default_weights
from personae.weights.preprocessing import ADAFACE


@pytest.mark.parametrize("name", [*TINY, *LARGE])
def test_a_network_runs_trains_and_splits_into_trunk_and_tail(name: str) -> None:
    module, size = trained(name)
    images = torch.randn(2, 3, size, size)
    embeddings = module(images)
    assert embeddings.shape == (2, module.dim)
    torch.testing.assert_close(module.tail(module.trunk(images)), embeddings)

    embeddings.square().sum().backward()
    for parameter_name, parameter in module.named_parameters():
        assert parameter.grad is not None, parameter_name
        assert torch.isfinite(parameter.grad).all(), parameter_name

    module.zero_grad(set_to_none=True)
    module.tail(module.trunk(images).detach()).square().sum().backward()
    reached = {n for n, p in module.named_parameters() if p.grad is not None}
    tail = {id(p) for part in module.tail_modules() for p in part.parameters()}
    bare = {"proj"} if name == "vit" else set()  # a bare matrix is no module of its own
    assert reached - bare == {n for n, p in module.named_parameters() if id(p) in tail}


def test_patch_embeddings_can_be_replaced_before_the_blocks() -> None:
    module, size = trained("vit")
    assert isinstance(module, VisionTransformer)
    images = torch.randn(2, 3, size, size)
    patches = module.embed_patches(images)
    tokens = module.forward_tokens(patches)
    assert patches.shape == (2, 16, 16)
    assert tokens.shape == (2, 17, 16)
    torch.testing.assert_close(tokens[:, 0] @ module.proj, module(images))
    masked = patches.clone()
    masked[:, 3] = 0
    assert not torch.allclose(module.forward_tokens(masked)[:, 4], tokens[:, 4])


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_landmarks_arrive_where_the_network_expects_them(name: str) -> None:
    """Dots drawn at the template's landmarks must arrive at the network's landmarks."""
    preprocessing = ARCHITECTURES[name].preprocessing
    size, landmarks = preprocessing.require_input_size(), preprocessing.landmarks
    filled = (ARCFACE_TEMPLATE + 0.5) * size / 112 - 0.5
    expected = np.array(landmarks) if landmarks else filled
    tolerance_px = 4 if landmarks else 0.1  # scale and shift alone match another template nearly
    rows, columns = np.mgrid[:CROP_SIZE, :CROP_SIZE]
    resampler = TemplateResampler.fit(preprocessing)
    for (x, y), (x_there, y_there) in zip(ARCFACE_TEMPLATE + CROP_MARGIN, expected, strict=True):
        dot = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 8).astype(np.float32)
        seen = resampler.resample(torch.from_numpy(dot).expand(1, 3, -1, -1))[0, 0].numpy()
        down, across = np.mgrid[:size, :size]
        centre = (seen * across).sum() / seen.sum(), (seen * down).sum() / seen.sum()
        assert np.hypot(centre[0] - x_there, centre[1] - y_there) < tolerance_px


def test_bgr_networks_get_bgr() -> None:
    build, _ = TINY["adaface"]
    encoder = Encoder("tiny", build(), ADAFACE, "cpu", "")
    red = np.zeros((1, 112, 112, 3), np.uint8)
    red[..., 0] = 255
    images = encoder.preprocess(red)
    assert images[0, 2].min() == 1
    assert images[0, :2].max() == -1


def test_parameter_counts_are_the_published_ones() -> None:
    """Parameter counts as the publications and packages give them."""
    counts = {
        "arcface-r50": 43.6e6,
        "arcface-r100": 65.2e6,
        "farl-b16": 86.2e6,
        "facenet-inception-v1": 23.5e6,
        "dlib-resnet-128": 5.61e6,
        "mobilefacenet-192": 1.29e6,
    }
    for name, count in counts.items():
        with torch.device("meta"):
            module = ARCHITECTURES[name].build()
        assert sum(p.numel() for p in module.parameters()) == pytest.approx(count, rel=0.005), name


def test_encoders_without_weights_say_where_to_get_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PERSONAE_WEIGHTS", str(tmp_path))
    with pytest.raises(WeightsError, match=r"--weights FILE.*non-commercial"):
        load_encoder("arcface-r100")
    with pytest.raises(WeightsError, match="--weights FILE"):
        load_encoder("farl-b16")


def test_dlibs_weights_are_found_in_their_package_and_checked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("sys.path", [str(tmp_path)])
    with pytest.raises(WeightsError, match=r"personae\[dlib-weights\]"):
        default_weights("dlib-resnet-128")
    models = tmp_path / "face_recognition_models" / "models"
    models.mkdir(parents=True)
    (models.parent / "__init__.py").write_text(
        "raise ImportError('this package needs pkg_resources')"
    )
    (models / "dlib_face_recognition_resnet_model_v1.dat").write_bytes(b"another network")
    with pytest.raises(WeightsError, match="not dlib's published network"):
        default_weights("dlib-resnet-128")


def test_fetched_weights_are_taken_without_naming_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PERSONAE_WEIGHTS", str(tmp_path))
    (tmp_path / "w600k_r50.onnx").write_bytes(b"")
    assert default_weights("arcface-r50") == tmp_path / "w600k_r50.onnx"
