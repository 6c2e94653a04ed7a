"""Graphs that step into the traps of kfp's local runner; see kfp's own issues."""

from typing import List, NamedTuple, Optional  # noqa: UP035 - as users write them

from kfp import dsl

BASE = {"base_image": "none", "install_kfp_package": False}
MODULE_CONSTANT = "known to the module, not to the task"


@dsl.component(**BASE)
def touch(path: str) -> None:
    """Leave a trace."""
    from pathlib import Path

    Path(path).touch()


@dsl.component(**BASE)
def say(text: str) -> str:
    """An unnamed output."""
    return text


@dsl.component(**BASE)
def say_named(text: str) -> NamedTuple("Said", [("flag", str)]):
    """A named output."""
    return (text,)


@dsl.component(**BASE)
def write_types(path: str, numbers: List[int]) -> None:  # noqa: UP006
    """Which type the numbers arrive as."""
    from pathlib import Path

    Path(path).write_text(" ".join(type(number).__name__ for number in numbers))


@dsl.component(**BASE)
def use_constant() -> None:
    """Works as a Python function, fails as a task."""
    print(MODULE_CONSTANT)


@dsl.component(**BASE)
def measure(count: str, metrics: dsl.Output[dsl.Metrics]) -> None:
    """Metrics without a file, and a count of how often they were made."""
    from pathlib import Path

    with Path(count).open("a") as file:
        file.write("x")
    metrics.log_metric("whole", 1)


@dsl.component(**BASE)
def write_metadata(path: str, metrics: dsl.Input[dsl.Metrics]) -> None:
    """What becomes of a whole number in metadata."""
    from pathlib import Path

    Path(path).write_text(repr(metrics.metadata["whole"]))


@dsl.pipeline
def if_on_named_output(path: str) -> None:
    """The condition holds."""
    said = say_named(text="yes")
    with dsl.If(said.outputs["flag"] == "yes"):
        touch(path=path)


@dsl.pipeline
def if_on_quote(path: str, text: str) -> None:
    """The condition holds for both texts of the test."""
    with dsl.If(say(text=text).output != "other"):
        touch(path=path)


@dsl.pipeline
def list_of_numbers(path: str) -> None:
    """Whole numbers in a list."""
    write_types(path=path, numbers=[1, 2])


@dsl.pipeline
def module_constant() -> None:
    """A task that needs its module."""
    use_constant()


@dsl.pipeline
def optional_parameter(text: Optional[str] = None) -> None:  # noqa: UP045
    """A parameter without a value."""
    say(text=text)


@dsl.pipeline
def metrics_only(count: str, path: str) -> None:
    """Metrics, and who reads them."""
    measured = measure(count=count)
    write_metadata(path=path, metrics=measured.outputs["metrics"])
