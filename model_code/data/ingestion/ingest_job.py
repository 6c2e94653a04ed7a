"""The Beam job: parts of a source in, shards out.

Two passes over small rows, image bytes only in files: examine and spill every
part, sum up bytes by split and digest range, cut shards, then write each shard
from the spilled records. Beam splits, retries and distributes; what a shard
holds follows from the images alone.
"""

import errno
import os
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions

from model_code.config.beam import BeamOptions
from model_code.data.ingestion.decoding import quiet_pillow
from model_code.data.ingestion.examine import Examiner
from model_code.data.ingestion.places import Places
from model_code.data.ingestion.shards import ShardKey, write_shard
from model_code.data.ingestion.spill import pack, unpack
from model_code.data.ingestion.spilling import spill_part
from model_code.data.sharding import ShardPlan, bucket_of, plan_shards
from model_code.data.sources.base import Listing, Part
from model_code.data.splits import SplitRule
from model_code.errors import DataError

_Key = tuple[str, int, int]
"""A `ShardKey` as Beam groups by it: its coder for tuples is deterministic."""


@dataclass(frozen=True)
class IngestJob:
    """What the workers need to know.

    Attributes:
        name: of the dataset; begins the shards' names.
        places: where intermediate files and shards are written.
        examiner: the checks of an image.
        rule: gives each image its split.
        shard_bytes: target size of a shard.
    """

    name: str
    places: Places
    examiner: Examiner
    rule: SplitRule
    shard_bytes: int


def run(job: IngestJob, listing: Listing, options: BeamOptions) -> None:
    """Run the job to its end on the configured runner.

    Raises:
        OSError: a worker could not write, for want of space.
        DataError: a worker met a source it cannot use.
    """
    try:
        _run(job, listing, options)
    except RuntimeError as error:
        raise _as_raised_in_worker(error) from error


def _run(job: IngestJob, listing: Listing, options: BeamOptions) -> None:
    with beam.Pipeline(options=_pipeline_options(options)) as pipeline:
        rows = (
            pipeline
            | "Parts" >> beam.Create(list(enumerate(listing.parts)))
            | "Spread" >> beam.Reshuffle()
            | "Examine" >> beam.ParDo(_ExaminePart(job, _threads(options)))
        )
        plan = (
            rows
            | "Measure" >> beam.Map(_measure, job.rule)
            | "Sum" >> beam.CombineGlobally(_sum_up)
            | "Cut" >> beam.Map(plan_shards, job.shard_bytes)
        )
        _ = (
            rows
            | "Assign" >> beam.FlatMap(_assign, job.rule, beam.pvalue.AsSingleton(plan))
            | "Gather" >> beam.GroupByKey()
            | "Write" >> beam.ParDo(_WriteShard(job))
        )


def _as_raised_in_worker(error: RuntimeError) -> Exception:
    """Beam hands on a worker's exception as text; give it its type back."""
    text = str(error)
    if f"[Errno {errno.ENOSPC}]" in text:
        return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    found = re.search(r"DataError: (.*?) \[while running", text, re.DOTALL)
    return DataError(found.group(1)) if found else error


def _pipeline_options(options: BeamOptions) -> PipelineOptions:
    flags = [f"--runner={options.runner}", *options.extra]
    if options.runner == "FnApiRunner" and options.workers > 1:
        flags += [
            "--direct_running_mode=multi_processing",
            f"--direct_num_workers={options.workers}",
        ]
    # A list, even an empty one, keeps Beam from reading sys.argv.
    return PipelineOptions(flags)


def _threads(options: BeamOptions) -> int:
    if options.threads:
        return options.threads
    return max(1, len(os.sched_getaffinity(0)) // options.workers)


class _ExaminePart(beam.DoFn):
    """A part to its packed rows."""

    def __init__(self, job: IngestJob, threads: int) -> None:
        self._job = job
        self._threads = threads

    def setup(self) -> None:
        quiet_pillow()
        self._pool = ThreadPoolExecutor(self._threads)

    def teardown(self) -> None:
        self._pool.shutdown()

    def process(self, element: tuple[int, Part]) -> Iterator[bytes]:
        index, part = element
        job = self._job
        yield pack(spill_part(part, index, job.places.work, job.examiner, self._pool))


class _WriteShard(beam.DoFn):
    """All rows of a shard to the finished file."""

    def __init__(self, job: IngestJob) -> None:
        self._job = job

    def process(self, element: tuple[_Key, Iterable[bytes]]) -> None:
        key, packed = element
        rows = [row for batch in packed for row in unpack(batch)]
        write_shard(self._job.places, self._job.name, ShardKey(*key), rows)


def _measure(packed: bytes, rule: SplitRule) -> Counter[tuple[str, int]]:
    sizes: Counter[tuple[str, int]] = Counter()
    for row in unpack(packed):
        sizes[rule.split_of(row.digest), bucket_of(row.digest)] += row.length
    return sizes


def _sum_up(histograms: Iterable[Counter[tuple[str, int]]]) -> Counter[tuple[str, int]]:
    total: Counter[tuple[str, int]] = Counter()
    for histogram in histograms:
        total.update(histogram)
    return total


def _assign(
    packed: bytes, rule: SplitRule, plan: ShardPlan
) -> Iterator[tuple[_Key, bytes]]:
    grouped = defaultdict(list)
    for row in unpack(packed):
        split = rule.split_of(row.digest)
        shard = plan.shard_of(split, row.digest)
        grouped[split, shard, plan.count(split)].append(row)
    for key, rows in grouped.items():
        yield key, pack(rows)
