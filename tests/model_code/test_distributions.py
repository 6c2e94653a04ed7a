"""TensorFlow is found under each of its names."""

from importlib import metadata

import pytest

from model_code.distributions import installed, requirement


def pretend(monkeypatch, **versions: str) -> None:
    def version(name: str) -> str:
        if name.replace("-", "_") not in versions:
            raise metadata.PackageNotFoundError(name)
        return versions[name.replace("-", "_")]

    monkeypatch.setattr(metadata, "version", version)


@pytest.mark.parametrize("name", ["tensorflow", "tensorflow-cpu", "tensorflow-tpu"])
def test_tensorflow_of_every_image(monkeypatch, name):
    pretend(monkeypatch, **{name.replace("-", "_"): "2.21.0"})
    assert installed("tensorflow") == (name, "2.21.0")
    assert requirement("tensorflow") == f"{name}==2.21.0"


def test_what_is_not_there_is_not_found(monkeypatch):
    pretend(monkeypatch)
    for library in ("tensorflow", "mlflow"):
        with pytest.raises(metadata.PackageNotFoundError):
            installed(library)


def test_here():
    assert requirement("mlflow") == f"mlflow=={metadata.version('mlflow')}"
