"""Faults of mutual TLS: what PeerAuthentications and DestinationRules say, seen by requests before a case runs."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tools.explain import check
from tools.faults.changed import changed
from tools.faults.common import fault_labels, wait_for_answer
from tools.faults.fault import fault
from tools.faults.revision import as_it_is, beside
from tools.kube import plaintext, pods
from tools.kube.client import Object
from tools.kube.kinds import DESTINATION_RULE, PEER_AUTHENTICATION
from tools.kube.llm_service import LlmService, Place
from tools.kube.outside import admitted
from tools.openai.client import Client
from tools.probe.verdict import Verdict
from tools.waiting.eventually import eventually
from tools.waiting.timeouts import seconds

SERVER_PORT = 8000
_HEALTH = "/health"


@fault()
def servers_permissive(service: LlmService) -> Iterator[None]:
    """A PeerAuthentication for the servers alone lets plaintext in beside mutual TLS, whatever the namespace says."""
    with _demanding(service, "servers_permissive", {"mtls": {"mode": "PERMISSIVE"}}, _takes_plaintext):
        yield


@fault()
def server_port_permissive(service: LlmService) -> Iterator[None]:
    """A PeerAuthentication says STRICT, and lets plaintext in on the servers' one port for the picker's sake."""
    spec = {"mtls": {"mode": "STRICT"}, "portLevelMtls": {str(SERVER_PORT): {"mode": "PERMISSIVE"}}}
    with _demanding(service, "server_port_permissive", spec, _takes_plaintext):
        yield


@fault()
def servers_without_tls(service: LlmService) -> Iterator[None]:
    """A PeerAuthentication switches mutual TLS off for the servers; the gateway follows it, all is in clear."""
    with _demanding(service, "servers_without_tls", {"mtls": {"mode": "DISABLE"}}, _takes_plaintext):
        yield


@fault()
def namespace_permissive(service: LlmService) -> Iterator[None]:
    """The namespace's own PeerAuthentication says PERMISSIVE where it said STRICT: left over from a migration."""
    kube, namespace = service.kube, service.namespace
    place = next(
        Place(namespace, each["metadata"]["name"])
        for each in kube.objects(PEER_AUTHENTICATION, namespace)
        if not each.get("spec", {}).get("selector")
    )
    with admitted(service, "seen-from-outside"):
        before = {pod["metadata"]["name"]: _takes_plaintext(_plain(service, pod)) for pod in service.servers()}
        try:
            with changed(kube, PEER_AUTHENTICATION, place, {"/spec/mtls/mode": "PERMISSIVE"}):
                _await(service, lambda _, answer: _takes_plaintext(answer))
                yield
        finally:
            _await(service, lambda pod, answer: _takes_plaintext(answer) == before.get(pod, _takes_plaintext(answer)))


@fault()
def servers_apart_from_rule(service: LlmService) -> Iterator[None]:
    """Servers take plaintext only, by a PeerAuthentication, and a DestinationRule has clients speak mutual TLS."""
    kube, namespace = service.kube, service.namespace
    name = f"{service.name}-apart-from-rule"
    meta = {"name": name, "namespace": namespace, "labels": fault_labels(service, "servers_apart_from_rule")}
    selector = {"matchLabels": {"kserve.io/component": "workload", "app.kubernetes.io/name": service.name}}
    peer = {
        "apiVersion": PEER_AUTHENTICATION.api,
        "kind": PEER_AUTHENTICATION.kind,
        "metadata": meta,
        "spec": {"selector": selector, "mtls": {"mode": "DISABLE"}},
    }
    rule = {
        "apiVersion": DESTINATION_RULE.api,
        "kind": DESTINATION_RULE.kind,
        "metadata": meta,
        # The picker's own rule is more specific, so the way to it stays as it is.
        "spec": {"host": f"*.{namespace}.svc.cluster.local", "trafficPolicy": {"tls": {"mode": "ISTIO_MUTUAL"}}},
    }
    try:
        kube.apply(rule)
        kube.apply(peer)
        wait_for_answer(service, "requests are 503", Client.models, lambda reply: reply.status == 503)
        yield
    finally:
        kube.delete(PEER_AUTHENTICATION, name, namespace)
        kube.delete(DESTINATION_RULE, name, namespace)
        wait_for_answer(service, "models are listed again", Client.models, lambda reply: reply.status == 200)
        wait_for_answer(service, "completions are 200 again", Client.complete, lambda reply: reply.status == 200)


@fault()
def gateway_told_plaintext(service: LlmService) -> Iterator[None]:
    """A DestinationRule for everything in the namespace has clients speak plaintext to servers that want mutual TLS."""
    kube, namespace = service.kube, service.namespace
    name = f"{service.name}-gateway-told-plaintext"
    rule = {
        "apiVersion": DESTINATION_RULE.api,
        "kind": DESTINATION_RULE.kind,
        "metadata": {"name": name, "namespace": namespace, "labels": fault_labels(service, "gateway_told_plaintext")},
        # The picker's own rule is more specific, so the way to it stays as it is.
        "spec": {"host": f"*.{namespace}.svc.cluster.local", "trafficPolicy": {"tls": {"mode": "DISABLE"}}},
    }
    try:
        kube.apply(rule)
        wait_for_answer(service, "requests are 503", Client.models, lambda reply: reply.status == 503)
        yield
    finally:
        kube.delete(DESTINATION_RULE, name, namespace)
        wait_for_answer(service, "models are listed again", Client.models, lambda reply: reply.status == 200)
        wait_for_answer(service, "completions are 200 again", Client.complete, lambda reply: reply.status == 200)


@fault()
def certificate_short(service: LlmService) -> Iterator[None]:
    """Servers are made anew whose sidecars ask for certificates that last ten minutes."""
    config = {"proxy.istio.io/config": '{"proxyMetadata": {"SECRET_TTL": "10m"}}'}
    with beside(service, as_it_is, pods.is_ready, config):
        yield
    wait_for_answer(service, "completions are 200 again", Client.complete, lambda reply: reply.status == 200)


def _takes_plaintext(answer: plaintext.Answer) -> bool:
    return answer.verdict is Verdict.HTTP


@contextmanager
def _demanding(
    service: LlmService, name: str, spec: Object, shows: Callable[[plaintext.Answer], bool]
) -> Iterator[None]:
    """A PeerAuthentication for the servers, in effect while entered: `shows` holds for plaintext, or as before."""
    kube, namespace = service.kube, service.namespace
    title = f"{service.name}-{name.replace('_', '-')}"
    selector = {"matchLabels": {"kserve.io/component": "workload", "app.kubernetes.io/name": service.name}}
    document = {
        "apiVersion": PEER_AUTHENTICATION.api,
        "kind": PEER_AUTHENTICATION.kind,
        "metadata": {"name": title, "namespace": namespace, "labels": fault_labels(service, name)},
        "spec": {"selector": selector, **spec},
    }
    with admitted(service, "seen-from-outside"):
        before = {pod["metadata"]["name"]: shows(_plain(service, pod)) for pod in service.servers()}
        try:
            kube.apply(document)
            _await(service, lambda _, answer: shows(answer))
            wait_for_answer(service, "models are listed", Client.models, lambda reply: reply.status == 200)
            yield
        finally:
            kube.delete(PEER_AUTHENTICATION, title, namespace)
            _await(service, lambda pod, answer: shows(answer) == before.get(pod, shows(answer)))
            wait_for_answer(service, "completions are 200 again", Client.complete, lambda reply: reply.status == 200)


def _await(service: LlmService, holds: Callable[[str, plaintext.Answer], bool]) -> None:
    def shows() -> None:
        seen = {pod["metadata"]["name"]: _plain(service, pod) for pod in service.servers()}
        told = ", ".join(f"{name} {answer.summary}" for name, answer in seen.items())
        check(all(holds(name, answer) for name, answer in seen.items()), "plaintext to be as the fault makes it", told)

    eventually("plaintext to the servers to be as the fault makes it", shows, budget=seconds("fault-effect"))


def _plain(service: LlmService, pod: Object) -> plaintext.Answer:
    return plaintext.ask(service.kube, pod, SERVER_PORT, _HEALTH)
