"""Plaintext to a pod's own address, by the API server's way into pods: a client that is in no mesh, on any cluster.

Unlike a port-forward, which comes out inside the pod, it goes through everything that stands before the pod: its
sidecar's inbound listener and NetworkPolicies.
"""

from dataclasses import dataclass

from tools.kube.client import Kube, Object
from tools.kube.errors import KubeError
from tools.kube.kinds import POD
from tools.probe.verdict import Verdict

_UNREACHED = "error trying to reach service"
# Go's words for how a connection ended.
_WORDS = (
    ("connection refused", Verdict.REFUSED),
    ("connection reset", Verdict.RESET),
    ("EOF", Verdict.RESET),
    ("i/o timeout", Verdict.DROPPED),
    ("context deadline exceeded", Verdict.DROPPED),
    ("Client.Timeout", Verdict.DROPPED),
    ("no route to host", Verdict.UNREACHABLE),
    ("network is unreachable", Verdict.UNREACHABLE),
)


@dataclass(frozen=True)
class Answer:
    """What came of one request.

    Attributes:
        verdict: how it ended.
        status: of HTTP, where there is one; else 0.
        said: the body, or the API server's own words.
    """

    verdict: Verdict
    status: int = 0
    said: str = ""

    @property
    def summary(self) -> str:
        """It in a few words."""
        if self.verdict is Verdict.HTTP:
            return f"answered {self.status}"
        return f"{self.verdict}: {self.verdict.words}"


def ask(kube: Kube, pod: Object, port: int, path: str) -> Answer:
    """GET a path of a pod's port, in plaintext, at the pod's own address.

    Args:
        kube: the cluster.
        pod: whom.
        port: of the pod.
        path: with its leading slash.

    Raises:
        KubeError: the API server itself refused, or did not answer.
    """
    meta = pod["metadata"]
    try:
        said = kube.text(POD.path(f"{meta['name']}:{port}", meta["namespace"], f"proxy{path}"))
    except KubeError as error:
        return read(error)
    return Answer(Verdict.HTTP, 200, said)


def read(error: KubeError) -> Answer:
    """What an error of the API server's way into pods says of the pod. Pure.

    Raises:
        KubeError: it says nothing of it: the API server refused, or did not answer.
    """
    if error.status == 0 or "pods/proxy" in error.message or "is forbidden: User" in error.message:
        raise error
    if _UNREACHED not in error.message:
        return Answer(Verdict.HTTP, error.status, error.message)
    return Answer(verdict_of(error.message), 0, error.message)


def verdict_of(words: str) -> Verdict:
    """How a connection ended, by Go's words for it; PROBE_FAILED for words that are not known. Pure."""
    return next((verdict for known, verdict in _WORDS if known in words), Verdict.PROBE_FAILED)
