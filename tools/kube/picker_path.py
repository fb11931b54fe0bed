"""What is in the way from the gateway to the endpoint picker: facts looked up, to explain requests that none picked."""

from collections.abc import Callable

from tools.kube import picker_flags, pods
from tools.kube.client import Object
from tools.kube.errors import KubeError, NotFound
from tools.kube.kinds import DESTINATION_RULE
from tools.kube.llm_service import SERVER_CONTAINER, LlmService

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
    found = {rule["metadata"]["name"]: _modes(rule) for rule in _applying(rules, host, namespace)}
    if not found:
        return [f"there is no DestinationRule for {host} in {namespace}: the gateway speaks plaintext to a TLS port"]
    return [
        f"DestinationRule {name} for {host} has tls mode {mode}, not SIMPLE"
        for name, modes in sorted(found.items())
        for mode in modes
        if mode != "SIMPLE"
    ]


def serving_trouble(rules: list[Object], host: str, namespace: str, *, tls: bool) -> list[str]:
    """What is wrong between what a picker speaks and what the gateway is told to speak to it. Pure.

    Args:
        rules: DestinationRules of the namespace.
        host: name of the picker's Service.
        namespace: the Service's.
        tls: whether the picker serves TLS.
    """
    trouble = tls_trouble(rules, host, namespace)
    if tls:
        return trouble
    plaintext = f"the picker behind {host} serves plaintext (--secure-serving=false)"
    return [] if trouble else [f"{plaintext}, and a DestinationRule has the gateway speak TLS to it"]


def verifying_trouble(rules: list[Object], host: str, namespace: str, *, certified: bool) -> list[str]:
    """What is wrong with verification that DestinationRules demand of a picker's certificate. Pure.

    Args:
        rules: DestinationRules of the namespace.
        host: name of the picker's Service.
        namespace: the Service's.
        certified: whether the picker was given a certificate (--cert-path); else it signs one itself when it starts.
    """
    found = [
        (rule["metadata"]["name"], tls)
        for rule in _applying(rules, host, namespace)
        for tls in _settings(rule)
        if tls.get("mode") == "SIMPLE" and not tls.get("insecureSkipVerify")
    ]
    own = "the picker's certificate is of its own making (no --cert-path), and nobody can verify it"
    by_system = (
        "no caCertificates: the picker's certificate is held against the authorities of the gateway's own system"
    )
    return [
        f"DestinationRule {name} wants the certificate verified: {own if not certified else by_system}"
        for name, tls in found
        if not certified or not (tls.get("caCertificates") or tls.get("credentialName"))
    ]


def serves_tls(pods_of_picker: list[Object]) -> bool:
    """Whether pickers serve TLS: their flag, which is on unless it is said otherwise. Pure."""
    containers = [
        each for pod in pods_of_picker for each in pod["spec"]["containers"] if each["name"] == SERVER_CONTAINER
    ]
    return all(picker_flags.flags(each).on("secure-serving") for each in containers)


def _applying(rules: list[Object], host: str, namespace: str) -> list[Object]:
    """Rules for a Service: those that name it, else those that mean it by a wildcard."""
    full = f"{host}.{namespace}.svc.cluster.local"
    names = {host, f"{host}.{namespace}", f"{host}.{namespace}.svc", full}
    own = [rule for rule in rules if rule["spec"]["host"] in names]
    # Istio takes the most specific one.
    return own or [
        rule for rule in rules if rule["spec"]["host"][:1] == "*" and full.endswith(rule["spec"]["host"][1:])
    ]


def _modes(rule: Object) -> list[str]:
    """Its tls modes: those of single ports, which go before the one for all."""
    return [each.get("mode", "none") for each in _settings(rule)]


def _settings(rule: Object) -> list[Object]:
    policy = rule["spec"].get("trafficPolicy", {})
    of_ports = [each["tls"] for each in policy.get("portLevelSettings", []) if "tls" in each]
    return of_ports or [policy.get("tls", {})]


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
    found, host = service.picker_pods(), service.children["picker service"][1]
    container = next((each for pod in found for each in [pods.container(pod, SERVER_CONTAINER)] if each), {})
    certified = bool(picker_flags.flags(container)["cert-path"])
    return [
        *serving_trouble(rules, host, service.namespace, tls=serves_tls(found)),
        *verifying_trouble(rules, host, service.namespace, certified=certified),
    ]


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
