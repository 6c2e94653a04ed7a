"""From finished shards to a dataset: totals, limits, manifest."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from model_code.config.dataset import DatasetConfig
from model_code.data import manifest
from model_code.data.fingerprint import fingerprint
from model_code.data.ingestion import dead_letters, shards, spill, tfds_layout
from model_code.data.ingestion.contents import read_contents
from model_code.data.ingestion.places import Places
from model_code.data.ingestion.shards import ShardSummary
from model_code.data.manifest import DatasetManifest, Range, SplitManifest
from model_code.data.sources.base import Listing
from model_code.data.splits import SplitRule, demanded_splits
from model_code.errors import DataError

Key = TypeVar("Key", int, str)

_MOST_SLICE_VALUES = 100
"""A feature with more values identifies examples and makes no slices."""


@dataclass(frozen=True)
class Origin:
    """Where a dataset comes from; as in `DatasetManifest`."""

    key: str
    series: str
    span: int
    split_rule: SplitRule
    carried_examples: int


def assemble(
    config: DatasetConfig, listing: Listing, origin: Origin, places: Places
) -> DatasetManifest:
    """Write what belongs beside the shards; the manifest comes last.

    Raises:
        DataError: too many images were refused, a split lacks examples of a
            class, or the runner lost records.
    """
    summaries = shards.read_summaries(places.work)
    letters = spill.read_dead_letters(places.work)
    counts = dead_letters.count_by_reason(letters)
    examples = sum(summary.shard.examples for summary in summaries)
    dead_letters.refuse_too_many(config, examples, counts, letters)
    examined = spill.read_progress(places.work).examples
    _count_again(config, examined + origin.carried_examples, examples)
    built = replace(
        _manifest(config, listing, summaries, places),
        key=origin.key,
        series=origin.series,
        span=origin.span,
        split_rule=origin.split_rule,
        carried_examples=origin.carried_examples,
        dead_letters=counts,
        dead_letter_file=dead_letters.FILE if letters else None,
    )
    check_limits(config, built)
    if letters:
        dead_letters.write(letters, places.target)
    tfds_layout.write(built, places.target)
    manifest.write(built, places.target)
    return built


def check_limits(config: DatasetConfig, built: DatasetManifest) -> None:
    """Judge a dataset by the limits of a recipe, new or reused.

    Raises:
        DataError: too many images were refused, or a split has fewer examples
            of a class than `minimum_per_class`.
    """
    dead_letters.refuse_too_many(config, built.examples, dict(built.dead_letters))
    for split, found in built.splits.items():
        short = [
            f"{name} ({count})"
            for name, count in zip(built.class_names, found.class_counts, strict=True)
            if count < config.splits.minimum_per_class
        ]
        if short:
            raise DataError(
                f"Dataset {config.name}: split {split} has too few images of "
                f"{len(short)} of {len(built.class_names)} classes: "
                f"{', '.join(short[:5])}; expected at least "
                f"{config.splits.minimum_per_class} of each. Add images, give the "
                "split a larger share, or lower `splits.minimum_per_class`."
            )


def _count_again(config: DatasetConfig, examined: int, written: int) -> None:
    """Runners have reported success and dropped records (stack facts 4)."""
    if written != examined:
        raise DataError(
            f"Dataset {config.name}: the job examined {examined} images and wrote "
            f"{written}; expected equal numbers. The Beam runner lost records: "
            "use another one."
        )
    if not examined:
        raise DataError(
            f"Dataset {config.name}: the source gave no usable image; expected at "
            "least one. Check `source`."
        )


def _manifest(
    config: DatasetConfig,
    listing: Listing,
    summaries: Sequence[ShardSummary],
    places: Places,
) -> DatasetManifest:
    by_split = {
        split: [summary for summary in summaries if summary.split == split]
        for split in demanded_splits(config.splits, has_test=listing.has_test)
    }
    contents = read_contents(by_split, places.target)
    names, several = listing.class_names, listing.multi_label
    return DatasetManifest(
        name=config.name,
        key="",
        fingerprint=fingerprint(names, several, contents.example_digests),
        location=places.target,
        class_names=names,
        splits={split: _split(group, len(names)) for split, group in by_split.items()},
        multi_label=several,
        slice_features=listing.slice_features,
        meta_features=listing.meta_features,
        conversions=_add_up(summary.conversions for summary in summaries),
        duplicates=contents.duplicates,
        conflicting_duplicates=contents.conflicting_duplicates,
        straddling_duplicates=contents.straddling_duplicates,
        height=_range([summary.heights for summary in summaries], contents.examples),
        width=_range([summary.widths for summary in summaries], contents.examples),
    )


def _split(summaries: Sequence[ShardSummary], classes: int) -> SplitManifest:
    counts = _add_up(summary.class_counts for summary in summaries)
    return SplitManifest(
        examples=sum(summary.shard.examples for summary in summaries),
        class_counts=tuple(counts.get(label, 0) for label in range(classes)),
        shards=tuple(summary.shard for summary in summaries),
        slice_counts=_slice_counts(summaries),
    )


def _slice_counts(summaries: Sequence[ShardSummary]) -> dict[str, dict[str, int]]:
    names = {name for summary in summaries for name in summary.slice_counts}
    counts = {
        name: _add_up(summary.slice_counts[name] for summary in summaries)
        for name in sorted(names)
    }
    return {name: c for name, c in counts.items() if len(c) <= _MOST_SLICE_VALUES}


def _add_up(counts: Iterable[Mapping[Key, int]]) -> dict[Key, int]:
    total: Counter[Key] = Counter()
    for part in counts:
        total.update(part)
    return dict(sorted(total.items()))


def _range(parts: Sequence[tuple[int, int, int]], examples: int) -> Range:
    smallest, sums, largest = zip(*parts, strict=True)
    return Range(minimum=min(smallest), mean=sum(sums) / examples, maximum=max(largest))
