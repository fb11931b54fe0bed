"""Faults of NetworkPolicies: as many clusters have them. The service's own are put back as they were."""

from collections.abc import Iterator

from tools.faults.fault import fault
from tools.faults.policy_change import added, instead, policy
from tools.kube.client import Object
from tools.kube.llm_service import LlmService
from tools.netpolicy.facts import NAMESPACE_NAME, PART_OF, SCHEDULER

_EVERY_POD: Object = {"namespaceSelector": {}, "podSelector": {}}
_SERVERS = {"matchLabels": {"kserve.io/component": "workload"}}
_HTTPS = [{"protocol": "TCP", "port": 443}]
_MODEL = [{"protocol": "TCP", "port": 8000}]


@fault()
def everybody_let_in_for_probes(service: LlmService) -> Iterator[None]:
    """A policy lets every pod of the cluster into the servers, by a rule that is meant for the kubelet's probes."""
    spec = {"podSelector": _SERVERS, "policyTypes": ["Ingress"], "ingress": [{"from": [_EVERY_POD], "ports": _MODEL}]}
    with added(service, "allow-probes", spec):
        yield


@fault()
def everything_let_out(service: LlmService) -> Iterator[None]:
    """A policy lets the servers connect to anything, the cloud's metadata server included."""
    with added(service, "allow-all-egress", {"podSelector": _SERVERS, "policyTypes": ["Egress"], "egress": [{}]}):
        yield


@fault()
def written_for_another_name(service: LlmService) -> Iterator[None]:
    """A policy is there that was written for a service of another name."""
    labels = {**PART_OF, "app.kubernetes.io/name": "another", "kserve.io/component": "workload"}
    with added(service, "allow-another", {"podSelector": {"matchLabels": labels}, "policyTypes": ["Ingress"]}):
        yield


@fault()
def default_deny_removed(service: LlmService) -> Iterator[None]:
    """The policy that denies everything to pods which nobody thinks of is gone."""
    with instead(service, lambda found: [each for each in found if each["spec"].get("podSelector")]):
        yield


@fault()
def ways_out_forgotten(service: LlmService) -> Iterator[None]:
    """All policies are about ingress only, and every pod reaches everything."""

    def change(found: list[Object]) -> list[Object]:
        return [each | {"spec": _inwards(each["spec"])} for each in found if "Ingress" in each["spec"]["policyTypes"]]

    with instead(service, change):
        yield


@fault()
def picker_forgotten(service: LlmService) -> Iterator[None]:
    """Policies for the endpoint picker are gone, and it is denied everything like all pods of the namespace."""

    def for_picker(policy: Object) -> bool:
        chosen = policy["spec"].get("podSelector", {}).get("matchLabels", {})
        return bool(chosen.get("app.kubernetes.io/component") == SCHEDULER)

    with instead(service, lambda found: [each for each in found if not for_picker(each)]):
        yield


@fault()
def monitoring_only(service: LlmService) -> Iterator[None]:
    """The one policy of the namespace lets Prometheus in, and by that closes the pods to everybody else."""
    peer = {"namespaceSelector": {"matchLabels": {NAMESPACE_NAME: "monitoring"}}}
    spec = {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{"from": [peer]}]}
    only = policy(service, "allow-monitoring", spec)
    with instead(service, lambda _: [only]):
        yield


@fault()
def as_many_clusters_have_them(service: LlmService) -> Iterator[None]:
    """Three policies as many clusters have them: everybody let in "for probes", internet and API server as pods."""
    gateway = {
        "namespaceSelector": {"matchLabels": {NAMESPACE_NAME: service.gateway.namespace}},
        "podSelector": {"matchLabels": {"gateway.networking.k8s.io/gateway-name": service.gateway.name}},
    }
    inwards = [{"from": [gateway], "ports": _MODEL}, {"from": [_EVERY_POD], "ports": _MODEL}]
    dns = {"namespaceSelector": {"matchLabels": {NAMESPACE_NAME: "kube-system"}}}
    api_server = {"namespaceSelector": {}, "podSelector": {"matchLabels": {"component": "apiserver"}}}
    outwards = [
        {"to": [dns], "ports": [{"protocol": "UDP", "port": 53}]},
        {"to": [{"namespaceSelector": {}}], "ports": _HTTPS},
        {"to": [api_server], "ports": _HTTPS},
    ]
    three = [
        policy(service, "default-deny-all", {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}),
        policy(
            service,
            "allow-gateway-to-vllm",
            {"podSelector": _SERVERS, "policyTypes": ["Ingress"], "ingress": inwards},
        ),
        policy(service, "allow-vllm-egress", {"podSelector": _SERVERS, "policyTypes": ["Egress"], "egress": outwards}),
    ]
    with instead(service, lambda _: three):
        yield


def _inwards(spec: Object) -> Object:
    return {key: value for key, value in spec.items() if key != "egress"} | {"policyTypes": ["Ingress"]}
