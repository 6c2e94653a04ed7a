"""Small folders of images for tests of the ingest."""

import hashlib
import io
from pathlib import Path

import numpy as np
from PIL import Image

from model_code.config.dataset import DatasetConfig, FolderSource, SplitConfig


def picture(
    seed: int, size: tuple[int, int] = (12, 10), mode: str = "RGB"
) -> Image.Image:
    """A random image that follows from its seed; `size` is (width, height)."""
    width, height = size
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    return Image.fromarray(noise).convert(mode)


def file_bytes(image: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    """The image as a file of that kind."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def class_folder(root: Path, counts: dict[str, int], first_seed: int = 0) -> Path:
    """One directory per class with that many distinct JPEG images."""
    for name, count in counts.items():
        (root / name).mkdir(parents=True, exist_ok=True)
        for index in range(count):
            seed = first_seed + int(hashlib.md5(name.encode()).hexdigest()[:6], 16)
            data = file_bytes(picture(seed + index))
            (root / name / f"{first_seed + index:04d}.jpg").write_bytes(data)
    return root


def folder_config(path: Path, **changes: object) -> DatasetConfig:
    """A folder source with shares that small folders can fill."""
    settings: dict[str, object] = {
        "name": "corpus",
        "source": FolderSource(kind="folder", path=str(path)),
        "splits": SplitConfig(test=0.25, validation=0.25, minimum_per_class=0),
    }
    return DatasetConfig(**{**settings, **changes})  # type: ignore[arg-type]
