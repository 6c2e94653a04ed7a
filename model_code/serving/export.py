"""Model artifact to SavedModel: encoded images in, class probabilities out.

Decoding, crop, resize and normalisation are inside, by the same functions as
in evaluation, so that a server cannot preprocess differently.
"""

from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from model_code import artifacts, model_card
from model_code.data.pixels import decode_for_evaluation
from model_code.model.efficientnet import build_model
from model_code.model.weights import load_weights
from model_code.model_card import ModelCard

ENCODED = "serving_default"
PIXELS = "pixels"


def export_saved_model(model_dir: Path) -> Path:
    """Write `saved_model/` beside the card and the weights of a Model artifact.

    Two signatures, both for any batch size:
        serving_default   images: string [B], JPEG, PNG, BMP or a GIF's first frame
        pixels            images: float32 [B, S, S, 3] in 0 to 255, already decoded
    Both give `probabilities`, float32 [B, classes], and `class_names`, string
    [B, classes], since TensorFlow Serving wants the batch in every output.
    Pixels are taken as they are stored: an EXIF orientation is not applied.

    Returns:
        The directory of the SavedModel.
    """
    card = model_card.read(model_dir)
    model = build_model(card.model, len(card.class_names), seed=card.seed)
    load_weights(model, model_dir / artifacts.WEIGHTS)
    target = model_dir / artifacts.SAVED_MODEL
    # Serving takes no gradients, and tracing one for each activation costs as much
    # as the rest. keras.export.ExportArchive traces the network five times and
    # stores every variable twice: 31 s of CPU and 47 MB for B0, this 6 s and 24 MB.
    options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
    holder = tf.Module()
    holder.held = [variable.value for variable in model.weights]
    tf.saved_model.save(holder, str(target), _signatures(model, card), options)
    return target


def _signatures(model: keras.Model, card: ModelCard) -> dict[str, Any]:
    size = card.image_size
    picture = tf.TensorSpec([size, size, 3], tf.float32)
    names = tf.constant(card.class_names)

    @tf.function(
        input_signature=[tf.TensorSpec([None, size, size, 3], tf.float32, "images")],
        autograph=False,
    )
    def classify_pixels(images: tf.Tensor) -> dict[str, Any]:
        logits = model(images, training=False)
        sigmoid = card.loss == "sigmoid"
        probabilities = tf.sigmoid(logits) if sigmoid else tf.nn.softmax(logits)
        class_names = tf.broadcast_to(names, tf.shape(probabilities))
        return {"probabilities": probabilities, "class_names": class_names}

    @tf.function(
        input_signature=[tf.TensorSpec([None], tf.string, "images")], autograph=False
    )
    def classify_encoded(images: tf.Tensor) -> dict[str, Any]:
        def decode(encoded: tf.Tensor) -> tf.Tensor:
            return decode_for_evaluation(encoded, size, card.crop, card.interpolation)

        pixels = tf.map_fn(decode, images, fn_output_signature=picture)
        return classify_pixels(pixels)

    return {
        ENCODED: classify_encoded.get_concrete_function(),
        PIXELS: classify_pixels.get_concrete_function(),
    }
