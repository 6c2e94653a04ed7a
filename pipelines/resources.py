"""What each task asks of a cluster: one table, a reason in every row.

KFP's own cache is keyed by parameters, artifact names and the image *string*,
not by what a path holds, and it never expires. A task reads it only where its
parameters name everything that decides the outcome.
"""

from dataclasses import dataclass

from kfp import dsl


@dataclass(frozen=True)
class Resources:
    """Request and limit are equal, so that a task is never evicted for memory.

    `cpu` in cores and `memory` in Kubernetes notation. `retries` come after
    `backoff`, doubling.
    """

    cpu: str
    memory: str
    retries: int
    backoff: str
    caching: bool
    reason: str


RESOURCES = {
    "ingest": Resources(
        cpu="4",
        memory="8Gi",
        retries=3,
        backoff="30s",
        caching=False,
        reason="reads remote files, so retries; finds and verifies a finished "
        "dataset by itself, where a cached manifest may point at deleted shards",
    ),
    "validate": Resources(
        cpu="2",
        memory="8Gi",
        retries=1,
        backoff="30s",
        caching=False,
        reason="statistics pass over the shards, which are not in a cache key",
    ),
    "pretrain": Resources(
        cpu="8",
        memory="32Gi",
        retries=10,
        backoff="60s",
        caching=False,
        reason="a preempted node costs one checkpoint interval, so many retries; "
        "resumes from the run's own checkpoints, which a cache would bypass",
    ),
    "finetune": Resources(
        cpu="8",
        memory="32Gi",
        retries=10,
        backoff="60s",
        caching=False,
        reason="as pretrain",
    ),
    "evaluate": Resources(
        cpu="4",
        memory="16Gi",
        retries=2,
        backoff="30s",
        caching=False,
        reason="minutes of work; neither the weights nor the champion, which "
        "changes between runs, are in a cache key",
    ),
    "gate": Resources(
        cpu="1",
        memory="2Gi",
        retries=1,
        backoff="30s",
        caching=False,
        reason="compares two files; cheaper than looking up a key",
    ),
    "register": Resources(
        cpu="1",
        memory="4Gi",
        retries=5,
        backoff="30s",
        caching=False,
        reason="talks to the registry, so retries; its effect is the point, and "
        "the run key makes it happen once",
    ),
    "promote": Resources(
        cpu="1",
        memory="2Gi",
        retries=5,
        backoff="30s",
        caching=False,
        reason="as register; a cached promotion would move no alias",
    ),
    "search_worker": Resources(
        cpu="8",
        memory="32Gi",
        retries=10,
        backoff="30s",
        caching=False,
        reason="as pretrain, and a preempted node costs one trial, which another "
        "worker repeats; the study in the store decides what is left to do",
    ),
    "search_summary": Resources(
        cpu="2",
        memory="8Gi",
        retries=3,
        backoff="30s",
        caching=False,
        reason="reads the study, which no key holds; talks to the tracking store, "
        "so retries",
    ),
}
"""Keyed by the door's name. Local runs use this machine as it is."""


def furnish(task: dsl.PipelineTask, image: str) -> dsl.PipelineTask:
    """Give a task its image and the row of its door."""
    row = RESOURCES[task.component_spec.name.replace("-", "_")]
    task.set_container_image(image)
    task.set_cpu_request(row.cpu).set_cpu_limit(row.cpu)
    task.set_memory_request(row.memory).set_memory_limit(row.memory)
    task.set_retry(num_retries=row.retries, backoff_duration=row.backoff)
    return task.set_caching_options(row.caching)
