"""Disk and shared memory of a server, against what its node and its own limits have. Pure."""

from collections.abc import Iterable

from tools.kube.client import Object
from tools.kube.quantity import amount

_SHARED = "/dev/" + "shm"
_DISK = "ephemeral-storage"


def problems(pod: Object, container: Object, nodes: Iterable[Object]) -> list[str]:
    """What does not fit, one line each.

    Args:
        pod: its specification.
        container: the server's in it.
        nodes: that it may be placed on.
    """
    volumes = {each["name"]: each for each in pod.get("volumes", [])}
    mounts = {each["mountPath"].rstrip("/"): each["name"] for each in container.get("volumeMounts", [])}
    shared = volumes.get(mounts.get(_SHARED, ""), {}).get("emptyDir", {})
    lines = [] if shared.get("medium") == "Memory" else [f"no memory volume at {_SHARED}"]
    most = max((amount(each["status"].get("allocatable", {}).get(_DISK, "0")) for each in nodes), default=0.0)
    asked = container.get("resources", {}).get("requests", {}).get(_DISK)
    if asked and amount(asked) > most:
        lines.append(f"it asks for {asked} of {_DISK}, and no node has as much")
    disks = {name: each["emptyDir"].get("sizeLimit") for name, each in volumes.items() if _on_disk(each)}
    return lines + [
        f"volume {name} may grow to {size} of {_DISK}, and no node has as much"
        for name, size in disks.items()
        if size and amount(size) > most
    ]


def _on_disk(volume: Object) -> bool:
    return "emptyDir" in volume and volume["emptyDir"].get("medium") != "Memory"
