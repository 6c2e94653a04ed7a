"""Which span a retraining run takes, and how far it drifted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_code.data.spans import Span, label_drift, plan_span, read_spans
from model_code.errors import DataError


def span(name: str, **counts: int) -> Span:
    images = [
        (f"{name}/{label}/{index}.png", label)
        for label, count in counts.items()
        for index in range(count)
    ]
    return Span(name=name, images=tuple(images))


FIRST, SECOND, EMPTY = span("w1", a=3, b=1), span("w2", a=1, b=1), span("w3")


def test_the_newest_new_span_with_images_is_taken_with_all_before_it():
    plan = plan_span([FIRST, SECOND, EMPTY], last="w1")
    assert (plan.span, plan.seen) == ("w2", "w3")
    assert plan.included == ("w1", "w2")
    assert plan.counts == {"a": 1, "b": 1}
    assert plan.previous_counts == {"a": 3, "b": 1}


def test_nothing_new_and_nothing_in_it_are_reasons_to_stop():
    assert plan_span([FIRST], last="w1").reason == "no span after w1"
    plan = plan_span([FIRST, EMPTY], last="w1")
    assert (plan.span, plan.seen, plan.reason) == (None, "w3", "no images in w3")


def test_a_backfill_stops_at_the_span_it_names():
    plan = plan_span([FIRST, SECOND, EMPTY], last="w3", wanted="w1")
    assert (plan.span, plan.included) == ("w1", ("w1",))
    assert plan_span([FIRST, EMPTY], None, wanted="w3").span is None
    with pytest.raises(DataError, match="'w9' does not exist"):
        plan_span([FIRST], None, wanted="w9")


def test_spans_are_read_in_the_order_of_their_names(tmp_path):
    for path in ("w2/a/1.png", "w1/b/2.png", "w1/a/1.png"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    (tmp_path / "w3").mkdir()
    found = read_spans(str(tmp_path))
    assert [each.name for each in found] == ["w1", "w2", "w3"]
    assert found[0].images == (("w1/a/1.png", "a"), ("w1/b/2.png", "b"))
    with pytest.raises(DataError, match="is not a directory"):
        read_spans(str(tmp_path / "nowhere"))


COUNTS = st.dictionaries(st.sampled_from("abc"), st.integers(1, 50), min_size=1)


@given(first=COUNTS, second=COUNTS, factor=st.integers(2, 5))
def test_drift_is_a_distance_of_shares(first, second, factor):
    drift = label_drift(first, second)
    assert 0 <= drift <= 1
    assert drift == pytest.approx(label_drift(second, first))
    more = {label: count * factor for label, count in first.items()}
    assert label_drift(first, more) == pytest.approx(0)


def test_the_first_span_cannot_drift():
    assert label_drift({}, {"a": 3}) == 0.0
    assert label_drift({"a": 1, "b": 1}, {"b": 5}) == 0.5
