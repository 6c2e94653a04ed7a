"""Spans: the time slices in which the data of a retrained model arrives.

Layout below a root, local or `gs://`: `SPAN/CLASS/IMAGE`. Names of spans sort
in the order of time (2026-w41). A dataset at a span holds every image up to
it, so its test split grows with the data while no image changes splits.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from model_code.adapters import storage
from model_code.errors import DataError


@dataclass(frozen=True, kw_only=True)
class Span:
    """One slice; `images` are paths below the root with their class."""

    name: str
    images: tuple[tuple[str, str], ...]

    @property
    def class_counts(self) -> dict[str, int]:
        """Images by class."""
        return dict(sorted(Counter(label for _, label in self.images).items()))


@dataclass(frozen=True, kw_only=True)
class SpanPlan:
    """What a retraining run should do: `span` is None where there is nothing.

    `seen` is the newest span that this run looked at; `included` are the spans
    of its dataset. Counts are images by class, in `span` and before it.
    """

    span: str | None
    seen: str | None
    reason: str
    included: tuple[str, ...] = ()
    counts: Mapping[str, int] | None = None
    previous_counts: Mapping[str, int] | None = None


def read_spans(root: str) -> tuple[Span, ...]:
    """Every span below the root, oldest first; an empty one has no images.

    Raises:
        DataError: the root is not a directory.
    """
    if not storage.is_directory(root):
        raise DataError(
            f"Spans root {root} is not a directory; expected SPAN/CLASS/IMAGE below "
            "it; give the root that new data is delivered to."
        )
    names = sorted(storage.list_directories(root))
    return tuple(_read_span(root, name) for name in names)


def plan_span(
    spans: Sequence[Span], last: str | None, wanted: str | None = None
) -> SpanPlan:
    """Which span to train on: the newest after `last`, or the one `wanted`; pure.

    Raises:
        DataError: the wanted span does not exist.
    """
    if wanted is not None:
        if wanted not in {span.name for span in spans}:
            raise DataError(
                f"Span {wanted!r} does not exist; expected one of "
                f"{', '.join(span.name for span in spans) or 'none'}; correct the name."
            )
        candidates = [span for span in spans if span.name <= wanted]
        return _train_on(candidates, wanted)
    new = [span for span in spans if last is None or span.name > last]
    if not new:
        return SpanPlan(span=None, seen=last, reason=f"no span after {last}")
    filled = [span for span in new if span.images]
    if not filled:
        empty = ", ".join(span.name for span in new)
        return SpanPlan(span=None, seen=new[-1].name, reason=f"no images in {empty}")
    return _train_on(spans, filled[-1].name)


def label_drift(previous: Mapping[str, int], current: Mapping[str, int]) -> float:
    """L-infinity distance between two label distributions; 0 before the first."""
    before, now = sum(previous.values()), sum(current.values())
    if not before or not now:
        return 0.0
    labels = {*previous, *current}
    return max(
        abs(previous.get(label, 0) / before - current.get(label, 0) / now)
        for label in labels
    )


def _train_on(spans: Sequence[Span], name: str) -> SpanPlan:
    included = [span for span in spans if span.name <= name and span.images]
    newest = next(span for span in spans if span.name == name)
    if not newest.images:
        return SpanPlan(span=None, seen=name, reason=f"no images in {name}")
    before: Counter[str] = Counter()
    for span in included[:-1]:
        before.update(span.class_counts)
    return SpanPlan(
        span=name,
        seen=max(span.name for span in spans),
        reason=f"{len(newest.images)} new images in {name}",
        included=tuple(span.name for span in included),
        counts=newest.class_counts,
        previous_counts=dict(sorted(before.items())),
    )


def _read_span(root: str, name: str) -> Span:
    top = storage.join(root, name)
    images = [
        (f"{name}/{label}/{image}", label)
        for label in sorted(storage.list_directories(top))
        for image in sorted(storage.list_names(storage.join(top, label)))
    ]
    return Span(name=name, images=tuple(images))
