"""A stateful KFP API server on a real port, with faults that can be injected."""

import asyncio
import contextlib
import email
import email.policy
import json
import re
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, PlainTextResponse

from tests.helpers.kfp_state import KfpState, Refused, known
from tests.helpers.kfp_wire import check, plain

BASE = "/apis/v2beta1"
_FILTERABLE = {
    "pipelines": {"display_name", "name", "id"},
    "pipeline_versions": {"display_name", "name", "id"},
    "experiments": {"display_name", "name", "id"},
    "runs": {"display_name", "state", "recurring_run_id", "experiment_id"},
    "recurring_runs": {"display_name", "pipeline_id", "pipeline_version_id"},
}


@dataclass
class Fault:
    """What goes wrong with the next `times` requests that match.

    `status` answers in place of the handler, or after it with `acted`.
    `cut` closes the connection instead of answering; `seconds` delays.
    """

    method: str
    path: str
    kind: Literal["status", "cut", "slow"]
    status: int = 500
    acted: bool = False
    seconds: float = 0.0
    times: int = 1
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class KfpServer:
    """The state, the faults to come and every request that was made."""

    state: KfpState = field(default_factory=KfpState)
    faults: list[Fault] = field(default_factory=list)
    requests: list[tuple[str, str]] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    seen_headers: list[dict[str, str]] = field(default_factory=list)
    token: str | None = None
    cookie: str | None = None
    forbidden_namespaces: set[str] = field(default_factory=set)
    url: str = ""

    def fail(self, method: str, path: str, kind: Any, **settings: Any) -> None:
        self.faults.append(Fault(method, path, kind, **settings))

    def count(self, method: str, path: str) -> int:
        return sum(
            method == made and re.search(path, at) is not None
            for made, at in self.requests
        )


@contextlib.contextmanager
def kfp_server(**tls: Any) -> Iterator[KfpServer]:
    """A running server, stopped at the end; no violation of the API is let pass."""
    server = KfpServer()
    config = uvicorn.Config(
        _Faulty(_app(server), server),
        log_level="critical",
        ws="none",
        lifespan="off",
        timeout_graceful_shutdown=1,
        **tls,
    )
    # asyncio turns Nagle off only where the protocol is named: 40 ms a request.
    with socket.socket(proto=socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        server.url = f"{'https' if tls else 'http'}://localhost:{port}"
        uvicorn_server = uvicorn.Server(config)
        thread = threading.Thread(
            target=uvicorn_server.run, kwargs={"sockets": [listener]}, daemon=True
        )
        thread.start()
        try:
            while not uvicorn_server.started:
                thread.join(0.01)
            yield server
        finally:
            uvicorn_server.should_exit = True
            thread.join(10)
    if server.violations:
        raise AssertionError("; ".join(server.violations))


class _Faulty:
    """ASGI in front of the app: checks credentials, records, and breaks things."""

    def __init__(self, app: FastAPI, server: KfpServer) -> None:
        self.app = app
        self.server = server

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        headers = {k.decode(): v.decode() for k, v in scope["headers"]}
        self.server.requests.append((scope["method"], scope["path"]))
        self.server.seen_headers.append(headers)
        refusal = self._refusal(headers, scope)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        fault = self._fault(scope["method"], scope["path"])
        if fault is None:
            await self.app(scope, receive, send)
            return
        await self._break(fault, scope, receive, send)

    def _refusal(self, headers: dict[str, str], scope: Any) -> JSONResponse | None:
        server = self.server
        wanted = f"Bearer {server.token}"
        if server.token is not None and headers.get("authorization") != wanted:
            return _error(401, "Request header error: there is no user identity")
        if server.cookie is not None and headers.get("cookie") != server.cookie:
            return _error(401, "no session")
        query = scope["query_string"].decode()
        for namespace in server.forbidden_namespaces:
            if f"namespace={namespace}" in query:
                return _error(403, f"User is not authorized in {namespace}")
        return None

    def _fault(self, method: str, path: str) -> Fault | None:
        for fault in self.server.faults:
            if fault.method == method and re.search(fault.path, path) and fault.times:
                fault.times -= 1
                return fault
        return None

    async def _break(self, fault: Fault, scope: Any, receive: Any, send: Any) -> None:
        receive = await _whole(receive)
        if fault.acted:
            await self.app(scope, receive, _swallow)
        if fault.kind == "slow":
            await asyncio.sleep(fault.seconds)
            if not fault.acted:
                await self.app(scope, receive, send)
        elif fault.kind == "status":
            answer = _error(fault.status, "injected", fault.headers)
            await answer(scope, receive, send)
        else:
            # A body shorter than announced makes uvicorn drop the connection.
            length = [(b"content-length", b"1000")]
            start = {"type": "http.response.start", "status": 200, "headers": length}
            await send(start)
            await send({"type": "http.response.body", "body": b"{"})


def _uploaded(content_type: str, body: bytes) -> bytes:
    """Content of the multipart field `uploadfile`."""
    head = f"Content-Type: {content_type}\r\n\r\n".encode()
    message = email.message_from_bytes(head + body, policy=email.policy.HTTP)
    for part in message.iter_parts():
        if part.get_param("name", header="content-disposition") == "uploadfile":
            return bytes(part.get_content())
    raise ValueError("the multipart field uploadfile is missing")


async def _whole(receive: Any) -> Any:
    """A `receive` that has the body already, for when the client has gone."""
    messages = [await receive()]
    while messages[-1].get("more_body"):
        messages.append(await receive())

    async def replay() -> Any:
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    return replay


async def _swallow(message: Any) -> None:
    pass


def _error(
    status: int, message: str, headers: dict[str, str] | None = None
) -> JSONResponse:
    codes = {400: 3, 401: 16, 403: 7, 404: 5, 409: 6, 429: 8}
    body = {"code": codes.get(status, 13), "message": message, "details": []}
    return JSONResponse(
        plain("GoogleRpcStatus", body), status_code=status, headers=headers
    )


def _app(server: KfpServer) -> FastAPI:
    app = FastAPI()
    state = server.state

    @app.exception_handler(Refused)
    async def refuse(request: Request, error: Refused) -> JSONResponse:
        return _error(error.status, error.message)

    @app.exception_handler(ValueError)
    async def violate(request: Request, error: ValueError) -> JSONResponse:
        server.violations.append(f"{request.method} {request.url.path}: {error}")
        return _error(400, str(error))

    _add_pipelines(app, state)
    _add_runs(app, state)
    _add_recurring(app, state)
    return app


def _add_pipelines(app: FastAPI, state: KfpState) -> None:
    @app.post(f"{BASE}/pipelines")
    async def create_pipeline(request: Request) -> Any:
        body = await request.json()
        check("V2beta1Pipeline", body)
        return plain("V2beta1Pipeline", state.create_pipeline(body))

    @app.get(f"{BASE}/pipelines")
    async def list_pipelines(request: Request) -> Any:
        return _page(request, "pipelines", "V2beta1ListPipelinesResponse", state)

    @app.post(f"{BASE}/pipelines/upload_version")
    async def upload_version(
        request: Request, name: str, pipelineid: str, description: str = ""
    ) -> Any:
        package = _uploaded(request.headers["content-type"], await request.body())
        version = state.create_version(pipelineid, name, description, package)
        return plain("V2beta1PipelineVersion", version)

    @app.get(f"{BASE}/pipelines/{{pipeline_id}}/versions")
    async def list_versions(request: Request, pipeline_id: str) -> Any:
        known(state.pipelines, pipeline_id, "Pipeline")
        model = "V2beta1ListPipelineVersionsResponse"
        return _page(
            request, "pipeline_versions", model, state, pipeline_id=pipeline_id
        )

    @app.post(f"{BASE}/experiments")
    async def create_experiment(request: Request) -> Any:
        body = await request.json()
        check("V2beta1Experiment", body)
        return plain("V2beta1Experiment", state.create_experiment(body))

    @app.get(f"{BASE}/experiments")
    async def list_experiments(request: Request) -> Any:
        return _page(request, "experiments", "V2beta1ListExperimentsResponse", state)


def _add_runs(app: FastAPI, state: KfpState) -> None:
    @app.post(f"{BASE}/runs")
    async def create_run(request: Request) -> Any:
        body = await request.json()
        check("V2beta1Run", body)
        return plain("V2beta1Run", state.create_run(body))

    @app.get(f"{BASE}/runs")
    async def list_runs(request: Request) -> Any:
        return _page(request, "runs", "V2beta1ListRunsResponse", state)

    @app.get(f"{BASE}/runs/{{run_id}}")
    async def get_run(run_id: str) -> Any:
        return plain("V2beta1Run", state.observe_run(run_id))

    @app.post(f"{BASE}/runs/{{action}}")
    async def act_on_run(action: str) -> Any:
        run_id, _, verb = action.rpartition(":")
        {"terminate": state.terminate_run, "retry": state.retry_run}[verb](run_id)
        return {}

    @app.get("/apis/v1alpha1/runs/{run_id}/nodes/{pod}/log")
    async def read_log(run_id: str, pod: str) -> PlainTextResponse:
        known(state.runs, run_id, "Run")
        if pod not in state.logs:
            raise Refused(404, f"pod {pod} not found")
        return PlainTextResponse(state.logs[pod])


def _add_recurring(app: FastAPI, state: KfpState) -> None:
    @app.post(f"{BASE}/recurringruns")
    async def create_recurring(request: Request) -> Any:
        body = await request.json()
        check("V2beta1RecurringRun", body)
        return plain("V2beta1RecurringRun", state.create_recurring(body))

    @app.get(f"{BASE}/recurringruns")
    async def list_recurring(request: Request) -> Any:
        model = "V2beta1ListRecurringRunsResponse"
        return _page(request, "recurring_runs", model, state)

    @app.post(f"{BASE}/recurringruns/{{action}}")
    async def act_on_recurring(action: str) -> Any:
        identity, _, verb = action.rpartition(":")
        state.set_recurring(
            identity, {"enable": "ENABLED", "disable": "DISABLED"}[verb]
        )
        return {}

    @app.delete(f"{BASE}/recurringruns/{{identity}}")
    async def delete_recurring(identity: str) -> Any:
        state.delete_recurring(identity)
        return {}


def _page(
    request: Request, kind: str, model: str, state: KfpState, **equal: str
) -> dict[str, Any]:
    """Filter, sort and cut, as the list endpoints do."""
    tables = {"pipeline_versions": "versions", "recurring_runs": "recurring"}
    rows = list(getattr(state, tables.get(kind, kind)).values())
    query = request.query_params
    for key in ("experiment_id", "namespace"):
        if query.get(key):
            equal[key] = query[key]
    if query.get("filter"):
        equal |= _predicates(kind, query["filter"])
    rows = [row for row in rows if all(row.get(k) == v for k, v in equal.items())]
    if query.get("sort_by", "").endswith("desc"):
        rows.reverse()
    start, size = int(query.get("page_token") or 0), int(query.get("page_size") or 10)
    token = str(start + size) if start + size < len(rows) else None
    # The API spells this one key in camel case.
    key = {"recurring_runs": "recurringRuns"}.get(kind, kind)
    body: dict[str, Any] = {key: rows[start : start + size], "total_size": len(rows)}
    return plain(model, {**body, "next_page_token": token})


def _predicates(kind: str, text: str) -> dict[str, str]:
    body = json.loads(text)
    check("V2beta1Filter", body)
    equal = {}
    for predicate in body["predicates"]:
        if (
            predicate["operation"] != "EQUALS"
            or predicate["key"] not in (_FILTERABLE[kind])
        ):
            raise ValueError(f"cannot filter {kind} by {predicate}")
        equal[predicate["key"]] = predicate["string_value"]
    return equal
