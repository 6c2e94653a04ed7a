"""How to reach a Kubeflow Pipelines backend: place, credentials, patience.

Credentials are references, never values: the name of an environment variable
or the path of a file, read again for every request so that a rotated token is
picked up.
"""

from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from model_code.config.base import STRICT, Count, Positive

Variable = Annotated[str, Field(strict=True, pattern=r"^[A-Z_][A-Z0-9_]*$")]
"""Name of an environment variable."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class NoCredentials:
    """An open port, such as `kubectl port-forward`."""

    kind: Literal["none"] = "none"


@dataclass(frozen=True, kw_only=True, config=STRICT)
class TokenCredentials:
    """A bearer token in an environment variable."""

    kind: Literal["token"]
    variable: Variable = "KFP_TOKEN"


@dataclass(frozen=True, kw_only=True, config=STRICT)
class TokenFileCredentials:
    """A bearer token in a file, such as a projected service-account volume."""

    kind: Literal["token_file"]
    path: str = "/var/run/secrets/kubeflow/pipelines/token"


@dataclass(frozen=True, kw_only=True, config=STRICT)
class CookieCredentials:
    """Session cookies (Dex, oauth2-proxy) in an environment variable."""

    kind: Literal["cookies"]
    variable: Variable = "KFP_COOKIES"


@dataclass(frozen=True, kw_only=True, config=STRICT)
class IapCredentials:
    """Google's Identity-Aware Proxy, as the ambient service account.

    `client_id` is the OAuth client of the proxy, the audience of the token.
    """

    kind: Literal["iap"]
    client_id: str


@dataclass(frozen=True, kw_only=True, config=STRICT)
class GoogleCredentials:
    """Application-default access token (hosts below googleusercontent.com)."""

    kind: Literal["google"]


Credentials = Annotated[
    NoCredentials
    | TokenCredentials
    | TokenFileCredentials
    | CookieCredentials
    | IapCredentials
    | GoogleCredentials,
    Field(discriminator="kind"),
]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Patience:
    """Limits of one call; all in seconds except `attempts`.

    kfp waits for ever by default (kfp-facts section 5), so nothing here is
    optional. `slowest_retry` caps the exponential wait between attempts.
    """

    connect: Positive = 5.0
    read: Positive = 30.0
    attempts: Count = 5
    first_retry: Positive = 0.5
    slowest_retry: Positive = 20.0


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Connection:
    """One backend.

    `namespace` is for multi-user deployments. `ca_certificate` is a PEM file;
    without it certifi's list is used and SSL_CERT_FILE ignored (rest.py of
    kfp-server-api). `ui` is where a person opens a run, `host` by default.
    """

    host: Annotated[str, Field(strict=True, pattern=r"^https?://")]
    credentials: Credentials = NoCredentials()
    namespace: str | None = None
    ca_certificate: str | None = None
    verify_tls: bool = True
    proxy: str | None = None
    ui: str | None = None
    cron_time_zone: str = "UTC"
    patience: Patience = Patience()

    def run_link(self, run_id: str) -> str:
        """Address of a run's page in the KFP interface."""
        return f"{(self.ui or self.host).rstrip('/')}/#/runs/details/{run_id}"

    def version_link(self, pipeline_id: str, version_id: str) -> str:
        """Address of a pipeline version's page in the KFP interface."""
        base = (self.ui or self.host).rstrip("/")
        return f"{base}/#/pipelines/details/{pipeline_id}/version/{version_id}"
