"""A pod of agnhost that asks in our place: GET by its netexec's `/dial`, from wherever that pod is.

No shell is needed and no right to run commands: the question goes by the API server's own way into pods. What is asked
back is told with its words; its status is not, so a path must be asked whose body tells.
"""

import json
from dataclasses import dataclass
from urllib.parse import urlencode

from tools.kube import plaintext
from tools.kube.client import Kube, Object
from tools.probe.verdict import ProbeFailed, Verdict


@dataclass(frozen=True)
class Heard:
    """What the pod heard.

    Attributes:
        verdict: how it ended; HTTP for an answer of whatever status.
        said: the body, or Go's words for the trouble.
    """

    verdict: Verdict
    said: str

    @property
    def summary(self) -> str:
        """It in a few words."""
        words = " ".join(self.said.split())[:80] or "nothing"
        return f"answered with {words!r}" if self.verdict is Verdict.HTTP else f"{self.verdict}: {self.verdict.words}"


def dial(kube: Kube, pod: Object, listens: int, host: str, port: int, path: str) -> Heard:
    """Have a pod GET `http://HOST:PORT/PATH`.

    Args:
        kube: the cluster.
        pod: of agnhost.
        listens: the port of its netexec.
        host: an address, or a name that resolves in the pod.
        port: there.
        path: with its leading slash; no query.

    Raises:
        KubeError: the API server itself refused, or did not answer.
        ProbeFailed: the pod does not do as it is told.
    """
    query = urlencode({"host": host, "port": port, "request": path.removeprefix("/"), "protocol": "http"})
    answer = plaintext.ask(kube, pod, listens, f"/dial?{query}")
    if answer.verdict is not Verdict.HTTP or answer.status != 200:
        told = f"{answer.summary} {answer.said}".strip()[:300]
        raise ProbeFailed(f"pod {pod['metadata']['name']} does not ask {host}:{port}: its port {listens} {told}")
    return heard(answer.said)


def heard(body: str) -> Heard:
    """What netexec's `/dial` answers: `{"responses": […]}` or `{"errors": […]}`. Pure.

    Raises:
        ProbeFailed: it is neither.
    """
    try:
        found = json.loads(body)
        trouble = [str(each) for each in found.get("errors", [])]
        answers = [str(each) for each in found.get("responses", [])]
    except (ValueError, AttributeError, TypeError):
        raise ProbeFailed(f"no answer of agnhost's /dial: {body[:200]!r}") from None
    if trouble:
        return Heard(plaintext.verdict_of(trouble[0]), trouble[0])
    # An empty body is left out.
    return Heard(Verdict.HTTP, answers[0] if answers else "")
