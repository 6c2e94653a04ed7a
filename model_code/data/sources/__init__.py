"""Where images come from: one file per kind of source."""

from model_code.config.dataset import (
    ElpvSource,
    FolderSource,
    FractalSource,
    Source,
)
from model_code.data.sources.base import Listing


def list_source(config: Source) -> Listing:
    """Listing of the configured source; each kind imports only what it needs."""
    match config:
        case ElpvSource():
            from model_code.data.sources.elpv import list_elpv

            return list_elpv(config)
        case FolderSource():
            from model_code.data.sources.folder import list_folder

            return list_folder(config)
        case FractalSource():
            from model_code.data.sources.fractal import list_fractal

            return list_fractal(config)
