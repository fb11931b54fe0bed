"""What servers have to be told so that they use the accelerators that they have; their start, and their storage."""

import math
from typing import Any

import pytest

from tools.kube import accelerator_rules as rules
from tools.kube import start, storage
from tools.kube.argv import Argv

Object = dict[str, Any]
T4 = {"cloud.google.com/gke-accelerator": "nvidia-tesla-t4"}


def _argv(*words: str) -> Argv:
    return Argv(words, words)


@pytest.mark.parametrize(
    ("labels", "words", "problem"),
    [
        (T4, ["--dtype=half"], ""),
        (T4, ["--dtype", "float16"], ""),
        (T4, ["--dtype=bfloat16"], "--dtype is bfloat16"),
        (T4, [], "there is no --dtype, so that the model's own counts"),
        ({"nvidia.com/gpu.product": "Tesla-T4"}, [], "there is no --dtype, so that the model's own counts"),
        ({"nvidia.com/gpu.product": "NVIDIA-L4"}, [], ""),
        ({"nvidia.com/gpu.product": "NVIDIA-L4"}, ["--dtype=fp16"], "--dtype is fp16"),
        ({"cloud.google.com/gke-tpu-accelerator": "tpu-v6e-slice"}, [], ""),
    ],
)
def test_number_formats(labels: dict[str, str], words: list[str], problem: str) -> None:
    assert rules.dtype(labels, _argv(*words)) == problem


@pytest.mark.parametrize(
    ("words", "accelerators", "problem"),
    [
        ([], 1, ""),
        (["--tensor-parallel-size=4"], 4, ""),
        (["-tp", "2", "--pipeline-parallel-size", "2"], 4, ""),
        (["-tp=2", "--data-parallel-size-local=2", "--data-parallel-size=8"], 4, ""),
        ([], 4, "4 accelerators and a server that computes on 1 (no parallel option)"),
        (
            ["--tensor-parallel-size=4"],
            1,
            "1 accelerators and a server that computes on 4 (--tensor-parallel-size 4)",
        ),
    ],
)
def test_parallel_sizes(words: list[str], accelerators: int, problem: str) -> None:
    assert rules.parallel(_argv(*words), accelerators) == problem


@pytest.mark.parametrize(
    ("values", "accelerators", "lines"),
    [
        ({}, 0, []),
        ({"TPU_CHIPS_PER_HOST_BOUNDS": "2,2,1", "TPU_HOST_BOUNDS": "1,1,1"}, 4, []),
        (
            {"TPU_CHIPS_PER_HOST_BOUNDS": "2,2,1"},
            1,
            ["TPU_CHIPS_PER_HOST_BOUNDS=2,2,1 means 4 chips, and it has 1"],
        ),
        ({"TPU_HOST_BOUNDS": "2,2,1"}, 4, ["TPU_HOST_BOUNDS=2,2,1 means 4 hosts, and it is on one"]),
    ],
)
def test_variables(values: dict[str, str], accelerators: int, lines: list[str]) -> None:
    environment = [{"name": name, "value": value} for name, value in values.items()]
    assert rules.bounds(environment, accelerators) == lines


@pytest.mark.parametrize(("has", "problem"), [("4", ""), ("1", "node tpu: topology 2x2, and 1 google.com/tpu")])
def test_topologies(has: str, problem: str) -> None:
    labels = {"cloud.google.com/gke-tpu-topology": "2x2"}
    node = {"metadata": {"name": "tpu", "labels": labels}, "status": {"capacity": {"google.com/tpu": has}}}
    assert rules.topology(node) == problem
    assert rules.topology({"metadata": {"name": "gpu"}, "status": {}}) == ""


@pytest.mark.parametrize(
    ("container", "seconds"),
    [
        ({"startupProbe": {"periodSeconds": 10, "failureThreshold": 90}, "livenessProbe": {}}, 900),
        ({"livenessProbe": {"initialDelaySeconds": 240}}, 270),
        ({}, math.inf),
    ],
)
def test_how_long_a_start_may_take(container: Object, seconds: float) -> None:
    assert start.budget(container) == seconds


def _started(ready: str, restarts: int = 0, status: str = "True") -> Object:
    running = {"running": {"startedAt": "2026-01-01T00:00:00Z"}}
    return {
        "spec": {"containers": [{"name": "main", "startupProbe": {"periodSeconds": 10, "failureThreshold": 60}}]},
        "status": {
            "conditions": [{"type": "Ready", "status": status, "lastTransitionTime": ready}],
            "containerStatuses": [{"name": "main", "state": running, "restartCount": restarts}],
        },
    }


@pytest.mark.parametrize(
    ("pod", "took"),
    [
        (_started("2026-01-01T00:05:00Z"), 300),
        # Ready again after three days: that was no start.
        (_started("2026-01-04T00:00:00Z"), None),
        (_started("2026-01-01T00:05:00Z", restarts=1), None),
        (_started("2026-01-01T00:05:00Z", status="False"), None),
        ({"spec": {"containers": []}, "status": {}}, None),
    ],
)
def test_how_long_a_start_took(pod: Object, took: float | None) -> None:
    assert start.observed(pod, "main") == took


def test_storage() -> None:
    node = {"status": {"allocatable": {"ephemeral-storage": "100Gi"}}}
    shared = {"name": "dshm", "emptyDir": {"medium": "Memory", "sizeLimit": "1Gi"}}
    mounts = {"volumeMounts": [{"name": "dshm", "mountPath": "/dev/shm"}]}  # noqa: S108 - a path in a container
    assert storage.problems({"volumes": [shared, {"name": "home", "emptyDir": {}}]}, mounts, [node]) == []
    assert storage.problems({"volumes": [{"name": "dshm", "emptyDir": {}}]}, mounts, [node]) == [
        "no memory volume at /dev/shm"
    ]
    large = mounts | {"resources": {"requests": {"ephemeral-storage": "1Ti"}}}
    cache = {"name": "cache", "emptyDir": {"sizeLimit": "200Gi"}}
    assert storage.problems({"volumes": [shared, cache]}, large, [node]) == [
        "it asks for 1Ti of ephemeral-storage, and no node has as much",
        "volume cache may grow to 200Gi of ephemeral-storage, and no node has as much",
    ]
