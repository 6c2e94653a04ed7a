"""Accelerators one can ask Google Cloud for, and what asking takes; pure.

Nothing else checks a TPU request: the KFP SDK compiles any type with any limit
(kfp-facts section 6), and a wrong topology leaves a pod pending for ever.
Chip counts per host and topologies are GKE's ("Plan TPUs in GKE"): v5e up to
8 chips on one host and 4 on each host of a larger slice, v6e alike, v4 and v5p
4 chips a host. Peak rates are the vendors' data sheets, bfloat16 without sparsity.
"""

import math
from dataclasses import dataclass

from model_code.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class TpuType:
    """One generation; `single_host` maps topologies to chips on their one VM.

    Larger topologies are slices of hosts with `chips_per_host` chips each.
    `dimensions` is the rank of a topology. `peak_flops` is per chip and second.
    """

    name: str
    selector: str
    dimensions: int
    single_host: tuple[str, ...]
    chips_per_host: int
    largest: int
    peak_flops: float


@dataclass(frozen=True, kw_only=True)
class GpuType:
    """One GPU model; `peak_flops` is per GPU and second."""

    name: str
    selector: str
    most_per_node: int
    peak_flops: float


TPUS = {
    row.name: row
    for row in (
        TpuType(
            name="v4",
            selector="tpu-v4-podslice",
            dimensions=3,
            single_host=("2x2x1",),
            chips_per_host=4,
            largest=4096,
            peak_flops=275e12,
        ),
        TpuType(
            name="v5e",
            selector="tpu-v5-lite-podslice",
            dimensions=2,
            single_host=("1x1", "2x2", "2x4"),
            chips_per_host=4,
            largest=256,
            peak_flops=197e12,
        ),
        TpuType(
            name="v5p",
            selector="tpu-v5p-slice",
            dimensions=3,
            single_host=("2x2x1",),
            chips_per_host=4,
            largest=8960,
            peak_flops=459e12,
        ),
        TpuType(
            name="v6e",
            selector="tpu-v6e-slice",
            dimensions=2,
            single_host=("1x1", "2x2", "2x4"),
            chips_per_host=4,
            largest=256,
            peak_flops=918e12,
        ),
    )
}

GPUS = {
    row.name: row
    for row in (
        GpuType(
            name="t4",
            selector="nvidia-tesla-t4",
            most_per_node=4,
            peak_flops=65e12,
        ),
        GpuType(
            name="l4",
            selector="nvidia-l4",
            most_per_node=8,
            peak_flops=121e12,
        ),
        GpuType(
            name="a100",
            selector="nvidia-tesla-a100",
            most_per_node=16,
            peak_flops=312e12,
        ),
        GpuType(
            name="h100",
            selector="nvidia-h100-80gb",
            most_per_node=8,
            peak_flops=989e12,
        ),
    )
}

CPU_PEAK_FLOPS = 50e9
"""One cloud vCPU with AVX-512 in float32, as an order of magnitude."""


@dataclass(frozen=True, kw_only=True)
class TpuSlice:
    """A slice that exists: `hosts` machines with `chips_per_host` chips each."""

    tpu: TpuType
    topology: str
    chips: int
    hosts: int
    chips_per_host: int

    @property
    def multi_host(self) -> bool:
        """Whether it takes more than one pod, hence more than one KFP task."""
        return self.hosts > 1


def tpu_slice(name: str, topology: str, chips: int | None = None) -> TpuSlice:
    """Type, topology and chip count, checked against each other.

    Raises:
        ConfigError: no such type, a topology that it is not sold in, or a chip
            count that the topology does not have.
    """
    if name not in TPUS:
        raise ConfigError(
            f"TPU type {name!r} is not known; expected one of {', '.join(TPUS)}."
        )
    tpu = TPUS[name]
    sides = _sides(tpu, topology)
    product = math.prod(sides)
    if chips is not None and chips != product:
        raise ConfigError(
            f"TPU {name} in topology {topology} has {product} chips, not {chips}; "
            "correct the count or leave it out."
        )
    if topology in tpu.single_host:
        return TpuSlice(
            tpu=tpu, topology=topology, chips=product, hosts=1, chips_per_host=product
        )
    return TpuSlice(
        tpu=tpu,
        topology=topology,
        chips=product,
        hosts=product // tpu.chips_per_host,
        chips_per_host=tpu.chips_per_host,
    )


def _sides(tpu: TpuType, topology: str) -> tuple[int, ...]:
    parts = topology.split("x")
    known = topology in tpu.single_host
    if not known and not (
        len(parts) == tpu.dimensions
        and all(part.isdecimal() for part in parts)
        and _sold(tpu, tuple(int(part) for part in parts))
    ):
        shape = "x".join("ABC"[: tpu.dimensions])
        raise ConfigError(
            f"TPU {tpu.name} has no topology {topology!r}; expected "
            f"{', '.join(tpu.single_host)}, or {shape} of powers of two (multiples of "
            f"four from there on in three dimensions), up to {tpu.largest} chips."
        )
    return tuple(int(part) for part in parts)


def _sold(tpu: TpuType, sides: tuple[int, ...]) -> bool:
    """Slices of several hosts: sides grow in order and tile by hosts."""
    chips = math.prod(sides)
    if list(sides) != sorted(sides) or not tpu.chips_per_host < chips <= tpu.largest:
        return False
    if tpu.dimensions == 2:
        wide = sides[1] in {sides[0], 2 * sides[0]}
        return sides[0] >= 4 and wide and all(side & (side - 1) == 0 for side in sides)
    small = sides[0] == 2 and sides[1] == 2 and sides[2] in {2, 4}
    medium = sides[0] == 2 and sides[1:] == (4, 4)
    return small or medium or all(side % 4 == 0 for side in sides)


def gpu(name: str, count: int) -> GpuType:
    """The GPU model, if a node holds so many of it.

    Raises:
        ConfigError: no such model, or more than a node has.
    """
    if name not in GPUS:
        raise ConfigError(
            f"GPU type {name!r} is not known; expected one of {', '.join(GPUS)}."
        )
    found = GPUS[name]
    if not 1 <= count <= found.most_per_node:
        raise ConfigError(
            f"{count} GPUs of type {name} asked for; a node has 1 to "
            f"{found.most_per_node}; several nodes need a job of several pods."
        )
    return found


def peak_flops(machine: str) -> float:
    """Peak operations a second of `v5e:2x4` (TPU), `l4:2` (GPU) or `cpu:16`.

    Raises:
        ConfigError: no such machine.
    """
    kind, _, size = machine.partition(":")
    if kind in TPUS:
        found = tpu_slice(kind, size)
        return found.chips * found.tpu.peak_flops
    if not size.isdecimal() or kind not in {"cpu", *GPUS}:
        raise ConfigError(
            f"Machine {machine!r} is not known; expected TYPE:TOPOLOGY of a TPU "
            f"({', '.join(TPUS)}), TYPE:COUNT of a GPU ({', '.join(GPUS)}), or "
            "cpu:CORES; for example v5e:2x4, l4:1 or cpu:16."
        )
    count = int(size)
    if kind == "cpu":
        return count * CPU_PEAK_FLOPS
    return count * gpu(kind, count).peak_flops
