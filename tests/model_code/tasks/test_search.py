"""The search summary as a task: files, facts and what the tracking store keeps."""

from pathlib import Path

from mlflow.tracking import MlflowClient

from model_code import artifacts
from model_code.config.search import to_json
from model_code.search.worker import work
from model_code.tasks.given import RunIdentity
from model_code.tasks.search import summarise_study
from tests.model_code.search.recipes import by_formula, open_at, search_recipe


def test_a_study_that_was_extended_stays_one_tracking_run(tmp_path: Path) -> None:
    store = str(tmp_path / "study.log")
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    identity = RunIdentity("search-test-key", "unused")

    for trials in (2, 3):
        changes = {"budget": {"trials": trials}}
        work(open_at(store, **changes), by_formula)
        text = to_json(search_recipe(**changes))
        outputs = (str(tmp_path / f"search-{trials}"), str(tmp_path / "page.html"))
        facts = summarise_study(text, store, uri, identity, outputs)

    assert facts["complete"] == 3
    assert facts["winner"] in facts["summary"]
    assert (tmp_path / "search-3" / artifacts.WINNER).is_file()
    assert facts["winner"] in (tmp_path / "page.html").read_text()
    client = MlflowClient(uri)
    experiment = client.get_experiment_by_name("search-test")
    assert experiment is not None
    (run,) = client.search_runs([experiment.experiment_id])
    assert run.data.params["sampling.kind"] == "random"
    points = client.get_metric_history(run.info.run_id, "search/reward")
    assert len(points) == 3
    best = client.get_metric_history(run.info.run_id, "search/best_reward")
    assert best[-1].value == max(point.value for point in points) == facts["reward"]
    kept = {file.path for file in client.list_artifacts(run.info.run_id)}
    assert kept == {artifacts.STUDY, artifacts.WINNER, artifacts.REPORT}
