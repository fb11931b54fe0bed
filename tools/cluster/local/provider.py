"""The local cluster as a provider."""

from collections.abc import Callable
from enum import Enum
from pathlib import Path

from tools.cluster.identity import identity_of
from tools.cluster.local import bring_up, down, preflight, registry
from tools.cluster.local.claim import Claim
from tools.cluster.local.topology import Topology
from tools.cluster.provider import ClusterAccess, Death
from tools.errors import UserError
from tools.kube.client import Kube
from tools.stack import locate_stack


class Keep(Enum):
    """How long a cluster is to live."""

    UNTIL_DOWN = "until `llmisvc-conformance down`"
    WITH_SESSION = "as long as the session that started it"


class LocalProvider:
    """Starts, finds and removes the local cluster of one name.

    Args:
        name: the cluster's name; by default one per checkout.
        say: told what is going on, line by line.
        keep: how long a cluster that this provider starts is to live.

    Attributes:
        started: whether `up` started it, so that a session ends only what it began.
    """

    def __init__(
        self, name: str | None = None, say: Callable[[str], None] = print, keep: Keep = Keep.WITH_SESSION
    ) -> None:
        self.name = name or registry.default_name()
        self.started = False
        self._say = say
        self._keep = keep
        self._claim = Claim(registry.claim_path(self.name))

    @property
    def logs(self) -> Path:
        """Directory with the components' logs, one directory per machine; goes with the cluster."""
        return registry.cluster_directory(self.name) / "logs"

    def up(self) -> ClusterAccess:
        """Bring the cluster up, or find it up and well; it is claimed until this process ends or `down`.

        Raises:
            UserError: the stack is not built, the machine cannot run it, or a component failed.
        """
        preflight.require_root()
        stack = locate_stack()
        if self._claim.try_alone():
            topology = registry.load(self.name)
            if topology is None or (why := self._unusable(topology, stack.root.name)):
                if topology is not None:
                    self._refuse_to_replace(topology, why)
                    self._say(f"removing what is there of cluster {self.name}: {why}")
                    down.remove(topology)
                preflight.check(preflight.look(registry.cluster_directory(self.name)))
                self.started = True
                topology = bring_up.bring_up(self.name, stack, self._say)
                registry.note_keep(topology, self._keep.name)
        self._claim.together(self._say)
        topology = registry.load(self.name)
        if topology is None or not bring_up.is_ready(topology):
            raise UserError(
                f"cluster {self.name}, which another process was starting, to be ready",
                "it is not",
                next_step="llmisvc-conformance status",
            )
        context = _context(self.name)
        return ClusterAccess(
            self.name, "local", topology.kubeconfig, context, identity_of(Kube(topology.kubeconfig, context))
        )

    def down(self) -> bool:
        """Remove the cluster; tell whether there was one.

        Raises:
            UserError: somebody else uses it.
        """
        self._claim.alone()
        topology = registry.load(self.name)
        if topology is not None:
            down.remove(topology)
        self._claim.remove_file()
        self._claim.release()
        registry.tidy()
        return topology is not None

    def deaths(self) -> list[Death]:
        """Components that died since `up`, and machines that were killed."""
        topology = registry.load(self.name)
        return bring_up.deaths(topology) if topology else []

    def _refuse_to_replace(self, topology: Topology, why: str) -> None:
        """A session replaces what sessions left, never what a person keeps."""
        kept = (registry.record(topology) or {}).get("keep") == Keep.UNTIL_DOWN.name
        if kept and self._keep is Keep.WITH_SESSION:
            raise UserError(
                f"cluster {self.name}, which `llmisvc-conformance up` keeps, to be usable",
                why,
                next_step="llmisvc-conformance up (makes it anew) or llmisvc-conformance down",
            )

    def _unusable(self, topology: Topology, stack: str) -> str:
        """Why a cluster that nobody uses cannot be used as it is; empty if it can."""
        record = registry.record(topology)
        if record is None:
            return "it was never complete"
        if dead := bring_up.deaths(topology):
            return ", ".join(f"{death.component} on {death.machine} ended" for death in dead)
        if record["made_of"] != registry.made_of(stack):
            return "it was made of another stack or other manifests"
        if record.get("keep") != Keep.UNTIL_DOWN.name:
            return "the session that it belonged to was killed and may have left it in any state"
        return ""


def _context(name: str) -> str:
    # kubeadm's naming for the super-admin kubeconfig.
    return f"kubernetes-super-admin@{name}"
