"""More than 200 files that ingests have choked on, and what each must become.

An outcome is the set of verdicts that are true of a file: `OK` for the dataset,
or the reason of a dead letter. Where a cut may fall on either side of what a
decoder needs, several are true.
"""

import os
import random
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from tests.helpers.corpora import file_bytes, picture

OK = "ok"
_CUT = frozenset({"truncated", "damaged", "not_an_image"})


@dataclass(frozen=True)
class HostileFile:
    """A file name (bytes as `os.fsdecode` gives them), its content, its outcomes."""

    name: str
    content: bytes
    outcomes: frozenset[str]


def hostile_files() -> list[HostileFile]:
    """Every file, with distinct names."""
    makers = (
        _cut_jpegs,
        _cut_pngs,
        _damaged_files,
        _modes,
        _orientations,
        _formats,
        _bombs,
        _not_images,
        _names,
    )
    return [file for make in makers for file in make()]


def write_links(directory: Path) -> dict[str, frozenset[str]]:
    """Links, loops and things that are no files; outcomes by relative name."""
    (directory / "loop").symlink_to(directory)
    (directory / "self.jpg").symlink_to(directory / "self.jpg")
    (directory / "a.jpg").symlink_to(directory / "b.jpg")
    (directory / "b.jpg").symlink_to(directory / "a.jpg")
    (directory / "dangling.jpg").symlink_to(directory / "nowhere")
    os.mkfifo(directory / "pipe.jpg")
    names = ("loop", "self.jpg", "a.jpg", "b.jpg", "dangling.jpg", "pipe.jpg")
    return dict.fromkeys(names, frozenset({"unreadable"}))


def _file(name: str, content: bytes, *outcomes: str) -> HostileFile:
    return HostileFile(name, content, frozenset(outcomes))


def _cut_jpegs() -> Iterator[HostileFile]:
    """Cut before, inside and after every marker segment, and in the scans."""
    for kind, options in (("baseline", {}), ("progressive", {"progressive": True})):
        exif = Image.Exif()
        exif[0x010F] = "maker"
        whole = file_bytes(
            picture(1, (48, 40)), exif=exif, comment=b"a comment", **options
        )
        for number, start in enumerate(_marker_offsets(whole)):
            for inside in (0, 1, 3):
                yield HostileFile(
                    f"cut-{kind}-{number:02d}-{inside}.jpg",
                    whole[: start + inside],
                    _CUT | {"empty"} if start + inside == 0 else _CUT | {OK},
                )
        for percent in range(5, 100, 10):
            body = whole[: len(whole) * percent // 100]
            yield HostileFile(f"cut-{kind}-{percent}-percent.jpg", body, _CUT)


def _marker_offsets(jpeg: bytes) -> list[int]:
    offsets = []
    position = 0
    while position < len(jpeg) - 1:
        if jpeg[position] == 0xFF and jpeg[position + 1] not in (0x00, 0xFF):
            offsets.append(position)
            marker = jpeg[position + 1]
            if marker not in (0xD8, 0xD9):
                length = int.from_bytes(jpeg[position + 2 : position + 4], "big")
                position += length
        position += 1
    return offsets


def _cut_pngs() -> Iterator[HostileFile]:
    whole = file_bytes(picture(2, (40, 30)), "PNG")
    for position in (1, 7, 8, 12, 16, 24, 33, 40, 60):
        yield HostileFile(f"cut-{position}.png", whole[:position], _CUT)
    for percent in range(5, 100, 10):
        body = whole[: len(whole) * percent // 100]
        yield HostileFile(f"cut-{percent}-percent.png", body, _CUT)
    # Every pixel is there, and yet TensorFlow does not decode it.
    yield _file("no-end.png", whole[:-12], "truncated")


def _damaged_files() -> Iterator[HostileFile]:
    """Random bytes overwritten: a decoder may notice, or show other pixels."""
    for kind in ("JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF"):
        whole = file_bytes(picture(3, (32, 24)), kind)
        for seed in range(8):
            draws = random.Random(seed)
            body = bytearray(whole)
            for _ in range(6):
                body[draws.randrange(len(body))] = draws.randrange(256)
            allowed = _CUT | {OK, "too_many_pixels", "animated", "pixel_type"}
            yield HostileFile(f"damaged-{seed}.{kind.lower()}", bytes(body), allowed)
    png = bytearray(file_bytes(picture(4), "PNG"))
    png[-20] ^= 0xFF  # inside the last data chunk, whose checksum then differs
    yield HostileFile("checksum.png", bytes(png), _CUT)


def _modes() -> Iterator[HostileFile]:
    for mode in ("L", "RGB", "CMYK", "YCbCr"):
        data = file_bytes(picture(5, mode=mode))
        yield _file(f"mode-{mode}.jpg", data, OK)
    for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"):
        image = picture(6, mode="L" if mode == "I;16" else mode)
        if mode == "I;16":
            wide = np.asarray(image).astype(np.uint16) * 257
            image = Image.fromarray(wide)
        data = file_bytes(image, "PNG")
        yield _file(f"mode-{mode.replace(';', '-')}.png", data, OK)
    for colours in (2, 4, 16, 256):
        palette = picture(7).quantize(colours)
        data = file_bytes(palette, "PNG", bits=max(1, colours.bit_length() - 1))
        yield _file(f"palette-{colours}.png", data, OK)
    clear = picture(8, mode="P")
    yield _file("palette-clear.png", file_bytes(clear, "PNG", transparency=3), OK)
    for depth in (1, 2, 4, 8, 16):
        yield _file(f"grey-{depth}-bits.png", _grey_png(depth), OK)
    floats = Image.fromarray(np.zeros((3, 3), np.float32))
    yield _file("floats.tiff", file_bytes(floats, "TIFF"), "pixel_type")


def _orientations() -> Iterator[HostileFile]:
    for orientation in (*range(10), 65535):
        exif = Image.Exif()
        exif[0x0112] = orientation
        for kind in ("JPEG", "PNG", "WEBP"):
            data = file_bytes(picture(orientation % 50, (20, 14)), kind, exif=exif)
            yield _file(f"orientation-{orientation}.{kind.lower()}", data, OK)
    whole = file_bytes(picture(9))
    for length in (0, 1, 4, 60_000):
        exif_segment = b"\xff\xe1" + struct.pack(">H", min(length + 8, 65535))
        body = exif_segment + b"Exif\0\0" + b"II*\0" * (length // 4)
        yield HostileFile(
            f"bad-exif-{length}.jpg", whole[:2] + body + whole[2:], _CUT | {OK}
        )


def _formats() -> Iterator[HostileFile]:
    for kind in ("GIF", "BMP", "WEBP", "TIFF", "PPM"):
        data = file_bytes(picture(10), kind)
        yield _file(f"still.{kind.lower()}", data, OK)
        yield _file(f"really-{kind.lower()}.jpg", data, OK)
    yield _file("really-jpeg.png", file_bytes(picture(11)), OK)
    yield _file("really-jpeg.txt", file_bytes(picture(12)), OK)
    yield _file("no-extension", file_bytes(picture(13)), OK)
    frames = [picture(seed) for seed in range(3)]
    for kind in ("GIF", "PNG", "WEBP", "TIFF"):
        data = file_bytes(frames[0], kind, save_all=True, append_images=frames[1:])
        yield _file(f"animated.{kind.lower()}", data, "animated")
    pair = file_bytes(frames[0], "MPO", save_all=True, append_images=frames[1:])
    yield _file("stereo.mpo", pair, OK)
    trailing = file_bytes(picture(14)) + b"<script>" * 100
    yield _file("trailing.jpg", trailing, OK)
    thin = {"1x1": (1, 1), "1x4000": (1, 4000), "4000x1": (4000, 1)}
    for name, size in thin.items():
        yield _file(f"{name}.png", file_bytes(picture(15, size), "PNG"), OK)
        yield _file(f"{name}.jpg", file_bytes(picture(15, size)), OK)


def _bombs() -> Iterator[HostileFile]:
    """Small files that would fill the memory."""
    for width, height in ((20_000, 20_000), (2**31 - 1, 2**31 - 1), (1, 2**31 - 1)):
        yield HostileFile(
            f"bomb-{width}-{height}.png",
            _png(width, height, 8, 0, b"\0" * 100),
            frozenset({"too_many_pixels", *_CUT}),
        )
    yield _file("bomb.gif", _gif_header(60_000, 60_000), "too_many_pixels")
    yield _file("bomb.jpg", _resized_jpeg(65_000, 65_000), "too_many_pixels")
    yield _file("large.png", file_bytes(Image.new("1", (1200, 1000)), "PNG"), OK)
    for width, height in ((0, 10), (10, 0), (0, 0)):
        data = _png(width, height, 8, 0, b"")
        yield HostileFile(f"nothing-{width}-{height}.png", data, _CUT)
    text = b"Comment\0\0" + zlib.compress(b"\0" * 100_000_000)
    whole = file_bytes(picture(16), "PNG")
    bomb = whole[:33] + _chunk(b"zTXt", text) + whole[33:]
    yield HostileFile("text-bomb.png", bomb, _CUT | {OK})


def _not_images() -> Iterator[HostileFile]:
    yield _file("empty.jpg", b"", "empty")
    yield _file("empty.png", b"", "empty")
    contents = {
        "text.jpg": b"This is text.\n",
        "page.jpg": b"<!doctype html><title>404</title>",
        "vector.svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        "script.eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n",
        "program.jpg": b"\x7fELF" + bytes(200),
        "archive.jpg": b"PK\x03\x04" + bytes(100),
        "paper.pdf": b"%PDF-1.7\n%%EOF",
        "zeros.jpg": bytes(4096),
        "film.jpg": b"\0\0\0\x18ftypmp42" + bytes(100),
        "only-marker.jpg": b"\xff\xd8",
        "two-markers.jpg": b"\xff\xd8\xff\xd9",
        "only-signature.png": b"\x89PNG\r\n\x1a\n",
        "only-signature.gif": b"GIF89a",
        "only-signature.webp": b"RIFF\x10\0\0\0WEBP",
        "only-signature.tiff": b"II*\0",
        "only-signature.bmp": b"BM",
    }
    for name, content in contents.items():
        yield HostileFile(name, content, _CUT)
    for seed in range(10):
        noise = random.Random(seed).randbytes(500)
        yield HostileFile(f"noise-{seed}.jpg", noise, _CUT)
        fake = b"\xff\xd8\xff\xe0" + noise
        yield HostileFile(f"noise-jpeg-{seed}.jpg", fake, _CUT)


def _names() -> Iterator[HostileFile]:
    names = (
        "new\nline.jpg",
        "tab\t.jpg",
        "  spaces  .jpg",
        "quote'\".jpg",
        "back\\slash.jpg",
        "percent%20.jpg",
        "hash#.jpg",
        "star*?.jpg",
        "sch\u00f6n.jpg",
        "scho\u0308n.jpg",
        "\u65e5\u672c\u8a9e.jpg",
        "\U0001f600.jpg",
        "\u202egpj.exe",
        "-rf.jpg",
        "a" * 250 + ".jpg",
        os.fsdecode(b"latin-\xe9.jpg"),
        os.fsdecode(b"\xff\xfe.jpg"),
    )
    for seed, name in enumerate(names):
        yield _file(name, file_bytes(picture(100 + seed)), OK)


def _grey_png(depth: int) -> bytes:
    row = b"\0" + bytes(range(16 * depth // 8))
    return _png(16, 2, depth, 0, row * 2)


def _png(width: int, height: int, depth: int, colour: int, raw: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    body = _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(raw))
    return b"\x89PNG\r\n\x1a\n" + body + _chunk(b"IEND", b"")


def _chunk(kind: bytes, body: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(kind + body))
    return struct.pack(">I", len(body)) + kind + body + checksum


def _gif_header(width: int, height: int) -> bytes:
    size = struct.pack("<HH", width, height)
    frame = b"\x2c\0\0\0\0" + size + b"\0\x02\x02\x4c\x01\0\x3b"
    return b"GIF89a" + size + b"\x80\0\0" + b"\0\0\0\xff\xff\xff" + frame


def _resized_jpeg(width: int, height: int) -> bytes:
    """A JPEG whose frame header claims another size."""
    body = bytearray(file_bytes(picture(17)))
    start = body.index(b"\xff\xc0")
    body[start + 5 : start + 9] = struct.pack(">HH", height, width)
    return bytes(body)
