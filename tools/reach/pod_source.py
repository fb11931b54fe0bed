"""A pod as a source: commands are run in its agnhost by exec, as `kubectl exec` does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tools.kube.client import Kube
from tools.kube.command import run_in_pod
from tools.kube.errors import KubeError
from tools.netpolicy.world import PodEnd
from tools.probe.verdict import ProbeFailed, Verdict
from tools.reach.cells import Target
from tools.reach.connect import TOGETHER, script, verdicts


@dataclass(frozen=True)
class PodSource:
    """A pod with agnhost and a shell.

    Attributes:
        kube: the cluster.
        end: the pod.
        container: that has agnhost; empty for the pod's first.
        together: connections at a time.
    """

    kube: Kube
    end: PodEnd
    container: str = ""
    together: int = TOGETHER

    @property
    def name(self) -> str:
        """The pod as NAMESPACE/NAME, in words."""
        return f"pod {self.end}"

    def ask(self, targets: Sequence[Target], milliseconds: int) -> Mapping[Target, Verdict]:
        """Connect to all of them, from inside."""
        return verdicts(targets, self.run(script(targets, milliseconds, self.together)))

    def run(self, command: str) -> str:
        """Run a shell command in it, with $A for agnhost; what it printed.

        Raises:
            ProbeFailed: it could not be run.
        """
        words, end = ["sh", "-c", f"A=/agnhost\n{command}"], self.end
        try:
            return run_in_pod(self.kube, end.namespace, end.name, words, container=self.container)
        except KubeError as error:
            raise ProbeFailed(str(error)) from None
