"""A service of a case's own, asked by everybody: by its gateway, by a stranger in the mesh, and from outside of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tools.kube import pods
from tools.kube.askers import STRANGER, gateway_of, policies
from tools.kube.client import Object
from tools.kube.convergence import Selection, converge
from tools.kube.dial import Heard, dial
from tools.kube.kinds import AUTHORIZATION_POLICY, NAMESPACE, POD, SERVICE
from tools.kube.labels import of_run
from tools.kube.llm_service import LlmService
from tools.mesh import stranger
from tools.mesh.allowance import NAME, allowance
from tools.mesh.authorization import DENIED, ruled
from tools.mesh.rules import Asking
from tools.openai.client import Client
from tools.probe.pod import user_of
from tools.probe.verdict import Verdict
from tools.waiting.patience import unhurried
from tools.waiting.timeouts import seconds

_PATH = "/v1/models"


@dataclass(frozen=True)
class Asked:
    """The service, and those who ask it.

    Attributes:
        service: where it is.
        client: asks by its gateway.
        image: of pods that ask.
    """

    service: LlmService
    client: Client
    image: str

    @contextmanager
    def stranger(self) -> Iterator[Object]:
        """A pod in the mesh, of the service's namespace, with an account that is not the gateway's."""
        kube, namespace = self.service.kube, self.service.namespace
        found = kube.get(NAMESPACE, namespace)
        kube.create(stranger.stranger(namespace, self.image, user_of(found), of_run(found)))
        try:
            chosen = Selection(POD, namespace, stranger.NAME)
            what = "a stranger in the mesh to be ready"
            with unhurried():
                ready = converge(kube, what, chosen, _unready, budget=seconds("prober-ready"))
            yield ready.objects[0]
        finally:
            kube.delete(POD, stranger.NAME, namespace)

    def by(self, pod: Object) -> Heard:
        """What a pod in the mesh hears of the servers, by their Service: only so does its sidecar speak mutual TLS."""
        name = self.service.children["workload service"][1]
        ports = self.service.kube.get(SERVICE, name, self.service.namespace)["spec"]["ports"]
        host = f"{name}.{self.service.namespace}.svc"
        return dial(self.service.kube, pod, stranger.PORT, host, ports[0]["port"], _PATH)

    @contextmanager
    def allowance(self) -> Iterator[None]:
        """The policy that lets the gateway ask, and nobody else, is there."""
        service = self.service
        asks = gateway_of(service)
        labels = of_run(service.kube.get(NAMESPACE, service.namespace))
        gateway = (asks.namespace, asks.account)
        service.kube.apply(allowance(service.name, service.namespace, gateway, (), labels))
        try:
            yield
        finally:
            service.kube.delete(AUTHORIZATION_POLICY, NAME, service.namespace)

    def gateway_trouble(self) -> list[str]:
        """Why the gateway is not answered, in a line with the policy; empty if it is."""
        reply = self.client.models()
        if reply.status == 200:
            return []
        return [f"the gateway gets {reply.summary}, {_told(reply.body, self.word(gateway_of(self.service)))}"]

    def stranger_trouble(self, pod: Object) -> list[str]:
        """Why a stranger in the mesh is not refused by a policy, in a line; empty if it is."""
        found = self.by(pod)
        if found.verdict is Verdict.HTTP and found.said.strip() == DENIED:
            return []
        return [f"{STRANGER.who} is {found.summary}, not with {DENIED!r}: {self.word(STRANGER)}"]

    def word(self, asking: Asking) -> str:
        """What the policies say of a request."""
        pod = self.service.servers()[0]
        return str(ruled(policies(self.service), pod, asking, self.service.istiod.namespace))


def _told(text: str, word: str) -> str:
    return f"{DENIED}: {word}" if DENIED in text else f"and policies say: {word}"


def _unready(found: list[Object]) -> str:
    if not found:
        return "it is not there"
    return "" if pods.is_ready(found[0]) else pods.line(found[0])
