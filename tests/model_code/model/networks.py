"""Networks that several tests of the room look at, built once a process."""

import functools

import numpy as np

from model_code.config.model import ModelConfig
from model_code.model.efficientnet import build_model


@functools.cache
def built(name, class_count=1000):
    """For looking at only: a test that changes weights builds its own."""
    return build_model(ModelConfig(variant=name), class_count, seed=1)


def tiny(class_count=5, *, seed=1, **settings):
    """A small network of its own for a test that changes it."""
    return build_model(ModelConfig(variant="tiny", **settings), class_count, seed=seed)


def pixels(*shape, seed=0):
    return np.random.default_rng(seed).uniform(0, 255, shape).astype("float32")


def of_kind(model, kind):
    return [layer for layer in model.layers if isinstance(layer, kind)]


def weights_of(model):
    return {weight.path: weight.numpy() for weight in model.weights}


def count(weights):
    return sum(int(np.prod(weight.shape)) for weight in weights)
