"""What servers do to plaintext, against what was promised of it."""

from dataclasses import dataclass
from http import HTTPStatus

from tools.kube import plaintext
from tools.kube.client import Object
from tools.kube.kinds import PEER_AUTHENTICATION
from tools.kube.llm_service import LlmService
from tools.mesh import peers
from tools.mesh.peers import Demand
from tools.probe.verdict import ProbeFailed, Verdict
from tools.profile import Mtls

PORT = 8000
# Of Istio's agent, which answers plaintext whatever the mesh demands: if it does not, nothing is known of the servers.
_CONTROL, _CONTROL_PATH = 15020, "/healthz/ready"


@dataclass(frozen=True)
class Met:
    """What plaintext met at one server.

    Attributes:
        pod: its name.
        answer: what came of it.
        demand: what is demanded there, by which PeerAuthentication.
    """

    pod: str
    answer: plaintext.Answer
    demand: Demand

    def trouble(self, promised: Mtls) -> list[str]:
        """Why it is not what was promised, in a line; empty if it is."""
        # A sidecar has no way to answer whom it does not understand: it cuts.
        cut = self.answer.verdict is Verdict.RESET
        answered = self.answer.verdict is Verdict.HTTP and self.answer.status == HTTPStatus.OK
        if cut if promised is Mtls.STRICT else answered:
            return []
        return [f"{self.pod}:{PORT}: plaintext is {self.answer.summary}; demanded is {self.demand}"]


def met(service: LlmService) -> list[Met]:
    """What plaintext from outside the mesh meets, at every server.

    Raises:
        ProbeFailed: what answers everybody does not, so that silence would prove nothing.
    """
    policies, found = peer_authentications(service), []
    for pod in service.servers():
        _expect_control(service, pod)
        answer = plaintext.ask(service.kube, pod, PORT, "/health")
        demand = peers.demand(policies, pod, PORT, service.istiod.namespace)
        found.append(Met(pod["metadata"]["name"], answer, demand))
    return found


def peer_authentications(service: LlmService) -> list[Object]:
    """PeerAuthentications of the service's namespace and of Istio's root namespace."""
    kube, namespaces = service.kube, {service.namespace, service.istiod.namespace}
    return [each for namespace in sorted(namespaces) for each in kube.objects(PEER_AUTHENTICATION, namespace)]


def _expect_control(service: LlmService, pod: Object) -> None:
    found = plaintext.ask(service.kube, pod, _CONTROL, _CONTROL_PATH)
    if found.verdict is not Verdict.HTTP or found.status != HTTPStatus.OK:
        raise ProbeFailed(
            f"the API server does not reach pod {pod['metadata']['name']}: its port {_CONTROL} {found.summary},"
            f" where Istio's agent answers everybody, so nothing is known of {PORT}; a NetworkPolicy may keep it out"
        )
