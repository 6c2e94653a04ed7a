"""Figures about a dataset that a person asks for, from its small index files."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from model_code.data.ingestion import index
from model_code.data.manifest import DatasetManifest

_QUANTILES = {"smallest": 0.0, "5 %": 0.05, "median": 0.5, "95 %": 0.95, "largest": 1.0}


@dataclass(frozen=True)
class Overview:
    """Distribution of image sizes and labels.

    Attributes:
        quantiles: of height and width in pixels, megapixels, aspect ratio (width
            over height) and kilobytes of a record.
        labels_an_example: examples by number of labels.
        largest: file names of the images with the most pixels.
    """

    quantiles: Mapping[str, Mapping[str, float]]
    labels_an_example: Mapping[int, int]
    largest: tuple[str, ...]


def overview(dataset: DatasetManifest) -> Overview:
    """Read the indexes of all shards and sum them up."""
    columns: dict[str, list[npt.NDArray[np.float64]]] = {}
    names: list[str] = []
    counts: dict[int, int] = {}
    for table in _tables(dataset):
        for name in (index.HEIGHT, index.WIDTH, index.LENGTH):
            values = np.asarray(table[name].to_numpy(), np.float64)
            columns.setdefault(name, []).append(values)
        names += [_text(name) for name in table[index.FILENAME].to_pylist()]
        for labels in table[index.LABELS].to_pylist():
            counts[len(labels)] = counts.get(len(labels), 0) + 1
    height, width, length = (np.concatenate(parts) for parts in columns.values())
    pixels = height * width
    measures = {
        "height": height,
        "width": width,
        "megapixels": pixels / 1e6,
        "aspect ratio": width / height,
        "kilobytes": length / 1e3,
    }
    return Overview(
        quantiles={name: _quantiles(values) for name, values in measures.items()},
        labels_an_example=dict(sorted(counts.items())),
        largest=tuple(names[i] for i in np.argsort(-pixels, kind="stable")[:3]),
    )


def _tables(dataset: DatasetManifest) -> Iterator[Any]:
    for split in dataset.splits.values():
        for shard in split.shards:
            yield index.read(index.uri(dataset.location, shard.file))


def _quantiles(values: npt.NDArray[np.float64]) -> dict[str, float]:
    return {name: float(np.quantile(values, q)) for name, q in _QUANTILES.items()}


def _text(name: bytes) -> str:
    return name.decode("utf-8", "replace")
