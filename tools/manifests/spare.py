"""A Gateway beside the service's, of the same class, for promises that would disturb the service's own. Pure.

Behind it is a program that tells what it got. Plain HTTP is sent to https; on a path of its own a token is demanded.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tools.manifests import Document

NAME = "spare"
CERTIFICATE = "spare-tls"
PARAMETERS = "spare-parameters"
ECHO = "echo"
# In its certificate; in no DNS.
HOST = "spare.example.com"
REDIRECT = "spare-to-https"
# Below it a token is demanded; netexec answers any path.
GUARDED = "/guarded"
REPLICAS = 2
# From the Kubernetes project's own end-to-end tests; `netexec` answers with what it was asked.
_IMAGE = "registry.k8s.io/e2e-test-images/agnhost:2.63"
_PORT = 8080
_GROUP = "gateway.networking.k8s.io"


@dataclass(frozen=True)
class Spare:
    """Where and for whom.

    Attributes:
        namespace: where.
        labels: put on every object.
        class_name: GatewayClass.
        replicas: of the proxies, which a budget covers as well if there is to be more than one.
    """

    namespace: str
    labels: Mapping[str, str]
    class_name: str
    replicas: int = 1


def documents(spare: Spare) -> list[Document]:
    """All but the certificate's Secret."""
    return [_parameters(spare), gateway(spare), redirect(spare), _route(spare), *_echo(spare)]


def gateway(spare: Spare) -> Document:
    """The Gateway, with both listeners."""
    tls = {"mode": "Terminate", "certificateRefs": [{"name": CERTIFICATE}]}
    listeners = [
        {"name": "http", "port": 80, "protocol": "HTTP"},
        {"name": "https", "port": 443, "protocol": "HTTPS", "tls": tls},
    ]
    reference = {"group": "", "kind": "ConfigMap", "name": PARAMETERS}
    spec: dict[str, Any] = {
        "gatewayClassName": spare.class_name,
        "listeners": listeners,
        "infrastructure": {"parametersRef": reference},
    }
    return _object(spare, f"{_GROUP}/v1", "Gateway", NAME, spec=spec)


def redirect(spare: Spare) -> Document:
    """The route that sends plain HTTP to https."""
    filters = [{"type": "RequestRedirect", "requestRedirect": {"scheme": "https", "statusCode": 301}}]
    spec = {"parentRefs": [{"name": NAME, "sectionName": "http"}], "rules": [{"filters": filters}]}
    return _object(spare, f"{_GROUP}/v1", "HTTPRoute", REDIRECT, spec=spec)


def _route(spare: Spare) -> Document:
    backend = {"name": ECHO, "port": _PORT}
    spec = {"parentRefs": [{"name": NAME, "sectionName": "https"}], "rules": [{"backendRefs": [backend]}]}
    return _object(spare, f"{_GROUP}/v1", "HTTPRoute", "spare", spec=spec)


def _parameters(spare: Spare) -> Document:
    # A budget for one proxy would forbid every drain.
    data = {"deployment": f"spec:\n  replicas: {spare.replicas}\n"}
    if spare.replicas > 1:
        data["podDisruptionBudget"] = "spec:\n  minAvailable: 1\n"
    return _object(spare, "v1", "ConfigMap", PARAMETERS, data=data)


def _echo(spare: Spare) -> list[Document]:
    labels = {"app": ECHO}
    container = {
        "name": ECHO,
        "image": _IMAGE,
        "args": ["netexec", f"--http-port={_PORT}"],
        "readinessProbe": {"httpGet": {"path": "/healthz", "port": _PORT}, "periodSeconds": 1},
        "resources": {"requests": {"cpu": "5m", "memory": "16Mi"}},
    }
    template = {
        "metadata": {"labels": labels | dict(spare.labels)},
        # It may run anywhere: on the local cluster every node has an accelerator's taint.
        "spec": {
            "containers": [container],
            "tolerations": [{"operator": "Exists"}],
            "terminationGracePeriodSeconds": 0,
            "automountServiceAccountToken": False,
        },
    }
    spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}
    ports = [{"name": "http", "port": _PORT}]
    return [
        _object(spare, "apps/v1", "Deployment", ECHO, spec=spec),
        _object(spare, "v1", "Service", ECHO, spec={"selector": labels, "ports": ports}),
    ]


def token_demanded(spare: Spare, issuer: str, jwks: str, path: str) -> list[Document]:
    """Policies that demand a token of an issuer for a path.

    Args:
        spare: the Gateway's.
        issuer: `iss` of the tokens.
        jwks: its keys, JSON.
        path: prefix of the paths for which a token is demanded.
    """
    target = [{"group": _GROUP, "kind": "Gateway", "name": NAME}]
    authentication = {"targetRefs": target, "jwtRules": [{"issuer": issuer, "jwks": jwks}]}
    rule = {
        "from": [{"source": {"notRequestPrincipals": [f"{issuer}/*"]}}],
        "to": [{"operation": {"paths": [f"{path}*"]}}],
    }
    return [
        _object(spare, "security.istio.io/v1", "RequestAuthentication", "spare", spec=authentication),
        _object(
            spare,
            "security.istio.io/v1",
            "AuthorizationPolicy",
            "spare",
            spec={"targetRefs": target, "action": "DENY", "rules": [rule]},
        ),
    ]


def _object(spare: Spare, api: str, kind: str, name: str, **rest: Any) -> Document:
    metadata = {"name": name, "namespace": spare.namespace, "labels": dict(spare.labels)}
    return {"apiVersion": api, "kind": kind, "metadata": metadata, **rest}
