"""Where a study lives: a journal file, or a database for workers on many hosts."""

from pathlib import Path

from optuna.storages import BaseStorage, JournalStorage, RDBStorage, get_storage
from optuna.storages.journal import JournalFileBackend
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random

from model_code.errors import ConfigError, UnavailableError

# SQLAlchemy 2.1 would take psycopg 3 by default; the extra installs psycopg2.
_DRIVER = "postgresql+psycopg2"


def open_store(store: str) -> BaseStorage:
    """The store at a path, or at a `postgresql://` URL.

    A journal file works on any file system that makes symbolic links, NFS
    included. A database's password comes from libpq's own places (PGPASSWORD,
    `~/.pgpass`), so that no URL carries it.

    Raises:
        ConfigError: a URL of another scheme, or with a password in it.
        UnavailableError: the database does not answer, or has no driver here.
    """
    if "://" not in store:
        Path(store).parent.mkdir(parents=True, exist_ok=True)
        return JournalStorage(JournalFileBackend(store))
    return _open_database(store)


def _open_database(url: str) -> BaseStorage:
    import sqlalchemy
    from sqlalchemy.exc import ArgumentError, OperationalError

    try:
        parsed = sqlalchemy.make_url(url)
    except (ArgumentError, ValueError) as error:
        raise ConfigError(
            f"Study store {url!r} is not a URL ({error}); give the path of a "
            "journal file or postgresql://user@host/database."
        ) from error
    if parsed.get_backend_name() != "postgresql" or parsed.password:
        raise ConfigError(
            f"Study store {parsed.render_as_string(hide_password=True)} is not "
            "usable; expected the path of a journal file, or "
            "postgresql://user@host/database without a password (set PGPASSWORD)."
        )
    try:
        database = _create_tables(parsed.set(drivername=_DRIVER).render_as_string())
    except (ImportError, OperationalError) as error:
        raise UnavailableError(
            f"Study store {url} cannot be opened ({error}); expected a running "
            "PostgreSQL and the extra `postgres`; start it or install the extra."
        ) from error
    return get_storage(database)


def _create_tables(url: str) -> RDBStorage:
    """Optuna's tables; workers that all find none create them at once.

    `CREATE TABLE IF NOT EXISTS` is no lock: all but one of four simultaneous
    workers got an IntegrityError or a ProgrammingError from PostgreSQL 15.
    """
    from sqlalchemy.exc import IntegrityError, ProgrammingError

    attempts = Retrying(
        retry=retry_if_exception_type((IntegrityError, ProgrammingError)),
        stop=stop_after_attempt(5),
        wait=wait_random(0.2, 1.0),
        reraise=True,
    )
    # Connections break while a trial trains for minutes without a query.
    return attempts(RDBStorage, url, engine_kwargs={"pool_pre_ping": True})
