"""Why the API server could not ask a webhook, told from its own words, the time it took, and the endpoints. Pure."""

import re
from dataclasses import dataclass

from tools.platform.trouble import Trouble

_CALL = re.compile(r'failed calling webhook "(?P<hook>[^"]+)"|conversion webhook for (?P<kind>.+?) failed')
_URL = re.compile(r'"https://(?P<service>[^.]+)\.(?P<namespace>[^.]+)\.svc:(?P<port>\d+)')
_SILENCE = ("context deadline exceeded", "i/o timeout", "Client.Timeout", "timeout awaiting")


@dataclass(frozen=True)
class Behind:
    """What stands behind a webhook.

    Attributes:
        service: `NAMESPACE/NAME` of its Service.
        port: on which its pods listen, as far as it is known.
        ready: how many of them are ready.
        timeout: seconds that the API server waits.
    """

    service: str
    port: str
    ready: int
    timeout: float


def is_call(message: str) -> bool:
    """Whether an error of the API server is about a webhook that it could not ask."""
    return _CALL.search(message) is not None


def why(message: str, seconds: float, behind: Behind, kubectl: str = "kubectl") -> Trouble:
    """The cause of a webhook call that failed.

    Args:
        message: the API server's.
        seconds: that the request took.
        behind: what is known of the webhook.
        kubectl: the command, with its cluster.
    """
    found = _CALL.search(message)
    hook = (found["hook"] or f"conversion of {found['kind']}") if found else "a webhook"
    seen = f"the API server could not ask {hook} ({seconds:.1f} s): {message[-300:]}"
    namespace, _, name = behind.service.partition("/")
    endpoints = f"{kubectl} -n {namespace} get endpointslices -l kubernetes.io/service-name={name}"
    configurations = f"{kubectl} get validatingwebhookconfigurations,mutatingwebhookconfigurations"
    if any(words in message for words in _SILENCE):
        if behind.ready and seconds >= behind.timeout - 1:
            cause = (
                f"the control plane cannot reach webhook port {behind.port}: {behind.ready} endpoint(s) are ready, and"
                f" nothing came within {behind.timeout:g} s. A firewall (private GKE clusters: add a rule from the"
                f" control plane to the nodes for {behind.port}) or a NetworkPolicy drops it"
            )
            return Trouble(seen, cause, f"{kubectl} -n {namespace} get networkpolicies")
        if behind.ready:
            return Trouble(seen, "the webhook is overloaded, or its pod does not answer", endpoints)
        return Trouble(seen, f"no pod stands behind Service {behind.service}: no endpoint is ready", endpoints)
    if "no endpoints available" in message or "connection refused" in message:
        if behind.ready:
            cause = f"Service {behind.service} leads to a port on which its pods do not listen ({behind.port})"
            return Trouble(seen, cause, f"{kubectl} -n {namespace} get service {name} -o yaml")
        return Trouble(seen, f"no pod stands behind Service {behind.service}: no endpoint is ready", endpoints)
    if "x509" in message or "tls:" in message:
        return Trouble(seen, _certificate(message), configurations)
    if re.search(r'service "[^"]+" not found', message) or "could not find the requested resource" in message:
        cause = "an entry left behind by an earlier installation points at a Service or path that is not there any more"
        return Trouble(seen, cause, configurations)
    return Trouble(seen, "the webhook did not answer as it should", endpoints)


def service_of(message: str) -> str:
    """`NAMESPACE/NAME` of the Service that an error names; empty if it names none."""
    found = _URL.search(message)
    return f"{found['namespace']}/{found['service']}" if found else ""


def _certificate(message: str) -> str:
    if "expired" in message or "not yet valid" in message:
        return "the webhook's serving certificate has expired: whoever issues it does not renew it"
    if "valid for" in message or "doesn't contain any IP SANs" in message or "not valid for any names" in message:
        return "the webhook's serving certificate is for another name than its Service's"
    return (
        "the configuration's caBundle is not the authority of the certificate that the webhook serves: the certificate"
        " was renewed, or cert-manager's ca-injector does not run"
    )
