"""The gate: laws of the decision, and its words."""

import hypothesis.strategies as st
import pytest
from hypothesis import given

from model_code.config.recipe import GateConfig
from model_code.errors import ConfigError
from model_code.evaluation.gate import Incumbent, decide
from tests.helpers.reports import evaluation_report

shares = st.floats(0, 1)


def incumbent(top1: float, version: int = 3, **changes) -> Incumbent:
    return Incumbent(version=version, report=evaluation_report(top1, **changes))


@given(shares, shares, st.floats(0, 0.1), shares)
def test_promotes_exactly_what_is_good_enough_and_better(new, old, minimum, floor):
    config = GateConfig(minimum_improvement=minimum, minimum_value=floor)
    decision = decide(evaluation_report(new), incumbent(old), config)
    margin = min(abs(new - old), abs(new - old - minimum))
    if margin > 1e-9:
        better = new > old and new - old > minimum
        assert decision.promote == (better and new >= floor)
    assert decision.improvement == new - old


@given(shares, shares)
def test_never_both_ways_round(one, other):
    config = GateConfig()
    there = decide(evaluation_report(one), incumbent(other), config)
    back = decide(evaluation_report(other), incumbent(one), config)
    assert not (there.promote and back.promote)


def test_an_improvement_of_exactly_the_minimum_is_enough():
    config = GateConfig(minimum_improvement=0.002)
    for old in (0.9, 0.7, 0.5, 0.3):
        assert decide(evaluation_report(old + 0.002), incumbent(old), config).promote


def test_the_same_again_is_not_better():
    decision = decide(evaluation_report(0.8), incumbent(0.8), GateConfig())
    assert not decision.promote
    assert "does not beat the champion's 0.8000 (version 3)" in decision.reason


def test_the_first_model_is_promoted_when_it_reaches_the_minimum():
    first = decide(evaluation_report(0.8), None, GateConfig(minimum_value=0.7))
    poor = decide(evaluation_report(0.6), None, GateConfig(minimum_value=0.7))
    assert first.promote
    assert "no champion yet" in first.reason
    assert not poor.promote
    assert "below the recipe's minimum value of 0.7" in poor.reason
    assert first.champion_version is None
    assert first.improvement is None


def test_it_compares_the_metric_that_the_recipe_names():
    challenger = evaluation_report(0.9, balanced_accuracy=0.7)
    champion = incumbent(0.8, balanced_accuracy=0.75)
    config = GateConfig(primary_metric="balanced_accuracy")
    decision = decide(challenger, champion, config)
    assert not decision.promote
    assert (decision.challenger_value, decision.champion_value) == (0.7, 0.75)


def test_a_metric_that_the_report_lacks_is_named_with_those_it_has():
    with pytest.raises(ConfigError, match=r"'auroc'.*calibration_error, top1"):
        decide(evaluation_report(), None, GateConfig(primary_metric="auroc"))


def test_reports_of_different_examples_are_not_compared():
    with pytest.raises(ValueError, match="expected the same examples"):
        decide(evaluation_report(), incumbent(0.1, fingerprint="e" * 64), GateConfig())
