"""What others call our layers: keras.applications and the released code."""

import re
from collections.abc import Iterable, Mapping
from itertools import groupby

_KERAS_PARTS: Mapping[str, str] = {
    "expand_norm": "expand_bn",
    "depthwise_norm": "bn",
    "project_norm": "project_bn",
}
_KERAS_ENDS: Mapping[str, str] = {
    "stem_conv": "stem_conv",
    "stem_norm": "stem_bn",
    "head_conv": "top_conv",
    "head_norm": "top_bn",
    "classifier": "predictions",
}
_RELEASED_ENDS: Mapping[str, str] = {
    "stem_conv": "stem/conv2d",
    "stem_norm": "stem/tpu_batch_normalization",
    "head_conv": "head/conv2d",
    "head_norm": "head/tpu_batch_normalization",
    "classifier": "head/dense",
}
_OURS = re.compile(r"stage(?P<stage>\d+)_block(?P<position>\d+)_(?P<part>\w+)")


def keras_names(layers: Iterable[str], depthwise: str) -> dict[str, str]:
    """Ours to those of keras.applications.

    `stage1_block2_expand_conv` is `block1b_expand_conv`. `depthwise` is what
    a depthwise convolution is called there: `dwconv2` in EfficientNetV2, `dwconv`
    in EfficientNet.
    """
    parts = {**_KERAS_PARTS, "depthwise": depthwise}

    def renamed(layer: str) -> str:
        match = _OURS.fullmatch(layer)
        if match is None:
            return _KERAS_ENDS[layer]
        letter = chr(ord("a") + int(match["position"]) - 1)
        part = parts.get(match["part"], match["part"])
        return f"block{match['stage']}{letter}_{part}"

    return {layer: renamed(layer) for layer in layers}


def released_names(layers: Iterable[str]) -> dict[str, str]:
    """Ours to those of the released code's checkpoints.

    Blocks count from 0 over the network; convolutions and normalisations of a
    block carry numbers in their order, the first none.
    """
    ours = list(layers)
    found = {layer: name for layer, name in _RELEASED_ENDS.items() if layer in ours}
    matches = [match for match in map(_OURS.fullmatch, ours) if match is not None]
    blocks = groupby(matches, key=lambda match: (match["stage"], match["position"]))
    for index, (_, members) in enumerate(blocks):
        in_block = {match["part"]: match.string for match in members}
        found |= {
            in_block[part]: f"blocks_{index}/{name}"
            for part, name in _released_parts(list(in_block)).items()
        }
    return found


def _released_parts(parts: list[str]) -> dict[str, str]:
    convs = [part for part in parts if part.endswith("_conv")]
    norms = [part for part in parts if part.endswith("_norm")]
    fixed = {
        "depthwise": "depthwise_conv2d",
        "se_reduce": "se/conv2d",
        "se_expand": "se/conv2d_1",
    }
    return {
        **_numbered(convs, "conv2d"),
        **_numbered(norms, "tpu_batch_normalization"),
        **{part: name for part, name in fixed.items() if part in parts},
    }


def _numbered(parts: list[str], name: str) -> dict[str, str]:
    return {
        part: f"{name}_{number}" if number else name
        for number, part in enumerate(parts)
    }
