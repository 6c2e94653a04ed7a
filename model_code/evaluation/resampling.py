"""Confidence intervals of a metric by resampling the examples.

A statistic here takes resampled example indices [R, N] and gives R values, so
that a thousand resamples are a few array operations. The bootstrap itself is
SciPy's.
"""

import warnings
from collections.abc import Callable

import numpy as np
from scipy import stats

from model_code.config.recipe import EvaluationConfig
from model_code.evaluation.predictions import Booleans, Floats, Integers
from model_code.evaluation.report import Estimate

Statistic = Callable[[Integers], Floats]

# Bounds the index matrix of one batch of resamples to 32 MB.
_BATCH_ELEMENTS = 4_000_000


def bootstrap(
    statistic: Statistic, examples: int, config: EvaluationConfig
) -> Estimate | None:
    """The statistic on all examples with its percentile interval.

    Resamples in which the metric is undefined (no positive drawn, say) are
    left out. None where it is undefined on the examples themselves, and for a
    single example, which has no spread.
    """
    value = _on_all(statistic, examples)
    if examples < 2 or np.isnan(value):
        return None
    low, high = _quantiles(statistic, examples, config)
    return Estimate(value=value, low=low, high=high, method="bootstrap")


def bootstrap_distance(
    statistic: Statistic, examples: int, config: EvaluationConfig
) -> Estimate | None:
    """For a metric that noise only enlarges, such as a calibration error.

    Each resample adds noise that the absolute value turns upwards, so that the
    percentile interval can lie wholly above the value. The basic interval,
    2 * value - quantile, mirrors it back (Davison and Hinkley 1997, 5.2).
    """
    if examples < 2:
        return None
    value = _on_all(statistic, examples)
    low, high = _quantiles(statistic, examples, config)
    return Estimate(
        value=value,
        low=min(max(2 * value - high, 0.0), value),
        high=max(2 * value - low, value),
        method="bootstrap",
    )


def proportion(successes: Booleans, config: EvaluationConfig) -> Estimate:
    """The share of successes; Wilson's interval where all or none succeed.

    There every resample equals the sample and the bootstrap would claim
    certainty (Brown, Cai and DasGupta 2001 recommend Wilson's for small N).
    """
    examples, hits = len(successes), int(successes.sum())
    if hits in {0, examples}:
        wilson = stats.binomtest(hits, examples).proportion_ci(
            confidence_level=config.confidence, method="wilson"
        )
        return Estimate(
            value=hits / examples,
            low=float(wilson.low),
            high=float(wilson.high),
            method="wilson",
        )
    shares = successes.astype(np.float64)
    low, high = _quantiles(lambda i: shares[i].mean(axis=-1), examples, config)
    return Estimate(value=hits / examples, low=low, high=high, method="bootstrap")


def _on_all(statistic: Statistic, examples: int) -> float:
    return float(statistic(np.arange(examples)[np.newaxis])[0])


def _quantiles(
    statistic: Statistic, examples: int, config: EvaluationConfig
) -> tuple[float, float]:
    with warnings.catch_warnings():
        # SciPy's own interval is NaN where one resample is; ours leaves it out.
        warnings.simplefilter("ignore", stats.DegenerateDataWarning)
        result = stats.bootstrap(
            (np.arange(examples),),
            lambda indices, **_: statistic(np.atleast_2d(indices)),
            n_resamples=config.bootstrap_resamples,
            batch=max(1, _BATCH_ELEMENTS // examples),
            vectorized=True,
            method="percentile",
            rng=np.random.default_rng(config.bootstrap_seed),
        )
    tails = (1 - config.confidence) / 2, (1 + config.confidence) / 2
    low, high = np.nanquantile(result.bootstrap_distribution, tails)
    return float(low), float(high)
