"""Faults of admission: what should be refused is taken, or what is right is not."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from tools.explain import Violation
from tools.faults.denial import Denial, denied
from tools.faults.fault import Scope, fault
from tools.kube.discovery import names
from tools.kube.errors import KubeError
from tools.kube.kinds import CRD, NAMESPACE, VALIDATING_WEBHOOK
from tools.kube.labels import RUN
from tools.kube.llm_service import LlmService
from tools.manifests import admission
from tools.manifests.admission import Fields
from tools.waiting.eventually import eventually
from tools.waiting.timeouts import seconds

_WEBHOOKS = ("llminferenceservice.serving.kserve.io", "llminferenceserviceconfig.serving.kserve.io")
_GROUP = "serving.kserve.io"
_CRD = "llminferenceservices.serving.kserve.io"
_VERSION = "v1alpha2"


@fault(scope=Scope.CLUSTER)
def validation_narrowed(service: LlmService) -> Iterator[None]:
    """KServe's validating webhooks are no longer asked for what is in the run's namespaces."""
    kube = service.kube
    before = {name: kube.get(VALIDATING_WEBHOOK, name)["webhooks"] for name in _WEBHOOKS}
    run = kube.get(NAMESPACE, service.namespace)["metadata"]["labels"][RUN]
    others = {"matchExpressions": [{"key": RUN, "operator": "NotIn", "values": [run]}]}
    try:
        for name, hooks in before.items():
            _put(service, name, [hook | {"namespaceSelector": others} for hook in hooks])
        _until_taken(service, {"router": {"route": {"http": {"refs": [{"name": "r"}], "spec": {}}}}}, taken=True)
        yield
    finally:
        for name, hooks in before.items():
            _put(service, name, hooks)
        _until_taken(service, {"router": {"route": {"http": {"refs": [{"name": "r"}], "spec": {}}}}}, taken=False)


@fault(scope=Scope.CLUSTER)
def schema_loosened(service: LlmService) -> Iterator[None]:
    """The CRD is an older one, in which replicas may be any number."""
    with _without(service, ["replicas", "minimum"], {"replicas": -1}):
        yield


@fault(scope=Scope.CLUSTER)
def scaling_loosened(service: LlmService) -> Iterator[None]:
    """The CRD is an older one, in which minReplicas may be any number."""
    fields = {"scaling": {"minReplicas": 0, "maxReplicas": 2, "wva": {"hpa": {}}}}
    with _without(service, ["scaling", "properties", "minReplicas", "minimum"], fields):
        yield


@fault(scope=Scope.CLUSTER)
def creations_refused(service: LlmService) -> Iterator[None]:
    """A policy of the cluster demands a label that no service has."""
    with denied(service, _labels_demanded("creations_refused", warns=False)):
        yield


@fault(scope=Scope.CLUSTER)
def creations_warned_about(service: LlmService) -> Iterator[None]:
    """A policy of the cluster warns about every service without a certain label."""
    with denied(service, _labels_demanded("creations_warned_about", warns=True)):
        yield


@fault(scope=Scope.CLUSTER)
def short_name_taken_away(service: LlmService) -> Iterator[None]:
    """The CRD has another short name than documents say."""
    kube = service.kube
    before = kube.get(CRD, _CRD)["spec"]["names"]["shortNames"]
    try:
        kube.patch(CRD, _CRD, "", {"spec": {"names": {"shortNames": ["llmis"]}}})
        _until_named(service, "llmis")
        yield
    finally:
        kube.patch(CRD, _CRD, "", {"spec": {"names": {"shortNames": before}}})
        _until_named(service, before[0])


def _labels_demanded(name: str, *, warns: bool) -> Denial:
    kinds = [(_GROUP, "llminferenceservices"), (_GROUP, "llminferenceserviceconfigs")]
    expression = "has(object.metadata.labels) && 'team' in object.metadata.labels"
    return Denial(name, kinds, ["CREATE"], expression, warns)


def _put(service: LlmService, name: str, hooks: list[Any]) -> None:
    body = [{"op": "replace", "path": "/webhooks", "value": hooks}]
    service.kube.patch(VALIDATING_WEBHOOK, name, "", body, how="json")


@contextmanager
def _without(service: LlmService, path: list[str], fields: Fields) -> Iterator[None]:
    """The CRD without one limit below `spec`, which until then keeps some fields from being taken."""
    kube = service.kube
    versions = kube.get(CRD, _CRD)["spec"]["versions"]
    index = next(at for at, each in enumerate(versions) if each["name"] == _VERSION)
    value: Any = versions[index]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
    for key in path:
        value = value[key]
    where = f"/spec/versions/{index}/schema/openAPIV3Schema/properties/spec/properties/{'/'.join(path)}"
    try:
        kube.patch(CRD, _CRD, "", [{"op": "remove", "path": where}], how="json")
        _until_taken(service, fields, taken=True)
        yield
    finally:
        kube.patch(CRD, _CRD, "", [{"op": "add", "path": where, "value": value}], how="json")
        _until_taken(service, fields, taken=False)


def _until_named(service: LlmService, name: str) -> None:
    what = f"the short name {name} to be known"

    def shows() -> None:
        if name not in names(service.kube):
            raise Violation(what, "it is not")

    eventually(what, shows, budget=seconds("fault-effect"), in_a_row=1)


def _until_taken(service: LlmService, fields: Fields, *, taken: bool) -> None:
    what = f"a wrong form to be {'taken' if taken else 'refused'}"

    def shows() -> None:
        seen = False
        with suppress(KubeError):
            service.kube.judge(admission.service(fields, "wrong", service.namespace))
            seen = True
        if seen != taken:
            raise Violation(what, f"it is {'taken' if seen else 'refused'}")

    eventually(what, shows, budget=seconds("fault-effect"))
