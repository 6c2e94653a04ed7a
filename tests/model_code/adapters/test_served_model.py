"""What MLflow serves: encoded bytes in, probabilities out, without our package."""

import base64
import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from model_code import artifacts
from model_code.adapters.registration import register
from model_code.adapters.registry import ModelRegistry
from model_code.serving.saved_model import ServedModel
from tests.helpers.models import write_model

NAME = "elpv-defects"
CLASSES = ("defective", "functional")


def png(seed: int) -> bytes:
    buffer = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 256, (30 + seed, 50), np.uint8)
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


IMAGES = [png(seed) for seed in range(3)]


@pytest.fixture
def expected(store, tmp_path):
    """Registers a champion; its probabilities of the images, [N, classes]."""
    model = tmp_path / "model"
    write_model(model, CLASSES)
    version = register(
        store,
        NAME,
        files=[model / artifacts.SAVED_MODEL],
        class_names=CLASSES,
        tags={"run_key": "run-1"},
        metrics={},
        tracking_run_id=None,
    )
    ModelRegistry(store).promote(version, "the first")
    classify = ServedModel(model / artifacts.SAVED_MODEL).signature("serving_default")
    return np.vstack([classify(images=[image])["probabilities"] for image in IMAGES])


def test_mlflow_loads_the_champion_and_takes_bytes_or_base64(store, expected):
    import mlflow
    from mlflow.pyfunc.scoring_server import invocations

    with store.open():
        model = mlflow.pyfunc.load_model(f"models:/{NAME}@champion")
    answer = model.predict(pd.DataFrame({"image": IMAGES}))
    assert list(answer.columns) == list(CLASSES)
    np.testing.assert_allclose(answer.to_numpy(), expected, atol=1e-6)
    # The protocol of `mlflow models serve`, whose JSON has bytes as base64.
    schema = model.metadata.get_input_schema()
    scored = invocations(request_body(), "application/json", model, schema)
    rows = rows_of(json.loads(scored.response))
    np.testing.assert_allclose(rows, expected, atol=1e-6)


def request_body() -> str:
    records = [{"image": base64.b64encode(image).decode()} for image in IMAGES]
    return json.dumps({"dataframe_records": records})


def rows_of(answer) -> list[list[float]]:
    return [[row[name] for name in CLASSES] for row in answer["predictions"]]


@pytest.mark.full
def test_mlflow_models_serve_answers_over_http(store, expected, tmp_path):
    port = free_port()
    command = [sys.executable, "-m", "mlflow", "models", "serve", "--env-manager"]
    command += ["local", "-m", f"models:/{NAME}@champion", "--port", str(port)]
    # MLflow starts uvicorn by name.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    server = subprocess.Popen(
        command,
        cwd=tmp_path,
        env=os.environ | {"MLFLOW_TRACKING_URI": store.uri, "PATH": path},
        start_new_session=True,
    )
    try:
        answer = post_when_up(f"http://127.0.0.1:{port}/invocations", server)
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(timeout=60)
    np.testing.assert_allclose(rows_of(answer), expected, atol=1e-6)


def post_when_up(url: str, server: subprocess.Popen[bytes]):
    request = urllib.request.Request(
        url, request_body().encode(), {"Content-Type": "application/json"}
    )
    deadline = time.monotonic() + 120
    while True:
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)
        except urllib.error.URLError:
            assert server.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.5)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
