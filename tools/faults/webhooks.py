"""Faults of the webhooks of LLMInferenceServices: wrong Service, wrong authority, nobody there, or nobody reached."""

import base64
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from tools.explain import check
from tools.faults.changed import changed
from tools.faults.fault import Scope, fault
from tools.install.certificates import issue
from tools.kube.client import Kube, Object
from tools.kube.kinds import DEPLOYMENT, NAMESPACE, NETWORK_POLICY, SERVICE, VALIDATING_WEBHOOK, Kind
from tools.kube.labels import made_for
from tools.kube.llm_service import LlmService, Place
from tools.kube.platform import Platform
from tools.platform import admission, webhooks
from tools.waiting.eventually import eventually
from tools.waiting.timeouts import seconds

_SERVICES = Place("", "llminferenceservice.serving.kserve.io")
_CONFIGS = Place("", "llminferenceserviceconfig.serving.kserve.io")


@fault(scope=Scope.CLUSTER)
def webhook_entry_left_behind(service: LlmService) -> Iterator[None]:
    """An entry of an earlier installation is still asked about every preset, at a Service that is gone."""
    kube = service.kube
    hooks = kube.get(VALIDATING_WEBHOOK, _CONFIGS.name)["webhooks"]
    client = hooks[0]["clientConfig"]
    gone = client | {"service": client["service"] | {"name": "kserve-webhook-server-service"}}
    stale = hooks[0] | {"name": "llminferenceserviceconfig.kserve-webhook-server.validator", "clientConfig": gone}
    with changed(kube, VALIDATING_WEBHOOK, _CONFIGS, {"/webhooks": [*hooks, stale]}):
        yield


@fault(scope=Scope.CLUSTER)
def webhook_not_trusted(service: LlmService) -> Iterator[None]:
    """The API server trusts another authority than that of the certificate which the webhook serves."""
    hooks = service.kube.get(VALIDATING_WEBHOOK, _SERVICES.name)["webhooks"]
    bundle = base64.b64encode(issue(["another.example.com"]).authority).decode()
    swapped = [each | {"clientConfig": each["clientConfig"] | {"caBundle": bundle}} for each in hooks]
    with _broken(service, VALIDATING_WEBHOOK, _SERVICES, {"/webhooks": swapped}, "x509"):
        yield


@fault(scope=Scope.CLUSTER)
def webhook_not_asked(service: LlmService) -> Iterator[None]:
    """The validating webhook is asked about services of no namespace, so that wrong ones are taken."""
    hooks = service.kube.get(VALIDATING_WEBHOOK, _SERVICES.name)["webhooks"]
    nowhere = {"matchLabels": {"llmisvc-conformance/no-such-label": "true"}}
    missing = [each | {"namespaceSelector": nowhere} for each in hooks]
    with _broken(service, VALIDATING_WEBHOOK, _SERVICES, {"/webhooks": missing}, "is taken"):
        yield


@fault(scope=Scope.CLUSTER)
def webhook_without_endpoints(service: LlmService) -> Iterator[None]:
    """The webhook's Service selects no pod."""
    one = _service(service)
    change = {"/spec/selector/llmisvc-conformance~1nobody": "true"}
    with _connected_anew(service.kube), _broken(service, SERVICE, one, change, "no endpoint is ready"):
        yield


@fault(scope=Scope.CLUSTER)
def webhook_firewalled(service: LlmService) -> Iterator[None]:
    """What comes to the webhook's port is dropped, as by the firewall of a private cluster; its pods are well."""
    kube, place = service.kube, service.controller
    deployment = kube.get(DEPLOYMENT, place.name, place.namespace)
    policy: Object = {
        "apiVersion": NETWORK_POLICY.api,
        "kind": NETWORK_POLICY.kind,
        "metadata": {
            "name": "llmisvc-conformance-firewall",
            "namespace": place.namespace,
            "labels": made_for(kube.get(NAMESPACE, service.namespace), "webhook_firewalled"),
        },
        "spec": {
            "podSelector": {"matchLabels": deployment["spec"]["selector"]["matchLabels"]},
            "policyTypes": ["Ingress"],
            # Any port but the webhook's.
            "ingress": [{"ports": [{"port": 8081, "protocol": "TCP"}]}],
        },
    }
    try:
        kube.apply(policy)
        with _connected_anew(kube):
            _until(service, "cannot reach webhook port")
            yield
    finally:
        kube.delete(NETWORK_POLICY, policy["metadata"]["name"], place.namespace)
        _until(service, "")


@contextmanager
def _connected_anew(kube: Kube) -> Iterator[None]:
    """The API server made to open new connections: it keeps old ones, which nothing that is dropped later ends.

    It does for another caBundle; the same authority twice is another one.
    """
    hooks = kube.get(VALIDATING_WEBHOOK, _SERVICES.name)["webhooks"]
    twice = [each | {"clientConfig": each["clientConfig"] | {"caBundle": _twice(each["clientConfig"]["caBundle"])}}
             for each in hooks]  # fmt: skip
    with changed(kube, VALIDATING_WEBHOOK, _SERVICES, {"/webhooks": twice}):
        yield


def _twice(bundle: str) -> str:
    found = base64.b64decode(bundle)
    return base64.b64encode(found.rstrip() + b"\n" + found).decode()


@contextmanager
def _broken(service: LlmService, kind: Kind, place: Place, changes: Mapping[str, Any], words: str) -> Iterator[None]:
    """In effect when dry runs meet it; ended when they meet nothing any more."""
    try:
        with changed(service.kube, kind, place, changes):
            _until(service, words)
            yield
    finally:
        _until(service, "")


def _until(service: LlmService, words: str) -> None:
    """Wait until dry runs say these words; or nothing, as they should."""

    def shows() -> None:
        seen = " ".join(f"{each.seen} {each.cause}" for each in admission.trouble(_platform(service)))
        check(words in seen if words else not seen, f"dry runs that say {words or 'nothing'}", seen or "nothing")

    eventually(f"dry runs to say {words or 'nothing'}", shows, budget=seconds("fault-recovery"), in_a_row=1)


def _service(service: LlmService) -> Place:
    found = webhooks.read(_platform(service)).service
    assert found is not None, "the webhooks are there, or nothing could be broken"
    return found


def _platform(service: LlmService) -> Platform:
    return Platform(service.kube, service.controller, service.istiod, "")
