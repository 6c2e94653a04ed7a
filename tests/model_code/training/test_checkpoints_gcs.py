"""Checkpoints in a bucket behave as on a disk."""

import numpy as np

from model_code.adapters import storage
from model_code.training.checkpoints import Checkpoint, CheckpointStore
from tests.helpers.gcs_server import gcs_server


def test_save_prune_damage_and_fall_back_in_a_bucket() -> None:
    with gcs_server() as bucket:
        store = CheckpointStore(f"{bucket}/runs/one/finetune/checkpoints", keep=2)
        for step in (1, 2, 3):
            arrays = {"weights/0000": np.full(70_000, step, np.float32)}
            store.save(Checkpoint(step=step, arrays=arrays, notes={"history": []}))
        store.wait()
        assert store.steps() == [2, 3]
        newest = storage.join(store.directory, "step-000000003.npz")
        storage.write_bytes(newest, storage.read_bytes(newest)[:-50])
        found = store.newest()
        assert found is not None
        assert found.step == 2
        assert (found.arrays["weights/0000"] == 2).all()
        assert store.steps() == [2]
