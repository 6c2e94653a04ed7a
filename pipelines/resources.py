"""What each task asks of a cluster: one table, a reason in every row.

KFP's own cache is keyed by parameters, artifact names and the image *string*,
not by what a path holds, and it never expires. A task reads it only where its
parameters name everything that decides the outcome.
"""

from dataclasses import dataclass

from kfp import dsl, kubernetes

_USER = 10001
"""The image's own user (Dockerfile)."""


@dataclass(frozen=True)
class Resources:
    """Request and limit are equal, so that a task is never evicted for memory.

    `cpu` in cores, `memory` and `scratch` (of /tmp, on the node's disk) in
    Kubernetes notation. `hours` end a task that hangs. `retries` come after
    `backoff`, doubling.
    """

    cpu: str
    memory: str
    scratch: str
    hours: int
    retries: int
    backoff: str
    caching: bool
    reason: str


RESOURCES = {
    "ingest": Resources(
        cpu="4",
        memory="8Gi",
        scratch="100Gi",
        hours=48,
        retries=3,
        backoff="30s",
        caching=False,
        reason="reads remote files, so retries; finds and verifies a finished "
        "dataset by itself, where a cached manifest may point at deleted shards",
    ),
    "validate": Resources(
        cpu="2",
        memory="8Gi",
        scratch="20Gi",
        hours=6,
        retries=1,
        backoff="30s",
        caching=False,
        reason="statistics pass over the shards, which are not in a cache key",
    ),
    "pretrain": Resources(
        cpu="8",
        memory="32Gi",
        scratch="50Gi",
        hours=240,
        retries=10,
        backoff="60s",
        caching=False,
        reason="a preempted node costs one checkpoint interval, so many retries; "
        "resumes from the run's own checkpoints, which a cache would bypass",
    ),
    "finetune": Resources(
        cpu="8",
        memory="32Gi",
        scratch="50Gi",
        hours=240,
        retries=10,
        backoff="60s",
        caching=False,
        reason="as pretrain",
    ),
    "evaluate": Resources(
        cpu="4",
        memory="16Gi",
        scratch="20Gi",
        hours=6,
        retries=2,
        backoff="30s",
        caching=False,
        reason="minutes of work; neither the weights nor the champion, which "
        "changes between runs, are in a cache key",
    ),
    "gate": Resources(
        cpu="1",
        memory="2Gi",
        scratch="10Gi",
        hours=6,
        retries=1,
        backoff="30s",
        caching=False,
        reason="compares two files; cheaper than looking up a key",
    ),
    "register": Resources(
        cpu="1",
        memory="4Gi",
        scratch="10Gi",
        hours=1,
        retries=5,
        backoff="30s",
        caching=False,
        reason="talks to the registry, so retries; its effect is the point, and "
        "the run key makes it happen once",
    ),
    "promote": Resources(
        cpu="1",
        memory="2Gi",
        scratch="1Gi",
        hours=1,
        retries=5,
        backoff="30s",
        caching=False,
        reason="as register; a cached promotion would move no alias",
    ),
    "search_worker": Resources(
        cpu="8",
        memory="32Gi",
        scratch="20Gi",
        hours=120,
        retries=10,
        backoff="30s",
        caching=False,
        reason="as pretrain, and a preempted node costs one trial, which another "
        "worker repeats; the study in the store decides what is left to do",
    ),
    "search_summary": Resources(
        cpu="2",
        memory="8Gi",
        scratch="5Gi",
        hours=2,
        retries=3,
        backoff="30s",
        caching=False,
        reason="reads the study, which no key holds; talks to the tracking store, "
        "so retries",
    ),
    "find_span": Resources(
        cpu="1",
        memory="2Gi",
        scratch="1Gi",
        hours=1,
        retries=3,
        backoff="30s",
        caching=False,
        reason="lists storage, so retries; what is new changes between runs",
    ),
    "retraining_recipe": Resources(
        cpu="1",
        memory="2Gi",
        scratch="1Gi",
        hours=1,
        retries=3,
        backoff="30s",
        caching=False,
        reason="lists storage, so retries; the list is its effect",
    ),
    "validate_span": Resources(
        cpu="2",
        memory="8Gi",
        scratch="20Gi",
        hours=6,
        retries=1,
        backoff="30s",
        caching=False,
        reason="as validate",
    ),
    "fetch_champion": Resources(
        cpu="1",
        memory="4Gi",
        scratch="10Gi",
        hours=1,
        retries=5,
        backoff="30s",
        caching=False,
        reason="talks to the registry, so retries; the champion changes "
        "between runs, which no key holds",
    ),
    "conclude": Resources(
        cpu="1",
        memory="2Gi",
        scratch="1Gi",
        hours=1,
        retries=5,
        backoff="30s",
        caching=False,
        reason="remembers the span, so retries; its effect is the point",
    ),
    "notify": Resources(
        cpu="1",
        memory="1Gi",
        scratch="1Gi",
        hours=1,
        retries=3,
        backoff="30s",
        caching=False,
        reason="tells somebody, so retries; a cached message tells nobody",
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
    kubernetes.set_timeout(task, seconds=row.hours * 3600)
    kubernetes.set_security_context(
        task, run_as_user=_USER, run_as_group=_USER, run_as_non_root=True
    )
    # KFP cannot request ephemeral storage (kubeflow/pipelines#11137); a limit on
    # the one directory that tasks write to bounds it all the same.
    kubernetes.empty_dir_mount(
        task, volume_name="scratch", mount_path="/tmp", size_limit=row.scratch
    )
    return task.set_caching_options(row.caching)
