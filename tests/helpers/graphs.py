"""Tiny graphs that run in a second, for what the desk does around any graph."""

from kfp import dsl


@dsl.component(base_image="none@sha256:0", install_kfp_package=False)
def make(place: str, name: str, made: dsl.Output[dsl.Dataset]) -> None:
    """Write an artifact and count how often that happened."""
    from pathlib import Path

    from model_code import progress

    progress.show()
    progress.logger.info("making %s", name)
    Path(made.path).write_text(name)
    with Path(place, f"{name}.times").open("a") as times:
        times.write("x")
    made.metadata.update({"summary": f"made {name}", "work_seconds": 0.25})


@dsl.component(base_image="none@sha256:0", install_kfp_package=False)
def judge(
    place: str, made: dsl.Input[dsl.Dataset], said: dsl.Output[dsl.Metrics]
) -> None:
    """Do what the file `verdict` says: pass, or fail in one of several ways."""
    import os
    import signal
    import sys
    import time
    from pathlib import Path

    from model_code.errors import DataError

    verdict = Path(place, "verdict").read_text()
    if verdict == "product error":
        raise DataError("Received a bad image; expected a good one: replace it.")
    if verdict == "defect":
        raise ZeroDivisionError("a defect")
    if verdict == "exit":
        sys.exit(3)
    if verdict == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if verdict == "wait":
        Path(place, "waiting").write_text(str(os.getpid()))
        time.sleep(600)
    said.log_metric("good", 1.0)


@dsl.pipeline(name="two-steps")
def two_steps(place: str = "", name: str = "thing") -> None:
    """Make, then judge, with a retry that a local run leaves out."""
    made = make(place=place, name=name).set_display_name("make it")
    made.set_cpu_limit("1").set_caching_options(False)
    judged = judge(place=place, made=made.outputs["made"])
    judged.set_retry(num_retries=3, backoff_duration="60s")


@dsl.pipeline(name="training-from-scratch")
def stand_in(  # noqa: PLR0917 - as the real one
    recipe: str = "",
    data_root: str = "",
    checkpoint_root: str = "",
    tracking_uri: str = "",
    run_key: str = "",
    code_revision: str = "",
    environment_lock_digest: str = "",
    beam_options: str = "",
) -> None:
    """Two steps that take the parameters of the real graph."""
    made = make(place=data_root, name=run_key)
    judge(place=data_root, made=made.outputs["made"])
