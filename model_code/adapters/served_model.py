"""What MLflow loads for a registered model: encoded images in, probabilities out.

MLflow copies this one file beside the SavedModel and runs it there, so it
imports nothing of ours: a server needs TensorFlow, pandas and MLflow only.
"""

import logging
from typing import Any

import mlflow
import pandas as pd
from mlflow.pyfunc.model import PythonModel


class EncodedImageClassifier(PythonModel):
    """Column `image` of encoded bytes to one column of probabilities a class."""

    def load_context(self, context: Any) -> None:
        """Load the SavedModel; TensorFlow only now, logging a model needs none."""
        import tensorflow as tf

        # It was saved without gradients, and TensorFlow warns of each function.
        logging.getLogger("absl").setLevel(logging.ERROR)
        saved_model = tf.saved_model.load(context.artifacts["saved_model"])
        # Kept alive: a signature does not own its variables.
        self._saved_model = saved_model
        self._classify = saved_model.signatures["serving_default"]

    def predict(
        self,
        context: Any,  # noqa: ARG002
        model_input: pd.DataFrame,
        params: dict[str, Any] | None = None,  # noqa: ARG002
    ) -> pd.DataFrame:
        """Probabilities of each class, one row an image."""
        import tensorflow as tf

        images = tf.constant(list(model_input["image"]), dtype=tf.string)
        answer = self._classify(images)
        names = [name.decode() for name in answer["class_names"][0].numpy()]
        return pd.DataFrame(answer["probabilities"].numpy(), columns=names)


mlflow.models.set_model(EncodedImageClassifier())
