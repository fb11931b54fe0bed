"""The AuthorizationPolicy that lets the Gateway ask a service's servers, and nobody else. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from tools.kube.kinds import AUTHORIZATION_POLICY

Object = dict[str, Any]

NAME = "allow-gateway-to-ask-vllm"


def allowance(
    service: str, namespace: str, gateway: tuple[str, str], namespaces: Sequence[str], labels: Mapping[str, str]
) -> Object:
    """The policy.

    Args:
        service: name of the LLMInferenceService.
        namespace: its namespace.
        gateway: namespace and ServiceAccount of the Gateway's proxies.
        namespaces: others whose pods may ask.
        labels: of the policy.
    """
    # Of any trust domain: which one it is, only the mesh's configuration says. Both kinds of sources need mutual TLS:
    # who comes in plaintext has no identity and is refused, whatever the PeerAuthentications say.
    sources: list[Object] = [{"source": {"principals": ["*/ns/{}/sa/{}".format(*gateway)]}}]
    sources += [{"source": {"namespaces": list(namespaces)}}] if namespaces else []
    return {
        "apiVersion": AUTHORIZATION_POLICY.api,
        "kind": AUTHORIZATION_POLICY.kind,
        "metadata": {"name": NAME, "namespace": namespace, "labels": dict(labels)},
        "spec": {
            # The servers' alone: the Gateway's own proxies are in this namespace, too, and are asked by everybody.
            "selector": {"matchLabels": {"kserve.io/component": "workload", "app.kubernetes.io/name": service}},
            "action": "ALLOW",
            "rules": [{"from": sources}],
        },
    }
