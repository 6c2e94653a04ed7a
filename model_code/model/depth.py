"""Keras walks a network's graph by recursion, one frame a layer."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

# An MBConv block with SE and drop path has 14 layers; twice that is ample.
_FRAMES_PER_BLOCK = 28


@contextmanager
def room_for_depth(blocks: int) -> Iterator[None]:
    """Let Keras make a model of that many blocks.

    EfficientNetV2-XL is over a thousand layers deep, Python's default limit of
    frames; without this Keras 3.15 raises RecursionError in `map_graph`.
    """
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(before + _FRAMES_PER_BLOCK * blocks)
    try:
        yield
    finally:
        sys.setrecursionlimit(before)
