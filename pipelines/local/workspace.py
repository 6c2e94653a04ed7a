"""Where a local run writes: everything below one directory.

workspace/
    data/                     sharded datasets, shared by all runs
    checkpoints/RUN_ID/TASK/  what a killed run resumes from
    mlflow.db, mlartifacts/   tracking store, model registry and their files
    runs/RUN_ID/              one run: run.json, recipe.json, run.log, ...
    searches/NAME/            one search: its study, recipe.json, run.log, ...
    cache/, tmp/              what libraries would put into the home directory
"""

from dataclasses import dataclass
from pathlib import Path

WORKSPACE = "EFFNETV2_WORKSPACE"
"""In the environment of every process of a run, however deep: it is how
processes that outlived a killed run are found."""


@dataclass(frozen=True)
class RunDirectory:
    """Files of one run."""

    path: Path

    @property
    def record(self) -> Path:
        """State of the run and its tasks (`RunRecord`)."""
        return self.path / "run.json"

    @property
    def recipe(self) -> Path:
        """The resolved recipe, written before work starts."""
        return self.path / "recipe.json"

    @property
    def log(self) -> Path:
        """Every line that every task wrote."""
        return self.path / "run.log"

    @property
    def pipeline_root(self) -> Path:
        """Artifacts, one directory a task."""
        return self.path / "artifacts"

    @property
    def cache(self) -> Path:
        """Outputs of finished tasks: a resumed run skips those."""
        return self.path / "finished"

    @property
    def study(self) -> Path:
        """Trials of a search: an Optuna journal."""
        return self.path / "study.log"


@dataclass(frozen=True)
class Workspace:
    """The directory that holds everything; `root` is absolute."""

    root: Path

    @property
    def data(self) -> Path:
        """Data root."""
        return self.root / "data"

    @property
    def checkpoints(self) -> Path:
        """Checkpoint root."""
        return self.root / "checkpoints"

    @property
    def tracking_uri(self) -> str:
        """MLflow store and registry on SQLite."""
        return f"sqlite:///{self.root / 'mlflow.db'}"

    @property
    def runs(self) -> Path:
        """One directory a run."""
        return self.root / "runs"

    @property
    def temporary(self) -> Path:
        """What tasks drop while they work; removed when they ended."""
        return self.root / "tmp"

    @property
    def lock(self) -> Path:
        """Held by the one desk that works here."""
        return self.root / "runs" / ".lock"

    def run(self, run_id: str) -> RunDirectory:
        """The directory of that run."""
        return RunDirectory(self.runs / run_id)

    def search(self, name: str) -> RunDirectory:
        """The directory of the search of that name."""
        return RunDirectory(self.root / "searches" / name)

    @property
    def task_variables(self) -> dict[str, str]:
        """What the tasks of a run inherit, so that no library writes elsewhere."""
        cache = self.root / "cache"
        return {
            WORKSPACE: str(self.root),
            "TMPDIR": str(self.temporary),
            "KERAS_HOME": str(cache / "keras"),
            "MPLCONFIGDIR": str(cache / "matplotlib"),
            "XDG_CACHE_HOME": str(cache),
            "XDG_CONFIG_HOME": str(cache / "config"),
            # A progress line must reach the terminal when it is written.
            "PYTHONUNBUFFERED": "1",
        }

    def prepare(self) -> None:
        """Create the directories that tasks expect to exist.

        Raises:
            UnavailableError: the workspace cannot be written.
        """
        from model_code.errors import UnavailableError

        try:
            for path in (self.runs, self.temporary, self.root / "cache"):
                path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UnavailableError(
                f"Workspace {self.root} cannot be written ({error.strerror}); "
                "give a directory of your own with --workspace."
            ) from error
