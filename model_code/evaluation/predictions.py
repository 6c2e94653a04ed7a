"""What a model said about every example of a split, and its file.

Per example only the most probable classes are kept: 20 of them, which is every
class of a small label space and keeps ImageNet-21k (21,841 classes, 100,000
held-out images) at 32 MB instead of 17 GB.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

RANKS_KEPT = 20

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Predictions:
    """N examples, K ranked classes each, the most probable first.

    `labels` [N] is the class id of an example, the lowest where it has several
    (`label_counts` [N] says how many). `ranked_classes` [N, K] are class ids,
    `ranked_probabilities` [N, K] their probabilities and `hits` [N, K] whether
    that class is one of the labels. `slices` maps a feature to its N values.
    """

    ids: tuple[str, ...]
    labels: Integers
    label_counts: Integers
    ranked_classes: Integers
    ranked_probabilities: Floats
    hits: Booleans
    slices: Mapping[str, tuple[str, ...]]

    def __len__(self) -> int:
        """Number of examples."""
        return len(self.ids)

    @property
    def predicted(self) -> Integers:
        """The most probable class of each example, [N]."""
        return self.ranked_classes[:, 0]

    @property
    def confidence(self) -> Floats:
        """The probability of the predicted class, [N]."""
        return self.ranked_probabilities[:, 0]

    @property
    def correct(self) -> Booleans:
        """Whether the predicted class is one of the labels, [N]."""
        return self.hits[:, 0]

    @property
    def is_single_label(self) -> bool:
        """Whether every example has exactly one label."""
        return bool((self.label_counts == 1).all())

    def where(self, mask: Booleans) -> "Predictions":
        """The examples for which `mask` [N] holds, in the same order."""
        kept = np.flatnonzero(mask)
        return Predictions(
            ids=tuple(self.ids[i] for i in kept),
            labels=self.labels[kept],
            label_counts=self.label_counts[kept],
            ranked_classes=self.ranked_classes[kept],
            ranked_probabilities=self.ranked_probabilities[kept],
            hits=self.hits[kept],
            slices={
                feature: tuple(values[i] for i in kept)
                for feature, values in self.slices.items()
            },
        )

    def in_slice(self, feature: str, value: str) -> "Predictions":
        """The examples whose `feature` has that value."""
        values = np.asarray(self.slices[feature], dtype=object)
        return self.where(values == value)


def rank(
    ids: Sequence[str],
    labels: npt.NDArray[Any],
    probabilities: npt.NDArray[Any],
    slices: Mapping[str, Sequence[str]],
) -> Predictions:
    """Predictions from `labels` and `probabilities`, both [N, classes].

    A label row is one-hot, or positive at each label of the example. Equal
    probabilities rank by class id, so that a report never depends on the sort.

    Raises:
        ValueError: the shapes differ, a row has no label, or a probability is
            not a finite number.
    """
    if labels.shape != probabilities.shape or len(labels) != len(ids):
        raise ValueError(
            f"Received {len(ids)} ids, labels {labels.shape} and probabilities "
            f"{probabilities.shape}; expected [N, classes] for both and N ids."
        )
    if not np.isfinite(probabilities).all():
        raise ValueError("A predicted probability is NaN or infinite.")
    positive = labels > 0
    if not positive.any(axis=1).all():
        raise ValueError("An example without a label cannot be evaluated.")
    order = np.argsort(-probabilities, axis=1, kind="stable")[:, :RANKS_KEPT]
    return Predictions(
        ids=tuple(ids),
        labels=positive.argmax(axis=1).astype(np.int64),
        label_counts=positive.sum(axis=1).astype(np.int64),
        ranked_classes=order.astype(np.int64),
        ranked_probabilities=np.take_along_axis(
            probabilities.astype(np.float64), order, axis=1
        ),
        hits=np.take_along_axis(positive, order, axis=1),
        slices={feature: tuple(values) for feature, values in slices.items()},
    )


def concatenate(parts: Iterable[Predictions]) -> Predictions:
    """One table from the tables of several batches, in order."""
    tables = list(parts)
    return Predictions(
        ids=tuple(name for table in tables for name in table.ids),
        labels=np.concatenate([table.labels for table in tables]),
        label_counts=np.concatenate([table.label_counts for table in tables]),
        ranked_classes=np.concatenate([table.ranked_classes for table in tables]),
        ranked_probabilities=np.concatenate(
            [table.ranked_probabilities for table in tables]
        ),
        hits=np.concatenate([table.hits for table in tables]),
        slices={
            feature: tuple(value for table in tables for value in table.slices[feature])
            for feature in tables[0].slices
        },
    )


def write(predictions: Predictions, class_names: Sequence[str], path: Path) -> None:
    """One JSON object a line: id, label, probabilities by class name, slices."""
    temporary = path.with_name(f".{path.name}.partial")
    with temporary.open("w", encoding="utf-8") as lines:
        for row in _rows(predictions, class_names):
            lines.write(json.dumps(row, ensure_ascii=False) + "\n")
    temporary.replace(path)


def _rows(
    predictions: Predictions, class_names: Sequence[str]
) -> Iterator[dict[str, Any]]:
    for i, name in enumerate(predictions.ids):
        ranked = zip(
            predictions.ranked_classes[i],
            predictions.ranked_probabilities[i],
            strict=True,
        )
        yield {
            "id": name,
            "label": class_names[predictions.labels[i]],
            "correct": bool(predictions.correct[i]),
            "probabilities": {class_names[c]: float(p) for c, p in ranked},
            "slices": {key: values[i] for key, values in predictions.slices.items()},
        }
