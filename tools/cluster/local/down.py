"""Remove a cluster: processes, and with them namespaces, mounts, links and routes; then groups and files."""

from pathlib import Path

from tools.cluster.local import cgroups, network, registry
from tools.cluster.local.machine import kill
from tools.cluster.local.topology import Topology


def remove(topology: Topology) -> None:
    """Remove everything of a cluster, in whatever state it is; does nothing where nothing is left.

    Raises:
        UserError: something would not go.
    """
    root = registry.cgroup_root(topology.plan)
    kill(root)
    network.disconnect(topology)
    cgroups.remove(root)
    registry.forget(topology)
    top = topology.directory.parent
    for empty in (top, top.parent):
        _remove_if_empty(empty)


def _remove_if_empty(directory: Path) -> None:
    if directory.exists() and not any(directory.iterdir()):
        directory.rmdir()
