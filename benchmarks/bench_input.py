"""How fast the training input pipeline is, against Keras's loader and the decoder.

    python benchmarks/bench_input.py

Contestants take turns, several rounds each, so that a busy machine slows all of
them alike. A round restarts the contestant, waits for its first batches and
counts the images of a fixed number of batches.
"""

import io
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from os import cpu_count
from pathlib import Path

import keras
import numpy as np
import simplejpeg
import tensorflow as tf
from PIL import Image

from model_code.config.dataset import DatasetConfig, FolderSource, SplitConfig
from model_code.config.training import (
    AugmentationConfig,
    ProgressiveConfig,
    Ramp,
    SizeRamp,
    TrainConfig,
)
from model_code.data.augment.picture import augment
from model_code.data.augment.seeds import Stream, position_seed
from model_code.data.ingest import ingest
from model_code.data.input_pipeline import training_batches
from model_code.data.manifest import DatasetManifest
from model_code.training.progressive import plan_stages

IMAGES = 1024
BATCH = 64
WARM_UP = 4
TIMED = 24
ROUNDS = 5
SIZES = (128, 224, 300)
MAGNITUDE = 9.0
PLAIN = AugmentationConfig(policy="none")
RANDAUGMENT = AugmentationConfig(policy="randaugment")


@dataclass
class Contestant:
    """`start` gives an iterator over batches; None stands for one batch."""

    name: str
    start: Callable[[], Iterator[object]]
    rates: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def run(self) -> None:
        """One round."""
        batches = self.start()
        for _ in range(WARM_UP):
            next(batches)
        wall, busy = time.perf_counter(), time.process_time()
        for _ in range(TIMED):
            next(batches)
        images = TIMED * BATCH
        self.rates.append(images / (time.perf_counter() - wall))
        self.cpu.append(1000 * (time.process_time() - busy) / images)

    @property
    def rate(self) -> float:
        """Median images per second."""
        return statistics.median(self.rates)


def write_images(folder: Path) -> float:
    """500 x 375 JPEGs of about 84 kB in ten classes; gives their mean size."""
    generator = np.random.default_rng(0)
    sizes = []
    for number in range(IMAGES):
        shapes = generator.normal(128, 50, (24, 32, 3))
        texture = generator.normal(0, 21, (188, 250, 3))
        pixels = _enlarged(shapes) + _enlarged(texture + 128) - 128
        buffer = io.BytesIO()
        image = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
        image.save(buffer, "JPEG", quality=90)
        path = folder / str(number % 10) / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(buffer.getvalue())
        sizes.append(len(buffer.getvalue()))
    return statistics.mean(sizes)


def _enlarged(pixels: np.ndarray) -> np.ndarray:
    image = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    return np.asarray(image.resize((500, 375), Image.Resampling.BICUBIC), np.float32)


def ours(
    manifest: DatasetManifest, size: int, augmentation: AugmentationConfig
) -> Callable[[], Iterator[object]]:
    """The product's own training batches."""
    config = TrainConfig(
        seed=1,
        epochs=1000.0,
        global_batch_size=BATCH,
        progressive=ProgressiveConfig(
            rule="fixed",
            stages=1,
            image_size=SizeRamp(start=size, end=size),
            randaugment_magnitude=Ramp(start=MAGNITUDE, end=MAGNITUDE),
        ),
        augmentation=augmentation,
        evaluation_image_size=size,
    )
    (stage,) = plan_stages(config, IMAGES)
    return lambda: iter(training_batches(manifest, stage, config, first_step=0))


def from_keras(
    folder: Path, size: int, augmentation: AugmentationConfig
) -> Callable[[], Iterator[object]]:
    """Keras's loader, then crop, flip and policy on the picture it gives."""

    def change(number: tf.Tensor, picture: tf.Tensor) -> tf.Tensor:
        seeds = [position_seed(1, stream, number) for stream in Stream]
        begin, extent, _ = tf.image.stateless_sample_distorted_bounding_box(
            [size, size, 3],
            tf.zeros([1, 0, 4]),
            seeds[Stream.CROP],
            min_object_covered=0.0,
            area_range=augmentation.crop_area,
            use_image_if_no_bounding_boxes=True,
        )
        cropped = tf.image.resize(tf.slice(picture, begin, extent), [size, size])
        cropped = tf.cast(tf.ensure_shape(cropped, [size, size, 3]), tf.uint8)
        return augment(
            cropped, augmentation, MAGNITUDE, seeds[Stream.EXAMPLE], seeds[Stream.ERASE]
        )

    def start() -> Iterator[object]:
        loaded = keras.utils.image_dataset_from_directory(
            folder, image_size=(size, size), batch_size=None, seed=1, verbose=False
        )
        pictures = loaded.map(lambda image, _: image).repeat().enumerate()
        changed = pictures.map(change, num_parallel_calls=tf.data.AUTOTUNE)
        batches = changed.batch(BATCH).map(lambda batch: tf.cast(batch, tf.float32))
        return iter(batches.prefetch(tf.data.AUTOTUNE))

    return start


def decoder(encoded: list[bytes], **settings: object) -> Callable[[], Iterator[object]]:
    """libjpeg-turbo alone, on as many threads as there are cores."""

    def start() -> Iterator[object]:
        position = 0
        with ThreadPoolExecutor(cpu_count()) as pool:
            while True:
                batch = [encoded[(position + i) % IMAGES] for i in range(BATCH)]
                decoded = pool.map(
                    lambda data: simplejpeg.decode_jpeg(data, **settings), batch
                )
                yield list(decoded)
                position += BATCH

    return start


def contestants(folder: Path, manifest: DatasetManifest) -> list[Contestant]:
    """Everything that is measured."""
    encoded = [path.read_bytes() for path in folder.rglob("*.jpg")]
    fast = {"fastdct": True, "fastupsample": True}
    found = [
        Contestant("libjpeg-turbo, full size", decoder(encoded)),
        Contestant("libjpeg-turbo, full size, fast", decoder(encoded, **fast)),
        Contestant(
            "libjpeg-turbo, half size, fast",
            decoder(encoded, **fast, min_height=187, min_width=250),
        ),
    ]
    for size in SIZES:
        for label, each in (("", PLAIN), (" + RandAugment", RANDAUGMENT)):
            found += [
                Contestant(f"ours, {size} px{label}", ours(manifest, size, each)),
                Contestant(f"keras, {size} px{label}", from_keras(folder, size, each)),
            ]
    return found


def report(found: list[Contestant]) -> None:
    """A table of medians and ranges, then the ratios that matter."""
    print("| | images/s (median, range) | CPU ms/image |\n|---|---|---|")
    for each in found:
        low, high = min(each.rates), max(each.rates)
        cpu = statistics.median(each.cpu)
        print(f"| {each.name} | {each.rate:.0f} ({low:.0f}-{high:.0f}) | {cpu:.2f} |")
    rate = {each.name: each.rate for each in found}
    limit = rate["libjpeg-turbo, full size"]
    print("\n| size | over Keras | over Keras, RandAugment | share of full decoding |")
    print("|---|---|---|---|")
    for size in SIZES:
        plain, policy = f"{size} px", f"{size} px + RandAugment"
        print(
            f"| {size} px | {rate[f'ours, {plain}'] / rate[f'keras, {plain}']:.2f} "
            f"| {rate[f'ours, {policy}'] / rate[f'keras, {policy}']:.2f} "
            f"| {rate[f'ours, {plain}'] / limit:.2f} |"
        )


def main() -> None:
    """Generate, ingest, measure, print."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place, "images")
        print(f"{IMAGES} images of {write_images(folder) / 1000:.0f} kB\n")
        dataset = DatasetConfig(
            name="bench",
            source=FolderSource(kind="folder", path=str(folder)),
            splits=SplitConfig(test=0.0, validation=0.0, minimum_per_class=0),
        )
        found = contestants(folder, ingest(dataset, str(Path(place, "data"))))
        for _ in range(ROUNDS):
            for each in found:
                each.run()
        report(found)


if __name__ == "__main__":
    main()
