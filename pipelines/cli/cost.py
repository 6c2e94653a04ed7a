"""`effnetv2 cost`: what training by a recipe takes, before it runs."""

import json
from typing import Annotated

import typer


def cost(
    *,
    recipe: Annotated[str, typer.Option(help="Name or file of the recipe.")],
    images: Annotated[
        int, typer.Option(help="Images of the target set's train split.")
    ],
    pretrain_images: Annotated[
        int | None, typer.Option(help="The same of the pretrain set.")
    ] = None,
    machine: Annotated[
        str, typer.Option(help="TPU v5e:2x4, GPU l4:1, or cpu:CORES.")
    ] = "cpu:8",
    utilisation: Annotated[
        float, typer.Option(help="Share of the peak that training reaches; measure it.")
    ] = 0.3,
    usd_per_hour: Annotated[float, typer.Option(help="Price of the machine.")] = 0.0,
    cap_usd: Annotated[
        float | None, typer.Option(help="Refuse a plan that costs more.")
    ] = None,
    overrides: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Steps, operations, hours and money of a recipe on a machine.

    Exit code 2 where the plan is above --cap-usd.
    """
    from dataclasses import asdict

    from model_code.config.load import load_recipe
    from model_code.planning.accelerators import peak_flops
    from model_code.planning.cost import Machine, recipe_cost, refuse_overspending

    planned = recipe_cost(
        load_recipe(recipe, overrides or ()),
        Machine(
            name=machine,
            peak_flops=peak_flops(machine),
            price=usd_per_hour,
            utilisation=utilisation,
        ),
        finetune_examples=images,
        pretrain_examples=pretrain_images,
    )
    if cap_usd is not None:
        refuse_overspending(planned, cap_usd)
    tasks = {"pretrain": planned.pretrain, "finetune": planned.finetune}
    found = {name: asdict(task) for name, task in tasks.items() if task is not None}
    if as_json:
        typer.echo(json.dumps(found, indent=2))
        return
    for name, task in found.items():
        typer.echo(
            f"{name}: {task['steps']:,} steps, {task['images']:,} images, "
            f"{task['operations']:.3g} operations, {task['hours']:.2f} h, "
            f"{task['price']:.2f} USD"
        )
    typer.echo(f"together {planned.hours:.2f} h, {planned.price:.2f} USD on {machine}")
