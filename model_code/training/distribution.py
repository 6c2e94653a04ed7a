"""Where the replicas live, and which of them reads and writes what.

The global batch size is what a recipe states; a strategy divides it. Every
replica holds all weights and makes the same update, so a checkpoint is the
state of any one of them, and may be resumed under another strategy.
"""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from model_code.config.training import DistributionConfig
from model_code.data.input_pipeline import InputShard
from model_code.errors import ConfigError, UnavailableError


def make_strategy(config: DistributionConfig) -> tf.distribute.Strategy:
    """The strategy of a recipe; to be made before anything else of TensorFlow.

    `one_device` is the first GPU, or the CPU. `mirrored` is all GPUs, or all
    logical CPUs. `multi_worker` reads the cluster from `TF_CONFIG`, which the
    training operator sets. `tpu` is the TPU of this host.

    Raises:
        UnavailableError: there is no such device or cluster.
        ConfigError: settings that exclude each other.
    """
    if config.jit_compile and config.synchronize_batch_norm:
        raise ConfigError(
            "distribution.jit_compile and synchronize_batch_norm are both true; "
            "statistics cannot be exchanged inside what XLA compiles. Choose one; on "
            "a TPU, XLA compiles the whole step without jit_compile."
        )
    return _STRATEGIES[config.strategy]()


def is_xla(config: DistributionConfig) -> bool:
    """Whether XLA compiles the step, which wants to know the image size."""
    return config.jit_compile or config.strategy == "tpu"


def _one_device() -> tf.distribute.Strategy:
    return tf.distribute.OneDeviceStrategy(_devices()[0])


def _mirrored() -> tf.distribute.Strategy:
    return tf.distribute.MirroredStrategy(_devices())


def _multi_worker() -> tf.distribute.Strategy:
    resolver = tf.distribute.cluster_resolver.TFConfigClusterResolver()
    if not resolver.cluster_spec().jobs:
        raise UnavailableError(
            "Strategy multi_worker found no cluster in TF_CONFIG; expected the "
            "addresses of all workers, as a Kubeflow TFJob sets them. Run the task "
            "as such a job, or choose distribution.strategy=one_device."
        )
    return tf.distribute.MultiWorkerMirroredStrategy(cluster_resolver=resolver)


def _tpu() -> tf.distribute.Strategy:
    try:
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver(tpu="local")
        tf.tpu.experimental.initialize_tpu_system(resolver)
    except (ValueError, tf.errors.OpError) as error:
        raise UnavailableError(
            f"Strategy tpu found no TPU on this host ({str(error).splitlines()[0]}); "
            "it needs a TPU VM and an environment with tensorflow-tpu. Choose "
            "distribution.strategy=one_device elsewhere."
        ) from error
    return tf.distribute.TPUStrategy(resolver)


_STRATEGIES: dict[str, Callable[[], tf.distribute.Strategy]] = {
    "one_device": _one_device,
    "mirrored": _mirrored,
    "multi_worker": _multi_worker,
    "tpu": _tpu,
}


def _devices() -> list[str]:
    gpus = tf.config.list_logical_devices("GPU")
    return [device.name for device in gpus or tf.config.list_logical_devices("CPU")]


def is_chief(strategy: tf.distribute.Strategy) -> bool:
    """Whether this process writes checkpoints, summaries and the artifact."""
    resolver = strategy.cluster_resolver
    # Only a cluster of several workers gives its tasks a type.
    if resolver is None or resolver.task_type is None:
        return True
    has_chief = "chief" in resolver.cluster_spec().jobs
    return resolver.task_type == "chief" or (
        not has_chief and resolver.task_type == "worker" and resolver.task_id == 0
    )


def per_replica(
    strategy: tf.distribute.Strategy,
    global_batch_size: int,
    batches: Callable[[InputShard], tf.data.Dataset],
) -> Any:
    """An iterable over the batches of all replicas.

    Args:
        strategy: Which replicas there are.
        global_batch_size: Over all replicas.
        batches: Gives the part of every global batch that one host reads.

    Raises:
        ConfigError: the batch does not divide among the replicas.
    """
    replicas = strategy.num_replicas_in_sync
    if global_batch_size % replicas:
        raise ConfigError(
            f"A global batch of {global_batch_size} does not divide among {replicas} "
            "replicas; expected a multiple. Change global_batch_size or "
            "stage_batch_sizes."
        )

    def of_host(context: tf.distribute.InputContext) -> tf.data.Dataset:
        host = (context.input_pipeline_id, context.num_input_pipelines)
        part = batches(host)
        if replicas == context.num_input_pipelines:
            return part  # one replica a host takes its batches as they are
        return part.rebatch(global_batch_size // replicas, drop_remainder=True)

    return strategy.distribute_datasets_from_function(of_host)


def mean_over_replicas(tensor: Any) -> Any:
    """In a replica: the mean of everyone's tensor."""
    context = tf.distribute.get_replica_context()
    return context.all_reduce(tf.distribute.ReduceOp.MEAN, tensor)


def sum_over_replicas(tensors: Any) -> Any:
    """In a replica: the sums of everyone's tensors."""
    context = tf.distribute.get_replica_context()
    return context.all_reduce(tf.distribute.ReduceOp.SUM, tensors)


def memories(strategy: tf.distribute.Strategy) -> int:
    """How many memories hold the replicas: accelerators have one each, a host one."""
    if strategy.extended.worker_devices[0].find("CPU") < 0:
        return strategy.num_replicas_in_sync
    resolver = strategy.cluster_resolver
    spec = resolver.cluster_spec().as_dict() if resolver is not None else {}
    return max(1, sum(len(addresses) for addresses in spec.values()))
