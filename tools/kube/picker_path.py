"""What is in the way from the gateway to the endpoint picker: facts looked up, to explain requests that none picked."""

from tools.kube import pods
from tools.kube.client import Object
from tools.kube.kinds import DESTINATION_RULE
from tools.kube.llm_service import LlmService

SIDECAR = "istio-proxy"


def obstacles(service: LlmService) -> list[str]:
    """Facts that keep requests from being picked, one line each; empty when none is seen."""
    _, host = service.children["picker service"]
    rules = service.kube.objects(DESTINATION_RULE, service.namespace)
    return [
        *_route(service),
        *tls_trouble(rules, host, service.namespace),
        *_pods(service),
    ]


def tls_trouble(rules: list[Object], host: str, namespace: str) -> list[str]:
    """What is wrong with the DestinationRules for a picker's Service, which serves TLS. Pure.

    Args:
        rules: of the namespace.
        host: the Service's name; rules may write it out (`NAME.NAMESPACE.svc.cluster.local`).
        namespace: for the text.
    """
    modes = {
        rule["metadata"]["name"]: rule["spec"].get("trafficPolicy", {}).get("tls", {}).get("mode", "none")
        for rule in rules
        if rule["spec"]["host"].split(".")[0] == host
    }
    if not modes:
        return [f"there is no DestinationRule for {host} in {namespace}: the gateway speaks plaintext to a TLS port"]
    return [
        f"DestinationRule {name} for {host} has tls mode {mode}, not SIMPLE"
        for name, mode in sorted(modes.items())
        if mode != "SIMPLE"
    ]


def _route(service: LlmService) -> list[str]:
    found = service.kube.find(*service.children["route"], service.namespace)
    if found is None:
        return [f"there is no HTTPRoute {service.children['route'][1]}"]
    _, pool = service.children["pool"]
    backends = {
        (each.get("kind", "Service"), each["name"]) for rule in found["spec"]["rules"] for each in rule["backendRefs"]
    }
    if ("InferencePool", pool) in backends:
        return []
    led = ", ".join(f"{kind} {name}" for kind, name in sorted(backends)) or "nowhere"
    return [f"HTTPRoute {found['metadata']['name']} leads to {led} rather than to InferencePool {pool}"]


def _pods(service: LlmService) -> list[str]:
    found = service.picker_pods()
    lines = [pods.line(pod) for pod in found if not pods.is_ready(pod)]
    lines += [f"{pod['metadata']['name']} has a sidecar" for pod in found if pods.container(pod, SIDECAR)]
    return lines if found else ["there is no picker pod"]
