import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from model_code.data.ingestion.decoding import BadImage, check_image
from tests.helpers.corpora import file_bytes, picture

LIMIT = 1_000_000


def _reason(data: bytes, limit: int = LIMIT) -> str:
    with pytest.raises(BadImage) as raised:
        check_image(data, limit)
    assert raised.value.detail
    return raised.value.reason


def _pixels(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)))


def _png(width: int, height: int, depth: int, color: int, raw: bytes) -> bytes:
    """A PNG written by hand: Pillow writes no 16-bit RGB."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + body))
        return struct.pack(">I", len(body)) + kind + body + checksum

    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(raw))
    return b"\x89PNG\r\n\x1a\n" + body + chunk(b"IEND", b"")


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_grey_and_colour_files_keep_their_bytes(kind, mode):
    data = file_bytes(picture(1, (31, 17), mode), kind)
    checked = check_image(data, LIMIT)
    assert checked.encoded is data
    assert (checked.format, checked.height, checked.width) == (kind, 17, 31)
    assert checked.conversions == ()


def test_a_progressive_jpeg_keeps_its_bytes():
    data = file_bytes(picture(1), progressive=True)
    assert check_image(data, LIMIT).encoded is data


@pytest.mark.parametrize(
    ("data", "conversions", "target"),
    [
        (file_bytes(picture(2, mode="CMYK")), ("mode_cmyk",), "JPEG"),
        (file_bytes(picture(2, mode="P"), "PNG"), ("mode_p",), "PNG"),
        (file_bytes(picture(2, mode="RGBA"), "PNG"), ("mode_rgba",), "PNG"),
        (file_bytes(picture(2, mode="LA"), "PNG"), ("mode_la",), "PNG"),
        (file_bytes(picture(2, mode="1"), "PNG"), ("mode_1",), "PNG"),
        (file_bytes(picture(2), "BMP"), ("format_bmp",), "PNG"),
        (file_bytes(picture(2), "WEBP"), ("format_webp",), "PNG"),
        (file_bytes(picture(2), "TIFF"), ("format_tiff",), "PNG"),
        (file_bytes(picture(2), "GIF"), ("format_gif",), "PNG"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_what_tensorflow_would_not_read_is_converted(data, conversions, target):
    checked = check_image(data, LIMIT)
    assert checked.conversions[: len(conversions)] == conversions
    assert checked.format == target
    again = check_image(checked.encoded, LIMIT)
    assert again.conversions == ()
    assert (again.height, again.width) == (10, 12)


def test_sixteen_bits_keep_their_upper_eight():
    wide = np.array([[0, 255, 256], [4096, 65280, 65535]], np.uint16)
    checked = check_image(file_bytes(Image.fromarray(wide), "PNG"), LIMIT)
    assert checked.conversions == ("mode_i_16",)
    assert _pixels(checked.encoded).tolist() == [[0, 0, 1], [16, 255, 255]]


def test_sixteen_bit_colour_is_noticed_and_converted():
    raw = b"\0" + struct.pack(">6H", 0x1234, 0xFFFF, 0, 0x0100, 0x8000, 0x00FF)
    checked = check_image(_png(2, 1, 16, 2, raw), LIMIT)
    assert checked.conversions == ("depth_16",)
    assert _pixels(checked.encoded).tolist() == [[[0x12, 255, 0], [1, 0x80, 0]]]


def test_transparency_is_laid_over_white():
    clear = Image.new("RGBA", (2, 1), (10, 20, 30, 0))
    clear.putpixel((1, 0), (10, 20, 30, 255))
    checked = check_image(file_bytes(clear, "PNG"), LIMIT)
    assert _pixels(checked.encoded).tolist() == [[[255, 255, 255], [10, 20, 30]]]


@pytest.mark.parametrize("orientation", range(2, 9))
def test_exif_orientation_is_applied_and_gone(orientation):
    image = Image.fromarray(np.arange(6, dtype=np.uint8).reshape(2, 3) * 40)
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = check_image(file_bytes(image, "PNG", exif=exif), LIMIT)
    assert stored.conversions == ("rotated",)
    expected = {
        2: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
        3: image.transpose(Image.Transpose.ROTATE_180),
        4: image.transpose(Image.Transpose.FLIP_TOP_BOTTOM),
        5: image.transpose(Image.Transpose.TRANSPOSE),
        6: image.transpose(Image.Transpose.ROTATE_270),
        7: image.transpose(Image.Transpose.TRANSVERSE),
        8: image.transpose(Image.Transpose.ROTATE_90),
    }[orientation]
    assert _pixels(stored.encoded).tolist() == np.asarray(expected).tolist()
    assert (stored.height, stored.width) == (expected.height, expected.width)
    assert check_image(stored.encoded, LIMIT).conversions == ()


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF"])
def test_several_frames_are_refused(kind):
    frames = [picture(seed) for seed in range(3)]
    data = file_bytes(frames[0], kind, save_all=True, append_images=frames[1:])
    assert _reason(data) == "animated"


def test_a_bomb_is_refused_by_its_header():
    header_only = _png(50_000, 50_000, 8, 0, b"")
    assert _reason(header_only) == "too_many_pixels"
    assert _reason(file_bytes(picture(1, (100, 101))), limit=10_000) == (
        "too_many_pixels"
    )


def test_a_limit_is_the_last_size_that_passes():
    data = file_bytes(picture(1, (100, 100)))
    assert check_image(data, 10_000).width == 100


def test_files_that_are_no_images_are_refused():
    assert _reason(b"") == "empty"
    assert _reason(b"just some text, named .jpg") == "not_an_image"
    assert _reason(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n") == (
        "not_an_image"
    )


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_a_cut_file_is_refused(kind, share):
    data = file_bytes(picture(3, (64, 64)), kind)
    reason = _reason(data[: int(len(data) * share)])
    assert reason in {"truncated", "damaged", "not_an_image"}


def test_a_pixel_type_without_a_range_is_refused():
    floats = Image.fromarray(np.array([[0.5, -3.0]], np.float32))
    assert _reason(file_bytes(floats, "TIFF")) == "pixel_type"
