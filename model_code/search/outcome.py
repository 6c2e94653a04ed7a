"""The Search artifact: the study, the winner as a variant row, its family, the page.

A row is YAML that a recipe takes as it is: `--set model.variant=@winner.yaml`.
Filters and repeats are those of the network as built, so the recipe's width and
depth coefficients must be 1, their default.
"""

from dataclasses import asdict
from pathlib import Path

import yaml

from model_code import artifacts
from model_code.config.model import BlockTable
from model_code.config.search import SearchRecipe
from model_code.search import report
from model_code.search.scaling import family
from model_code.search.summary import StudySummary, to_plain


def write_outcome(summary: StudySummary, recipe: SearchRecipe, output: Path) -> None:
    """Write every file of the artifact into `output`."""
    output.mkdir(parents=True, exist_ok=True)
    artifacts.write_json(output / artifacts.STUDY, to_plain(summary))
    best = summary.best
    origin = f"search {summary.name} ({summary.digest[:12]}), seed {summary.seed}"
    _write_row(
        output / artifacts.WINNER,
        summary.network,
        f"Winner of {origin}, trial {summary.winner + 1} of {len(summary.trials)}.",
        f"Reward {best.reward:.6f}: accuracy {best.measured.accuracy:.4f}, "
        f"step time {best.measured.step_time:.3f} and parameters "
        f"{best.measured.parameters:.3f} of {summary.backbone.name}'s.",
    )
    for member in family(summary.network, recipe.searched_as):
        _write_row(
            output / artifacts.FAMILY / f"{member.size}.yaml",
            member.table,
            f"Winner of {origin}, scaled to {member.size}.",
            f"Meant for inference at {member.inference_size} px.",
        )
    report.write(summary, output / artifacts.REPORT)


def _write_row(path: Path, table: BlockTable, *comments: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    head = "".join(f"# {comment}\n" for comment in comments)
    # `None`: a block is one line, the table a list of them.
    plain = {**asdict(table), "blocks": [asdict(block) for block in table.blocks]}
    row = yaml.safe_dump(plain, default_flow_style=None, sort_keys=False, width=200)
    path.write_text(head + row, encoding="utf-8")
