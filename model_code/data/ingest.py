"""From a configured source to a complete dataset, or to none.

The dataset lies at `<data root>/<name>/<key>`; the key follows from what
decides its content: recipe and state of the source. Locally it is built in a
hidden sibling directory and renamed; on object storage, which renames nothing,
its manifest is written last. So a kill at any point leaves a complete dataset
or none, and the next run removes what was left over.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from filelock import FileLock

from model_code import artifacts
from model_code.adapters import storage
from model_code.config.beam import IN_PROCESS, BeamOptions
from model_code.config.dataset import DatasetConfig
from model_code.data import manifest, verification
from model_code.data.ingestion import assembly, spill
from model_code.data.ingestion.assembly import Origin
from model_code.data.ingestion.examine import Examiner
from model_code.data.ingestion.job import IngestJob
from model_code.data.ingestion.keys import dataset_key, series_key
from model_code.data.ingestion.places import Places
from model_code.data.ingestion.progress import report_progress
from model_code.data.ingestion.reuse import Reuse, find_base, plan_reuse
from model_code.data.manifest import DatasetManifest
from model_code.data.sources import list_source
from model_code.data.sources.base import Listing
from model_code.data.splits import SplitRule, rule_from_shares
from model_code.errors import DataError
from model_code.progress import logger

_MEGABYTE = 1_000_000
_PARTIAL = ".partial"


def ingest(
    config: DatasetConfig, data_root: str, options: BeamOptions = IN_PROCESS
) -> DatasetManifest:
    """The dataset of that configuration; built unless it is there already.

    Args:
        config: source, splits and checks.
        data_root: directory or `gs://` prefix below which datasets lie.
        options: how the job runs; the result does not depend on it.

    Raises:
        DataError: the source cannot be used, too many images were refused, a
            split lacks examples of a class, or the disk is full. Nothing is
            left behind.
        UnavailableError: a library that the source needs is not installed.
    """
    listing = list_source(config.source)
    home = storage.join(storage.absolute(data_root), config.name)
    location = storage.join(home, dataset_key(config, listing))
    try:
        with _sole_writer(home):
            found = _find_complete(location)
            if found is None:
                return _build(config, listing, location, options)
    except OSError as error:
        raise _storage_error(config, location, error) from error
    assembly.check_limits(config, found)
    logger.info("ingest %s: reused %s", config.name, found.location)
    return replace(found, reused=True)


@contextmanager
def _sole_writer(home: str) -> Iterator[None]:
    """Runs of one dataset wait for each other on one machine.

    Object storage has no lock; there, two runs of one key write the same bytes.
    """
    if storage.is_remote(home):
        yield
        return
    Path(home).mkdir(parents=True, exist_ok=True)
    with FileLock(Path(home) / ".lock"):
        yield


def _find_complete(location: str) -> DatasetManifest | None:
    """The dataset at a location, if its files have the sizes they should have."""
    if storage.size(storage.join(location, artifacts.MANIFEST)) is None:
        return None
    found = manifest.read(location)
    missing = verification.find_missing(found)
    if missing:
        logger.warning("ingest %s: %s; building it again", found.name, missing[0])
        return None
    return found


def _build(
    config: DatasetConfig, listing: Listing, location: str, options: BeamOptions
) -> DatasetManifest:
    home, _, key = location.rpartition("/")
    series = series_key(config)
    base = find_base(home, series)
    with _places(location, options) as places:
        reuse = plan_reuse(base, listing, places.work)
        job = _job(config, listing, places, base, reuse)
        known = listing.examples
        total = None if known is None else known - reuse.examples
        with report_progress(places.work, config.name, total):
            rule = _run(job, reuse, options)
        origin = Origin(
            key=key,
            series=series,
            span=0 if base is None else base.span + 1,
            split_rule=rule,
            carried_examples=reuse.examples,
        )
        built = assembly.assemble(config, listing, origin, places)
        if places.target != location:
            Path(places.target).replace(location)
    logger.info("ingest %s: done, %s", config.name, _summary(built))
    return replace(built, location=location)


def _summary(built: DatasetManifest) -> str:
    carried = built.carried_examples
    spared = f", {carried:,} of them as in the span before" if carried else ""
    return f"{built.examples:,} examples{spared}"


@contextmanager
def _places(location: str, options: BeamOptions) -> Iterator[Places]:
    """Empty places for a build; what it leaves there is gone afterwards."""
    home, _, key = location.rpartition("/")
    # What is there is not complete: it must not pass for it while it is rebuilt.
    storage.delete(storage.join(location, artifacts.MANIFEST))
    storage.delete_tree(location)
    work, target = storage.join(home, f".{key}{_PARTIAL}"), location
    if not storage.is_remote(location):
        _remove_leftovers(Path(home))
        target = storage.join(work, "dataset")
    elif options.runner == "FnApiRunner":
        work = tempfile.mkdtemp(prefix="ingest-")
    storage.delete_tree(work)
    try:
        yield Places(work, target)
    except BaseException:
        storage.delete_tree(target)
        raise
    finally:
        storage.delete_tree(work)


def _remove_leftovers(home: Path) -> None:
    """Work directories of runs that were killed; the lock says none is alive."""
    for leftover in home.glob(f".*{_PARTIAL}"):
        logger.info("ingest: removing %s, left by a run that was killed", leftover)
        shutil.rmtree(leftover)


def _job(
    config: DatasetConfig,
    listing: Listing,
    places: Places,
    base: DatasetManifest | None,
    reuse: Reuse,
) -> IngestJob:
    kept = None if base is None else base.split_rule
    return IngestJob(
        name=config.name,
        places=places,
        examiner=Examiner(
            listing.class_names, listing.multi_label, config.maximum_pixels
        ),
        rule=kept or rule_from_shares(config.splits),
        validation_examples=None if kept else config.splits.validation_examples,
        shard_bytes=config.shard_megabytes * _MEGABYTE,
        carried=reuse.carried,
    )


def _run(job: IngestJob, reuse: Reuse, options: BeamOptions) -> SplitRule:
    """Write all shards; the rule that decided their splits."""
    # Importing Beam takes seconds; a dataset that is reused does not need it.
    from model_code.data.ingestion.ingest_job import run

    run(job, reuse.parts, options)
    threshold = spill.read_validation_threshold(job.places.work)
    return replace(job.rule, validation_below=threshold)


def _storage_error(config: DatasetConfig, location: str, error: OSError) -> DataError:
    return DataError(
        f"Dataset {config.name} cannot be written at {location}: "
        f"{error.strerror or error}; nothing was left behind. Building needs about "
        "twice the size of the images: make room, or give another data root."
    )
