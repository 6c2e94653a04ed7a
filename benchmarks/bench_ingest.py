"""How fast the ingest is, beside TensorFlow Datasets and beside the hardware.

    python -m benchmarks.bench_ingest --images 20000 --directory /tmp/bench

Each contender runs in a fresh process over the same generated JPEG files and
makes the same decode check. `limit` is what the cores could do at best: one
plain process each that reads, checks, checksums and writes, without splits,
order, index or manifest.
"""

import argparse
import io
import json
import shutil
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import psutil
from PIL import Image

from model_code.config.beam import parse_beam_options
from model_code.config.dataset import DatasetConfig, FolderSource
from model_code.data import records
from model_code.data.ingest import ingest
from model_code.data.ingestion.decoding import check_image

CORES = len(psutil.Process().cpu_affinity())
LIMIT_PIXELS = 64_000_000
CLASSES = 20
PATTERNS = 100


def generate(root: Path, count: int) -> None:
    """Distinct 500 x 375 JPEG files of about 80 kB, as ILSVRC2012 has them."""
    if root.exists() and sum(1 for _ in root.rglob("*.jpg")) == count:
        return
    shutil.rmtree(root, ignore_errors=True)
    files = [_jpeg(seed) for seed in range(PATTERNS)]
    for index in range(count):
        path = root / f"class-{index % CLASSES:02d}" / f"{index:06d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_with_comment(files[index % PATTERNS], index))


def _jpeg(seed: int) -> bytes:
    draws = np.random.default_rng(seed)
    small = draws.integers(0, 256, (75, 100, 3), np.uint8)
    image = Image.fromarray(small).resize((500, 375), Image.Resampling.BICUBIC)
    grain = draws.normal(0, 9, (375, 500, 3))
    pixels = np.clip(np.asarray(image) + grain, 0, 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=75)
    return buffer.getvalue()


def _with_comment(jpeg: bytes, index: int) -> bytes:
    """The same picture with other bytes: a comment segment after the header."""
    text = f"{index:012d}".encode()
    return jpeg[:2] + b"\xff\xfe" + (len(text) + 2).to_bytes(2, "big") + text + jpeg[2:]


def run_ours(source: Path, target: Path, options: str) -> None:
    """The product's ingest."""
    config = DatasetConfig(
        name="bench", source=FolderSource(kind="folder", path=str(source))
    )
    ingest(config, str(target), parse_beam_options(options))


def run_tfds(source: Path, target: Path) -> None:
    """A builder of TensorFlow Datasets as its documentation shows it."""
    import tensorflow_datasets as tfds  # noqa: PLC0415 (the others do without)

    class Bench(tfds.core.GeneratorBasedBuilder):
        VERSION = tfds.core.Version("1.0.0")

        def _info(self) -> tfds.core.DatasetInfo:
            names = sorted(path.name for path in source.iterdir())
            return tfds.core.DatasetInfo(
                builder=self,
                features=tfds.features.FeaturesDict(
                    {
                        "image": tfds.features.Image(encoding_format="jpeg"),
                        "label": tfds.features.ClassLabel(names=names),
                        "filename": tfds.features.Text(),
                    }
                ),
            )

        def _split_generators(self, _: object) -> dict[str, object]:
            return {"train": self._generate_examples()}

        def _generate_examples(self) -> object:
            for path in sorted(source.rglob("*.jpg")):
                data = path.read_bytes()
                check_image(data, LIMIT_PIXELS)
                name = str(path.relative_to(source))
                row = {"image": data, "label": path.parent.name, "filename": name}
                yield name, row

    Bench(data_dir=str(target)).download_and_prepare()


def run_limit(source: Path, target: Path) -> None:
    """One plain process a core."""
    target.mkdir(parents=True)
    files = sorted(source.rglob("*.jpg"))
    with ProcessPoolExecutor(CORES) as pool:
        shares = [files[index::CORES] for index in range(CORES)]
        outputs = [target / str(index) for index in range(CORES)]
        list(pool.map(_write_plainly, shares, outputs))


def _write_plainly(files: list[Path], output: Path) -> None:
    with output.open("wb") as stream:
        for path in files:
            data = path.read_bytes()
            check_image(data, LIMIT_PIXELS)
            stream.write(records.frame(data))


CONTENDERS = {
    "limit": (run_limit, ()),
    "tfds": (run_tfds, ()),
    "ours, threads": (run_ours, ("",)),
    "ours, processes": (run_ours, (f"--workers={CORES}",)),
}


def measure(name: str, source: Path, target: Path, images: int) -> dict[str, object]:
    """Run a contender in a fresh process; sample the memory of all its processes."""
    shutil.rmtree(target, ignore_errors=True)
    command = [sys.executable, "-m", "benchmarks.bench_ingest", "--contender", name]
    started = time.monotonic()
    child = psutil.Popen(
        [*command, "--source", str(source), "--directory", str(target)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    peaks: dict[int, int] = {}
    cpu: dict[int, float] = {}
    while child.poll() is None:
        _sample(child, peaks, cpu)
        time.sleep(0.1)
    seconds = time.monotonic() - started
    if child.returncode:
        raise SystemExit(f"{name} failed with exit code {child.returncode}")
    shutil.rmtree(target)
    return {
        "contender": name,
        "images": images,
        "seconds": round(seconds, 1),
        "images_per_second": round(images / seconds),
        "cpu_seconds": round(sum(cpu.values()), 1),
        "peak_mb_of_a_process": round(max(peaks.values()) / 1e6),
        "processes": len(peaks),
    }


def _sample(
    child: psutil.Process, peaks: dict[int, int], cpu: dict[int, float]
) -> None:
    try:
        for process in [child, *child.children(recursive=True)]:
            used = process.cpu_times()
            peaks[process.pid] = max(
                peaks.get(process.pid, 0), process.memory_info().rss
            )
            cpu[process.pid] = used.user + used.system
    except psutil.NoSuchProcess:
        return  # it ended between being listed and being asked


def main() -> None:
    """Measure every contender, then our memory on few and on many images."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--memory-images", type=int, nargs="*", default=[2_000, 50_000])
    parser.add_argument("--directory", type=Path, required=True)
    parser.add_argument("--contender", choices=list(CONTENDERS))
    parser.add_argument("--source", type=Path)
    given = parser.parse_args()
    if given.contender:
        run, arguments = CONTENDERS[given.contender]
        run(given.source, given.directory, *arguments)
        return
    rows = []
    for count in [given.images, *given.memory_images]:
        source = given.directory / f"images-{count}"
        generate(source, count)
        names = CONTENDERS if count == given.images else ("ours, threads",)
        for name in names:
            row = measure(name, source, given.directory / "out", count)
            rows.append(row)
            sys.stdout.write(json.dumps(row) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
