"""Tasks of retraining: find the span, plan, check drift, start, conclude, notify.

What a model has been retrained on is remembered below the data root, at
`retraining/MODEL/state.json`. A span that was refused is not remembered as
done, so that the next run looks at it again.
"""

import json
import shutil
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from model_code import artifacts, progress
from model_code.adapters import storage
from model_code.config.dataset import FolderSource
from model_code.config.recipe import Recipe, to_json
from model_code.data.spans import SpanPlan, label_drift, plan_span, read_spans
from model_code.errors import DataError, RegistryError
from model_code.planning.cost import Machine, recipe_cost, refuse_overspending
from model_code.tasks.data import validate_dataset
from model_code.tasks.given import RunIdentity, read_recipe

_PLAN = "span.json"
_NEXT_STEPS = {
    "skipped": "nothing to do",
    "refused": "look at the span; correct it, or allow more drift in the recipe",
}


@dataclass(frozen=True)
class Memory:
    """What the runs before have left; `outcome` and `reason` are of run `run`."""

    last_span: str | None = None
    span: str | None = None
    outcome: str = ""
    reason: str = ""
    run: str = ""


def find_span(
    recipe: str, spans: str, span: str, data_root: str, run: RunIdentity, *, output: str
) -> tuple[bool, dict[str, Any]]:
    """Whether there is a span to train on; the plan goes to `output`.

    `span` names one for a backfill; empty means the newest that is new.
    """
    progress.show()
    settings = read_recipe(recipe)
    memory = remembered(data_root, settings.model_name)
    plan = plan_span(read_spans(spans), memory.last_span, span or None)
    artifacts.write_json(Path(output) / _PLAN, asdict(plan))
    if plan.span is None:
        skipped = Memory(plan.seen, plan.seen, "skipped", plan.reason, run.key)
        _remember(data_root, settings.model_name, skipped)
    found = plan.span is not None
    summary = plan.reason if found else f"skipped: {plan.reason}"
    return found, {"span": plan.span or "", "reason": plan.reason, "summary": summary}


@dataclass(frozen=True)
class Spend:
    """What trains and what may be spent; a cap of 0 allows anything."""

    peak_teraflops: float
    utilisation: float
    usd_per_hour: float
    cap_usd: float


def retraining_recipe(
    recipe: str, spans: str, data_root: str, plan: str, spend: Spend
) -> str:
    """The recipe on the data up to the span, as JSON.

    Raises:
        ConfigError: the run would cost more than the cap.
    """
    settings, found = read_recipe(recipe), _read_plan(plan)
    images = [
        image
        for span in read_spans(spans)
        if span.name in found.included
        for image in span.images
    ]
    listing = storage.join(
        _directory(data_root, settings.model_name), f"{found.span}.jsonl"
    )
    lines = [json.dumps({"path": path, "label": label}) for path, label in images]
    storage.write_bytes(listing, ("\n".join(lines) + "\n").encode())
    source = FolderSource(
        kind="folder",
        path=storage.absolute(spans),
        manifest=storage.absolute(listing),
        class_names=_class_names(settings, [label for _, label in images]),
    )
    changed = _with_source(settings, source)
    if spend.cap_usd:
        _check_spend(changed, len(images), spend)
    return to_json(changed)


def validate_span(
    recipe: str, data_root: str, run: RunIdentity, plan: str, places: "Places"
) -> dict[str, Any]:
    """Judge the dataset and the drift of the span's labels.

    Raises:
        DataError: the dataset did not pass, or the span drifted too far.
    """
    settings, found = read_recipe(recipe), _read_plan(plan)
    drift = label_drift(found.previous_counts or {}, found.counts or {})
    allowed = settings.finetune.data.validation.maximum_span_drift
    if drift > allowed:
        reason = (
            f"label distribution of {found.span} is {drift:.3f} from that before it, "
            f"{allowed:g} allowed"
        )
        _outcome(data_root, settings.model_name, found, run, ("refused", reason))
        raise DataError(
            f"Span {found.span} drifted: {reason}; expected data like that before; "
            "check its labels, or raise finetune.data.validation.maximum_span_drift."
        )
    facts = validate_dataset(
        recipe, "finetune", places.dataset, places.output, places.view
    )
    return {
        **facts,
        "drift": drift,
        "summary": f"{facts['summary']}; drift {drift:.3f}",
    }


@dataclass(frozen=True)
class Places:
    """Paths of the validate_span task."""

    dataset: str
    output: str
    view: str


def fetch_champion(recipe: str, tracking_uri: str, output: str) -> dict[str, Any]:
    """Copy the champion's Model artifact, to start from.

    Raises:
        RegistryError: there is no champion yet.
    """
    from model_code.adapters.champion import find_champion

    name = read_recipe(recipe).model_name
    champion = find_champion(tracking_uri, name)
    if champion is None:
        raise RegistryError(
            f"Model {name} has no champion; retraining starts from one; "
            "run the pipeline `training` first."
        )
    shutil.copytree(champion.directory, output, dirs_exist_ok=True)
    return {"version": champion.version, "summary": f"{name}/{champion.version}"}


def conclude(
    recipe: str, data_root: str, run: RunIdentity, plan: str, decision: str
) -> dict[str, Any]:
    """Remember the span as done, with the gate's decision and reason."""
    settings, found = read_recipe(recipe), _read_plan(plan)
    made = artifacts.read_json(Path(decision) / artifacts.DECISION)
    outcome = "promoted" if made["promote"] else "kept"
    _outcome(data_root, settings.model_name, found, run, (outcome, made["reason"]))
    return {"outcome": outcome, "summary": f"{found.span} {outcome}: {made['reason']}"}


def remembered(data_root: str, model_name: str) -> Memory:
    """What retraining of a model has left below the data root."""
    state = storage.join(_directory(data_root, model_name), "state.json")
    if storage.stat(state) is None:
        return Memory()
    return TypeAdapter(Memory).validate_json(storage.read_bytes(state))


def describe_end(
    recipe: str, data_root: str, run: RunIdentity, state: str, error: str
) -> dict[str, str]:
    """How a run ended, for a person: its outcome, else the pipeline's error."""
    settings = read_recipe(recipe)
    memory = remembered(data_root, settings.model_name)
    mine = memory.run == run.key
    outcome = memory.outcome if mine else "failed"
    return {
        "model": settings.model_name,
        "run": run.key,
        "state": state,
        "span": (memory.span or "") if mine else "",
        "outcome": outcome,
        "reason": memory.reason if mine else error,
        "next": _NEXT_STEPS.get(outcome, ""),
    }


def _outcome(
    data_root: str,
    model_name: str,
    plan: SpanPlan,
    run: RunIdentity,
    outcome: tuple[str, str],
) -> None:
    before = remembered(data_root, model_name).last_span
    done = outcome[0] != "refused"
    last = max(filter(None, (before, plan.span)), default=None) if done else before
    _remember(data_root, model_name, Memory(last, plan.span, *outcome, run.key))


def _remember(data_root: str, model_name: str, memory: Memory) -> None:
    state = storage.join(_directory(data_root, model_name), "state.json")
    storage.write_bytes(state, json.dumps(asdict(memory), indent=2).encode())


def _directory(data_root: str, model_name: str) -> str:
    return storage.join(data_root, "retraining", model_name)


def _read_plan(plan: str) -> SpanPlan:
    values = artifacts.read_json(Path(plan) / _PLAN)
    return TypeAdapter(SpanPlan).validate_python(values)


def _class_names(settings: Recipe, labels: list[str]) -> tuple[str, ...]:
    source = settings.finetune.data.source
    fixed = source.class_names if isinstance(source, FolderSource) else None
    return fixed or tuple(sorted(set(labels)))


def _with_source(settings: Recipe, source: FolderSource) -> Recipe:
    data = replace(settings.finetune.data, source=source)
    return replace(
        settings, pretrain=None, finetune=replace(settings.finetune, data=data)
    )


def _check_spend(settings: Recipe, images: int, spend: Spend) -> None:
    machine = Machine(
        name="given",
        peak_flops=spend.peak_teraflops * 1e12,
        price=spend.usd_per_hour,
        utilisation=spend.utilisation,
    )
    held_out = settings.finetune.data.splits.test
    train = round(images * (1 - held_out))
    refuse_overspending(
        recipe_cost(settings, machine, finetune_examples=train), spend.cap_usd
    )
