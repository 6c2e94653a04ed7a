"""Electroluminescence images of solar cells (Deitsch et al. 2019, Buerhop 2018).

2,624 grey PNG files of 300 x 300 pixels from 44 modules, each with a defect
probability (0, 1/3, 2/3 or 1, from the labels of experts) and the type of its
module. The data is licensed CC BY-NC-SA 4.0: not for commercial use.
"""

from importlib import metadata, resources
from pathlib import Path

from model_code.config.dataset import ElpvSource
from model_code.data.sources.base import Listing, state_digest
from model_code.data.sources.files import FileEntry, file_parts
from model_code.errors import UnavailableError

CLASS_NAMES = ("functional", "defective")
CELL_TYPE = "cell_type"
DEFECT_CERTAIN = "defect_certain"
DEFECT_PROBABILITY = "defect_probability"

_PACKAGE = "elpv_dataset"


def list_elpv(config: ElpvSource) -> Listing:
    """The images of the installed package, in the order of its label file.

    Raises:
        UnavailableError: the package is not installed.
    """
    try:
        package = resources.files(_PACKAGE)
    except ModuleNotFoundError as error:
        raise UnavailableError(
            "Source elpv needs the package elpv-dataset, which is not installed; "
            "install the demo extra (pip install 'effnetv2-pipelines[demo]'; the "
            "data is CC BY-NC-SA 4.0)."
        ) from error
    root = Path(str(package)) / "data"
    rows = [line.split() for line in (root / "labels.csv").read_text().splitlines()]
    entries = [
        _entry(path, float(probability), cell_type, config.defect_threshold)
        for path, probability, cell_type in rows
    ]
    return Listing(
        class_names=CLASS_NAMES,
        parts=file_parts(str(root), entries),
        state=state_digest([metadata.version(_PACKAGE)]),
        examples=len(entries),
        slice_features=(CELL_TYPE, DEFECT_CERTAIN),
        meta_features=(DEFECT_PROBABILITY,),
    )


def _entry(
    path: str, probability: float, cell_type: str, threshold: float
) -> FileEntry:
    certain = probability in {0.0, 1.0}
    return FileEntry(
        name=path,
        labels=(CLASS_NAMES[probability > threshold],),
        slices={
            CELL_TYPE: cell_type,
            DEFECT_CERTAIN: "certain" if certain else "uncertain",
        },
        meta={DEFECT_PROBABILITY: probability},
    )
