"""Where images come from: one file per kind of source."""

from model_code.config.dataset import (
    ElpvSource,
    FolderSource,
    FractalSource,
    Source,
    TarSource,
    TfdsSource,
    TfrecordSource,
    WebDatasetSource,
)
from model_code.data.sources.base import Listing
from model_code.data.sources.elpv import list_elpv
from model_code.data.sources.folder import list_folder
from model_code.data.sources.fractal import list_fractal
from model_code.data.sources.tar import list_tar
from model_code.data.sources.tfds import list_tfds
from model_code.data.sources.tfrecords import list_tfrecord
from model_code.data.sources.webdataset import list_webdataset


def list_source(config: Source) -> Listing:  # noqa: PLR0911 (one line a kind)
    """Listing of the configured source."""
    match config:
        case ElpvSource():
            return list_elpv(config)
        case FolderSource():
            return list_folder(config)
        case FractalSource():
            return list_fractal(config)
        case TarSource():
            return list_tar(config)
        case WebDatasetSource():
            return list_webdataset(config)
        case TfrecordSource():
            return list_tfrecord(config)
        case TfdsSource():
            return list_tfds(config)
