"""Evaluates a model on its held-out test split, beside the champion.

The same call for the command line, the component and the test.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from model_code import artifacts, model_card
from model_code.config.recipe import EvaluationConfig
from model_code.data.manifest import DatasetManifest
from model_code.evaluation import documents, page, predictions
from model_code.evaluation.champion import Champion
from model_code.evaluation.gate import Incumbent
from model_code.evaluation.judging import Judgement, judge
from model_code.evaluation.report import EvaluationReport
from model_code.evaluation.summary import summarize
from model_code.model_card import ModelCard

TEST = "test"


def evaluate(
    model_dir: Path,
    manifest: DatasetManifest,
    config: EvaluationConfig,
    output: Path,
    *,
    champion: Champion | None = None,
    facts: Mapping[str, str] | None = None,
) -> EvaluationReport:
    """Judge the SavedModel of a Model artifact; write an Evaluation artifact.

    Args:
        model_dir: Model artifact with its SavedModel.
        manifest: dataset with a test split and the model's classes.
        config: slices, intervals, analysis.
        output: directory of the Evaluation artifact.
        champion: judged on the same examples, for the gate and the page.
        facts: lineage for the page, by name.

    Raises:
        ConfigError: no model card, or a slice that the dataset does not have.
        DataError: another label space, or no test split.
        UnavailableError: the recipe demands TFMA, which is not installed.
    """
    card = model_card.read(model_dir)
    judgement = judge(model_dir, card, manifest, TEST, config.batch_size)
    found = _summarize(judgement, card, manifest, config)
    incumbent = None if champion is None else judge_champion(champion, manifest, config)
    output.mkdir(parents=True, exist_ok=True)
    table = judgement.predictions
    predictions.write(table, card.class_names, output / artifacts.PREDICTIONS)
    if config.require_tfma:
        from model_code.evaluation.analysis import analyze

        analysis = analyze(table, len(card.class_names), config.slices)
        artifacts.write_json(output / artifacts.ANALYSIS, analysis)
    shown = page.Page(
        report=found,
        history=_read_history(model_dir),
        pictures=judgement.pictures,
        champion=incumbent,
        facts={**_facts(card), **(facts or {})},
    )
    page.write(shown, output / artifacts.REPORT)
    if incumbent is not None:
        documents.write(incumbent, output / artifacts.INCUMBENT)
    # Last: an artifact that has it is whole.
    documents.write(found, output / artifacts.EVALUATION)
    return found


def judge_champion(
    champion: Champion, manifest: DatasetManifest, config: EvaluationConfig
) -> Incumbent:
    """The champion on the manifest's test split.

    Its own report serves where it is of the same examples; else its SavedModel
    runs over them.

    Raises:
        DataError: the champion knows other classes.
    """
    stored = documents.read(EvaluationReport, champion.directory / artifacts.EVALUATION)
    here = (manifest.fingerprint, TEST, manifest.class_names)
    if (stored.dataset_fingerprint, stored.split, stored.class_names) == here:
        return Incumbent(version=champion.version, report=stored)
    card = model_card.read(champion.directory)
    judgement = judge(champion.directory, card, manifest, TEST, config.batch_size)
    found = _summarize(judgement, card, manifest, config)
    return Incumbent(version=champion.version, report=found)


def _summarize(
    judgement: Judgement,
    card: ModelCard,
    manifest: DatasetManifest,
    config: EvaluationConfig,
) -> EvaluationReport:
    return summarize(
        judgement.predictions,
        config,
        dataset=manifest.name,
        fingerprint=manifest.fingerprint,
        split=TEST,
        class_names=card.class_names,
        image_size=card.image_size,
        mistakes=judgement.mistakes,
        unlabelled=judgement.unlabelled,
    )


def _facts(card: ModelCard) -> dict[str, str]:
    variant = card.model.variant
    return {
        "model": variant if isinstance(variant, str) else variant.name,
        "image size": f"{card.image_size} px",
        "training steps": f"{card.steps:,}",
        "trained on": f"{card.dataset} ({card.dataset_fingerprint})",
        "seed": str(card.seed),
    }


def _read_history(model_dir: Path) -> list[dict[str, Any]]:
    lines = (model_dir / artifacts.HISTORY).read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]
