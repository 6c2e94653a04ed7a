"""What progressive learning and adaptive regularisation are worth on real images.

    python -m benchmarks.bench_progressive --workspace /tmp/bench --seeds 1 2 3

Trains the finetune section of a recipe from scratch in five ways: at a fixed
size, and in the four cells of the paper's Table 13 (progressive or random
resize, with and without adaptive regularisation). All see the same images the
same number of times; a random size lasts one epoch (the paper: 8 of 350).
Prints two Markdown tables: the time until progressive learning is as accurate
as fixed-size training is at its end, as a ratio, and the accuracies of all.

Each training is a fresh process, so that none profits from what another
compiled. Times are wall times with compiling and evaluating in them; both are
about equal in all cells and pull the ratio towards 1. A quarter of the images
is held out for the accuracies, and no model is chosen by them.
"""

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from model_code.config.dataset import SplitConfig
from model_code.config.load import load_recipe
from model_code.config.recipe import Recipe
from model_code.data.ingest import ingest
from model_code.training.loop import train_and_evaluate

HELD_OUT = SplitConfig(test=0.0, validation=0.25, minimum_per_class=0)


@dataclass(frozen=True)
class Cell:
    """One way to train."""

    name: str
    rule: str
    adaptive: bool


CELLS = (
    Cell("fixed size", "fixed", adaptive=False),
    Cell("progressive, adaptive", "algorithm1", adaptive=True),
    Cell("progressive, vanilla", "algorithm1", adaptive=False),
    Cell("random resize, adaptive", "random_resize", adaptive=True),
    Cell("random resize, vanilla", "random_resize", adaptive=False),
)


@dataclass(frozen=True)
class Outcome:
    """One training: (seconds since its start, accuracy) at each evaluation."""

    cell: str
    seed: int
    curve: Sequence[tuple[float, float]]

    @property
    def seconds(self) -> float:
        """Of the whole training."""
        return self.curve[-1][0]

    @property
    def accuracy(self) -> float:
        """Top-1 at the end."""
        return self.curve[-1][1]

    def seconds_to(self, accuracy: float) -> float | None:
        """When it was first that accurate; None if never."""
        reached = (seconds for seconds, found in self.curve if found >= accuracy)
        return next(reached, None)


def main() -> None:
    """Train every cell with every seed, then print the tables."""
    options = _parse()
    if options.cell is not None:
        _train(options)
        return
    outcomes = [
        _in_fresh_process(options, cell, seed)
        for seed in options.seeds
        for cell in CELLS
    ]
    print(speed_table(outcomes))
    print()
    print(accuracy_table(outcomes))


def speed_table(outcomes: Sequence[Outcome]) -> str:
    """Time of progressive learning to the final accuracy of fixed-size training."""
    lines = [
        "| seed | fixed: final top-1 | fixed: s | progressive reached it after s "
        "| ratio | progressive: final top-1 | progressive: s |",
        "|---|---|---|---|---|---|---|",
    ]
    found = {(each.cell, each.seed): each for each in outcomes}
    ratios = []
    for seed in sorted({each.seed for each in outcomes}):
        fixed = found[CELLS[0].name, seed]
        grown = found[CELLS[1].name, seed]
        reached = grown.seconds_to(fixed.accuracy)
        ratio = None if reached is None else reached / fixed.seconds
        ratios.append(ratio)
        lines.append(
            f"| {seed} | {fixed.accuracy:.4f} | {fixed.seconds:.0f} | "
            f"{_shown(reached, '.0f')} | {_shown(ratio, '.2f')} | "
            f"{grown.accuracy:.4f} | {grown.seconds:.0f} |"
        )
    known = [ratio for ratio in ratios if ratio is not None]
    missed = len(ratios) - len(known)
    middle = f"{_spread(known)}" if known else "none"
    lines.append(f"\nRatio: {middle}; not reached by {missed} of {len(ratios)} seeds.")
    return "\n".join(lines)


def accuracy_table(outcomes: Sequence[Outcome]) -> str:
    """Final accuracy and time of every cell, mean and spread over the seeds."""
    lines = ["| training | top-1 | seconds | seeds |", "|---|---|---|---|"]
    for cell in CELLS:
        own = [each for each in outcomes if each.cell == cell.name]
        accuracies = _spread([each.accuracy for each in own])
        seconds = statistics.mean(each.seconds for each in own)
        lines.append(f"| {cell.name} | {accuracies} | {seconds:.0f} | {len(own)} |")
    return "\n".join(lines)


def _train(options: argparse.Namespace) -> None:
    """In a process of its own: train one cell and print its curve as JSON."""
    cell = next(each for each in CELLS if each.name == options.cell)
    recipe = load_recipe(options.recipe, options.override)
    task = recipe.finetune
    directory = options.workspace / f"{cell.rule}-{cell.adaptive}-{options.seeds[0]}"
    # Half a training would be resumed, and its time would be wrong.
    shutil.rmtree(directory, ignore_errors=True)
    manifest = ingest(
        replace(task.data, splits=HELD_OUT), str(options.workspace / "data")
    )
    curve: list[tuple[float, float]] = []
    began = time.monotonic()

    def note(metrics: Mapping[str, float]) -> None:
        curve.append((time.monotonic() - began, metrics["val/top1"]))

    train_and_evaluate(
        _train_config(recipe, cell, options.seeds[0]),
        recipe.model,
        manifest,
        str(directory / "work"),
        directory / "model",
        on_evaluation=note,
    )
    print(json.dumps(curve))


def _train_config(recipe: Recipe, cell: Cell, seed: int) -> Any:
    train = recipe.finetune.train
    changed: Any = {
        "rule": cell.rule,
        "adaptive": cell.adaptive,
        "resize_every_epochs": 1,
    }
    progressive = replace(train.progressive, **changed)
    return replace(train, seed=seed, progressive=progressive)


def _in_fresh_process(options: argparse.Namespace, cell: Cell, seed: int) -> Outcome:
    """The outcome of a cell; read from the workspace if it was measured before."""
    kept = options.workspace / f"{cell.rule}-{cell.adaptive}-{seed}.json"
    if not kept.exists():
        command = [sys.executable, "-m", "benchmarks.bench_progressive"]
        command += ["--workspace", str(options.workspace), "--recipe", options.recipe]
        command += [f"--override={each}" for each in options.override]
        command += ["--cell", cell.name, "--seeds", str(seed)]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        kept.write_text(done.stdout.splitlines()[-1])
    curve = [(seconds, found) for seconds, found in json.loads(kept.read_text())]
    outcome = Outcome(cell.name, seed, curve)
    print(
        f"{cell.name}, seed {seed}: {outcome.accuracy:.4f} in {outcome.seconds:.0f} s",
        file=sys.stderr,
    )
    return outcome


def _shown(value: float | None, form: str) -> str:
    return "never" if value is None else format(value, form)


def _spread(values: Sequence[float]) -> str:
    deviation = statistics.stdev(values) if len(values) > 1 else 0.0
    return f"{statistics.mean(values):.4f} ± {deviation:.4f}"


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workspace", type=Path, required=True)
    parser.add_argument("--recipe", default="elpv-quick")
    parser.add_argument("--override", action="append", default=[])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--cell", choices=[cell.name for cell in CELLS])
    options = parser.parse_args()
    options.workspace.mkdir(parents=True, exist_ok=True)
    return options


if __name__ == "__main__":
    main()
