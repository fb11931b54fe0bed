"""How a gateway is told to speak to the ports behind it, and how these really speak."""

from collections.abc import Sequence
from dataclasses import dataclass

from tools.kube.client import Kube, Object
from tools.kube.port_forward import speaks_tls

# Ports by the word before the first dash of their name, or by appProtocol: Istio's protocol selection.
_TLS = ("https", "tls")
_PLAIN = ("http", "http2", "grpc", "grpc-web", "kubernetes.io/h2c", "kubernetes.io/ws")


@dataclass(frozen=True)
class Declared:
    """What is said of a port.

    Attributes:
        by_service: the protocol that the Service says; empty for none.
        rule: the DestinationRule that asks for TLS; empty for none.
    """

    by_service: str
    rule: str

    @property
    def tls(self) -> bool | None:
        """Whether the gateway speaks TLS; None where nothing is said."""
        if self.rule or self.by_service in _TLS:
            return True
        return False if self.by_service in _PLAIN else None


def declared(service: Object, port: Object, rules: Sequence[Object]) -> Declared:
    """What a Service and the DestinationRules of its namespace say of one of its ports. Pure."""
    said = port.get("appProtocol") or port.get("name", "").partition("-")[0]
    known = said if said in (*_TLS, *_PLAIN) else ""
    asking = [
        rule["metadata"]["name"]
        for rule in rules
        if _is_for(rule, service) and _mode(rule, port["port"]) in ("SIMPLE", "MUTUAL")
    ]
    return Declared(known, asking[0] if asking else "")


def spoken(kube: Kube, pod: Object, port: Object) -> bool | None:
    """Whether a pod speaks TLS at a port of its Service; None where nothing listens or the port is not TCP's."""
    if port.get("protocol", "TCP") != "TCP":
        return None
    target = port.get("targetPort", port["port"])
    number = target if isinstance(target, int) else _named(pod, str(target))
    return speaks_tls(kube, pod["metadata"]["namespace"], pod["metadata"]["name"], number) if number else None


def mismatch(told: Declared, tls: bool | None) -> str:
    """Why declaration and reality do not go together; empty if they do, or if either says nothing. Pure."""
    if told.tls is None or tls is None or told.tls == tls:
        return ""
    if told.tls:
        by = f"DestinationRule {told.rule} asks for TLS" if told.rule else f"it declares {told.by_service}"
        return f"{by}, and the pod speaks plaintext: TLS error WRONG_VERSION_NUMBER"
    return f"it declares {told.by_service} and no DestinationRule asks for TLS, and the pod speaks TLS"


def not_mounted(rule: Object, proxies: Sequence[Object]) -> list[str]:
    """Files of a DestinationRule that are below no mount of a proxy, one line each. Pure."""
    return [
        f"DestinationRule {rule['metadata']['name']}: {key} {path} is not mounted in {proxy['metadata']['name']}"
        for tls in _settings(rule)
        for key in ("caCertificates", "clientCertificate", "privateKey", "caCrl")
        if (path := tls.get(key, "")).startswith("/")
        for proxy in proxies
        if not any(path.startswith(f"{mount.rstrip('/')}/") or path == mount for mount in _mounts(proxy))
    ]


def unverified(rule: Object, exempt: Sequence[str]) -> list[str]:
    """Where a DestinationRule has TLS without a check of the certificate, one line each. Pure.

    Args:
        rule: the rule.
        exempt: names of Services for which that is allowed.
    """
    host, name = rule["spec"]["host"], rule["metadata"]["name"]
    if host.partition(".")[0] in exempt:
        return []
    return [
        f"DestinationRule {name} for {host}: {why}"
        for tls in _settings(rule)
        if tls.get("mode") in ("SIMPLE", "MUTUAL") and (why := _unchecked(tls))
    ]


def _unchecked(tls: Object) -> str:
    if tls.get("insecureSkipVerify"):
        return "insecureSkipVerify is true"
    return "" if tls.get("caCertificates") or tls.get("credentialName") else "it names no caCertificates"


def _settings(rule: Object) -> list[Object]:
    """All TLS settings of a rule: its own, those of ports, and those of subsets."""
    spec = rule["spec"]
    policies = [spec.get("trafficPolicy", {}), *(each.get("trafficPolicy", {}) for each in spec.get("subsets", []))]
    found = [policy["tls"] for policy in policies if "tls" in policy]
    return found + [each["tls"] for policy in policies for each in policy.get("portLevelSettings", []) if "tls" in each]


def _mode(rule: Object, port: int) -> str:
    policy = rule["spec"].get("trafficPolicy", {})
    own = [each for each in policy.get("portLevelSettings", []) if each.get("port", {}).get("number") == port]
    return str((own[0] if own else policy).get("tls", {}).get("mode", ""))


def _is_for(rule: Object, service: Object) -> bool:
    name, namespace = service["metadata"]["name"], service["metadata"]["namespace"]
    full, host = f"{name}.{namespace}.svc.cluster.local", rule["spec"]["host"]
    return host in (name, f"{name}.{namespace}", f"{name}.{namespace}.svc", full) or (
        host.startswith("*") and full.endswith(host[1:])
    )


def _mounts(proxy: Object) -> list[str]:
    return [mount["mountPath"] for each in proxy["spec"]["containers"] for mount in each.get("volumeMounts", [])]


def _named(pod: Object, name: str) -> int:
    ports = [port for each in pod["spec"]["containers"] for port in each.get("ports", [])]
    return next((int(port["containerPort"]) for port in ports if port.get("name") == name), 0)
