"""kfp's local runner: the same graph, each task a process on this machine."""

import contextlib
import copy
import logging
import warnings
from collections.abc import Callable, Iterator, Mapping
from graphlib import TopologicalSorter
from typing import Any

from pipelines.local.containers import Containers, tasks_in
from pipelines.local.stream import LineStream
from pipelines.local.workspace import RunDirectory

_WORKER_RETRIES = 2


def task_titles(graph: Any) -> dict[str, str]:
    """Title by task name, each after those that it depends on."""
    tasks = graph.pipeline_spec.root.dag.tasks
    # Sorted, because the order of a protobuf map is not defined.
    order = TopologicalSorter(
        {name: sorted(tasks[name].dependent_tasks) for name in sorted(tasks)}
    )
    return {name: tasks[name].task_info.name for name in order.static_order()}


def execute(
    graph: Any,
    arguments: Mapping[str, str],
    directory: RunDirectory,
    receive: Callable[[str], None],
    containers: Containers | None = None,
) -> None:
    """Run a graph, handing on every line that kfp or a task prints.

    With `containers` each task runs in one, else in a process of this machine.

    Outputs of finished tasks are kept in the run's own directory, so that the
    same call after a kill skips those tasks.

    Raises:
        RuntimeError: a task failed; its lines have been handed on.
    """
    from kfp import local

    processes = contextlib.nullcontext(local.SubprocessRunner(use_venv=False))
    with (
        processes if containers is None else tasks_in(containers) as runner,
        _printing_to(LineStream(receive)),
        warnings.catch_warnings(),
    ):
        # Not `workspace_root=`: kfp deletes that directory after the run.
        local.init(
            runner=runner,
            pipeline_root=str(directory.pipeline_root),
            enable_caching=True,
            cache_root=str(directory.cache),
        )
        # Images are not used here, nor are cluster resources and titles.
        warnings.filterwarnings("ignore", "You may be attemping", RuntimeWarning)
        warnings.filterwarnings("ignore", "Task .* have no effect", UserWarning)
        _for_this_machine(graph)(**arguments)


def _for_this_machine(graph: Any) -> Any:
    """A copy of the graph with the policies of a local run.

    Every task is skipped when this run has finished it before. None is retried:
    the same command continues the run, and a retry would only repeat an error
    of the user's, minutes apart. Workers in a loop are: while one is killed, for
    lack of memory say, the others go on, and it may join them again.
    """
    local_graph = copy.deepcopy(graph)
    for task in local_graph.pipeline_spec.root.dag.tasks.values():
        task.caching_options.enable_cache = True
        task.ClearField("retry_policy")
    for component in local_graph.pipeline_spec.components.values():
        for task in component.dag.tasks.values():
            task.retry_policy.max_retry_count = _WORKER_RETRIES
            task.retry_policy.backoff_duration.seconds = 1
    return local_graph


@contextlib.contextmanager
def _printing_to(stream: LineStream) -> Iterator[None]:
    """Send what kfp prints, and what it logs through the root logger, to the stream."""
    root = logging.getLogger()
    level, handlers = root.level, root.handlers
    root.handlers = [logging.StreamHandler(stream)]
    root.setLevel(logging.INFO)
    try:
        with contextlib.redirect_stdout(stream):
            yield
    finally:
        root.setLevel(level)
        root.handlers = handlers
