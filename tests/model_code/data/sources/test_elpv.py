import sys
from collections import Counter

import pytest

from model_code.config.dataset import ElpvSource
from model_code.data.sources.elpv import list_elpv
from model_code.errors import UnavailableError


def test_the_published_counts():
    listing = list_elpv(ElpvSource(kind="elpv"))
    images = [image for part in listing.parts for image in part.read()]
    assert len(images) == listing.examples == 2624
    # Deitsch et al. 2019, Table 1: cells by probability and by type.
    probabilities = Counter(image.meta["defect_probability"] for image in images)
    assert sorted(probabilities.values()) == [106, 295, 715, 1508]
    assert Counter(image.slices["cell_type"] for image in images) == {
        "mono": 1074,
        "poly": 1550,
    }
    assert Counter(image.labels for image in images) == {
        ("functional",): 1803,
        ("defective",): 821,
    }
    assert Counter(image.slices["defect_certain"] for image in images) == {
        "certain": 2223,
        "uncertain": 401,
    }


def test_files_are_read_as_they_are():
    listing = list_elpv(ElpvSource(kind="elpv"))
    image = next(iter(listing.parts[0].read()))
    assert image.load().startswith(b"\x89PNG")


def test_the_threshold_decides_what_is_defective():
    listing = list_elpv(ElpvSource(kind="elpv", defect_threshold=0.2))
    labels = [image.labels[0] for part in listing.parts for image in part.read()]
    assert labels.count("defective") == 821 + 295


def test_without_the_package_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "elpv_dataset", None)
    with pytest.raises(UnavailableError, match=r"install the demo extra"):
        list_elpv(ElpvSource(kind="elpv"))
