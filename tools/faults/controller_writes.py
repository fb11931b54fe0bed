"""Writes of KServe's controller refused in the run's own namespaces: what it should do there does not happen."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tools.faults.denial import Denial, denied, not_by_controller, nudge
from tools.faults.fault import Scope, fault
from tools.kube.llm_service import LlmService

_ALL = [("*", "*/*"), ("*", "*")]
_CHILDREN = [("apps", "deployments"), ("", "services"), ("gateway.networking.k8s.io", "httproutes")]
# It looks at each child by a dry run first, which changes nothing.
_DRY = "request.?dryRun.orValue(false)"
_RBAC = "rbac.authorization.k8s.io"


@fault(scope=Scope.CLUSTER)
def controller_mute(service: LlmService) -> Iterator[None]:
    """KServe's controller runs, answers its webhooks, and may write nothing: as without its RBAC, or never elected."""
    with _refused(service, "controller_mute", _ALL, ["CREATE", "UPDATE", "DELETE"]):
        yield


@fault(scope=Scope.CLUSTER)
def repairs_refused(service: LlmService) -> Iterator[None]:
    """KServe's controller may make children and not change them: what is changed in them stays so."""
    kinds = [("apps", "deployments"), ("", "services")]
    with _refused(service, "repairs_refused", kinds, ["UPDATE"], _DRY):
        yield


@fault(scope=Scope.CLUSTER)
def removals_refused(service: LlmService) -> Iterator[None]:
    """KServe's controller may delete no child: what a service no longer calls for stays."""
    with _refused(service, "removals_refused", _CHILDREN, ["DELETE"]):
        yield


@fault(scope=Scope.CLUSTER)
def bindings_kept(service: LlmService) -> Iterator[None]:
    """KServe's controller may not delete ClusterRoleBindings, so that its finalizer cannot end."""
    # They have no namespace, and are named by that of their service.
    other = f"!request.name.startsWith('{service.namespace[:_OF_RUN]}')"
    with _refused(service, "bindings_kept", [(_RBAC, "clusterrolebindings")], ["DELETE"], other):
        yield


@fault(scope=Scope.CLUSTER)
def pickers_not_made(service: LlmService) -> Iterator[None]:
    """KServe's controller may make no Deployment of a picker."""
    with _refused(
        service,
        "pickers_not_made",
        [("apps", "deployments")],
        ["CREATE"],
        "!request.name.endsWith('-kserve-router-scheduler')",
    ):
        yield


@fault(scope=Scope.CLUSTER)
def routes_not_made(service: LlmService) -> Iterator[None]:
    """KServe's controller may make no routes."""
    with _refused(service, "routes_not_made", [("gateway.networking.k8s.io", "httproutes")], ["CREATE"]):
        yield


@fault(scope=Scope.CLUSTER)
def long_names_refused(service: LlmService) -> Iterator[None]:
    """Names of Deployments must have 62 characters at most, as a policy for some DNS might demand."""
    long = "size(request.name) < 63"
    with _refused(service, "long_names_refused", [("apps", "deployments")], ["CREATE"], long):
        yield


@fault(scope=Scope.CLUSTER)
def routes_not_changed(service: LlmService) -> Iterator[None]:
    """KServe's controller may change no route after its rules name the pool, as the gateway wants them."""
    settled = (
        f"{_DRY} || !('serving.kserve.io/inference-pool-migrated' in oldObject.metadata.?annotations.orValue({{}}))"
    )
    with _refused(service, "routes_not_changed", [("gateway.networking.k8s.io", "httproutes")], ["UPDATE"], settled):
        yield


# `llmisvc-MMDD-HHMMSS-xx` begins the names of all namespaces of a run (fixtures.run).
_OF_RUN = len("llmisvc-0101-000000-00")


@contextmanager
def _refused(
    service: LlmService, name: str, resources: Sequence[tuple[str, str]], operations: Sequence[str], but: str = "false"
) -> Iterator[None]:
    """Writes of the controller refused, all but some."""
    expression = f"{not_by_controller(service)} || {but}"
    try:
        with denied(service, Denial(name, resources, operations, expression)):
            yield
    finally:
        nudge(service)
