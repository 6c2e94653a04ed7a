"""Between the generated client's models and the product's records."""

from collections.abc import Mapping
from typing import Any

import kfp_server_api as api

from pipelines.records import RecurringRun, RunRecord, TaskRecord, VersionRecord


def run_body(
    name: str,
    experiment_id: str,
    version: VersionRecord,
    *,
    parameters: Mapping[str, Any],
    pipeline_root: str | None,
    service_account: str | None,
) -> api.V2beta1Run:
    """The request that starts a run of an uploaded version."""
    return api.V2beta1Run(
        display_name=name,
        experiment_id=experiment_id,
        pipeline_version_reference=_reference(version.pipeline_id, version.version_id),
        runtime_config=api.V2beta1RuntimeConfig(
            parameters=dict(parameters), pipeline_root=pipeline_root
        ),
        service_account=service_account,
    )


def recurring_run_body(
    wanted: RecurringRun, namespace: str | None
) -> api.V2beta1RecurringRun:
    """The request that creates a recurring run."""
    return api.V2beta1RecurringRun(
        display_name=wanted.name,
        description=wanted.description,
        experiment_id=wanted.experiment_id,
        namespace=namespace,
        pipeline_version_reference=_reference(wanted.pipeline_id, wanted.version_id),
        runtime_config=api.V2beta1RuntimeConfig(
            parameters=dict(wanted.parameters), pipeline_root=wanted.pipeline_root
        ),
        service_account=wanted.service_account,
        max_concurrency=str(wanted.max_concurrency),
        no_catchup=not wanted.catch_up,
        mode="ENABLE" if wanted.enabled else "DISABLE",
        trigger=api.V2beta1Trigger(
            cron_schedule=api.V2beta1CronSchedule(cron=wanted.cron)
        ),
    )


def version_record(version: Any) -> VersionRecord:
    """From a `V2beta1PipelineVersion`."""
    return VersionRecord(
        pipeline_id=version.pipeline_id,
        version_id=version.pipeline_version_id,
        name=version.display_name,
    )


def run_record(run: Any) -> RunRecord:
    """From a `V2beta1Run`."""
    details = run.run_details.task_details if run.run_details else None
    config = run.runtime_config
    return RunRecord(
        run_id=run.run_id,
        name=run.display_name,
        state=run.state or "RUNTIME_STATE_UNSPECIFIED",
        created=run.created_at,
        experiment_id=run.experiment_id,
        finished=run.finished_at if run.state in _FINISHED else None,
        recurring_run_id=run.recurring_run_id,
        error=run.error.message if run.error else None,
        parameters=(config.parameters or {}) if config else {},
        tasks=tuple(_task_record(task) for task in details or ()),
    )


def recurring_run_record(found: Any) -> RecurringRun:
    """From a `V2beta1RecurringRun`; a periodic trigger is shown as `@every`."""
    reference = found.pipeline_version_reference
    config = found.runtime_config
    return RecurringRun(
        name=found.display_name,
        description=found.description or "",
        cron=_cron(found.trigger),
        enabled=found.status == "ENABLED",
        catch_up=not found.no_catchup,
        max_concurrency=int(found.max_concurrency),
        experiment_id=found.experiment_id,
        pipeline_id=reference.pipeline_id if reference else "",
        version_id=reference.pipeline_version_id if reference else "",
        parameters=(config.parameters or {}) if config else {},
        pipeline_root=config.pipeline_root if config else None,
        service_account=found.service_account,
        recurring_run_id=found.recurring_run_id,
        created=found.created_at,
    )


# The backend sends the epoch as the end of a run that has not ended.
_FINISHED = frozenset({"SUCCEEDED", "SKIPPED", "FAILED", "CANCELED"})


def _task_record(task: Any) -> TaskRecord:
    pods = [child.pod_name for child in task.child_tasks or () if child.pod_name]
    return TaskRecord(
        name=task.display_name,
        state=task.state or "RUNTIME_STATE_UNSPECIFIED",
        started=task.start_time,
        finished=task.end_time if task.state in _FINISHED else None,
        pod=task.pod_name or next(iter(pods), None),
        error=task.error.message if task.error else None,
    )


def _reference(
    pipeline_id: str, version_id: str
) -> api.V2beta1PipelineVersionReference:
    return api.V2beta1PipelineVersionReference(
        pipeline_id=pipeline_id, pipeline_version_id=version_id
    )


def _cron(trigger: Any) -> str:
    if trigger.cron_schedule is not None:
        return str(trigger.cron_schedule.cron)
    return f"@every {trigger.periodic_schedule.interval_second}s"
