import hashlib
import io

import numpy as np
import pytest
from PIL import Image

from model_code.config.dataset import FractalSource
from model_code.data.sources import attractors
from model_code.data.sources.fractal import list_fractal


def _render(class_index: int, count: int, seed: int = 1, size: int = 32):
    system = attractors.find_system(seed, class_index)
    images = attractors.render(system, seed, class_index, range(count), size)
    return np.stack(images)


def _config(**changes: int) -> FractalSource:
    settings = {"classes": 3, "images_per_class": 70, "image_size": 16, "seed": 1}
    return FractalSource(kind="fractal", **{**settings, **changes})


def test_pixels_follow_from_the_seed_on_every_platform():
    digest = hashlib.sha256(_render(0, 4).tobytes()).hexdigest()
    assert digest == "d97df60e8a7cae0916efb784b47bfa6e639ce6c3d40fbe8ce76af85aa91d2575"


def test_an_image_does_not_depend_on_how_many_are_rendered_with_it():
    system = attractors.find_system(1, 2)
    alone = attractors.render(system, 1, 2, range(5, 6), 32)
    assert (alone[0] == _render(2, 8)[5]).all()


def test_images_of_a_class_differ_and_are_alike():
    images = _render(3, 40).astype(float)
    assert len({image.tobytes() for image in images}) == 40
    assert (images.std(axis=(1, 2)) > 10).all()


def test_classes_can_be_told_apart():
    """Nearest mean over brightness histograms, far above the chance of 1 in 8."""
    sets = [_render(index, 24) for index in range(8)]

    def features(images):
        return np.stack([np.histogram(i, 16, (0, 256))[0] for i in images])

    means = np.stack([features(images[:12]).mean(axis=0) for images in sets])
    hits = [
        np.argmin(((means - row) ** 2).sum(axis=1)) == label
        for label, images in enumerate(sets)
        for row in features(images[12:])
    ]
    assert np.mean(hits) > 0.4


@pytest.mark.parametrize("seed", range(3))
def test_systems_fill_the_frame_and_shrink(seed):
    for class_index in range(5):
        system = attractors.find_system(seed, class_index)
        maps = system.coefficients[:, :4].reshape(-1, 2, 2)
        assert 2 <= len(maps) <= 8
        assert np.linalg.svd(maps)[1].max() < 1
        filled = np.mean(_render(class_index, 8, seed) > 0)
        assert 0.1 < filled < 0.95


def test_another_seed_gives_other_images():
    assert not (_render(0, 1, seed=1) == _render(0, 1, seed=2)).all()


def test_the_listing_has_every_image_once_as_png():
    listing = list_fractal(_config())
    assert listing.examples == 210
    assert len(listing.parts) == 6
    images = [image for part in listing.parts for image in part.read()]
    assert len({image.name for image in images}) == 210
    assert images[0].labels == (listing.class_names[0],)
    decoded = Image.open(io.BytesIO(images[0].load()))
    assert (decoded.format, decoded.mode, decoded.size) == ("PNG", "L", (16, 16))


def test_more_images_leave_the_first_ones_as_they_are():
    def first(config):
        parts = list_fractal(config).parts
        return [i.load() for i in parts[0].read()][:10]

    assert first(_config(images_per_class=10)) == first(_config(classes=9))
