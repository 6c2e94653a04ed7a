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
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.pvalue import AsSingleton

from model_code.config.beam import BeamOptions
from model_code.data.ingestion.decoding import quiet_pillow
from model_code.data.ingestion.job import IngestJob
from model_code.data.ingestion.shards import (
    CarriedShard,
    ShardKey,
    carry_shard,
    write_shard,
)
from model_code.data.ingestion.spill import (
    pack,
    read_block,
    unpack,
    write_blocks,
    write_validation_threshold,
)
from model_code.data.ingestion.spilling import spill_part
from model_code.data.sharding import ShardPlan, bucket_of, plan_shards
from model_code.data.sources.base import Part
from model_code.data.splits import TEST, SplitRule, draws, threshold_for
from model_code.errors import DataError

_Key = tuple[str, int, int]
"""A `ShardKey` as Beam groups by it: its coder for tuples is deterministic."""


def run(job: IngestJob, parts: Sequence[Part], options: BeamOptions) -> None:
    """Run the job to its end on the configured runner.

    Raises:
        OSError: a worker could not write, for want of space.
        DataError: a worker met a source it cannot use.
    """
    blocks = write_blocks(job.places.work, parts)
    try:
        with beam.Pipeline(options=_pipeline_options(options)) as pipeline:
            _build(pipeline, job, blocks, _threads(options))
    except RuntimeError as error:
        raise _as_raised_in_worker(error) from error


def _build(
    pipeline: beam.Pipeline, job: IngestJob, blocks: Sequence[str], threads: int
) -> None:
    rows = (
        pipeline
        | "Blocks" >> beam.Create(list(blocks))
        | "Parts" >> beam.FlatMap(read_block)
        | "Spread" >> beam.Reshuffle()
        | "Examine" >> beam.ParDo(_ExaminePart(job, threads))
    )
    rule = AsSingleton(_decide_rule(pipeline, rows, job))
    plan = AsSingleton(
        rows
        | "Measure" >> beam.Map(_measure, rule)
        | "Sum" >> beam.CombineGlobally(_sum_up)
        | "Cut" >> beam.Map(plan_shards, job.shard_bytes)
    )
    carried = Counter(shard.split for shard in job.carried)
    _ = (
        rows
        | "Assign" >> beam.FlatMap(_assign, rule, plan, carried)
        | "Gather" >> beam.GroupByKey()
        | "Write" >> beam.ParDo(_WriteShard(job))
    )
    _ = (
        pipeline
        | "Carried" >> beam.Create(_number(job.carried))
        | "Spread carried" >> beam.Reshuffle()
        | "Carry" >> beam.Map(_carry, job, plan, carried)
    )


def _decide_rule(
    pipeline: beam.Pipeline, rows: beam.PCollection, job: IngestJob
) -> beam.PCollection:
    """The rule as given, or with the threshold that holds out a number of images."""
    if job.validation_examples is None:
        rule = pipeline | "Rule" >> beam.Create([job.rule])
    else:
        rule = (
            rows
            | "Draw" >> beam.FlatMap(_validation_draws, job.rule)
            | "Lowest" >> beam.combiners.Top.Smallest(job.validation_examples)
            | "Rule" >> beam.Map(_with_threshold, job.rule)
        )
    _ = rule | "Note" >> beam.Map(_note_threshold, job.places.work)
    return rule


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


def _validation_draws(packed: bytes, rule: SplitRule) -> Iterator[int]:
    for row in unpack(packed):
        if rule.split_of(row.digest, held_out=row.held_out) != TEST:
            yield draws(row.digest, rule.salt)[1]


def _with_threshold(lowest: Sequence[int], rule: SplitRule) -> SplitRule:
    return replace(rule, validation_below=threshold_for(lowest))


def _note_threshold(rule: SplitRule, work: str) -> None:
    write_validation_threshold(work, rule.validation_below)


def _measure(packed: bytes, rule: SplitRule) -> Counter[tuple[str, int]]:
    sizes: Counter[tuple[str, int]] = Counter()
    for row in unpack(packed):
        split = rule.split_of(row.digest, held_out=row.held_out)
        sizes[split, bucket_of(row.digest)] += row.length
    return sizes


def _sum_up(histograms: Iterable[Counter[tuple[str, int]]]) -> Counter[tuple[str, int]]:
    total: Counter[tuple[str, int]] = Counter()
    for histogram in histograms:
        total.update(histogram)
    return total


def _assign(
    packed: bytes, rule: SplitRule, plan: ShardPlan, carried: Mapping[str, int]
) -> Iterator[tuple[_Key, bytes]]:
    grouped = defaultdict(list)
    for row in unpack(packed):
        split = rule.split_of(row.digest, held_out=row.held_out)
        before = carried.get(split, 0)
        shard = before + plan.shard_of(split, row.digest)
        grouped[split, shard, before + plan.count(split)].append(row)
    for key, rows in grouped.items():
        yield key, pack(rows)


def _number(carried: Sequence[CarriedShard]) -> list[tuple[int, CarriedShard]]:
    """Each shard with its position among those of its split."""
    seen: Counter[str] = Counter()
    numbered = []
    for shard in carried:
        numbered.append((seen[shard.split], shard))
        seen[shard.split] += 1
    return numbered


def _carry(
    numbered: tuple[int, CarriedShard],
    job: IngestJob,
    plan: ShardPlan,
    carried: Mapping[str, int],
) -> None:
    index, shard = numbered
    key = ShardKey(shard.split, index, carried[shard.split] + plan.count(shard.split))
    carry_shard(job.places, job.name, key, shard)
