"""What an ingest job is told; the job itself is `ingest_job.py`."""

from dataclasses import dataclass

from model_code.data.ingestion.examine import Examiner
from model_code.data.ingestion.places import Places
from model_code.data.ingestion.shards import CarriedShard
from model_code.data.splits import SplitRule


@dataclass(frozen=True)
class IngestJob:
    """What the workers need to know.

    Attributes:
        name: of the dataset; begins the shards' names.
        places: where intermediate files and shards are written.
        examiner: the checks of an image.
        rule: gives each image its split.
        validation_examples: hold out that many instead of the rule's share.
        shard_bytes: target size of a shard.
        carried: shards of an earlier span, which come first in their splits.
    """

    name: str
    places: Places
    examiner: Examiner
    rule: SplitRule
    validation_examples: int | None
    shard_bytes: int
    carried: tuple[CarriedShard, ...] = ()
