"""What is in the way from the gateway to the endpoint picker: facts looked up, to explain requests that none picked."""

from collections.abc import Callable

from tools.kube import pods
from tools.kube.client import Object
from tools.kube.errors import KubeError, NotFound
from tools.kube.kinds import DESTINATION_RULE
from tools.kube.llm_service import LlmService

SIDECAR = "istio-proxy"


def obstacles(service: LlmService) -> list[str]:
    """Facts that keep requests from being picked, one line each; empty when none is seen.

    Never raises for the cluster's sake: what explains a failure must not take its place.
    """
    return [line for look in (_route, _rules, _pods) for line in _told(look, service)]


def tls_trouble(rules: list[Object], host: str, namespace: str) -> list[str]:
    """What is wrong with the DestinationRules for a picker's Service, which serves TLS. Pure.

    Args:
        rules: of the namespace.
        host: the Service's name; rules may write it out (`NAME.NAMESPACE.svc.cluster.local`) or mean it by a wildcard.
        namespace: the Service's.
    """
    full = f"{host}.{namespace}.svc.cluster.local"
    names = {host, f"{host}.{namespace}", f"{host}.{namespace}.svc", full}
    own = [rule for rule in rules if rule["spec"]["host"] in names]
    # Istio takes the most specific one.
    wild = [rule for rule in rules if rule["spec"]["host"][:1] == "*" and full.endswith(rule["spec"]["host"][1:])]
    found = {rule["metadata"]["name"]: _modes(rule) for rule in own or wild}
    if not found:
        return [f"there is no DestinationRule for {host} in {namespace}: the gateway speaks plaintext to a TLS port"]
    return [
        f"DestinationRule {name} for {host} has tls mode {mode}, not SIMPLE"
        for name, modes in sorted(found.items())
        for mode in modes
        if mode != "SIMPLE"
    ]


def _modes(rule: Object) -> list[str]:
    """Its tls modes: those of single ports, which go before the one for all."""
    policy = rule["spec"].get("trafficPolicy", {})
    of_ports = [each["tls"].get("mode", "none") for each in policy.get("portLevelSettings", []) if "tls" in each]
    return of_ports or [policy.get("tls", {}).get("mode", "none")]


def _told(look: Callable[[LlmService], list[str]], service: LlmService) -> list[str]:
    try:
        return look(service)
    except KubeError as error:
        return [f"not looked at, because the API server did not show it: {error}"]


def _rules(service: LlmService) -> list[str]:
    try:
        rules = service.kube.objects(DESTINATION_RULE, service.namespace)
    except NotFound:
        return []  # a gateway that is not Istio's has no such rules
    return tls_trouble(rules, service.children["picker service"][1], service.namespace)


def _route(service: LlmService) -> list[str]:
    found = service.kube.find(*service.children["route"], service.namespace)
    if found is None:
        return [f"there is no HTTPRoute {service.children['route'][1]}"]
    _, pool = service.children["pool"]
    backends = {
        (each.get("kind", "Service"), each["name"])
        for rule in found["spec"].get("rules", [])
        for each in rule.get("backendRefs", [])
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
