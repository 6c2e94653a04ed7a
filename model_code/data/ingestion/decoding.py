"""Checks one image file and makes it something TensorFlow decodes.

Bytes pass unchanged where they are an 8-bit grey or RGB JPEG or PNG that
stands upright. Everything else is either converted deliberately, with a note
of what was changed, or refused with a reason.
"""

import io
import struct
import warnings
import zlib
from dataclasses import dataclass
from typing import Final

from PIL import Image, ImageOps, UnidentifiedImageError

# Pillow also reads formats by calling external programs (EPS, WMF).
_FORMATS: Final = ("JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF", "PPM")
_LOSSY: Final = {"JPEG", "MPO"}
_ORIENTATION: Final = 0x0112
_UPRIGHT: Final = {None, 1}
_PNG_END: Final = b"\0\0\0\0IEND\xae\x42\x60\x82"
# What Pillow's parsers and decoders raise on damaged files, besides OSError.
_DAMAGE: Final = (
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    EOFError,
    NotImplementedError,
    RuntimeError,
    struct.error,
    zlib.error,
)
_BOMB: Final = (Image.DecompressionBombError, Image.DecompressionBombWarning)


class BadImage(Exception):
    """An image that must not enter a dataset: `reason` is a fixed word."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, slots=True)
class CheckedImage:
    """An image that decodes.

    Attributes:
        encoded: bytes of an 8-bit grey or RGB JPEG or PNG.
        format: `JPEG` or `PNG`.
        height: in pixels, upright.
        width: in pixels, upright.
        conversions: what was changed, in order; empty if the bytes are the
            source's.
    """

    encoded: bytes
    format: str
    height: int
    width: int
    conversions: tuple[str, ...] = ()


def check_image(data: bytes, maximum_pixels: int) -> CheckedImage:
    """Decode the whole image; convert it where TensorFlow could not read it.

    Raises:
        BadImage: empty, not an image, truncated, damaged, animated, of a pixel
            type without a defined conversion, or larger than `maximum_pixels`.
    """
    if not data:
        raise BadImage("empty", "the file has no bytes")
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            _refuse_unfit(image, data, maximum_pixels)
            return _decode(image, data)
    except UnidentifiedImageError as error:
        raise BadImage("not_an_image", _starts_with(data)) from error
    except _BOMB as error:
        raise BadImage("too_many_pixels", str(error)) from error
    except OSError as error:
        text = str(error)
        cut = "truncated" in text.lower() or "premature" in text.lower()
        raise BadImage("truncated" if cut else "damaged", text) from error
    except MemoryError as error:
        raise BadImage("too_many_pixels", "memory did not suffice") from error
    except _DAMAGE as error:
        raise BadImage("damaged", f"{type(error).__name__}: {error}") from error


def quiet_pillow() -> None:
    """Stop Pillow's warnings about odd metadata of images that decode well."""
    warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")


def _refuse_unfit(image: Image.Image, data: bytes, maximum_pixels: int) -> None:
    """Judge by the header, before a pixel is decoded."""
    width, height = image.size
    if width * height > maximum_pixels:
        detail = f"{width} x {height} pixels, more than {maximum_pixels}"
        raise BadImage("too_many_pixels", detail)
    frames = getattr(image, "n_frames", 1)
    if frames > 1 and image.format != "MPO":
        raise BadImage("animated", f"{frames} frames in a {image.format} file")
    # Pillow does without the last chunk of a PNG, TensorFlow does not.
    if image.format == "PNG" and _PNG_END not in data:
        raise BadImage("truncated", "the end chunk of the PNG file is missing")


def _decode(image: Image.Image, data: bytes) -> CheckedImage:
    stored = "JPEG" if image.format in _LOSSY else str(image.format)
    conversions = _needed_conversions(image, data)
    width, height = image.size
    if not conversions:
        # A JPEG at an eighth of its size: every coefficient is read and checked,
        # only the inverse transform is spared (0.9 for 1.5 ms at 500 x 375).
        image.draft(None, (1, 1))
        image.load()
        return CheckedImage(data, stored, height, width)
    upright = ImageOps.exif_transpose(image)
    pixels = _to_eight_bit(upright)
    target = "JPEG" if stored == "JPEG" else "PNG"
    return CheckedImage(
        _encode(pixels, target), target, pixels.height, pixels.width, conversions
    )


def _needed_conversions(image: Image.Image, data: bytes) -> tuple[str, ...]:
    needed = []
    if image.format not in {*_LOSSY, "PNG"}:
        needed.append(f"format_{str(image.format).lower()}")
    if image.mode not in {"L", "RGB"}:
        needed.append(f"mode_{image.mode.lower().replace(';', '_')}")
    elif image.format == "PNG" and data[24] != 8:  # bit depth, in the IHDR chunk
        needed.append(f"depth_{data[24]}")
    if image.getexif().get(_ORIENTATION) not in _UPRIGHT:
        needed.append("rotated")
    return tuple(needed)


def _to_eight_bit(image: Image.Image) -> Image.Image:
    """Grey or RGB; transparency is laid over white, 16 bits keep the upper 8."""
    if image.mode in {"L", "RGB"}:
        return image
    if image.mode == "1":
        return image.convert("L")
    if image.mode.startswith("I;16"):
        return image.point(lambda value: value / 256).convert("L")
    if image.mode in {"I", "F"}:
        raise BadImage("pixel_type", f"mode {image.mode} has no fixed range")
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        white = Image.new("RGBA", rgba.size, "white")
        image = Image.alpha_composite(white, rgba)
    return image.convert("RGB")


def _encode(image: Image.Image, target: str) -> bytes:
    buffer = io.BytesIO()
    if target == "JPEG":
        # Visually lossless; chroma kept at full resolution.
        image.save(buffer, target, quality=95, subsampling=0)
    else:
        image.save(buffer, target)
    return buffer.getvalue()


def _starts_with(data: bytes) -> str:
    return f"no known image format; it starts with {data[:12]!r}"
