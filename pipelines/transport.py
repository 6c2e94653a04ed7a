"""One call to the backend: credentials, time-outs, bounded retries, errors.

The generated client is used directly rather than `kfp.Client`, which has no
time-out on any call, asks the server for its health while it is built, and
reads and writes ~/.config/kfp (kfp-facts section 5).
"""

import json
import logging
from collections.abc import Callable, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import kfp_server_api
import tenacity
import urllib3

from model_code.errors import ConfigError, ProductError, UnavailableError
from pipelines.connection import (
    Connection,
    CookieCredentials,
    GoogleCredentials,
    IapCredentials,
    NoCredentials,
    Patience,
    TokenCredentials,
    TokenFileCredentials,
)
from pipelines.failures import AccessError, NotFoundError

_log = logging.getLogger(__name__)
T = TypeVar("T")

_PASSING = frozenset({408, 429, 500, 502, 503, 504})
"""Statuses after which the same request may succeed."""


def api_client(
    connection: Connection, environ: Mapping[str, str]
) -> kfp_server_api.ApiClient:
    """The generated client, told everything that it would not find out itself.

    Raises:
        ConfigError: the credentials' variable or file, or the certificate, is
            not there.
    """
    configuration = kfp_server_api.Configuration(host=connection.host.rstrip("/"))
    # Retrying is done here, once, where it is known what may be repeated.
    configuration.retries = False
    configuration.verify_ssl = connection.verify_tls
    configuration.ssl_ca_cert = _existing(connection.ca_certificate, "ca_certificate")
    configuration.proxy = connection.proxy
    token = _token_reader(connection, environ)
    if token is not None:
        # The generated client asks the hook only where a key is set already.
        configuration.api_key["authorization"] = "read by the hook"
        configuration.api_key_prefix["authorization"] = "Bearer"
        configuration.refresh_api_key_hook = _refresher(token)
    cookie = _cookie(connection, environ)
    return kfp_server_api.ApiClient(configuration, cookie=cookie)


def call(
    patience: Patience, what: str, request: Callable[..., T], **arguments: Any
) -> T:
    """Make a request that may be repeated, until it is answered.

    `what` completes "could not ..." in an error message.

    Raises:
        UnavailableError: no answer, or only passing failures, in all attempts.
        AccessError: 401 or 403. NotFoundError: 404. ConfigError: any other
            refusal of the request itself.
    """
    retrying = _retrying(patience, is_passing)
    try:
        return retrying(_once, patience, request, arguments)
    except (kfp_server_api.ApiException, urllib3.exceptions.HTTPError) as error:
        explain(what, error)


def ensure(
    patience: Patience,
    what: str,
    find: Callable[[], T | None],
    create: Callable[[], T],
) -> T:
    """Create something at most once: look first, and again after every doubt.

    A cut connection, a time-out or a 500 leaves open whether the server acted,
    and 409 says that somebody did; so each new attempt starts with `find`.
    `find` retries by itself; `create` makes one request.
    """
    retrying = _retrying(patience, _is_doubt)

    def attempt() -> T:
        found = find()
        return create() if found is None else found

    try:
        return retrying(attempt)
    except (kfp_server_api.ApiException, urllib3.exceptions.HTTPError) as error:
        explain(what, error)


def once(patience: Patience, request: Callable[..., T], **arguments: Any) -> T:
    """One request with its time-outs and no retry; for use inside `ensure`."""
    return _once(patience, request, arguments)


def is_passing(error: BaseException) -> bool:
    """Whether repeating the request may help: no answer, or a busy server."""
    if isinstance(error, kfp_server_api.ApiException):
        return error.status in _PASSING
    return isinstance(error, urllib3.exceptions.HTTPError)


def explain(what: str, error: Exception) -> NoReturn:
    """Raise the product's error for a failed request."""
    if not isinstance(error, kfp_server_api.ApiException):
        raise UnavailableError(
            f"Could not {what}: {type(error).__name__}: {error}; expected an answer "
            "from the KFP API; check the host, the network and that the backend is up."
        ) from error
    kind, advice = _REFUSALS.get(error.status, (ConfigError, "correct the request"))
    if error.status in _PASSING:
        kind, advice = UnavailableError, "wait and repeat; repeating is safe"
    raise kind(
        f"Could not {what}: the KFP API answered {_status(error)}: "
        f"{_message(error)}; {advice}."
    ) from error


_REFUSALS: dict[int, tuple[type[ProductError], str]] = {
    0: (UnavailableError, "check ca_certificate and the host's certificate"),
    302: (AccessError, "a login page answered; give credentials in the environment"),
    401: (AccessError, "renew the token or cookie that the environment refers to"),
    403: (AccessError, "ask for a role in that namespace or use another namespace"),
    404: (NotFoundError, "check the name or id and the namespace"),
}


def _once(
    patience: Patience, request: Callable[..., T], arguments: Mapping[str, Any]
) -> T:
    limits = (patience.connect, patience.read)
    try:
        return request(_request_timeout=limits, **arguments)
    except AttributeError as error:
        # A TLS failure has no body, and kfp-server-api 2.17 decodes it all the same.
        if isinstance(error.__context__, kfp_server_api.ApiException):
            raise error.__context__ from error
        raise


def _retrying(
    patience: Patience, retry: Callable[[BaseException], bool]
) -> tenacity.Retrying:
    backoff = tenacity.wait_random_exponential(
        multiplier=patience.first_retry, max=patience.slowest_retry
    )
    return tenacity.Retrying(
        stop=tenacity.stop_after_attempt(patience.attempts),
        retry=tenacity.retry_if_exception(retry),
        wait=lambda state: max(
            backoff(state), min(_retry_after(state), patience.slowest_retry)
        ),
        before_sleep=tenacity.before_sleep_log(_log, logging.INFO),
        reraise=True,
    )


def _is_doubt(error: BaseException) -> bool:
    conflict = (
        isinstance(error, kfp_server_api.ApiException)
        and error.status == HTTPStatus.CONFLICT
    )
    return conflict or is_passing(error)


def _retry_after(state: tenacity.RetryCallState) -> float:
    """Seconds that a 429 or 503 asked for, else 0."""
    error = state.outcome.exception() if state.outcome else None
    headers = getattr(error, "headers", None) or {}
    text = headers.get("Retry-After", "0")
    return float(text) if text.isdigit() else 0.0


def _status(error: kfp_server_api.ApiException) -> str:
    try:
        return f"{error.status} {HTTPStatus(error.status).phrase}"
    except ValueError:
        return "a TLS failure" if error.status == 0 else str(error.status)


def _message(error: kfp_server_api.ApiException) -> str:
    """The backend's own words: `message` of a google.rpc.Status, else the body."""
    body = error.body or error.reason or ""
    try:
        parsed = json.loads(body)
    except ValueError:
        return str(body).strip()[:500]
    if isinstance(parsed, dict):
        return str(parsed.get("message") or parsed.get("error") or body)[:500]
    return str(body)[:500]


def _refresher(token: Callable[[], str]) -> Callable[[Any], None]:
    def refresh(configuration: Any) -> None:
        configuration.api_key["authorization"] = token()

    return refresh


def _token_reader(
    connection: Connection, environ: Mapping[str, str]
) -> Callable[[], str] | None:
    credentials = connection.credentials
    match credentials:
        case NoCredentials() | CookieCredentials():
            return None
        case TokenCredentials(variable=variable):
            value = _variable(environ, variable, "token")
            return lambda: value
        case TokenFileCredentials(path=path):
            _existing(path, "credentials.path")
            return lambda: Path(path).read_text(encoding="utf-8").strip()
        case IapCredentials(client_id=audience):
            return lambda: _iap_token(audience)
        case GoogleCredentials():
            return _google_token


def _cookie(connection: Connection, environ: Mapping[str, str]) -> str | None:
    if isinstance(connection.credentials, CookieCredentials):
        return _variable(environ, connection.credentials.variable, "cookies")
    return None


def _variable(environ: Mapping[str, str], name: str, holds: str) -> str:
    value = environ.get(name, "").strip()
    if not value:
        raise ConfigError(
            f"Environment variable {name} is not set; it must hold the {holds} for the "
            "KFP API; export it, or choose other credentials in the environment file."
        )
    return value


def _existing(path: str | None, setting: str) -> str | None:
    if path is not None and not Path(path).is_file():
        raise ConfigError(
            f"{setting} is {path}, which is not a file; "
            "give the path of a readable file or remove the setting."
        )
    return path


def _iap_token(audience: str) -> str:
    from google.auth.transport.requests import Request
    from google.oauth2 import id_token

    fetch: Callable[..., str] = id_token.fetch_id_token
    return fetch(Request(), audience)


def _google_token() -> str:
    import google.auth
    from google.auth.transport.requests import Request

    credentials, _ = google.auth.default(
        scopes=["https://www.googleapis.com/auth/cloud-platform"]
    )
    refresh: Callable[..., None] = credentials.refresh
    refresh(Request())
    return str(credentials.token)
