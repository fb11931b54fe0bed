"""What clients in the mesh are told to speak to a Service: DestinationRules against what its pods demand. Pure.

Without a rule Istio's clients speak mutual TLS to every pod with a sidecar ("auto mTLS"); a rule with `tls` takes its
place, whatever the pods demand (Istio, "Mutual TLS in DestinationRule").
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tools.mesh.peers import Demand

Object = dict[str, Any]
_MESH = "ISTIO_MUTUAL"
_CAUSES = {
    "STRICT": "the sidecar takes nothing but the mesh's mutual TLS: requests are 503 at the gateway",
    "DISABLE": "the sidecar takes plaintext only: requests are 503 at the gateway",
    "PERMISSIVE": "the sidecar takes it, and the way between gateway and server is not encrypted",
}


@dataclass(frozen=True)
class Said:
    """A TLS mode that a rule prescribes.

    Attributes:
        rule: `NAMESPACE/NAME`.
        mode: of its `tls`.
    """

    rule: str
    mode: str


def said(rules: Iterable[Object], host: str, namespace: str, port: int) -> Said | None:
    """What clients in a Service's own namespace are told to speak to one of its ports; None for nothing.

    Args:
        rules: DestinationRules of that namespace.
        host: the Service's name.
        namespace: the Service's.
        port: of the Service.
    """
    # The most specific host counts, and of equal ones the oldest rule.
    fitting = sorted(
        (rule for rule in rules if _fits(rule["spec"]["host"], host, namespace)),
        key=lambda rule: (
            rule["spec"]["host"].startswith("*"),
            -len(rule["spec"]["host"]) if rule["spec"]["host"].startswith("*") else 0,
            rule["metadata"].get("creationTimestamp", ""),
        ),
    )
    for rule in fitting[:1]:
        policy = rule["spec"].get("trafficPolicy", {})
        own = [each for each in policy.get("portLevelSettings", []) if each.get("port", {}).get("number") == port]
        if mode := (own[0] if own else policy).get("tls", {}).get("mode"):
            return Said(f"{rule['metadata']['namespace']}/{rule['metadata']['name']}", str(mode))
    return None


def conflict(told: Said | None, demand: Demand) -> str:
    """Why a rule does not go together with what pods demand; empty if it does."""
    if told is None or (told.mode == _MESH and demand.mode != "DISABLE"):
        return ""
    # TLS of another kind than the mesh's is no better than plaintext for a sidecar that wants the mesh's.
    if demand.mode == "DISABLE" and told.mode == "DISABLE":
        return ""
    return f"DestinationRule {told.rule} has tls mode {told.mode}, and {_CAUSES[demand.mode]} (it is {demand})"


def _fits(rule: str, host: str, namespace: str) -> bool:
    full = f"{host}.{namespace}.svc.cluster.local"
    exact = {host, f"{host}.{namespace}", f"{host}.{namespace}.svc", full}
    return rule in exact or (rule.startswith("*") and full.endswith(rule[1:]))
