"""Fractal images from iterated function systems (Kataoka et al. 2020).

A class is a random system of 2 to 8 affine maps whose picture fills enough of
the frame; its images vary one coefficient of the maps, the symmetry and the
brush. Only IEEE-exact operations are used (no trigonometry, no BLAS), so the
pixels are the same on every platform.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Pixels = npt.NDArray[np.uint8]

_MAPS: Final = (2, 8)
_BURN_IN: Final = 20
_STEPS: Final = 64
_POINTS_PER_PIXEL: Final = 4
_SEARCH_SIZE: Final = 64
# Kataoka et al. 2020, Section 3.2: categories need a filling rate above 0.2;
# an almost full frame shows no shape either.
_FILL: Final = (0.2, 0.8)
# ibid.: each of the six coefficients is varied by factors around one.
_VARIATION: Final = 0.2
_LIMIT: Final = 1e6
_CHOICES: Final = 2**16
_POINTS_AT_ONCE: Final = 2_000_000


@dataclass(frozen=True)
class FunctionSystem:
    """Affine maps x' = a x + b y + e, y' = c x + d y + f, chosen at random.

    Attributes:
        coefficients: a, b, c, d, e, f of each map, [maps, 6].
        choice: map that each 16-bit draw chooses, [65536].
    """

    coefficients: Floats
    choice: npt.NDArray[np.intp]


def find_system(seed: int, class_index: int) -> FunctionSystem:
    """The first random system of the class whose picture fills enough."""
    draws = np.random.default_rng([seed, class_index])
    while True:
        system = _random_system(draws)
        walk = _walk(draws, _SEARCH_SIZE)[None]
        counts = _count_hits(system.coefficients[None], system, walk, _SEARCH_SIZE)
        filled = np.count_nonzero(counts) / counts.size
        if _FILL[0] < filled < _FILL[1]:
            return system


def render(
    system: FunctionSystem, seed: int, class_index: int, indexes: range, size: int
) -> list[Pixels]:
    """Grey images `indexes` of a class, each [size, size].

    Each image follows from seed, class and index alone.
    """
    per_image = _walkers(size) * (_BURN_IN + _STEPS)
    at_once = max(1, _POINTS_AT_ONCE // per_image)
    images: list[Pixels] = []
    for start in range(0, len(indexes), at_once):
        chunk = indexes[start : start + at_once]
        draws = [np.random.default_rng([seed, class_index, 1 + i]) for i in chunk]
        images.extend(_render_chunk(system, draws, size))
    return images


def _random_system(draws: np.random.Generator) -> FunctionSystem:
    maps = _MAPS[0] + int(draws.random() * (_MAPS[1] - _MAPS[0] + 1))
    drawn: list[Floats] = []
    while len(drawn) < maps:
        candidate = draws.random(6) * 2 - 1
        if _shrinks(candidate):
            drawn.append(candidate)
    coefficients = np.stack(drawn)
    a, b, c, d = coefficients[:, :4].T
    # Kataoka et al. 2020, equation 2: a map is chosen by how much area it keeps.
    cumulative = np.add.accumulate(np.abs(a * d - b * c))
    bounds = np.floor(cumulative / cumulative[-1] * _CHOICES)
    choice = np.searchsorted(bounds, np.arange(_CHOICES), "right")
    return FunctionSystem(coefficients, choice)


def _shrinks(coefficients: Floats) -> bool:
    """Whether a map is a contraction: its largest singular value is below one.

    Systems that only shrink on average give blurred stars with long tails.
    """
    a, b, c, d = (float(value) for value in coefficients[:4])
    # The larger eigenvalue of the matrix times its transpose, below one.
    return a * a + b * b + c * c + d * d < 1 + min(1.0, (a * d - b * c) ** 2)


def _render_chunk(
    system: FunctionSystem, draws: list[np.random.Generator], size: int
) -> list[Pixels]:
    varied = np.stack([_vary(system.coefficients, draw) for draw in draws])
    walks = np.stack([_walk(draw, size) for draw in draws])
    counts = _count_hits(varied, system, walks, size)
    for index, walk in enumerate(walks):
        if not counts[index].any():  # the varied system diverged
            original = system.coefficients[None]
            counts[index] = _count_hits(original, system, walk[None], size)[0]
    return [_draw(count, draw) for count, draw in zip(counts, draws, strict=True)]


def _vary(coefficients: Floats, draw: np.random.Generator) -> Floats:
    """One of the six coefficients of all maps, scaled by 0.8 to 1.2."""
    varied = coefficients.copy()
    which = int(draw.random() * 6)
    varied[:, which] *= 1 + _VARIATION * (2 * draw.random() - 1)
    return varied


def _walkers(size: int) -> int:
    """Points walking at once, for a fixed number of steps and points a pixel."""
    return max(16, _POINTS_PER_PIXEL * size * size // _STEPS)


def _walk(draw: np.random.Generator, size: int) -> npt.NDArray[np.uint16]:
    """Draws that choose a map at each step of each walker, [steps, walkers]."""
    shape = (_BURN_IN + _STEPS, _walkers(size))
    return np.frombuffer(draw.bytes(2 * shape[0] * shape[1]), "<u2").reshape(shape)


def _count_hits(
    coefficients: Floats,
    system: FunctionSystem,
    walks: npt.NDArray[np.uint16],
    size: int,
) -> npt.NDArray[np.int64]:
    """Visits of each pixel, [images, size, size]; all zero where it diverges.

    Args:
        coefficients: of each image's maps, [images, maps, 6].
        system: gives the probabilities of the maps.
        walks: draws that choose the maps, [images, steps, walkers].
        size: side of the image in pixels.
    """
    images, steps, walkers = walks.shape
    maps = coefficients.shape[1]
    table = np.ascontiguousarray(coefficients.reshape(images * maps, 6).T)
    first_map = np.arange(images)[:, None] * maps
    x = np.zeros((images, walkers), coefficients.dtype)
    y = np.zeros_like(x)
    track = np.empty((2, steps - _BURN_IN, images, walkers), x.dtype)
    with np.errstate(over="ignore", invalid="ignore"):
        for step in range(steps):
            chosen = first_map + system.choice[walks[:, step]]
            a, b, c, d, e, f = table.take(chosen, axis=1)
            x, y = a * x + b * y + e, c * x + d * y + f
            if step >= _BURN_IN:
                track[:, step - _BURN_IN] = x, y
    return _bin(track, size)


def _bin(track: Floats, size: int) -> npt.NDArray[np.int64]:
    images = track.shape[2]
    low = track.min(axis=(1, 3), keepdims=True)
    span = track.max(axis=(1, 3), keepdims=True) - low
    fine = (np.abs(low) < _LIMIT) & (span > 0) & (span < _LIMIT)
    fine = fine.all(axis=0)[0, :, 0]  # [images]
    counts = np.zeros((images, size, size), dtype=np.int64)
    if fine.any():
        kept = track[:, :, fine]
        scaled = (kept - low[:, :, fine]) / span[:, :, fine] * (size - 1)
        column, row = np.floor(scaled + 0.5).astype(np.int64)
        which = np.arange(int(fine.sum()))[None, :, None]
        flat = (which * size + row) * size + column
        hits = np.bincount(flat.ravel(), minlength=int(fine.sum()) * size * size)
        counts[fine] = hits.reshape(-1, size, size)
    return counts


def _draw(counts: npt.NDArray[np.int64], draw: np.random.Generator) -> Pixels:
    """Brush, brightness by visits, and one of the eight symmetries."""
    brush = draw.random((3, 3)) < 0.5
    brush[1, 1] = True
    padded = np.pad(counts, 1)
    size = counts.shape[0]
    painted = np.zeros_like(counts)
    for row, column in np.argwhere(brush):
        shifted = padded[row : row + size, column : column + size]
        painted = np.maximum(painted, shifted)
    # The square root is exact in IEEE arithmetic, a logarithm is not.
    bright = np.sqrt(painted / painted.max()) * 255
    grey = np.floor(bright + 0.5).astype(np.uint8)
    turned = np.rot90(grey, int(draw.random() * 4))
    return np.ascontiguousarray(turned.T if draw.random() < 0.5 else turned)
