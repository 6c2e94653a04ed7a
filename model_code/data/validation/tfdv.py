"""TensorFlow Data Validation: statistics, schema and anomalies.

The only importer of `tensorflow_data_validation`, whose wheels need glibc 2.39.
It reads the indexes of the shards, not the pixels. The schema is inferred once
and kept beside the datasets of that name (`<data root>/<name>/schema.pbtxt`),
for people to review and edit; later spans are held against it.
"""

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from model_code import artifacts
from model_code.adapters import storage
from model_code.config.dataset import ValidationConfig
from model_code.data import records
from model_code.data.ingestion import index
from model_code.data.manifest import DatasetManifest
from model_code.data.validation.report import TfdvOutcome
from model_code.errors import UnavailableError

_FEATURES = {
    index.LABELS: records.LABEL,
    index.HEIGHT: records.HEIGHT,
    index.WIDTH: records.WIDTH,
}


def run_tfdv(
    dataset: DatasetManifest, config: ValidationConfig, output: Path
) -> TfdvOutcome:
    """Compute statistics and hold them against the schema, where possible.

    Writes `statistics.pb`, `schema.pbtxt` and `anomalies.pbtxt` into `output`.

    Raises:
        UnavailableError: the recipe demands TFDV and it is not there.
    """
    library = _import_tfdv()
    if isinstance(library, ModuleType):
        return _run(library, dataset, output)
    if config.require_tfdv:
        raise UnavailableError(
            "The recipe sets `validation.require_tfdv`, and TensorFlow Data "
            f"Validation cannot be imported ({library}); install the tfx extra on "
            "glibc 2.39 or later, or run the task in the runtime image."
        )
    return TfdvOutcome(ran=False, reason=f"it cannot be imported ({library})")


def _import_tfdv() -> ModuleType | str:
    """The library, or why it is not there."""
    try:
        import tensorflow_data_validation as tfdv
    except ImportError as error:
        return str(error)
    return tfdv


def _run(tfdv: Any, dataset: DatasetManifest, output: Path) -> TfdvOutcome:
    statistics_file = output / artifacts.STATISTICS
    _write_statistics(tfdv, dataset, str(statistics_file))
    statistics = tfdv.load_stats_binary(str(statistics_file))
    local = output / artifacts.SCHEMA
    schema, kept_at = _hold_schema(tfdv, dataset, statistics, local)
    anomalies = tfdv.validate_statistics(statistics, schema)
    tfdv.write_anomalies_text(anomalies, str(output / artifacts.ANOMALIES))
    return TfdvOutcome(
        ran=True,
        version=tfdv.__version__,
        schema=kept_at,
        anomalies={
            feature: f"{info.short_description}: {info.description}"
            for feature, info in sorted(anomalies.anomaly_info.items())
        },
    )


def _write_statistics(tfdv: Any, dataset: DatasetManifest, target: str) -> None:
    import apache_beam as beam
    from apache_beam.options.pipeline_options import PipelineOptions

    # Named, since the default runner depends on the network (stack facts 4).
    options = PipelineOptions(["--runner=FnApiRunner"])
    with beam.Pipeline(options=options) as pipeline:
        _ = (
            pipeline
            | beam.Create(list(_indexes(dataset)))
            | beam.Map(_feature_batch)
            | tfdv.GenerateStatistics(tfdv.StatsOptions())
            | tfdv.WriteStatisticsToBinaryFile(target)
        )


def _indexes(dataset: DatasetManifest) -> Iterator[str]:
    for split in dataset.splits.values():
        for shard in split.shards:
            yield index.uri(dataset.location, shard.file)


def _feature_batch(source: str) -> Any:
    """An index as TFDV reads batches: one list an example and feature."""
    import pyarrow as pa

    table = index.read(source).combine_chunks()
    columns = {}
    for name in table.column_names:
        if name not in _FEATURES and not name.startswith((records.SLICE, records.META)):
            continue
        values = table.column(name).combine_chunks()
        if name != index.LABELS:
            offsets = pa.array(range(len(values) + 1), pa.int32())
            values = pa.ListArray.from_arrays(offsets, values)
        columns[_FEATURES.get(name, name)] = values
    return pa.RecordBatch.from_pydict(columns)


def _hold_schema(
    tfdv: Any, dataset: DatasetManifest, statistics: Any, local: Path
) -> tuple[Any, str]:
    """The schema of the data's repository; inferred where there is none yet.

    `local` gets a copy of the schema that the data is held against.
    """
    kept = storage.join(storage.parent(dataset.location), artifacts.SCHEMA)
    if storage.size(kept) is None:
        tfdv.write_schema_text(tfdv.infer_schema(statistics), str(local))
        storage.write_bytes(kept, local.read_bytes())
    else:
        local.write_bytes(storage.read_bytes(kept))
    return tfdv.load_schema_text(str(local)), kept
