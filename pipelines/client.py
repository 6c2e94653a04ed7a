"""The KFP backend in the product's words: versions, runs, recurring runs.

Names are the identity of what is created (`ensure` in transport): the backend
enforces them for pipelines, versions and experiments; for runs and recurring
runs this module looks before it creates and removes what a race left twice.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import kfp_server_api as api
import urllib3

from pipelines import transport
from pipelines.connection import Connection
from pipelines.convert import (
    recurring_run_body,
    recurring_run_record,
    run_body,
    run_record,
    version_record,
)
from pipelines.failures import NotFoundError
from pipelines.records import RecurringRun, RunRecord, VersionRecord

_PAGE_SIZE = 100


class KfpClient:
    """Every request that the desk makes; each has time-outs and bounded retries."""

    def __init__(self, connection: Connection, environ: Mapping[str, str]) -> None:
        self.connection = connection
        self._client = transport.api_client(connection, environ)
        self._pipelines = api.PipelineServiceApi(self._client)
        self._uploads = api.PipelineUploadServiceApi(self._client)
        self._experiments = api.ExperimentServiceApi(self._client)
        self._runs = api.RunServiceApi(self._client)
        self._recurring = api.RecurringRunServiceApi(self._client)

    def ensure_version(
        self, pipeline: str, version: str, package: Path, description: str
    ) -> tuple[VersionRecord, bool]:
        """The version of that name, uploaded if absent; and whether it was.

        The first upload of a pipeline creates a version named like it, so the
        pipeline is created empty and every version uploaded alike.
        """
        pipeline_id = self._ensure_pipeline(pipeline)
        found = self._find_version(pipeline_id, version)
        if found is not None:
            return found, False
        created = transport.ensure(
            self.connection.patience,
            f"upload version {version} of pipeline {pipeline}",
            find=lambda: self._find_version(pipeline_id, version),
            create=lambda: version_record(
                self._once(
                    self._uploads.upload_pipeline_version,
                    uploadfile=str(package),
                    name=version,
                    display_name=version,
                    pipelineid=pipeline_id,
                    description=description,
                )
            ),
        )
        return created, True

    def ensure_experiment(self, name: str) -> str:
        """Id of the experiment of that name, created if absent."""
        return transport.ensure(
            self.connection.patience,
            f"create experiment {name}",
            find=lambda: self.find_experiment(name),
            create=lambda: str(
                self._once(
                    self._experiments.experiment_service_create_experiment,
                    experiment=api.V2beta1Experiment(
                        display_name=name, namespace=self.connection.namespace
                    ),
                ).experiment_id
            ),
        )

    def find_experiment(self, name: str) -> str | None:
        """Id of the experiment of that name."""
        pages = self._pages(
            "list experiments",
            self._experiments.experiment_service_list_experiments,
            "experiments",
            {"display_name": name},
        )
        return next((str(found.experiment_id) for found in pages), None)

    def find_version(self, pipeline: str, version: str) -> VersionRecord | None:
        """The version of that name, where pipeline and version exist."""
        pipeline_id = self._find_pipeline(pipeline)
        return self._find_version(pipeline_id, version) if pipeline_id else None

    def ensure_run(
        self,
        name: str,
        experiment_id: str,
        version: VersionRecord,
        parameters: Mapping[str, Any],
        *,
        pipeline_root: str | None = None,
        service_account: str | None = None,
    ) -> tuple[RunRecord, bool]:
        """The run of that name that has not failed, started if there is none.

        A request without an answer may be carried out after we looked. Then
        as much time as an answer may take is waited once more, and all runs of
        the name but the oldest are cancelled.
        """
        started: list[str] = []
        unanswered: list[urllib3.exceptions.HTTPError] = []
        body = run_body(
            name,
            experiment_id,
            version,
            parameters=parameters,
            pipeline_root=pipeline_root,
            service_account=service_account,
        )

        def create() -> RunRecord:
            try:
                created = self._once(self._runs.run_service_create_run, run=body)
            except urllib3.exceptions.HTTPError as error:
                unanswered.append(error)
                raise
            started.append(created.run_id)
            return run_record(created)

        run = transport.ensure(
            self.connection.patience,
            f"start run {name}",
            find=lambda: self._oldest_live_run(name, experiment_id),
            create=create,
        )
        if unanswered:
            time.sleep(self.connection.patience.read)
        kept = self._keep_one(name, experiment_id) or run
        return kept, bool(started) or bool(unanswered)

    def list_runs(
        self,
        *,
        experiment_id: str | None = None,
        name: str | None = None,
        recurring_run_id: str | None = None,
    ) -> Iterator[RunRecord]:
        """Runs, newest first, filtered by whatever is given."""
        wanted = {"display_name": name, "recurring_run_id": recurring_run_id}
        pages = self._pages(
            "list runs",
            self._runs.run_service_list_runs,
            "runs",
            {key: value for key, value in wanted.items() if value is not None},
            experiment_id=experiment_id,
            sort_by="created_at desc",
        )
        return (run_record(run) for run in pages)

    def get_run(self, run_id: str) -> RunRecord:
        """The run as it is now, with its tasks."""
        get = self._runs.run_service_get_run
        return run_record(self._call(f"read run {run_id}", get, run_id=run_id))

    def cancel_run(self, run_id: str) -> None:
        """Ask the run to stop; it ends as CANCELED a while later."""
        terminate = self._runs.run_service_terminate_run
        self._call(f"cancel run {run_id}", terminate, run_id=run_id)

    def retry_run(self, run_id: str) -> None:
        """Start the failed tasks of an ended run again."""
        retry = self._runs.run_service_retry_run
        self._call(f"retry run {run_id}", retry, run_id=run_id)

    def read_log(self, run_id: str, pod: str) -> str:
        """The log of a task's pod.

        The v2 API has no method for it; this is the address that the KFP
        interface itself reads (backend/src/apiserver/main.go).
        """
        path = "/apis/v1alpha1/runs/{run_id}/nodes/{node_id}/log"
        response = self._call(
            f"read the log of {pod}",
            self._client.call_api,
            resource_path=path,
            method="GET",
            path_params={"run_id": run_id, "node_id": pod},
            auth_settings=["Bearer"],
            _preload_content=False,
            _return_http_data_only=True,
        )
        return bytes(response.data).decode(errors="replace")

    def list_recurring_runs(self) -> Iterator[RecurringRun]:
        """Every recurring run of the namespace."""
        pages = self._pages(
            "list recurring runs",
            self._recurring.recurring_run_service_list_recurring_runs,
            "recurring_runs",
            {},
        )
        return (recurring_run_record(found) for found in pages)

    def create_recurring_run(self, wanted: RecurringRun) -> RecurringRun:
        """Create it unless one with the same name and description is there."""
        return transport.ensure(
            self.connection.patience,
            f"create recurring run {wanted.name}",
            find=lambda: self._find_recurring_run(wanted),
            create=lambda: recurring_run_record(
                self._once(
                    self._recurring.recurring_run_service_create_recurring_run,
                    recurring_run=recurring_run_body(wanted, self.connection.namespace),
                )
            ),
        )

    def set_recurring_run(self, recurring_run_id: str, *, enabled: bool) -> None:
        """Let it start runs, or not."""
        service = self._recurring
        self._call(
            f"{'enable' if enabled else 'disable'} recurring run {recurring_run_id}",
            service.recurring_run_service_enable_recurring_run
            if enabled
            else service.recurring_run_service_disable_recurring_run,
            recurring_run_id=recurring_run_id,
        )

    def delete_recurring_run(self, recurring_run_id: str) -> None:
        """Delete it; gone already is fine, since a repeat may find it so."""
        delete = self._recurring.recurring_run_service_delete_recurring_run
        what = f"delete recurring run {recurring_run_id}"
        try:
            self._call(what, delete, recurring_run_id=recurring_run_id)
        except NotFoundError:
            return

    def _ensure_pipeline(self, name: str) -> str:
        return transport.ensure(
            self.connection.patience,
            f"create pipeline {name}",
            find=lambda: self._find_pipeline(name),
            create=lambda: str(
                self._once(
                    self._pipelines.pipeline_service_create_pipeline,
                    pipeline=api.V2beta1Pipeline(
                        name=name,
                        display_name=name,
                        namespace=self.connection.namespace,
                    ),
                ).pipeline_id
            ),
        )

    def _find_pipeline(self, name: str) -> str | None:
        pages = self._pages(
            "list pipelines",
            self._pipelines.pipeline_service_list_pipelines,
            "pipelines",
            {"display_name": name},
        )
        return next((str(found.pipeline_id) for found in pages), None)

    def _find_version(self, pipeline_id: str, name: str) -> VersionRecord | None:
        pages = self._pages(
            "list pipeline versions",
            self._pipelines.pipeline_service_list_pipeline_versions,
            "pipeline_versions",
            {"display_name": name},
            namespaced=False,
            pipeline_id=pipeline_id,
        )
        return next((version_record(found) for found in pages), None)

    def _find_recurring_run(self, wanted: RecurringRun) -> RecurringRun | None:
        same = (
            found
            for found in self.list_recurring_runs()
            if (found.name, found.description) == (wanted.name, wanted.description)
        )
        return next(same, None)

    def _live_runs(self, name: str, experiment_id: str) -> list[RunRecord]:
        runs = self.list_runs(name=name, experiment_id=experiment_id)
        live = [run for run in runs if run.state in _LIVE]
        return sorted(live, key=lambda run: (run.created, run.run_id))

    def _oldest_live_run(self, name: str, experiment_id: str) -> RunRecord | None:
        return next(iter(self._live_runs(name, experiment_id)), None)

    def _keep_one(self, name: str, experiment_id: str) -> RunRecord | None:
        live = self._live_runs(name, experiment_id)
        for run in live[1:]:
            if not run.ended:
                self.cancel_run(run.run_id)
        return next(iter(live), None)

    def _call(self, what: str, request: Callable[..., Any], **arguments: Any) -> Any:
        return transport.call(self.connection.patience, what, request, **arguments)

    def _once(self, request: Callable[..., Any], **arguments: Any) -> Any:
        return transport.once(self.connection.patience, request, **arguments)

    def _pages(
        self,
        what: str,
        request: Callable[..., Any],
        field: str,
        equal: Mapping[str, str],
        *,
        namespaced: bool = True,
        **arguments: Any,
    ) -> Iterator[Any]:
        """Items of every page; `equal` are field values that the server matches."""
        given = {key: value for key, value in arguments.items() if value is not None}
        if equal:
            given["filter"] = _filter(equal)
        if namespaced and self.connection.namespace is not None:
            given["namespace"] = self.connection.namespace
        token = ""
        while True:
            page = self._call(
                what, request, page_token=token, page_size=_PAGE_SIZE, **given
            )
            yield from getattr(page, field) or []
            token = page.next_page_token or ""
            if not token:
                return


_LIVE = frozenset({"PENDING", "RUNNING", "PAUSED", "SUCCEEDED"})
"""States of a run that makes another of the same name unnecessary."""


def _filter(equal: Mapping[str, str]) -> str:
    predicates = [
        {"operation": "EQUALS", "key": key, "string_value": value}
        for key, value in equal.items()
    ]
    return json.dumps({"predicates": predicates})
