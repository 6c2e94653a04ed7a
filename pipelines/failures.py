"""How talking to a backend, and what runs there, can fail.

Exit codes continue those of `model_code.errors`, so that a script can tell a
failed run from one that it stopped waiting for.
"""

from model_code.errors import ConfigError, ProductError


class AccessError(ProductError):
    """The backend does not know us, or does not let us."""

    exit_code = 7


class RunFailedError(ProductError):
    """A pipeline run ended in failure."""

    exit_code = 8


class RunCanceledError(ProductError):
    """A pipeline run was cancelled."""

    exit_code = 9


class WaitExpiredError(ProductError):
    """A pipeline run did not end within the time it was given."""

    exit_code = 10


class NotFoundError(ProductError):
    """The backend has no such pipeline, run or schedule."""

    exit_code = 11


class ScheduleError(ConfigError):
    """A schedule is not what the backend would make of it."""
