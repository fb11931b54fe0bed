"""Faults of CustomResourceDefinitions: versions, conversion, schema, bundle. None is deleted: its objects would be."""

import base64
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager

from tools.explain import Violation, check
from tools.faults.changed import at, changed
from tools.faults.fault import Scope, fault
from tools.install.certificates import issue
from tools.kube.client import Kube, Object
from tools.kube.errors import KubeError
from tools.kube.kinds import ADMISSION_BINDING, CRD, LLM_CONFIG, LLM_SERVICE, Kind
from tools.kube.llm_service import LlmService, Place
from tools.platform.conversion import in_version
from tools.waiting.eventually import eventually
from tools.waiting.timeouts import seconds

_OLD = "v1alpha1"
_SERVICES = Place("", "llminferenceservices.serving.kserve.io")
_CONFIGS = Place("", "llminferenceserviceconfigs.serving.kserve.io")
_OLD_POOLS = Place("", "inferencepools.inference.networking.x-k8s.io")
_OLD_POOL = Kind("inference.networking.x-k8s.io/v1alpha2", "InferencePool", "inferencepools")
_GATEWAYS = Place("", "gateways.gateway.networking.k8s.io")
_TLS_ROUTES = Place("", "tlsroutes.gateway.networking.k8s.io")
# Comes with the definitions from bundle 1.5 on.
_GUARD = Place("", "safe-upgrades.gateway.networking.k8s.io")
_ANNOTATIONS = "/metadata/annotations/gateway.networking.k8s.io~1"


@fault(scope=Scope.CLUSTER)
def old_version_not_served(service: LlmService) -> Iterator[None]:
    """LLMInferenceServices are not served in v1alpha1, as with a definition of another release."""
    with _not_served(service.kube, _SERVICES, _OLD, in_version(LLM_SERVICE, _OLD)):
        yield


@fault(scope=Scope.CLUSTER)
def old_pools_not_served(service: LlmService) -> Iterator[None]:
    """InferencePools of the old group are not served, which KServe before 0.20 cannot do without."""
    with _not_served(service.kube, _OLD_POOLS, "v1alpha2", _OLD_POOL):
        yield


@fault(scope=Scope.CLUSTER)
def conversion_dropped(service: LlmService) -> Iterator[None]:
    """Presets are converted between versions by nobody, so that fields which differ are lost."""
    with changed(service.kube, CRD, _CONFIGS, {"/spec/conversion": {"strategy": "None"}}):
        yield


@fault(scope=Scope.CLUSTER)
def conversion_without_trust(service: LlmService) -> Iterator[None]:
    """The API server does not trust the webhook that converts presets: they cannot be read in the other version."""
    kube, kind = service.kube, in_version(LLM_CONFIG, _OLD)
    bundle = base64.b64encode(issue(["another.example.com"]).authority).decode()
    try:
        with changed(kube, CRD, _CONFIGS, {"/spec/conversion/webhook/clientConfig/caBundle": bundle}):
            _until(kube, kind, lambda status: status >= 400)
            yield
    finally:
        _until(kube, kind, _is_answered)


@fault(scope=Scope.CLUSTER)
def schema_too_strict(service: LlmService) -> Iterator[None]:
    """The old version's schema demands a field that stored services do not have."""
    kube, path = service.kube, f"{_version(service.kube.get(CRD, _SERVICES.name), _OLD)}/schema/openAPIV3Schema"
    spec = f"{path}/properties/spec"
    kind = in_version(LLM_SERVICE, _OLD)
    probe = {"apiVersion": kind.api, "kind": kind.kind, "metadata": {"name": "strict", "namespace": service.namespace},
             "spec": {"model": {"uri": "hf://an/example"}}}  # fmt: skip

    def shows(status: int) -> None:
        found = _status(kube, "POST", kind.path(namespace=service.namespace), probe)
        check(found == status, f"a service without baseRefs to be answered with {status}", f"{found}")

    with changed(kube, CRD, _SERVICES, {f"{spec}/required": ["baseRefs"]}):
        eventually("the schema to be in force", lambda: shows(422), budget=seconds("fault-effect"), in_a_row=1)
        yield
    eventually("the schema as before", lambda: shows(201), budget=seconds("fault-recovery"), in_a_row=1)


@fault(scope=Scope.CLUSTER)
def gateway_api_channels_mixed(service: LlmService) -> Iterator[None]:
    """One definition of the Gateway API is of the experimental channel, the others are of the standard one."""
    with _unguarded(service.kube, _TLS_ROUTES, {f"{_ANNOTATIONS}channel": "experimental"}):
        yield


@fault(scope=Scope.CLUSTER)
def gateway_api_too_old(service: LlmService) -> Iterator[None]:
    """The Gateway API is of a bundle that is older than KServe needs."""
    with _unguarded(service.kube, _GATEWAYS, {f"{_ANNOTATIONS}bundle-version": "v1.2.1"}):
        yield


@contextmanager
def _unguarded(kube: Kube, definition: Place, changes: Mapping[str, str]) -> Iterator[None]:
    """A definition changed in a way that the Gateway API's own policy refuses, from 1.5 on, while it looks away."""
    with ExitStack() as undone:
        if kube.find(ADMISSION_BINDING, _GUARD.name) is not None:
            undone.enter_context(changed(kube, ADMISSION_BINDING, _GUARD, {"/spec/validationActions": ["Audit"]}))
        what = "the policy of the Gateway API to look away"
        eventually(what, lambda: _try(kube, definition, changes), budget=seconds("fault-recovery"), in_a_row=2)
        undone.enter_context(changed(kube, CRD, definition, changes))
        yield


def _try(kube: Kube, definition: Place, changes: Mapping[str, str]) -> None:
    steps = [{"op": "replace", "path": pointer, "value": value} for pointer, value in changes.items()]
    path, how = CRD.path(definition.name), "application/json-patch+json"
    try:
        kube.request("PATCH", path, {"dryRun": "All"}, steps, how)
    except KubeError as error:
        raise Violation("the change to be taken", error.message) from None


@contextmanager
def _not_served(kube: Kube, definition: Place, version: str, kind: Kind) -> Iterator[None]:
    pointer = f"{_version(kube.get(CRD, definition.name), version)}/served"
    try:
        with changed(kube, CRD, definition, {pointer: False}):
            _until(kube, kind, lambda status: status == 404)
            yield
    finally:
        _until(kube, kind, _is_answered)


def _version(definition: Object, version: str) -> str:
    """Pointer to a version of a definition."""
    names = [each["name"] for each in at(definition, "/spec/versions")]
    return f"/spec/versions/{names.index(version)}"


def _is_answered(status: int) -> bool:
    return status == 200


def _until(kube: Kube, kind: Kind, wanted: Callable[[int], bool]) -> None:
    def shows() -> None:
        found = _status(kube, "GET", kind.path())
        check(wanted(found), f"{kind.plural} in {kind.api} to be answered otherwise", f"{found}")

    eventually(f"{kind.plural} in {kind.api}", shows, budget=seconds("fault-recovery"), in_a_row=1)


def _status(kube: Kube, method: str, path: str, body: Object | None = None) -> int:
    try:
        kube.request(method, path, {"dryRun": "All"} if body else None, body)
    except KubeError as error:
        return error.status
    return 201 if body else 200
