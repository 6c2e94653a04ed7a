"""Writes the golden packages anew: `python -m tests.pipelines.regenerate`.

The difference is then reviewed like any other change.
"""

from pathlib import Path

from pipelines.compile import PIPELINES, compile_pipeline

GOLDEN = Path(__file__).parents[1] / "golden" / "pipelines"


def main() -> None:
    """One file a pipeline."""
    for name in PIPELINES:
        (GOLDEN / f"{name}.yaml").write_text(compile_pipeline(name), encoding="utf-8")


if __name__ == "__main__":
    main()
