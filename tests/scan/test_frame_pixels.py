"""The pixels of one frame: upright, in the sizes asked for, without combs, as a thumbnail."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from helpers.films import encode_film, texture, write_film
from personae.core.crops import THUMBNAIL_SHAPE
from personae.scan import video_reader
from personae.scan.video_reader import Frame, VideoReader, is_combed


@pytest.mark.parametrize("clockwise", [0, 90, 180, 270])
def test_frames_are_rotated_upright(tmp_path, clockwise):
    upright = np.zeros((96, 128, 3), dtype=np.uint8)
    upright[:48, :64] = (255, 0, 0)
    upright[48:, 64:] = (0, 0, 255)
    stored = np.ascontiguousarray(np.rot90(upright, clockwise // 90))  # counter-clockwise
    reader = VideoReader(encode_film(tmp_path / "a.mp4", [stored] * 3, rotation=-clockwise))
    frame = next(iter(reader))
    assert (reader.media.width, reader.media.height, reader.media.rotation) == (128, 96, clockwise)
    for image in (frame.to_rgb(), frame.to_bgr(64, 48)[..., ::-1], frame.preview[..., ::-1]):
        image = image.astype(int)
        h, w = image.shape[:2]
        assert w / h == pytest.approx(128 / 96)
        assert image[h // 4, w // 4] == pytest.approx((255, 0, 0), abs=30)
        assert image[3 * h // 4, 3 * w // 4] == pytest.approx((0, 0, 255), abs=30)


def test_two_fields_of_different_times_are_combed():
    image = texture()
    later = np.roll(image, 6, axis=1)
    woven = image.copy()
    woven[1::2] = later[1::2]
    assert is_combed(woven)
    assert not is_combed(image)
    assert not is_combed(later)


def test_one_field_of_a_combed_frame_is_shown(tmp_path):
    image = np.repeat(texture(192, 256)[..., :1], 3, axis=2)
    woven = image.copy()
    woven[1::2] = np.roll(image, 12, axis=1)[1::2]
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream(
            "mpeg2video", rate=25, options={"flags": "+ilme+ildct", "qscale": "1"}
        )
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = (
            256,
            192,
            "yuv420p",
            20_000_000,
        )
        for _ in range(3):
            frame = av.VideoFrame.from_ndarray(woven, format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    frame = next(iter(VideoReader(path)))
    assert frame.av_frame.interlaced_frame
    assert not is_combed(frame.to_rgb())
    assert (
        np.abs(frame.to_rgb().astype(int) - image).mean()
        < np.abs(woven.astype(int) - image).mean() / 2
    )


def combed_pixels(count: int, step: int) -> np.ndarray:
    """Return an image of 10,000 inner pixels, some of which differ from both neighbouring rows."""
    image = np.full((12, 1000, 3), 100, np.uint8)
    image[5, :count] += np.uint8(step)
    return image


@pytest.mark.parametrize(
    ("count", "step", "combed"),
    [(31, 16, True), (31, 15, False), (30, 16, False), (30, 100, False)],
)
def test_combed_pixels_stand_out_by_15_levels_in_3_of_1000(count, step, combed):
    assert is_combed(combed_pixels(count, step)) == combed


def test_slopes_are_not_combed():
    slope = np.repeat((np.arange(12, dtype=np.uint8) * 20)[:, None, None], 100, axis=1)
    assert not is_combed(np.repeat(slope, 3, axis=2))


def test_the_preview_is_256_pixels_wide(tmp_path):
    for size, shape in (((96, 128), (192, 256, 3)), ((128, 96), (256, 192, 3))):
        path = write_film(tmp_path / "a.mp4", [np.zeros((*size, 3), np.uint8)] * 2)
        assert next(iter(VideoReader(path))).preview.shape == shape


def frame_of(preview: np.ndarray) -> Frame:
    return Frame(0, 0, 0.0, preview, av_frame=None, rotation=0)


def test_a_thumbnail_holds_the_previews_colours_as_rgb():
    preview = np.empty((144, 256, 3), np.uint8)
    preview[:, :128], preview[:, 128:] = (10, 20, 200), (120, 60, 30)  # BGR
    width = THUMBNAIL_SHAPE[1]
    image = np.frombuffer(frame_of(preview).thumbnail(), np.uint8).reshape(THUMBNAIL_SHAPE)
    assert (image[:, : width // 2 - 1] == (200, 20, 10)).all()
    assert (image[:, width // 2 + 1 :] == (30, 60, 120)).all()


def test_a_thumbnail_averages_the_preview():
    height, width, _ = THUMBNAIL_SHAPE
    stripes = np.tile(np.array([0, 200, 200, 0], np.uint8), width)
    preview = np.repeat(np.repeat(stripes[None, :, None], 4 * height, axis=0), 3, axis=2)
    image = np.frombuffer(frame_of(preview).thumbnail(), np.uint8)
    assert (image == 100).all()


def write_woven(path: Path, codec: str, options: dict[str, str]) -> tuple[Path, np.ndarray]:
    """Write a film of two fields at different times, and return their image."""
    woven = np.repeat(texture(192, 256)[..., :1], 3, axis=2)
    woven[1::2] = np.roll(woven, 12, axis=1)[1::2]
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = 256, 192, "yuv420p"
        stream.bit_rate = 20_000_000
        for _ in range(3):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(woven, format="rgb24")))
        container.mux(stream.encode())
    return path, woven


def test_rows_of_a_combed_frame_are_interpolated_between_those_of_the_upper_field(tmp_path):
    """Rows of half the height lie a quarter of their distance beside those of the full height."""
    options = {"flags": "+ilme+ildct", "qscale": "1"}
    path, _ = write_woven(tmp_path / "a.mkv", "mpeg2video", options)
    frame = next(iter(VideoReader(path)))
    field = frame.av_frame.to_ndarray(format="rgb24")[::2].astype(float)
    shown = frame.to_rgb().astype(float)
    assert shown.shape == (192, 256, 3)
    assert np.abs(shown[2::2] - (0.25 * field[:-1] + 0.75 * field[1:])).max() <= 1
    assert np.abs(shown[1:-1:2] - (0.75 * field[:-1] + 0.25 * field[1:])).max() <= 1


def test_progressive_frames_are_shown_as_they_are(tmp_path):
    """Even if their content looks combed."""
    path, woven = write_woven(tmp_path / "a.mkv", "ffv1", {})
    frame = next(iter(VideoReader(path)))
    assert not frame.av_frame.interlaced_frame
    assert np.abs(frame.to_rgb().astype(int) - woven).mean() < 2


def test_a_film_that_is_not_combed_keeps_its_rows_though_it_is_interlaced(tmp_path):
    path = tmp_path / "a.mkv"
    image = np.repeat(texture(192, 256)[..., :1], 3, axis=2)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(
            "mpeg2video", rate=25, options={"flags": "+ilme+ildct", "qscale": "1"}
        )
        stream.width, stream.height, stream.pix_fmt = 256, 192, "yuv420p"
        stream.bit_rate = 20_000_000
        container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode())
    frame = next(iter(VideoReader(path)))
    assert frame.av_frame.interlaced_frame
    assert np.array_equal(frame.to_rgb(), frame.av_frame.to_ndarray(format="rgb24"))


def test_sizes_are_those_asked_for_in_every_orientation(tmp_path):
    for rotation in (0, 90, 180, 270):
        stored = texture(96, 128)
        path = encode_film(tmp_path / "a.mp4", [stored] * 2, rotation=-rotation)
        frame = next(iter(VideoReader(path)))
        upright = (128, 96) if rotation in (90, 270) else (96, 128)
        assert frame.to_rgb().shape == (*upright, 3)
        assert frame.to_bgr(64, 32).shape == (32, 64, 3)


def test_the_preview_of_a_very_wide_film_has_8_rows(tmp_path):
    path = write_film(tmp_path / "a.mp4", [np.zeros((16, 1024, 3), np.uint8)] * 2)
    assert next(iter(VideoReader(path))).preview.shape == (8, 256, 3)


def test_a_thread_sets_up_a_scaler_once_per_size_and_format_and_keeps_eight(tmp_path):
    frame = next(iter(VideoReader(write_film(tmp_path / "a.mp4", [texture()]))))
    video_reader._thread.__dict__.pop("scalers", None)
    for n_sizes, side in enumerate(range(8, 72, 8), 1):
        for _ in range(2):
            frame.to_bgr(side, side)
        assert len(video_reader._thread.scalers) == n_sizes
    kept = dict(video_reader._thread.scalers)
    frame.to_bgr(8, 8)
    assert video_reader._thread.scalers == kept
    frame.to_bgr(8, 16)
    assert len(video_reader._thread.scalers) == 1
    frame.to_rgb()
    assert len(video_reader._thread.scalers) == 2
