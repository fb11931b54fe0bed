"""Faults of the webhooks of LLMInferenceServices: wrong Service, wrong authority, nobody there, nobody asked."""

import base64
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from tools.explain import check
from tools.faults.changed import changed
from tools.faults.fault import Scope, fault
from tools.install.certificates import issue
from tools.kube.client import Kube
from tools.kube.kinds import SERVICE, VALIDATING_WEBHOOK, Kind
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
    with _connecting_anew(service.kube), _broken(service, SERVICE, one, change, "no endpoint is ready", anew=True):
        yield


@contextmanager
def _connecting_anew(kube: Kube) -> Iterator[None]:
    """What `_until` does to the webhooks' configuration, to see a fault that old connections outlive, put back."""
    hooks = kube.get(VALIDATING_WEBHOOK, _SERVICES.name)["webhooks"]
    with changed(kube, VALIDATING_WEBHOOK, _SERVICES, {"/webhooks": hooks}):
        yield


def _connect_anew(kube: Kube) -> None:
    """Make the API server open new connections: it does for a caBundle that it has not had, be it by a comment."""
    hooks = kube.get(VALIDATING_WEBHOOK, _SERVICES.name)["webhooks"]
    remark = f"# {time.time_ns()}\n".encode()
    for each in hooks:
        bundle = base64.b64decode(each["clientConfig"]["caBundle"]).rstrip() + b"\n" + remark
        each["clientConfig"]["caBundle"] = base64.b64encode(bundle).decode()
    steps = [{"op": "replace", "path": "/webhooks", "value": hooks}]
    kube.patch(VALIDATING_WEBHOOK, _SERVICES.name, "", steps, how="json")


@contextmanager
def _broken(
    service: LlmService, kind: Kind, place: Place, changes: Mapping[str, Any], words: str, *, anew: bool = False
) -> Iterator[None]:
    """In effect when dry runs meet it; ended when they meet nothing any more."""
    try:
        with changed(service.kube, kind, place, changes):
            _until(service, words, anew=anew)
            yield
    finally:
        _until(service, "")


def _until(service: LlmService, words: str, *, anew: bool = False) -> None:
    """Wait until dry runs say these words; or nothing, as they should."""

    def shows() -> None:
        if anew:
            _connect_anew(service.kube)
        seen = " ".join(f"{each.seen} {each.cause}" for each in admission.trouble(_platform(service)))
        check(words in seen if words else not seen, f"dry runs that say {words or 'nothing'}", seen or "nothing")

    eventually(f"dry runs to say {words or 'nothing'}", shows, budget=seconds("fault-recovery"), in_a_row=1)


def _service(service: LlmService) -> Place:
    found = webhooks.read(_platform(service)).service
    assert found is not None, "the webhooks are there, or nothing could be broken"
    return found


def _platform(service: LlmService) -> Platform:
    return Platform(service.kube, service.controller, service.istiod, "")
