"""Who answered, and what that says about the cause. Pure.

The table was collected from reports of real failures and from running faults; the order matters,
the first match wins.
"""

from collections.abc import Callable
from dataclasses import dataclass

from tools.openai.reply import Reply, Transport

GATEWAY = "the gateway"
PICKER = "the endpoint picker"
SERVER = "the model server"
SIDECAR = "a sidecar"
NOBODY = "nobody"


@dataclass(frozen=True)
class Fingerprint:
    """Who answered a request.

    Attributes:
        who: one of the constants of this module, or what is known.
        cause: the probable cause where the answer is not the wanted one; empty if unknown.
    """

    who: str
    cause: str = ""


def identify(reply: Reply) -> Fingerprint:
    """Tell who sent a reply."""
    for matches, found in _TABLE:
        if matches(reply):
            return found
    return Fingerprint(SERVER if _passed_upstream(reply) else GATEWAY if _from_envoy(reply) else "not recognised")


def _from_envoy(reply: Reply) -> bool:
    """Istio's gateways call themselves so in every answer; anything else on the way does not."""
    return reply.headers.get("server") == "istio-envoy"


def _passed_upstream(reply: Reply) -> bool:
    """Envoy adds the header to what an upstream answered, and never to what it makes up itself."""
    return "x-envoy-upstream-service-time" in reply.headers


def _says(status: int | None, *texts: str) -> Callable[[Reply], bool]:
    def matches(reply: Reply) -> bool:
        return status in (None, reply.status) and any(text in reply.body for text in texts)

    return matches


def _is(transport: Transport) -> Callable[[Reply], bool]:
    return lambda reply: reply.transport is transport


def _empty(status: int) -> Callable[[Reply], bool]:
    def matches(reply: Reply) -> bool:
        own = _from_envoy(reply) and not _passed_upstream(reply)
        return own and reply.status == status and not reply.body.strip()

    return matches


_TABLE: list[tuple[Callable[[Reply], bool], Fingerprint]] = [
    (
        _is(Transport.DROPPED),
        Fingerprint(
            NOBODY, "packets are dropped: a NetworkPolicy, a firewall or a load balancer whose health check fails"
        ),
    ),
    (
        _is(Transport.REFUSED),
        Fingerprint(NOBODY, "nothing listens there: no listener on that port, or a wrong targetPort"),
    ),
    (_is(Transport.RESET), Fingerprint(NOBODY, "the connection was cut: the gateway restarted, or plaintext met TLS")),
    (
        _is(Transport.UNREACHABLE),
        Fingerprint(NOBODY, "no route or no such name: is the address of the Gateway reachable from here?"),
    ),
    (
        _says(404, "does not exist"),
        Fingerprint(
            SERVER, "the request's `model` is not served: spec.model.name, or a route to another service's pool"
        ),
    ),
    (
        _says(404, '{"detail":"Not Found"}', "404: Not Found"),
        Fingerprint(SERVER, "the path reached the server unrewritten: the URLRewrite filter of the route's rule"),
    ),
    (
        _says(None, "fault filter abort"),
        Fingerprint(GATEWAY, "the route's backend is unresolved (GKE's gateway answers so)"),
    ),
    (
        _empty(404),
        Fingerprint(
            GATEWAY, "no route matches: wrong path, HTTPRoute missing, not accepted, or not yet in the gateway"
        ),
    ),
    (_says(403, "RBAC: access denied"), Fingerprint(SIDECAR, "an AuthorizationPolicy denies it")),
    (
        _says(None, "model not found in request body", "must have prompt field", "invalid request body"),
        Fingerprint(PICKER, "the body is not an OpenAI request, or was lost before the picker"),
    ),
    (
        _says(None, "find candidate pods", "find endpoint candidates", "endpoint candidates"),
        Fingerprint(PICKER, "the picker knows no ready pod: its pool is empty, or it is a standby"),
    ),
    (_says(429, "saturated", "sheddable"), Fingerprint(PICKER, "flow control: all pods are saturated")),
    (
        _empty(500),
        Fingerprint(
            GATEWAY,
            "the call to the endpoint picker (ext_proc) failed: no DestinationRule with tls SIMPLE for its Service, a"
            " sidecar in front of it, or it is unreachable",
        ),
    ),
    (
        _says(503, "Secret is not supplied by SDS"),
        Fingerprint(GATEWAY, "a DestinationRule's CA bundle is not mounted in the gateway"),
    ),
    (_says(503, "WRONG_VERSION_NUMBER"), Fingerprint(GATEWAY, "TLS towards a plaintext port, or the other way round")),
    (
        _says(503, "no healthy upstream"),
        Fingerprint(
            GATEWAY,
            "UH: the backend has no ready endpoint: no pod is Ready, the selector matches none, or the change has not"
            " arrived",
        ),
    ),
    (
        _says(None, "upstream connect error", "delayed connect error"),
        Fingerprint(
            GATEWAY,
            "the pod did not take the connection: wrong targetPort, the pod is going away, or mTLS does not match",
        ),
    ),
    (
        _says(504, "upstream request timeout"),
        Fingerprint(GATEWAY, "a timeout of the route or the gateway, shorter than the answer"),
    ),
]
