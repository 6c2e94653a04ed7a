"""What code and which packages run here: lineage that the desk hands to tasks."""

import hashlib
import subprocess
from importlib import metadata
from pathlib import Path

from pipelines import settings

CHECKOUT = Path(__file__).resolve().parents[2]
_DISTRIBUTION = "effnetv2-pipelines"


def code_revision(checkout: Path = CHECKOUT) -> str:
    """Git commit of the checkout (`-dirty` with changes), else the package version.

    An image has no checkout: it states its revision in a variable.
    """
    stated = settings.variable(settings.CODE_REVISION)
    if stated is not None:
        return stated
    if not (checkout / ".git").exists():
        return f"{_DISTRIBUTION}=={metadata.version(_DISTRIBUTION)}"
    described = subprocess.run(
        ["git", "describe", "--always", "--abbrev=40", "--dirty", "--exclude=*"],
        cwd=checkout,
        capture_output=True,
        text=True,
        check=True,
    )
    return described.stdout.strip()


def environment_lock_digest(checkout: Path = CHECKOUT) -> str:
    """SHA-256 of `uv.lock`, or of the list of installed packages where there is none.

    The prefix says which: `lock:` or `installed:`.
    """
    lock = checkout / "uv.lock"
    if lock.is_file():
        return f"lock:{hashlib.sha256(lock.read_bytes()).hexdigest()}"
    installed = sorted(
        f"{distribution.name}=={distribution.version}"
        for distribution in metadata.distributions()
    )
    digest = hashlib.sha256("\n".join(installed).encode()).hexdigest()
    return f"installed:{digest}"
