"""What servers have to be told so that they use the accelerators that they have. Pure."""

import re
from collections.abc import Iterable, Mapping
from math import prod

from tools.kube.argv import Argv
from tools.kube.client import Object

# GPUs whose compute capability is below 8.0: they have no bfloat16.
_WITHOUT_BFLOAT16 = re.compile(r"(^|[-_ ])(t4|v100|p100|p4|k80|rtx-?20\d\d)([-_ ]|$)", re.IGNORECASE)
_HALF = ("half", "float16", "float", "float32")
_FORMATS = (*_HALF, "bfloat16", "auto")
TOPOLOGY = "cloud.google.com/gke-tpu-topology"
TPU = "google.com/tpu"
# How many chips a host, or a process of it, has; and how many hosts.
_CHIPS = ("TPU_CHIPS_PER_HOST_BOUNDS", "TPU_CHIPS_PER_PROCESS_BOUNDS")
_HOSTS = ("TPU_HOST_BOUNDS", "TPU_PROCESS_BOUNDS")


def has_bfloat16(labels: Mapping[str, str]) -> bool:
    """Whether a node's accelerator, known by its labels, has bfloat16."""
    return not any(_WITHOUT_BFLOAT16.search(value) for value in labels.values())


def formats(labels: Mapping[str, str]) -> str:
    """The values of --dtype that do on nodes with these labels, in words."""
    return f"--dtype of {', '.join(_formats(labels))}"


def dtype(labels: Mapping[str, str], given: Argv) -> str:
    """What is wrong with a server's number format on nodes with these labels; empty if nothing is."""
    if given.value("--dtype", "auto") in _formats(labels):
        return ""
    said = given.value("--dtype")
    return f"--dtype is {said}" if said else "there is no --dtype, so that the model's own counts"


def _formats(labels: Mapping[str, str]) -> tuple[str, ...]:
    return _FORMATS if has_bfloat16(labels) else _HALF


def parallel(given: Argv, accelerators: int) -> str:
    """Whether it computes on as many accelerators as it is given; empty if it does."""
    if given.parallel == accelerators:
        return ""
    names = ("--tensor-parallel-size", "--pipeline-parallel-size", "--data-parallel-size-local", "--data-parallel-size")
    said = ", ".join(f"{name} {given.value(name)}" for name in names if name in given.options)
    return (
        f"{accelerators} accelerators and a server that computes on {given.parallel} ({said or 'no parallel option'})"
    )


def chips(text: str) -> int:
    """Chips of a topology such as `2x2`, or of bounds such as `2,2,1`; 0 if it is neither."""
    parts = re.split(r"[x,]", text)
    return prod(int(each) for each in parts) if all(each.isdecimal() for each in parts) else 0


def bounds(environment: Iterable[Object], accelerators: int) -> list[str]:
    """TPU variables of a server that do not go with its chips, one line each."""
    values = {each["name"]: str(each.get("value", "")) for each in environment}
    lines = [
        f"{name}={values[name]} means {chips(values[name])} chips, and it has {accelerators}"
        for name in _CHIPS
        if name in values and chips(values[name]) != accelerators
    ]
    return lines + [
        f"{name}={values[name]} means {chips(values[name])} hosts, and it is on one"
        for name in _HOSTS
        if name in values and chips(values[name]) != 1
    ]


def topology(node: Object) -> str:
    """Whether a TPU node offers as many chips as its topology has; empty if it does, or is no such node."""
    labels, name = node["metadata"].get("labels", {}), node["metadata"]["name"]
    if TOPOLOGY not in labels:
        return ""
    has = int(node["status"].get("capacity", {}).get(TPU, 0))
    return "" if has == chips(labels[TOPOLOGY]) else f"node {name}: topology {labels[TOPOLOGY]}, and {has} {TPU}"
