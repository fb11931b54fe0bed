"""A prober pod as a source: commands are run in it by exec, as `kubectl exec` does."""

from dataclasses import dataclass

from tools.kube.client import Kube
from tools.kube.command import run_in_pod
from tools.kube.errors import KubeError
from tools.netpolicy.world import PodEnd
from tools.probe.verdict import ProbeFailed


@dataclass(frozen=True)
class PodSource:
    """A pod with agnhost and a shell.

    Attributes:
        kube: the cluster.
        end: the pod.
    """

    kube: Kube
    end: PodEnd

    @property
    def name(self) -> str:
        """NAMESPACE/NAME."""
        return f"pod {self.end}"

    def run(self, command: str) -> str:
        """Run a shell command in it."""
        try:
            return run_in_pod(self.kube, self.end.namespace, self.end.name, ["sh", "-c", f"A=/agnhost\n{command}"])
        except KubeError as error:
            raise ProbeFailed(str(error)) from None
