"""Prober pods: one for each kind of place, long-lived, each in a namespace of the run, and found again by labels."""

from collections.abc import Mapping
from dataclasses import dataclass

from tools.kube import gateways, pods
from tools.kube.client import Kube, Object
from tools.kube.convergence import Selection, converge
from tools.kube.kinds import NAMESPACE, NODE, POD
from tools.kube.labels import PREFIX
from tools.kube.llm_service import LlmService
from tools.netpolicy.facts import PART_OF, SCHEDULER, WORKLOAD
from tools.netpolicy.world import PodEnd
from tools.probe.pod import probe_pod, user_of
from tools.reach.cells import Who
from tools.waiting.timeouts import seconds

PROBER = f"{PREFIX}/prober"
_FOR = f"{PREFIX}/probes"
PORT = 8080
# A prober runs agnhost forty times at once.
_MEMORY = "512Mi"
# Where each is, by the end of its namespace's name; the stranger is in the service's own.
_PLACES = {Who.STRANGER: "", Who.OTHER: "other", Who.DEFAULT: "default", Who.MONITORING: "monitoring", Who.FAR: "other"}


@dataclass(frozen=True)
class Probers:
    """The probers for a service.

    Attributes:
        service: whose surroundings they are in.
    """

    service: LlmService

    def make(self, image: str, labels: Mapping[str, str]) -> None:
        """Make those that are not there, and wait until all are ready.

        Args:
            image: agnhost.
            labels: of everything that is made; the run's, by which it is removed.
        """
        kube = self.service.kube
        near = self.service.servers()[0]["spec"]["nodeName"]
        nodes = [near, *(each for each in _nodes(kube) if each != near)]
        wanted = [who for who in _PLACES if who is not Who.FAR or len(nodes) > 1]
        for suffix in sorted({_PLACES[who] for who in wanted} - {""}):
            meta = {"name": self._namespace(suffix), "labels": dict(labels)}
            kube.apply({"apiVersion": NAMESPACE.api, "kind": NAMESPACE.kind, "metadata": meta})
        there = self.found()
        for who in wanted:
            if who not in there:
                kube.create(self._pod(who, image, nodes[1] if who is Who.FAR else near, labels))
        for who in wanted:
            chosen = Selection(POD, self._namespace(_PLACES[who]), _name(who))
            converge(kube, f"prober {who} to be ready", chosen, _unready, budget=seconds("prober-ready"))

    def found(self) -> dict[Who, Object]:
        """The pods that are there, by who they are."""
        made = self.service.kube.objects(POD, labels=f"{_FOR}={self.service.namespace}")
        return {Who(each["metadata"]["labels"][PROBER]): each for each in made if not pods.is_leaving(each)}

    @staticmethod
    def end(pod: Object) -> PodEnd:
        """A prober as policies see it."""
        return PodEnd(pod["metadata"]["namespace"], pod["metadata"]["name"])

    def _pod(self, who: Who, image: str, node: str, labels: Mapping[str, str]) -> Object:
        space = self._namespace(_PLACES[who])
        marks = {**self._dress(who), **labels, PROBER: who.value, _FOR: self.service.namespace}
        serve = {"readinessProbe": {"tcpSocket": {"port": PORT}, "periodSeconds": 1}}
        return probe_pod(
            {"name": _name(who), "namespace": space, "labels": marks},
            image,
            ["netexec", f"--http-port={PORT}"],
            user=user_of(self.service.kube.get(NAMESPACE, space)),
            memory=_MEMORY,
            container=serve,
            spec={"nodeSelector": {"kubernetes.io/hostname": node}},
        )

    def _dress(self, who: Who) -> dict[str, str]:
        """Labels of others: a rule that forgets to say which namespace lets them in as well."""
        family = {**PART_OF, "app.kubernetes.io/name": self.service.name}
        if who is Who.OTHER:
            asks = {**family, "app.kubernetes.io/component": SCHEDULER, gateways.NAME: self.service.gateway.name}
            return {**asks, "k8s-app": "kube-dns", "app": "istiod"}
        if who is Who.FAR:
            return {**family, "app.kubernetes.io/component": WORKLOAD, "kserve.io/component": "workload"}
        return {}

    def _namespace(self, suffix: str) -> str:
        return f"{self.service.namespace}-{suffix}" if suffix else self.service.namespace


def _name(who: Who) -> str:
    return f"prober-{who}"


def _nodes(kube: Kube) -> list[str]:
    """Nodes that take pods."""
    return sorted(each["metadata"]["name"] for each in kube.objects(NODE) if not each["spec"].get("unschedulable"))


def _unready(found: list[Object]) -> str:
    if not found:
        return "it is not there"
    return "" if pods.is_ready(found[0]) else pods.line(found[0])
