"""Tell a web address what happened, with time-outs and bounded retries."""

import json
import urllib.error
import urllib.request
from collections.abc import Mapping

import tenacity

from model_code.errors import UnavailableError

_TIMEOUT = 10.0
_ATTEMPTS = 4


def post(url: str, message: Mapping[str, str]) -> None:
    """Post a JSON object.

    Raises:
        UnavailableError: nobody took it in all attempts. The address is a
            secret, so it is not in the message.
    """
    body = json.dumps(dict(message)).encode()
    retrying = tenacity.Retrying(
        stop=tenacity.stop_after_attempt(_ATTEMPTS),
        wait=tenacity.wait_random_exponential(multiplier=0.5, max=8),
        retry=tenacity.retry_if_exception_type(OSError),
        reraise=True,
    )
    try:
        retrying(_post, url, body)
    except OSError as error:
        reason = getattr(error, "code", None) or type(error).__name__
        raise UnavailableError(
            f"The webhook did not take the message ({reason}); expected a 2xx answer; "
            "check the address in the secret."
        ) from None


def _post(url: str, body: bytes) -> None:
    request = urllib.request.Request(
        url, data=body, headers={"Content-Type": "application/json"}, method="POST"
    )
    with urllib.request.urlopen(request, timeout=_TIMEOUT):
        pass
