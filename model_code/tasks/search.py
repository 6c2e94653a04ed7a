"""Tasks search worker and search summary."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from model_code import artifacts, progress
from model_code.config.search import SearchRecipe, study_settings
from model_code.data import manifest
from model_code.search.summary import StudySummary
from model_code.tasks.given import RunIdentity, Stopwatch, read_search_recipe


def take_part(
    recipe: str, study_store: str, worker: str, dataset: str
) -> dict[str, Any]:
    """Run trials until the study's budget is used."""
    from model_code.search.store import open_store
    from model_code.search.study import open_search
    from model_code.search.trial import Trials
    from model_code.search.worker import work

    progress.show()
    config = read_search_recipe(recipe)
    search = open_search(config, open_store(study_store))
    with Stopwatch() as watch:
        attempts = work(search, Trials(config, manifest.read(dataset)).evaluate)
    return {
        "worker": worker,
        "attempts": attempts,
        "work_seconds": watch.seconds,
        "summary": f"worker {worker}: {attempts} trials",
    }


def summarise_study(
    recipe: str,
    study_store: str,
    tracking_uri: str,
    run: RunIdentity,
    outputs: tuple[str, str],
) -> dict[str, Any]:
    """Log the study to the tracking store; write the Search artifact and its page."""
    from model_code.search.outcome import write_outcome
    from model_code.search.store import open_store
    from model_code.search.study import open_search
    from model_code.search.summary import summarise

    config = read_search_recipe(recipe)
    with Stopwatch() as watch:
        summary = summarise(open_search(config, open_store(study_store)))
        directory, page = map(Path, outputs)
        write_outcome(summary, config, directory)
        shutil.copyfile(directory / artifacts.REPORT, page)
        _track(config, summary, tracking_uri, run, directory)
    return {
        "winner": summary.network.name,
        "reward": summary.best.reward,
        "accuracy": summary.best.measured.accuracy,
        "step_time": summary.best.measured.step_time,
        "parameters": summary.best.measured.parameters,
        "median_reward": summary.median_reward,
        "complete": summary.count("complete"),
        "pruned": summary.count("pruned"),
        "failed": summary.count("failed"),
        "work_seconds": watch.seconds,
        "summary": f"{summary.network.name}: reward {summary.best.reward:.4f}, "
        f"median {summary.median_reward:.4f}",
    }


def _track(
    config: SearchRecipe,
    summary: StudySummary,
    tracking_uri: str,
    run: RunIdentity,
    directory: Path,
) -> None:
    from model_code.adapters.mlflow_store import MlflowStore
    from model_code.adapters.tracking import join_or_start

    tracked = join_or_start(MlflowStore(tracking_uri), config.name, run.key)
    tracked.log_parameters(study_settings(config))
    tracked.log_history("search", _history(summary))
    tracked.log_files(
        *(directory / name for name in (artifacts.STUDY, artifacts.WINNER)),
        directory / artifacts.REPORT,
    )
    tracked.finish()


def _history(summary: StudySummary) -> Iterator[dict[str, Any]]:
    """One row a completed trial, and the best reward so far."""
    best = 0.0
    for trial in summary.trials:
        if trial.result is not None:
            best = max(best, trial.result.reward)
            yield {
                "step": trial.index,
                "time": trial.finished,
                "reward": trial.result.reward,
                "best_reward": best,
                "accuracy": trial.result.measured.accuracy,
                "step_time": trial.result.measured.step_time,
                "parameters": trial.result.measured.parameters,
            }
