"""Remove a cluster: processes, and with them namespaces, mounts, links and routes; then groups and files."""

from tools.cluster.local import cgroups, network, registry
from tools.cluster.local.machine import kill
from tools.cluster.local.topology import Topology


def remove(topology: Topology) -> None:
    """Remove everything of a cluster, in whatever state it is; does nothing where nothing is left.

    Raises:
        UserError: something would not go.
    """
    kill(topology.cgroup)
    network.disconnect(topology)
    cgroups.remove(topology.cgroup)
    registry.forget(topology)
