"""Where a build keeps its files."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Places:
    """Two directories, local or `gs://`, that all workers see.

    Attributes:
        work: intermediate files: spilled records, outcomes, summaries.
        target: shards, their indexes, and the manifest.
    """

    work: str
    target: str
