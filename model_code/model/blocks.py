"""MBConv, Fused-MBConv, squeeze-and-excitation and the residual tail.

Layers are named after their block, `stage4_block2_expand_conv`, so that a
weights file reads like the stage table. All are channels-last.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras

from model_code.model.architecture import Block
from model_code.model.drop import DropPath
from model_code.model.normalization import BatchNormalization

ACTIVATION = "silu"


@dataclass(frozen=True, kw_only=True)
class LayerFactory:
    """Makes layers with the network's settings, seeded by their names."""

    seed: int
    momentum: float
    epsilon: float
    synchronized: bool

    def layer_seed(self, name: str) -> int:
        """A seed for one layer: the same whatever else the network contains."""
        digest = hashlib.sha256(f"{self.seed}/{name}".encode()).digest()
        return int.from_bytes(digest[:4], "big") >> 1

    def conv(
        self,
        name: str,
        filters: int,
        kernel_size: int,
        *,
        stride: int = 1,
        use_bias: bool = False,
        activation: str | None = None,
    ) -> keras.layers.Conv2D:
        """A convolution, initialised as released: N(0, 2 / (k k filters))."""
        return keras.layers.Conv2D(
            filters,
            kernel_size,
            strides=stride,
            padding="same",
            data_format="channels_last",
            use_bias=use_bias,
            activation=activation,
            kernel_initializer=self._initializer(name),
            name=name,
        )

    def depthwise(
        self, name: str, kernel_size: int, stride: int
    ) -> keras.layers.DepthwiseConv2D:
        """A depthwise convolution; its fan-out counts one filter (facts 1.4)."""
        return keras.layers.DepthwiseConv2D(
            kernel_size,
            strides=stride,
            padding="same",
            data_format="channels_last",
            use_bias=False,
            depthwise_initializer=self._initializer(name),
            name=name,
        )

    def norm(self, name: str) -> BatchNormalization:
        """Batch normalisation over the last axis."""
        return BatchNormalization(
            momentum=self.momentum,
            epsilon=self.epsilon,
            synchronized=self.synchronized,
            name=name,
        )

    def activation(self, name: str) -> keras.layers.Activation:
        """SiLU, everywhere in the family (facts 1.4)."""
        return keras.layers.Activation(ACTIVATION, name=name)

    def _initializer(self, name: str) -> keras.initializers.Initializer:
        # Plain normal as released; Keras's own models truncate it (facts 1.4).
        return keras.initializers.VarianceScaling(
            scale=2.0,
            mode="fan_out",
            distribution="untruncated_normal",
            seed=self.layer_seed(name),
        )


def residual_block(
    inputs: Any, block: Block, make: LayerFactory, drop_path_rate: float, share: float
) -> Any:
    """One block with its skip, [B, H, W, C] to [B, H/stride, W/stride, C'].

    `drop_path_rate` is the network's, `share` the block's part of it.
    """
    outputs = _OPERATIONS[block.operation](inputs, block, make)
    if not block.has_skip:
        return outputs
    if share > 0.0:
        name = f"{block.name}_drop_path"
        outputs = DropPath(
            drop_path_rate * share,
            share=share,
            seed=make.layer_seed(name),
            name=name,
        )(outputs)
    return keras.layers.Add(name=f"{block.name}_add")([outputs, inputs])


def _mbconv(inputs: Any, block: Block, make: LayerFactory) -> Any:
    """Expand 1x1, depthwise, SE, project 1x1; no expansion at ratio 1."""
    outputs = inputs
    if block.expansion_ratio != 1:
        conv = make.conv(f"{block.name}_expand_conv", block.expanded_filters, 1)
        outputs = _normalize(conv(outputs), f"{block.name}_expand", make)
    conv = make.depthwise(f"{block.name}_depthwise", block.kernel_size, block.stride)
    outputs = _normalize(conv(outputs), f"{block.name}_depthwise", make)
    outputs = _squeeze_and_excite(outputs, block, make)
    return _project(outputs, block, make)


def _fused_mbconv(inputs: Any, block: Block, make: LayerFactory) -> Any:
    """Expand k x k with the stride, project 1x1; at ratio 1 one convolution."""
    if block.expansion_ratio == 1:
        conv = make.conv(
            f"{block.name}_project_conv",
            block.output_filters,
            block.kernel_size,
            stride=block.stride,
        )
        # SE comes before the only convolution then, as in the released code.
        outputs = conv(_squeeze_and_excite(inputs, block, make))
        return _normalize(outputs, f"{block.name}_project", make)
    conv = make.conv(
        f"{block.name}_expand_conv",
        block.expanded_filters,
        block.kernel_size,
        stride=block.stride,
    )
    outputs = _normalize(conv(inputs), f"{block.name}_expand", make)
    outputs = _squeeze_and_excite(outputs, block, make)
    return _project(outputs, block, make)


_OPERATIONS: dict[str, Callable[[Any, Block, LayerFactory], Any]] = {
    "mbconv": _mbconv,
    "fused_mbconv": _fused_mbconv,
}


def _normalize(inputs: Any, name: str, make: LayerFactory) -> Any:
    return make.activation(f"{name}_activation")(make.norm(f"{name}_norm")(inputs))


def _project(inputs: Any, block: Block, make: LayerFactory) -> Any:
    """1x1 convolution and normalisation without activation: a linear bottleneck."""
    outputs = make.conv(f"{block.name}_project_conv", block.output_filters, 1)(inputs)
    return make.norm(f"{block.name}_project_norm")(outputs)


def _squeeze_and_excite(inputs: Any, block: Block, make: LayerFactory) -> Any:
    """Scale each filter by a gate computed from the means of all filters."""
    if block.se_filters == 0:
        return inputs
    name = f"{block.name}_se"
    gate = keras.layers.GlobalAveragePooling2D(keepdims=True, name=f"{name}_squeeze")(
        inputs
    )
    gate = make.conv(
        f"{name}_reduce", block.se_filters, 1, use_bias=True, activation=ACTIVATION
    )(gate)
    gate = make.conv(
        f"{name}_expand", inputs.shape[-1], 1, use_bias=True, activation="sigmoid"
    )(gate)
    return keras.layers.Multiply(name=f"{name}_excite")([inputs, gate])
