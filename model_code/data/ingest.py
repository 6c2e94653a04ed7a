"""From a configured source to a complete dataset on disk, or to none.

The dataset lies at `<data root>/<name>/<key>`; the key follows from what
decides its content: recipe and state of the source. It is built in a hidden
sibling directory and renamed, so a kill at any point leaves a complete dataset
or none; the next run removes what was left over.
"""

import hashlib
import json
import logging
import shutil
from dataclasses import replace
from pathlib import Path

from filelock import FileLock
from pydantic import TypeAdapter

from model_code import artifacts
from model_code.config.beam import IN_PROCESS, BeamOptions
from model_code.config.dataset import DatasetConfig
from model_code.data import manifest, verification
from model_code.data.ingestion import assembly, spill
from model_code.data.ingestion.examine import Examiner
from model_code.data.ingestion.progress import report_progress
from model_code.data.manifest import DatasetManifest
from model_code.data.sources import list_source
from model_code.data.sources.base import Listing
from model_code.data.splits import rule_from_shares
from model_code.errors import DataError

_LOG = logging.getLogger("effnetv2.progress")
_CONFIG = TypeAdapter(DatasetConfig)
_MEGABYTE = 1_000_000
_PARTIAL = ".partial"


def ingest(
    config: DatasetConfig, data_root: str, options: BeamOptions = IN_PROCESS
) -> DatasetManifest:
    """The dataset of that configuration; built unless it is there already.

    Args:
        config: source, splits and checks.
        data_root: directory below which datasets lie.
        options: how the job runs; the result does not depend on it.

    Raises:
        DataError: the source cannot be used, too many images were refused, a
            split lacks examples of a class, or the disk is full. Nothing is
            left behind.
        UnavailableError: a library that the source needs is not installed.
    """
    listing = list_source(config.source)
    key = dataset_key(config, listing)
    home = Path(data_root).absolute() / config.name
    home.mkdir(parents=True, exist_ok=True)
    with FileLock(home / ".lock"):
        found = _find_complete(home / key)
        if found is None:
            _remove_leftovers(home)
            return _build(config, listing, key, home, options)
    assembly.check_limits(config, found)
    _LOG.info("ingest %s: reused %s", config.name, found.location)
    return replace(found, reused=True)


def dataset_key(config: DatasetConfig, listing: Listing) -> str:
    """Names the directory: what decides the content of the dataset.

    Limits that only judge the result are left out.
    """
    settings = _CONFIG.dump_python(config, mode="json")
    del settings["validation"], settings["maximum_dead_letters"]
    del settings["splits"]["minimum_per_class"]
    facts = [manifest.FORMAT_VERSION, settings, listing.state]
    text = json.dumps(facts, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _find_complete(directory: Path) -> DatasetManifest | None:
    """The dataset in a directory, if its files have the sizes they should have."""
    if not (directory / artifacts.MANIFEST).is_file():
        return None
    found = manifest.read(directory)
    missing = verification.find_missing(found)
    if missing:
        _LOG.warning("ingest %s: %s; building it again", found.name, missing[0])
        return None
    return found


def _remove_leftovers(home: Path) -> None:
    """Work directories of runs that were killed; the lock says none is alive."""
    for leftover in home.glob(f".*{_PARTIAL}"):
        _LOG.info("ingest: removing %s, left by a run that was killed", leftover)
        shutil.rmtree(leftover)


def _build(
    config: DatasetConfig,
    listing: Listing,
    key: str,
    home: Path,
    options: BeamOptions,
) -> DatasetManifest:
    work = home / f".{key}{_PARTIAL}"
    try:
        _run_job(config, listing, str(work), options)
        built = assembly.assemble(config, listing, key, str(work))
        spill.delete(str(work))
        work.replace(home / key)
    except OSError as error:
        raise _storage_error(config, home, error) from error
    finally:
        shutil.rmtree(work, ignore_errors=True)
    _LOG.info("ingest %s: done, %d examples", config.name, built.examples)
    return replace(built, location=str(home / key))


def _run_job(
    config: DatasetConfig, listing: Listing, work: str, options: BeamOptions
) -> None:
    # Importing Beam takes seconds; a dataset that is reused does not need it.
    from model_code.data.ingestion.ingest_job import IngestJob, run

    examiner = Examiner(listing.class_names, listing.multi_label, config.maximum_pixels)
    job = IngestJob(
        name=config.name,
        work=work,
        examiner=examiner,
        rule=rule_from_shares(config.splits),
        shard_bytes=config.shard_megabytes * _MEGABYTE,
    )
    with report_progress(work, config.name, listing.examples):
        run(job, listing, options)


def _storage_error(config: DatasetConfig, home: Path, error: OSError) -> DataError:
    free = shutil.disk_usage(home).free
    return DataError(
        f"Dataset {config.name} cannot be written below {home}: {error.strerror} "
        f"({free / _MEGABYTE:,.0f} MB free); nothing was left behind. Building "
        "needs about twice the size of the images: make room, or give another "
        "data root."
    )
