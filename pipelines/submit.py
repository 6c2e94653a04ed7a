"""Submission: a compiled pipeline becomes a version and a run, at most once.

Both are named by their content. A version is uploaded only when no version
has its content yet, and a repeated submission finds the run that the first
one started instead of starting another.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from model_code.errors import ConfigError
from pipelines.client import KfpClient
from pipelines.records import RunRecord, VersionRecord

MAXIMUM_PARAMETER_BYTES = 10_000
"""The API server's default limit on all parameters together (kfp-facts 5)."""

_NAME_DIGITS = 12


@dataclass(frozen=True, kw_only=True)
class Submission:
    """A compiled pipeline with its arguments and where it should run.

    `label` makes the run's name readable (the recipe's name). `request_id`
    replaces the digest of the content as the identity of the run.
    """

    pipeline: str
    package: Path
    parameters: Mapping[str, Any]
    experiment: str
    label: str
    request_id: str | None = None
    pipeline_root: str | None = None
    service_account: str | None = None


@dataclass(frozen=True, kw_only=True)
class Submitted:
    """The run, and whether this submission uploaded and started anything."""

    run: RunRecord
    version: VersionRecord
    uploaded: bool
    started: bool
    run_link: str
    version_link: str


def submit(client: KfpClient, submission: Submission) -> Submitted:
    """Upload the version if its content is new and start its run if there is none.

    Raises:
        ConfigError: parameters beyond the server's limit, or refused by it.
        UnavailableError, AccessError: as for every request.
    """
    _check_size(submission.parameters)
    version, uploaded = upload(client, submission.pipeline, submission.package)
    run, started = client.ensure_run(
        run_name(submission, version),
        client.ensure_experiment(submission.experiment),
        version,
        submission.parameters,
        pipeline_root=submission.pipeline_root,
        service_account=submission.service_account,
    )
    return Submitted(
        run=run,
        version=version,
        uploaded=uploaded,
        started=started,
        run_link=client.connection.run_link(run.run_id),
        version_link=client.connection.version_link(
            version.pipeline_id, version.version_id
        ),
    )


def upload(
    client: KfpClient, pipeline: str, package: Path
) -> tuple[VersionRecord, bool]:
    """The version with the package's content; whether it had to be uploaded."""
    digest = package_digest(package)
    name = version_name(pipeline, digest)
    return client.ensure_version(pipeline, name, package, f"sha256:{digest}")


def version_name(pipeline: str, digest: str) -> str:
    """The name of the version with that content."""
    return f"{pipeline}-{digest[:_NAME_DIGITS]}"


def package_digest(package: Path) -> str:
    """SHA-256 of what the package says; comments and key order do not count.

    The order of a mapping in a header comment changes between two compilations
    of one pipeline (kfp-facts section 4).
    """
    documents = list(yaml.safe_load_all(package.read_text(encoding="utf-8")))
    canonical = json.dumps(documents, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def run_name(submission: Submission, version: VersionRecord) -> str:
    """Pipeline, label and the identity of the request."""
    content = [version.name, submission.experiment, dict(submission.parameters)]
    identity = submission.request_id or json.dumps(content, sort_keys=True)
    digits = hashlib.sha256(identity.encode()).hexdigest()[:_NAME_DIGITS]
    return f"{submission.pipeline}-{submission.label}-{digits}"


def _check_size(parameters: Mapping[str, Any]) -> None:
    size = len(json.dumps(dict(parameters)).encode())
    if size > MAXIMUM_PARAMETER_BYTES:
        raise ConfigError(
            f"The parameters of the run take {size} bytes; the KFP API accepts "
            f"{MAXIMUM_PARAMETER_BYTES}; shorten the recipe's inline parts."
        )
