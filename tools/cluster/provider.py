"""What a provider of clusters gives: a kubeconfig and a way to ask whether the cluster itself is still alive."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class ClusterAccess:
    """How to reach a cluster.

    Attributes:
        name: the cluster's name, as the user gave it.
        provider: `local`, `existing` or `kind`.
        kubeconfig: path of a kubeconfig file.
        context: the context in that file; never the user's current context by default.
        identity: UID of its namespace kube-system; empty where it was not asked for or may not be read.
        owned: whether the cluster was made for us alone, so that breaking it breaks nobody else's things.
    """

    name: str
    provider: str
    kubeconfig: Path
    context: str
    identity: str = ""
    owned: bool = True


@dataclass(frozen=True)
class Death:
    """A component of the cluster that ended although nobody asked it to.

    Attributes:
        machine: where it ran, for example `gpu-node`.
        component: for example `kubelet`.
        status: exit status, negative for a signal number.
        log: its log file.
    """

    machine: str
    component: str
    status: int
    log: Path


class Provider(Protocol):
    """Makes a cluster, or takes one, and gives it back."""

    def up(self) -> ClusterAccess:
        """Return access to a cluster with the stack installed; raise UserError if that is impossible."""
        ...

    def down(self) -> bool:
        """Undo what `up` did, and nothing else; tell whether there was anything to undo."""
        ...

    def deaths(self) -> list[Death]:
        """Components of the cluster that died since `up`; empty where the provider cannot see them."""
        ...
