"""The local cluster as a provider."""

from collections.abc import Callable

from tools.cluster.local import bring_up, down, preflight, registry
from tools.cluster.provider import ClusterAccess, Death
from tools.stack import locate_stack


class LocalProvider:
    """Starts, finds and removes the local cluster of one name.

    Attributes:
        name: the cluster's name; by default one per checkout.
        started: whether `up` started it, so that a session ends only what it began.
    """

    def __init__(self, name: str | None = None, say: Callable[[str], None] = print) -> None:
        self.name = name or registry.default_name()
        self.started = False
        self._say = say

    def up(self) -> ClusterAccess:
        """Bring the cluster up, or find it up and well.

        Raises:
            UserError: the stack is not built, the machine cannot run it, or a component failed.
        """
        topology = registry.load(self.name)
        if topology is None or not bring_up.is_ready(topology):
            preflight.check(preflight.look(registry.cluster_directory(self.name)))
            stack = locate_stack()
            self.started = True
            topology = bring_up.bring_up(self.name, stack, self._say)
        return ClusterAccess(self.name, "local", topology.kubeconfig, _context(self.name))

    def down(self) -> bool:
        """Remove the cluster; tell whether there was one."""
        topology = registry.load(self.name)
        if topology is None:
            return False
        down.remove(topology)
        return True

    def deaths(self) -> list[Death]:
        """Components that died since `up`."""
        topology = registry.load(self.name)
        machines = bring_up.running(topology) if topology else {}
        return [death for machine in machines.values() for death in machine.deaths()]


def _context(name: str) -> str:
    # kubeadm's naming for the super-admin kubeconfig.
    return f"kubernetes-super-admin@{name}"
