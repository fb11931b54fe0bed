"""Who can have answered, and the marks that they leave in a reply. Pure."""

from collections.abc import Callable

from tools.openai.reply import Reply
from tools.probe.verdict import Verdict

GATEWAY = "the gateway"
PICKER = "the endpoint picker"
SERVER = "the model server"
SIDECAR = "a sidecar"
LOAD_BALANCER = "a load balancer"
PROXY = "a proxy on the way"
NOBODY = "nobody"
UNKNOWN = "not recognised"

Matches = Callable[[Reply], bool]

DROPPED_REASON = "x-llm-d-request-dropped-reason"
AUTH_REASON = "x-ext-auth-reason"
# Written by pickers 0.5 to 1.5 of the Inference Extension, and by the gateway about what the picker chose.
_PICKED = ("x-went-into-resp-headers", "x-gateway-destination-endpoint", "x-gateway-destination-endpoint-served")
_BALANCERS = ("awselb", "google frontend", "microsoft-azure-application-gateway", "bigip")


def from_envoy(reply: Reply) -> bool:
    """Istio's gateways call themselves so in every answer; anything else on the way does not."""
    return reply.headers.get("server") == "istio-envoy"


def passed_upstream(reply: Reply) -> bool:
    """Envoy adds the header to what an upstream answered, and never to what it makes up itself.

    Not to every answer: one that comes before Envoy has sent the whole request has none (seen: 405 to a POST of
    /v1/models, `via_upstream` in the gateway's access log, without a service time).
    """
    return "x-envoy-upstream-service-time" in reply.headers


def through_picker(reply: Reply) -> bool:
    """Whether the picker was certainly in the path; newer ones leave no mark, so that False says nothing."""
    return any(reply.headers.get(name) for name in _PICKED)


def sender(reply: Reply) -> str:
    """Who sent a reply, by its headers alone."""
    server = reply.headers.get("server", "").lower()
    if passed_upstream(reply) or server == "uvicorn" or _in_servers_words(reply):
        return SERVER
    if from_envoy(reply):
        return GATEWAY
    if "x-squid-error" in reply.headers or reply.status == 407:
        return PROXY
    if server.startswith(_BALANCERS) or "google" in reply.headers.get("via", ""):
        return LOAD_BALANCER
    return UNKNOWN


def _in_servers_words(reply: Reply) -> bool:
    """FastAPI's and vLLM's errors are JSON of these forms; what Envoy makes up is plain text or nothing."""
    as_json = reply.headers.get("content-type", "").startswith("application/json")
    return as_json and reply.body.lstrip().startswith(('{"detail":', '{"error":', '{"object":"error"'))


def says(status: int | None, *texts: str) -> Matches:
    """A status, or any, with one of these texts in the body."""
    return lambda reply: status in (None, reply.status) and any(text in reply.body for text in texts)


def has(header: str, *statuses: int) -> Matches:
    """A header, and one of these statuses if any is given."""
    return lambda reply: header in reply.headers and (not statuses or reply.status in statuses)


def status(*wanted: int) -> Matches:
    """One of these statuses."""
    return lambda reply: reply.status in wanted


def ended(verdict: Verdict, *texts: str) -> Matches:
    """No whole answer, for this reason, and one of these texts about it if any is given."""
    return lambda reply: reply.verdict is verdict and (not texts or any(text in reply.problem for text in texts))


def empty(wanted: int) -> Matches:
    """Made up by the gateway itself, with a status and without a body."""
    return lambda reply: (
        from_envoy(reply) and not passed_upstream(reply) and reply.status == wanted and not reply.body.strip()
    )


def both(first: Matches, second: Matches) -> Matches:
    """One and the other."""
    return lambda reply: first(reply) and second(reply)


def either(first: Matches, second: Matches) -> Matches:
    """One or the other."""
    return lambda reply: first(reply) or second(reply)
