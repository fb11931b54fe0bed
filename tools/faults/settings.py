"""Faults of what an installation is told and given: presets, inferenceservice-config, certificates."""

import base64
import datetime as dt
import json
from collections.abc import Iterator
from contextlib import contextmanager

from tools.faults.changed import ABSENT, changed
from tools.faults.common import recreatable, wait_ready
from tools.faults.fault import Scope, fault
from tools.install.certificates import issue
from tools.kube.client import Object
from tools.kube.kinds import CERTIFICATE, CONFIG_MAP, DEPLOYMENT, LLM_CONFIG, NAMESPACE, SECRET
from tools.kube.labels import made_for
from tools.kube.llm_service import LlmService, Place
from tools.platform.configuration import NAME

# One that only services with separate prefill use, and the local cluster has none.
_PRESET = "kserve-config-llm-prefill-worker-data-parallel"


@fault(scope=Scope.CLUSTER)
def preset_removed(service: LlmService) -> Iterator[None]:
    """A preset of KServe is not installed."""
    kube, namespace = service.kube, service.controller.namespace
    before = kube.get(LLM_CONFIG, _PRESET, namespace)
    try:
        kube.delete(LLM_CONFIG, _PRESET, namespace)
        yield
    finally:
        kube.create(recreatable(before))


@fault(scope=Scope.CLUSTER)
def placeholder_left(service: LlmService) -> Iterator[None]:
    """A value of inferenceservice-config still has the placeholder that a script should have filled in."""
    with _configured(service, "logger", {"defaultUrl": "http://${BROKER_HOST}"}):
        yield


@fault(scope=Scope.CLUSTER)
def configuration_unreadable(service: LlmService) -> Iterator[None]:
    """A value of inferenceservice-config is no JSON any more."""
    change = {"/data/explainers": '{"art": {"image": "kserve/art-explainer",}}'}
    with changed(service.kube, CONFIG_MAP, _config(service), change):
        yield


@fault(scope=Scope.CLUSTER)
def ingress_gateway_mistyped(service: LlmService) -> Iterator[None]:
    """inferenceservice-config names a Gateway for all services that is not there; ours name their own."""
    with _configured(service, "ingress", {"kserveIngressGateway": "kserve/kserve-ingres-gateway"}):
        yield


@fault(scope=Scope.CLUSTER)
def ca_bundle_named(service: LlmService) -> Iterator[None]:
    """A corporate CA is named in inferenceservice-config, and the controller may not copy it anywhere."""
    kube, namespace = service.kube, service.controller.namespace
    labels = made_for(kube.get(NAMESPACE, service.namespace), "ca_bundle_named")
    bundle: Object = {
        "apiVersion": CONFIG_MAP.api,
        "kind": CONFIG_MAP.kind,
        "metadata": {"name": "llmisvc-conformance-ca", "namespace": namespace, "labels": labels},
        "data": {"cabundle.crt": issue(["ca.example.com"]).authority.decode()},
    }
    try:
        kube.apply(bundle)
        with _configured(service, "storageInitializer", {"caBundleConfigMapName": bundle["metadata"]["name"]}):
            yield
    finally:
        kube.delete(CONFIG_MAP, bundle["metadata"]["name"], namespace)
        wait_ready(service)


@fault(scope=Scope.CLUSTER)
def certificate_expiring(service: LlmService) -> Iterator[None]:
    """A certificate in the controller's namespace ends in a few days, and nobody renews it."""
    kube, namespace = service.kube, service.controller.namespace
    labels = made_for(kube.get(NAMESPACE, service.namespace), "certificate_expiring")
    meta = {"name": "llmisvc-conformance-expiring", "namespace": namespace, "labels": labels}
    issued = issue(["expiring.example.com"], lifetime=dt.timedelta(days=5), age=dt.timedelta(days=60))
    data = {"tls.crt": issued.certificate, "tls.key": issued.key}
    encoded = {key: base64.b64encode(value).decode() for key, value in data.items()}
    secret = {"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls", "metadata": meta, "data": encoded}
    asked = {"secretName": meta["name"], "dnsNames": ["expiring.example.com"], "issuerRef": {"name": "nobody"}}
    try:
        kube.apply(secret)
        kube.apply({"apiVersion": CERTIFICATE.api, "kind": CERTIFICATE.kind, "metadata": meta, "spec": asked})
        yield
    finally:
        kube.delete(CERTIFICATE, str(meta["name"]), namespace)
        kube.delete(SECRET, str(meta["name"]), namespace)


@fault(scope=Scope.CLUSTER)
def certificate_not_issued(service: LlmService) -> Iterator[None]:
    """The webhook's Certificate has no issuer that is ready, and its Secret was never made; the pod has its old one."""
    kube, namespace = service.kube, service.controller.namespace
    secret = kube.get(SECRET, _mounted(service), namespace)
    certificate = next(each for each in kube.objects(CERTIFICATE, namespace)
                       if each["spec"]["secretName"] == secret["metadata"]["name"])  # fmt: skip
    row = {
        "type": "Ready",
        "status": "False",
        "reason": "IssuerNotReady",
        "message": "Referenced Issuer is not ready",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }
    place = Place(namespace, certificate["metadata"]["name"])
    before = certificate.get("status", ABSENT)
    try:
        kube.patch(CERTIFICATE, place.name, namespace, {"status": {"conditions": [row]}}, subresource="status")
        kube.delete(SECRET, secret["metadata"]["name"], namespace)
        yield
    finally:
        kube.create(recreatable(secret))
        status = None if before is ABSENT else before
        kube.patch(CERTIFICATE, place.name, namespace, {"status": status}, subresource="status")


@contextmanager
def _configured(service: LlmService, key: str, more: Object) -> Iterator[None]:
    """A key of inferenceservice-config with other values."""
    place = _config(service)
    said = json.loads(service.kube.get(CONFIG_MAP, place.name, place.namespace)["data"][key])
    with changed(service.kube, CONFIG_MAP, place, {f"/data/{key}": json.dumps(said | more)}):
        yield


def _config(service: LlmService) -> Place:
    return Place(service.controller.namespace, NAME)


def _mounted(service: LlmService) -> str:
    found = service.kube.get(DEPLOYMENT, service.controller.name, service.controller.namespace)
    return next(str(each["secret"]["secretName"]) for each in found["spec"]["template"]["spec"]["volumes"])
