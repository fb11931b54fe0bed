"""The table of answers and their causes, from reports of real failures and from faults that were run. Data.

The order matters: the first match wins.
"""

from dataclasses import dataclass

from tools.openai.marks import (
    GATEWAY,
    LOAD_BALANCER,
    NOBODY,
    PICKER,
    PROXY,
    SERVER,
    SIDECAR,
    Matches,
    both,
    either,
    empty,
    ended,
    has,
    passed_upstream,
    says,
    status,
)
from tools.probe.verdict import Verdict


@dataclass(frozen=True)
class Cause:
    """A row.

    Attributes:
        matches: which replies.
        who: answered; empty where the headers tell better.
        cause: the probable cause.
    """

    matches: Matches
    who: str
    cause: str


CAUSES: tuple[Cause, ...] = (
    # No whole answer.
    Cause(
        ended(Verdict.DROPPED, "ReadTimeout"),
        NOBODY,
        "the connection was taken and nothing came: the server hangs or is not there yet, its queue is long, or packets"
        " are dropped further on",
    ),
    Cause(
        ended(Verdict.DROPPED),
        NOBODY,
        "packets are dropped: a NetworkPolicy, a firewall or a load balancer whose health check fails",
    ),
    Cause(
        ended(Verdict.REFUSED),
        NOBODY,
        "nothing listens there: no listener on that port, a wrong targetPort, or a firewall that rejects",
    ),
    Cause(
        ended(Verdict.RESET, "after HTTP"),
        NOBODY,
        "the answer was cut in the middle: server, picker or gateway ended, or the picker's ext_proc stream broke",
    ),
    Cause(
        ended(Verdict.RESET),
        NOBODY,
        "the connection was cut: the gateway restarted, or plaintext met TLS (a sidecar that demands mTLS does that)",
    ),
    Cause(
        ended(Verdict.UNREACHABLE),
        NOBODY,
        "no route or no such name: is the address of the Gateway reachable from here?",
    ),
    Cause(
        ended(Verdict.UNTRUSTED, "CERTIFICATE_VERIFY_FAILED"),
        NOBODY,
        "the certificate is of a CA that is not trusted here (--ca-file), for another name, or not of today",
    ),
    Cause(
        ended(Verdict.UNTRUSTED, "WRONG_VERSION_NUMBER"), NOBODY, "TLS towards a plaintext port: https in place of http"
    ),
    Cause(
        ended(Verdict.UNTRUSTED),
        NOBODY,
        "the listener has no certificate for this name, or wants one of the client",
    ),
    Cause(ended(Verdict.PROBE_FAILED), NOBODY, "the proxy, or this machine itself: the service was not asked"),
    # Load balancers and proxies, by their pages.
    Cause(status(407), PROXY, "it wants a password"),
    Cause(has("x-squid-error"), PROXY, "it may not or cannot reach the gateway"),
    Cause(
        says(None, "fault filter abort"),
        GATEWAY,
        "the route's backend is unresolved (GKE's gateway answers so): the pool's API is off, or no route is for it",
    ),
    Cause(
        says(404, "default backend - 404", "backend NotFound"),
        LOAD_BALANCER,
        "no route matches: GKE's default backend answers",
    ),
    Cause(
        says(None, "Application is not available", "The application is currently not serving requests"),
        LOAD_BALANCER,
        "OpenShift's router has no route for this host, or no ready pod behind it: a Route's name, not a Gateway's?",
    ),
    Cause(
        says(503, "No server is available to handle this request"),
        LOAD_BALANCER,
        "HAProxy (OpenShift's router) has no backend that passes its health check",
    ),
    Cause(
        says(502, "The server returned an invalid or incomplete response"),
        LOAD_BALANCER,
        "HAProxy (OpenShift's router) was cut off by its backend, or speaks plaintext to TLS",
    ),
    Cause(
        says(502, "The server encountered a temporary error", "502 Server Error"),
        LOAD_BALANCER,
        "Google's load balancer has no healthy backend (its health check asks for / unless a HealthCheckPolicy says"
        " otherwise), or was cut off by it",
    ),
    # Who may ask.
    Cause(
        says(None, "Jwt is", "Jwt verification fails", "Jwt issuer", "Jwt header", "Audiences in Jwt", "Jwks"),
        GATEWAY,
        "a RequestAuthentication does not take the token: missing, expired, of another issuer or for another audience",
    ),
    Cause(
        both(says(403, "RBAC: access denied"), passed_upstream),
        SIDECAR,
        "an AuthorizationPolicy of the servers denies it",
    ),
    Cause(says(403, "RBAC: access denied"), GATEWAY, "an AuthorizationPolicy at the gateway denies it"),
    Cause(
        empty(403),
        GATEWAY,
        "an external authorizer denies it or is not reached, and its filter fails closed (ext_authz)",
    ),
    Cause(
        both(says(401, '"Unauthorized"'), passed_upstream),
        SERVER,
        "the server has --api-key, and the request another key or none",
    ),
    Cause(
        either(status(401), has("www-authenticate", 403)),
        "",
        "an auth policy wants a token: none was sent, or it is not taken (--token-env)",
    ),
    # The picker.
    Cause(
        says(400, "unexpected end of JSON input"),
        PICKER,
        "the body was lost before the picker, or it was asked without one",
    ),
    Cause(
        says(
            None,
            "model not found in request body",
            "prompt not found",
            "must have prompt field",
            "invalid request body",
            "invalid completions request",
        ),
        PICKER,
        "the body is not an OpenAI request, or was lost before the picker",
    ),
    Cause(
        says(None, "find candidate pods", "endpoint candidates", "no pods available", "no endpoints available"),
        PICKER,
        "the picker knows no ready pod: its pool is empty, or it is a standby",
    ),
    Cause(says(429, "saturated", "sheddable"), PICKER, "flow control: all pods are saturated"),
    Cause(says(503, "timed out in queue"), PICKER, "flow control: all pods were saturated for longer than it may wait"),
    Cause(says(None, "inference error:"), PICKER, "the picker refused it, in its own words"),
    # The server.
    Cause(
        says(404, "does not exist"),
        SERVER,
        "the request's `model` is not served: spec.model.name, or a route to another service's pool",
    ),
    Cause(
        says(404, '{"detail":"Not Found"}', "404: Not Found"),
        SERVER,
        "the path reached the server unrewritten: the URLRewrite filter of the route's rule",
    ),
    Cause(
        says(400, "maximum context length", "maximum model length", "max_model_len"),
        SERVER,
        "prompt and max_tokens are more than the model's context: right for a prompt that is too long",
    ),
    Cause(
        says(400, "chat template"),
        SERVER,
        "the model's tokenizer has no chat template: --chat-template, or a model that is tuned for chats",
    ),
    Cause(
        both(says(None, "Field required", "field required"), status(400, 422)),
        SERVER,
        "the server got another body than was sent: body or headers were dropped on the way (ext_proc)",
    ),
    # Sizes and rates.
    Cause(
        status(413),
        "",
        "the body is larger than somebody on the way takes: buffer limits of ext_proc, the gateway or a load balancer",
    ),
    Cause(status(431), "", "the headers are larger than somebody on the way takes (Envoy: 60 KiB)"),
    Cause(either(has("x-envoy-ratelimited"), says(429, "local_rate_limited")), GATEWAY, "a rate limit of the gateway"),
    # The gateway itself.
    Cause(
        empty(404), GATEWAY, "no route matches: wrong path, HTTPRoute missing, not accepted, or not yet in the gateway"
    ),
    Cause(
        empty(500),
        GATEWAY,
        "the call to the endpoint picker (ext_proc) failed: no DestinationRule with tls SIMPLE for its Service, a"
        " sidecar in front of it, it is unreachable, or the body is larger than ext_proc takes",
    ),
    Cause(
        says(503, "Secret is not supplied by SDS"),
        GATEWAY,
        "a DestinationRule's CA bundle is not mounted in the gateway",
    ),
    Cause(says(503, "WRONG_VERSION_NUMBER"), GATEWAY, "TLS towards a plaintext port, or the other way round"),
    Cause(
        says(503, "CERTIFICATE_VERIFY_FAILED"),
        GATEWAY,
        "the certificate behind it is not of the CA that its DestinationRule names, or for another name",
    ),
    Cause(
        says(503, "no healthy upstream"),
        GATEWAY,
        "UH: the backend has no ready endpoint: no pod is Ready, the selector matches none, or the change has not"
        " arrived",
    ),
    Cause(
        both(says(None, "upstream connect error", "delayed connect error"), passed_upstream),
        SIDECAR,
        "the server behind the sidecar did not take the connection: it does not listen on that port, or has ended",
    ),
    Cause(
        says(None, "connection timeout", "delayed connect error: 110"),
        GATEWAY,
        "the pod did not take the connection in time: a NetworkPolicy drops what comes from the gateway, or the pod is"
        " gone",
    ),
    Cause(
        says(None, "upstream connect error", "delayed connect error"),
        GATEWAY,
        "the pod did not take the connection: wrong targetPort, the pod is going away, or mTLS does not match",
    ),
)
