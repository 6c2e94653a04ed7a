"""Which installed distribution a library came from.

TensorFlow is installed under several names: the images take `tensorflow-cpu`
and `tensorflow-tpu`, which bring the same package (Dockerfile).
"""

from importlib import metadata

_NAMES = {"tensorflow": ("tensorflow", "tensorflow-cpu", "tensorflow-tpu")}


def installed(library: str) -> tuple[str, str]:
    """Name and version of the distribution that brought a library.

    Raises:
        PackageNotFoundError: none is installed.
    """
    for name in _NAMES.get(library, (library,)):
        try:
            return name, metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    raise metadata.PackageNotFoundError(library)


def requirement(library: str) -> str:
    """The installed distribution, pinned, as pip reads it."""
    name, version = installed(library)
    return f"{name}=={version}"
