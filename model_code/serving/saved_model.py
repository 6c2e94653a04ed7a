"""Loads a SavedModel that `export` wrote."""

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf

Signature = Callable[..., Mapping[str, Any]]


class ServedModel:
    """A SavedModel and its signatures; see `export.export_saved_model`."""

    def __init__(self, directory: Path) -> None:
        """Load the model from the directory of the SavedModel."""
        # It was saved without gradients, and TensorFlow warns of each function.
        logger = logging.getLogger("absl")
        level = logger.level
        logger.setLevel(logging.ERROR)
        try:
            # Kept alive: a signature does not own its variables.
            self._loaded = tf.saved_model.load(str(directory))
        finally:
            logger.setLevel(level)

    def signature(self, name: str) -> Signature:
        """`serving_default` or `pixels`."""
        found: Signature = self._loaded.signatures[name]
        return found
