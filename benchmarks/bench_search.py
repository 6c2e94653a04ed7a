"""Whether a search is worth its trials: against random networks and MBConv alone.

    python -m benchmarks.bench_search --workspace /tmp/bench --seeds 1 2 3

For each seed, searches by the recipe and, with the same budget, at random; then
trains the winner and the MBConv-only backbone once more, both with a training
seed that the search has not seen. The last is the fair comparison: a winner is
chosen for its luck too, and training it again takes the luck away. Prints a
Markdown table of rewards, one row a seed.

Each study and each training is a fresh process on one device, with nothing
beside it. Studies are kept in the workspace: the same command goes on with them.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from model_code.config.load import load_search_recipe
from model_code.config.search import RandomSampling, SearchRecipe
from model_code.data.ingest import ingest
from model_code.search.objective import reward
from model_code.search.space import with_operation
from model_code.search.store import open_store
from model_code.search.study import open_search
from model_code.search.summary import summarise
from model_code.search.trial import Trials
from model_code.search.worker import work

_UNSEEN = 1000
"""Added to the training seed where networks are trained once more."""


@dataclass(frozen=True)
class Row:
    """Rewards of one seed; `minutes` are those of the recipe's trials."""

    seed: int
    winner: float
    random_median: float
    random_best: float
    winner_again: float
    mbconv_only: float
    minutes: float

    @property
    def holds(self) -> bool:
        """The winner beats the random median, and MBConv alone when trained again."""
        return self.winner > self.random_median and self.winner_again > self.mbconv_only


def main() -> None:
    """Measure every seed, then print the table."""
    options = _parse()
    if options.part is not None:
        found = _PARTS[options.part](options)
        options.output.write_text(json.dumps(found))
        return
    rows = [_measure(options, seed) for seed in options.seeds]
    print("\n".join(_table(rows)))


def _measure(options: argparse.Namespace, seed: int) -> Row:
    found = _in_fresh_process(options, seed, "search")
    at_random = _in_fresh_process(options, seed, "random")
    again = _in_fresh_process(options, seed, "again")
    return Row(
        seed=seed,
        winner=found["best"],
        random_median=at_random["median"],
        random_best=at_random["best"],
        winner_again=again["winner"],
        mbconv_only=again["mbconv_only"],
        minutes=found["minutes"],
    )


def _in_fresh_process(
    options: argparse.Namespace, seed: int, part: str
) -> dict[str, float]:
    output = options.workspace / f"{options.recipe}-{seed}-{part}.json"
    output.parent.mkdir(parents=True, exist_ok=True)
    settings = [item for each in options.set for item in ("--set", each)]
    command = [
        *(sys.executable, "-m", "benchmarks.bench_search", "--part", part),
        *("--recipe", options.recipe, "--workspace", str(options.workspace)),
        *("--seeds", str(seed), "--output", str(output), *settings),
    ]
    subprocess.run(command, check=True)
    return dict(json.loads(output.read_text()))


def _search(options: argparse.Namespace) -> dict[str, float]:
    return _study(options, _recipe(options))


def _random(options: argparse.Namespace) -> dict[str, float]:
    recipe = _recipe(options)
    sampling = RandomSampling(kind="random")
    # Nothing pruned: the median is of all random networks, not of the better.
    name = f"{recipe.name}-random"
    return _study(options, replace(recipe, name=name, sampling=sampling, pruning=None))


def _study(options: argparse.Namespace, recipe: SearchRecipe) -> dict[str, float]:
    manifest = ingest(recipe.data, str(options.workspace / "data"))
    search = open_search(recipe, open_store(str(_journal(options))))
    work(search, Trials(recipe, manifest).evaluate)
    found = summarise(search)
    return {
        "best": found.best.reward,
        "median": found.median_reward,
        "minutes": found.hours * 60,
    }


def _again(options: argparse.Namespace) -> dict[str, float]:
    recipe = _recipe(options)
    manifest = ingest(recipe.data, str(options.workspace / "data"))
    search = open_search(recipe, open_store(str(_journal(options))))
    networks = {
        "winner": summarise(search).network,
        "mbconv_only": with_operation(search.space.backbone, "mbconv"),
    }
    train = replace(recipe.train, seed=recipe.train.seed + _UNSEEN)
    trials = Trials(replace(recipe, train=train), manifest)
    return {
        name: reward(
            trials.evaluate(network, lambda _: None).measured, recipe.objective
        )
        for name, network in networks.items()
    }


_PARTS = {"search": _search, "random": _random, "again": _again}


def _recipe(options: argparse.Namespace) -> SearchRecipe:
    (seed,) = options.seeds
    overrides = [*options.set, f"seed={seed}", f"train.seed={seed}"]
    recipe = load_search_recipe(options.recipe, overrides)
    return replace(recipe, name=f"{recipe.name}-{seed}")


def _journal(options: argparse.Namespace) -> Path:
    return Path(options.workspace) / "studies.log"


def _table(rows: Sequence[Row]) -> list[str]:
    head = ["seed", "winner", "random median", "random best"]
    head += ["winner, trained again", "MBConv only", "minutes", "holds"]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for row in rows:
        values: dict[str, Any] = asdict(row)
        cells = [str(values.pop("seed"))]
        minutes = values.pop("minutes")
        cells += [f"{value:.4f}" for value in values.values()]
        cells += [f"{minutes:.1f}", "yes" if row.holds else "no"]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workspace", type=Path, required=True)
    parser.add_argument("--recipe", default="search-elpv-quick")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--part", choices=["search", "random", "again"])
    parser.add_argument("--output", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
