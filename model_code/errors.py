"""Errors a user can act on.

Every message says what was received, what was expected and what to do, in one
paragraph. The command line prints it without a traceback and exits with
`exit_code`; anything else that escapes is a defect and keeps its traceback.
"""


class ProductError(Exception):
    """Base of every error whose cause is the user's input or surroundings."""

    exit_code = 1


class ConfigError(ProductError):
    """A recipe, an override or a setting is not what the schema allows."""

    exit_code = 2


class DataError(ProductError):
    """A source or a dataset cannot be used as it is."""

    exit_code = 3


class TrainingError(ProductError):
    """Training cannot start, or stopped because going on would be wrong."""

    exit_code = 4


class PreemptedError(TrainingError):
    """Training was told to stop, saved itself, and asks to be run again.

    75 is EX_TEMPFAIL of sysexits.h: try again later. Pipelines retry on it.
    """

    exit_code = 75


class RegistryError(ProductError):
    """A registered model, version or alias is missing or cannot be changed."""

    exit_code = 5


class UnavailableError(ProductError):
    """A service, tool or library that the request needs is not there."""

    exit_code = 6
