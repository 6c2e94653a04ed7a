"""Checks on the counts of a manifest: pure, and run everywhere."""

from collections.abc import Iterator, Mapping, Sequence

from model_code.config.dataset import ValidationConfig
from model_code.data.manifest import DatasetManifest, SplitManifest
from model_code.data.splits import TRAIN
from model_code.data.validation.report import Distance, Finding

LABEL = "label"


def class_shares(split: SplitManifest) -> tuple[float, ...]:
    """Share of each class among the labels of a split; zeros if it has none."""
    total = max(1, sum(split.class_counts))
    return tuple(count / total for count in split.class_counts)


def split_distances(
    dataset: DatasetManifest, config: ValidationConfig
) -> list[Distance]:
    """Distance of every other split to train, for labels and slice features."""
    if TRAIN not in dataset.splits:
        return []
    train = dataset.splits[TRAIN]
    return [
        _distance(feature, (TRAIN, name), shares, config.maximum_split_skew)
        for name, split in dataset.splits.items()
        if name != TRAIN and split.examples
        for feature, shares in _paired_shares(
            (dataset.class_names, train), (dataset.class_names, split)
        )
    ]


def span_distances(
    previous: DatasetManifest, dataset: DatasetManifest, config: ValidationConfig
) -> list[Distance]:
    """Distance of the train split to the one of an earlier span."""
    if TRAIN not in dataset.splits or TRAIN not in previous.splits:
        return []
    pairs = _paired_shares(
        (previous.class_names, previous.splits[TRAIN]),
        (dataset.class_names, dataset.splits[TRAIN]),
    )
    between = ("previous span", "this span")
    return [
        _distance(feature, between, shares, config.maximum_span_drift)
        for feature, shares in pairs
    ]


def find_problems(
    dataset: DatasetManifest, distances: Sequence[Distance]
) -> list[Finding]:
    """What the counts and distances say, worst first."""
    problems = [_too_far(found) for found in distances if found.value > found.maximum]
    problems += [
        Finding("error", "empty split", f"split {name} has no examples")
        for name, split in dataset.splits.items()
        if not split.examples
    ]
    if dataset.conflicting_duplicates:
        problems.append(
            Finding(
                "warning",
                "labels",
                f"{dataset.conflicting_duplicates} images occur again with another "
                "label; expected equal images to have equal labels",
            )
        )
    if dataset.straddling_duplicates:
        problems.append(
            Finding(
                "warning",
                "leak",
                f"{dataset.straddling_duplicates} images of the source's own test "
                "split occur in another split too; expected none",
            )
        )
    refused = sum(dataset.dead_letters.values())
    if refused:
        message = f"{refused} images were refused, which the recipe tolerates"
        problems.append(Finding("warning", "dead letters", message))
    return problems


def _too_far(found: Distance) -> Finding:
    first, second = found.between
    return Finding(
        "error",
        "drift" if first == "previous span" else "skew",
        f"share of {found.feature} {found.where!r} differs by {found.value:.3f} "
        f"between {first} and {second}; allowed is {found.maximum:g}",
    )


_Shares = Mapping[str, float]
_Pair = tuple[_Shares, _Shares]


def _paired_shares(
    first: tuple[Sequence[str], SplitManifest],
    second: tuple[Sequence[str], SplitManifest],
) -> Iterator[tuple[str, _Pair]]:
    """Shares by value in both, for the labels and every slice feature in both."""
    labels = [
        dict(zip(names, class_shares(split), strict=True))
        for names, split in (first, second)
    ]
    yield LABEL, (labels[0], labels[1])
    before, after = first[1].slice_counts, second[1].slice_counts
    for name in sorted(before.keys() & after.keys()):
        yield name, (_normalise(before[name]), _normalise(after[name]))


def _normalise(counts: Mapping[str, int]) -> _Shares:
    total = sum(counts.values())
    return {value: count / total for value, count in counts.items()}


def _distance(
    feature: str, between: tuple[str, str], shares: _Pair, maximum: float
) -> Distance:
    first, second = shares
    differences = {
        value: abs(first.get(value, 0.0) - second.get(value, 0.0))
        for value in sorted(first.keys() | second.keys())
    }
    where = max(differences, key=lambda value: differences[value])
    return Distance(feature, between, differences[where], where, maximum)
