"""Door of evaluate: one model on its held-out test split."""

from kfp import dsl

from components._image import RUNTIME_IMAGE


@dsl.component(base_image=RUNTIME_IMAGE, install_kfp_package=False)
def evaluate(
    recipe: str,
    tracking_uri: str,
    run_key: str,
    pipeline_run_id: str,
    code_revision: str,
    dataset: dsl.Input[dsl.Dataset],
    model: dsl.Input[dsl.Model],
    evaluation: dsl.Output[dsl.Artifact],
    metrics: dsl.Output[dsl.Metrics],
    classification: dsl.Output[dsl.ClassificationMetrics],
    report: dsl.Output[dsl.HTML],
) -> None:
    """Measure a finetuned model, and the champion, on the same test split.

    Args:
        recipe: Resolved recipe as JSON, or the name of a packaged one.
        tracking_uri: MLflow store that knows the champion.
        run_key: Key of this run, shown on the page.
        pipeline_run_id: The orchestrator's own id of this run.
        code_revision: Revision of the source that runs, shown on the page.
        dataset: Manifest of the target set.
        model: The finetuned model.
        evaluation: The evaluation report and every prediction.
        metrics: The metrics, each with the ends of its confidence interval.
        classification: Confusion matrix, and ROC curve where binary.
        report: The page a person reads.
    """
    from model_code.tasks import evaluation as task

    run = task.RunIdentity(run_key, pipeline_run_id)
    places = task.Places(dataset.path, model.path, evaluation.path, report.path)
    result = task.evaluate_model(recipe, tracking_uri, run, code_revision, places)
    evaluation.metadata.update(result.facts)
    metrics.metadata.update(result.metrics)
    if result.confusion:
        classification.log_confusion_matrix(result.class_names, result.confusion)
    if result.roc:
        classification.log_roc_curve(*result.roc)
