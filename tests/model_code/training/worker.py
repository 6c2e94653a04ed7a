"""A training process for tests that kill it; see `runs.Worker`."""

import json
import sys
from dataclasses import replace
from pathlib import Path

from pydantic import TypeAdapter

from model_code import progress
from model_code.config.training import TrainConfig
from model_code.data import manifest
from model_code.errors import ProductError
from model_code.training import journal
from model_code.training.loop import train_and_evaluate
from tests.model_code.training.runs import MODEL


def main() -> None:
    order = json.load(sys.stdin)
    directory = Path(order["directory"])
    split_cpu(order["logical_cpus"])
    progress.show()
    journal.LINE_SECONDS = 0.0  # tests wait for the line of a step
    try:
        result = train_and_evaluate(
            TypeAdapter(TrainConfig).validate_python(order["train"]),
            replace(MODEL, drop_path_rate=order["drop_path_rate"]),
            manifest.read(directory / "data"),
            str(directory / "work"),
            directory / "out",
        )
    except ProductError as error:
        print(error, flush=True)
        sys.exit(error.exit_code)
    print(f"result: {result}", flush=True)


def split_cpu(parts: int) -> None:
    import tensorflow as tf

    if parts > 1:
        cpu = tf.config.list_physical_devices("CPU")[0]
        device = tf.config.LogicalDeviceConfiguration()
        tf.config.set_logical_device_configuration(cpu, [device] * parts)


if __name__ == "__main__":
    main()
