"""The stages of every recipe as a table; writes the golden one anew when run.

python -m tests.model_code.recipes.stage_tables
"""

import json
from pathlib import Path

from model_code.config.load import load_recipe, recipe_names
from model_code.config.recipe import Recipe, TrainingTask
from model_code.training.progressive import plan_stages

GOLDEN = Path(__file__).parents[2] / "golden" / "recipes" / "stages.json"

# Train splits as the paper and the released code count them (facts 3.1, 3.4, 3.6).
TRAIN_EXAMPLES = {
    "imagenet1k": 1_256_144,
    "imagenet21k": 12_720_275,
    "cifar10": 50_000,
    "cifar100": 50_000,
    "flowers": 2_040,
    "cars": 8_144,
}
WITH_VALIDATION = {"imagenet1k": 1_281_167}


def published_names() -> list[str]:
    """Recipes that reproduce somebody else's; the rest are our own."""
    origins = ("paper-", "released-", "nvidia-")
    return [name for name in recipe_names() if name.startswith(origins)]


def tasks(recipe: Recipe) -> dict[str, TrainingTask]:
    """Pretraining, where there is one, and finetuning."""
    both = {"pretrain": recipe.pretrain, "finetune": recipe.finetune}
    return {name: task for name, task in both.items() if task is not None}


def stage_lines(task: TrainingTask) -> list[str]:
    """One line a stage: steps, size, then the strengths."""
    counts = WITH_VALIDATION if "+" in task.train.train_on else TRAIN_EXAMPLES
    return [
        f"steps {stage.first_step}-{stage.last_step} of {stage.global_batch_size}"
        f" | {stage.image_size} px | randaugment {stage.randaugment_magnitude:.4f}"
        f" | mixup {stage.mixup_alpha:.4f} | cutmix {stage.cutmix_alpha:.4f}"
        f" | dropout {stage.dropout_rate:.4f}"
        for stage in plan_stages(task.train, counts[task.data.name])
    ]


def table() -> str:
    """Every published recipe's stages, as the golden file has them."""
    lines = {
        name: {
            task: stage_lines(settings)
            for task, settings in tasks(load_recipe(name)).items()
        }
        for name in published_names()
    }
    return json.dumps(lines, indent=1) + "\n"


if __name__ == "__main__":
    GOLDEN.write_text(table())
