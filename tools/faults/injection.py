"""Faults of injection: what the namespace asks for, what the injector made of it, and what istiod sends to sidecars."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from tools.explain import check
from tools.faults.common import fault_labels
from tools.faults.fault import fault
from tools.faults.revision import as_it_is, beside, waits
from tools.kube.kinds import ENVOY_FILTER, NAMESPACE
from tools.kube.llm_service import LlmService
from tools.mesh.injection import INJECTION, REVISION
from tools.metrics import envoy
from tools.waiting.eventually import eventually
from tools.waiting.timeouts import seconds

_LUA = "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua"
_PULLS = ("ErrImagePull", "ImagePullBackOff")


@fault()
def injection_unlabelled(service: LlmService) -> Iterator[None]:
    """The namespace no longer asks for sidecars: the pods that run keep theirs, the next ones get none."""
    with _labels(service, {INJECTION: None}):
        yield


@fault()
def injection_by_unknown_tag(service: LlmService) -> Iterator[None]:
    """The namespace asks for sidecars by a revision tag that no control plane answers for, as after an upgrade."""
    with _labels(service, {INJECTION: None, REVISION: "no-such-tag"}):
        yield


@fault()
def sidecar_of_another_version(service: LlmService) -> Iterator[None]:
    """A second server pod has a sidecar of another version than istiod's, pinned by an annotation of somebody's."""
    pinned = {"sidecar.istio.io/proxyImage": "docker.io/istio/proxyv2:1.2.3-pinned"}
    with beside(service, as_it_is, waits(*_PULLS), pinned):
        yield


@fault()
def update_refused(service: LlmService) -> Iterator[None]:
    """An EnvoyFilter has a program that does not compile: sidecars refuse all updates and serve on as they were."""
    kube, namespace = service.kube, service.namespace
    name = f"{service.name}-update-refused"
    manager = {"listener": {"filterChain": {"filter": {"name": "envoy.filters.network.http_connection_manager"}}}}
    program = {"@type": _LUA, "default_source_code": {"inline_string": "function envoy_on_request( end"}}
    patch = {
        "applyTo": "HTTP_FILTER",
        "match": {"context": "SIDECAR_INBOUND", **manager},
        "patch": {"operation": "INSERT_FIRST", "value": {"name": "llmisvc-conformance", "typed_config": program}},
    }
    labels = {"kserve.io/component": "workload", "app.kubernetes.io/name": service.name}
    document = {
        "apiVersion": ENVOY_FILTER.api,
        "kind": ENVOY_FILTER.kind,
        "metadata": {"name": name, "namespace": namespace, "labels": fault_labels(service, "update_refused")},
        "spec": {"workloadSelector": {"labels": labels}, "configPatches": [patch]},
    }
    try:
        kube.apply(document)
        _await_refusals(service, there=True)
        yield
    finally:
        kube.delete(ENVOY_FILTER, name, namespace)
        _await_refusals(service, there=False)


def _await_refusals(service: LlmService, *, there: bool) -> None:
    def shows() -> None:
        found = {pod["metadata"]["name"]: envoy.refused(service.kube, pod) for pod in service.servers()}
        check(
            all(bool(lines) == there for lines in found.values()),
            f"sidecars that {'refuse' if there else 'do not refuse'} what istiod sends",
            f"{found}",
        )

    eventually("sidecars to take or refuse what istiod sends", shows, budget=seconds("fault-effect"), in_a_row=1)


@contextmanager
def _labels(service: LlmService, labels: Mapping[str, str | None]) -> Iterator[None]:
    """A namespace with other labels; None takes one away."""
    kube, namespace = service.kube, service.namespace
    there = kube.get(NAMESPACE, namespace)["metadata"]["labels"]
    before = {key: there.get(key) for key in labels}
    try:
        kube.patch(NAMESPACE, namespace, "", {"metadata": {"labels": dict(labels)}})
        yield
    finally:
        kube.patch(NAMESPACE, namespace, "", {"metadata": {"labels": before}})
