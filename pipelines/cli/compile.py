"""`effnetv2 compile`: a pipeline as a package for a Kubeflow backend."""

from pathlib import Path
from typing import Annotated

import typer


def compile_package(
    pipeline: Annotated[
        str, typer.Argument(help="`training` or `training-from-scratch`.")
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The YAML file to write.")
    ],
    image: Annotated[
        str | None,
        typer.Option(
            metavar="NAME@sha256:DIGEST", help="Runtime image, pinned by digest."
        ),
    ] = None,
) -> None:
    """Compile a pipeline to a file; the same source gives the same bytes."""
    from model_code.errors import ConfigError
    from pipelines.compile import compile_pipeline

    package = compile_pipeline(pipeline, image)
    partial = output.with_name(f".{output.name}.partial")
    try:
        partial.write_text(package, encoding="utf-8")
        partial.replace(output)
    except OSError as error:
        raise ConfigError(
            f"Package {output} cannot be written ({error.strerror}); give a file in "
            "a directory that exists and that you may write to."
        ) from error
    typer.echo(f"{output}: {len(package.encode()):,} bytes")
