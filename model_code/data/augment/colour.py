"""Operations on pixel values: uint8 [height, width, 3] to the same.

Counterparts of PIL's ImageOps and ImageEnhance as the released code defines
them (`autoaugment.py`). Written for the CPU: `tf.where` on uint8 costs 3 ms at
300 px where bit arithmetic costs 0.1 ms.
"""

import tensorflow as tf

from model_code.data.augment.seeds import Tensor

# ITU-R 601 luma, as in `tf.image.rgb_to_grayscale`.
_LUMA = (0.2989, 0.5870, 0.1140)


def autocontrast(image: Tensor) -> Tensor:
    """Stretch each channel to 0..255; a flat channel stays as it is."""
    low = tf.cast(tf.reduce_min(image, [0, 1]), tf.float32)
    high = tf.cast(tf.reduce_max(image, [0, 1]), tf.float32)
    flat = tf.equal(low, high)
    scale = tf.where(flat, 1.0, 255.0 / (high - low + tf.cast(flat, tf.float32)))
    offset = tf.where(flat, 0.0, -low * scale)
    return _mix_channels(image, tf.linalg.diag(scale), offset)


def equalize(image: Tensor) -> Tensor:
    """Flatten the histogram of each channel, with PIL's integer arithmetic."""
    values = tf.cast(image, tf.int32)
    tables = [_equalizing_table(values[..., channel]) for channel in range(3)]
    offsets = tf.constant([0, 256, 512])
    return tf.gather(tf.concat(tables, 0), values + offsets)


def _equalizing_table(channel: Tensor) -> Tensor:
    """uint8 [256]: new value of each old one; identity where PIL leaves it so."""
    histogram = tf.histogram_fixed_width(channel, [0, 255], nbins=256)
    brightest = tf.gather(histogram, tf.reduce_max(channel))
    step = (tf.size(channel) - brightest) // 255
    divisor = tf.maximum(step, 1)
    table = (tf.cumsum(histogram, exclusive=True) + divisor // 2) // divisor
    table = tf.where(step > 0, tf.minimum(table, 255), tf.range(256))
    return tf.cast(table, tf.uint8)


def invert(image: Tensor) -> Tensor:
    """255 minus each value."""
    return 255 - image


def posterize(image: Tensor, bits: int) -> Tensor:
    """Keep the highest `bits` of 8.

    At least one is kept, as the released shifts do; above 8 nothing changes.
    """
    kept = min(max(bits, 1), 8)
    return tf.bitwise.bitwise_and(image, tf.constant(256 - 2 ** (8 - kept), tf.uint8))


def solarize(image: Tensor, threshold: int) -> Tensor:
    """Invert the values from `threshold` up."""
    if threshold > 255:
        return tf.identity(image)
    bright = tf.cast(image >= threshold, tf.uint8) * 255
    return tf.bitwise.bitwise_xor(image, bright)


def solarize_add(image: Tensor, addition: int) -> Tensor:
    """Add to the values below 128, saturating at 255."""
    room = min(addition, 255)
    raised = tf.minimum(image, 255 - room) + room
    dark = tf.cast(image < 128, tf.uint8) * 255
    change = tf.bitwise.bitwise_xor(image, raised)
    return tf.bitwise.bitwise_xor(image, tf.bitwise.bitwise_and(change, dark))


def color(image: Tensor, factor: float) -> Tensor:
    """Blend from grey (0) through the image (1) to stronger colours."""
    grey = tf.tile(tf.constant(_LUMA)[:, tf.newaxis], [1, 3])
    matrix = factor * tf.eye(3) + (1.0 - factor) * grey
    return _mix_channels(image, matrix, tf.zeros([3]))


def contrast(image: Tensor, factor: float) -> Tensor:
    """Blend from one constant (0) through the image (1) to more contrast.

    The constant is the number of pixels over 256, at most 255: the released
    code sums its histogram where PIL averages it, and the published networks
    were trained so. It is white from 256 px up and dark grey at 128 px.
    """
    height, width, _ = image.shape
    constant = min(height * width // 256, 255)
    return _saturate(tf.cast(image, tf.float32) * factor + (1.0 - factor) * constant)


def brightness(image: Tensor, factor: float) -> Tensor:
    """Blend from black (0) through the image (1) to brighter."""
    return _saturate(tf.cast(image, tf.float32) * factor)


def sharpness(image: Tensor, factor: float) -> Tensor:
    """Blend from smoothed (0) through the image (1) to sharper.

    The smoothing kernel is PIL's 3 x 3 with 5 at its centre; the outermost
    pixels stay as they are.
    """
    smooth = tf.constant([[1.0, 1.0, 1.0], [1.0, 5.0, 1.0], [1.0, 1.0, 1.0]]) / 13.0
    centre = tf.constant([[0.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]])
    kernel = factor * centre + (1.0 - factor) * smooth
    kernel = tf.tile(kernel[..., tf.newaxis, tf.newaxis], [1, 1, 3, 1])
    pixels = tf.cast(image, tf.float32)[tf.newaxis]
    inner = _saturate(tf.nn.depthwise_conv2d(pixels, kernel, [1, 1, 1, 1], "VALID")[0])
    middle = tf.concat([image[1:-1, :1], inner, image[1:-1, -1:]], 1)
    return tf.concat([image[:1], middle, image[-1:]], 0)


def _mix_channels(image: Tensor, matrix: Tensor, offset: Tensor) -> Tensor:
    """Each pixel times a 3 x 3 matrix; faster than broadcasting over channels."""
    flat = tf.reshape(tf.cast(image, tf.float32), [-1, 3])
    mixed = tf.nn.bias_add(tf.linalg.matmul(flat, matrix), offset)
    return tf.reshape(_saturate(mixed), image.shape)


def _saturate(pixels: Tensor) -> Tensor:
    """To uint8, cutting off what is outside 0..255 and after the point."""
    return tf.cast(tf.clip_by_value(pixels, 0.0, 255.0), tf.uint8)
