"""A graph as the YAML package that a Kubeflow backend takes; the same bytes always.

The package depends on the graph, the doors' source and kfp's version, on
nothing else: not on the directory, the hash seed or the time.
"""

import re
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any

from model_code.errors import ConfigError

PIPELINES = {
    "training": "pipelines.training:training",
    "training-from-scratch": "pipelines.training:training_from_scratch",
    "search": "pipelines.search:search",
    "retraining": "pipelines.retraining:retraining",
}
"""The function that draws each graph; it may import kfp, this module does not."""

_PINNED = re.compile(r"[a-z0-9][a-z0-9._/:-]*@sha256:[0-9a-f]{64}")


def find_pipeline(name: str) -> Any:
    """The graph of that name, drawn.

    Raises:
        ConfigError: there is none.
    """
    if name not in PIPELINES:
        raise ConfigError(
            f"Pipeline {name!r} is not known; expected one of {', '.join(PIPELINES)}."
        )
    module, _, attribute = PIPELINES[name].partition(":")
    return getattr(import_module(module), attribute)()


def compile_pipeline(name: str, image: str | None = None) -> str:
    """The package of a pipeline; `image` becomes its default image.

    Without an image the package names one that cannot exist, and a submission
    must give it.

    Raises:
        ConfigError: no such pipeline, or the image is not pinned by digest.
    """
    from kfp.compiler import Compiler

    graph = find_pipeline(name)
    defaults = {} if image is None else {"image": _require_digest(image)}
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "package.yaml"
        Compiler().compile(graph, str(path), pipeline_parameters=defaults)
        return path.read_text(encoding="utf-8")


def _require_digest(image: str) -> str:
    if _PINNED.fullmatch(image) is None:
        raise ConfigError(
            f"Image {image!r} is not pinned; expected NAME@sha256: and 64 hexadecimal "
            "digits. A tag can move, and KFP would reuse outputs of what it named "
            "before: read the digest from the registry after the push."
        )
    return image
