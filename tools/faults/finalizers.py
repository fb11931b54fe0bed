"""Somebody else's finalizer on every service of the run."""

from collections.abc import Iterator

from tools.faults.common import fault_labels
from tools.faults.fault import Scope, fault
from tools.faults.mutation import Mutation, mutated
from tools.kube.errors import KubeError
from tools.kube.kinds import LLM_SERVICE, NAMESPACE
from tools.kube.labels import RUN
from tools.kube.llm_service import LlmService

_FINALIZER = "example.com/kept"


@fault(scope=Scope.CLUSTER)
def finalizer_of_somebody(service: LlmService) -> Iterator[None]:
    """A backup or policy tool puts its finalizer on every service that is made in the run's namespaces."""
    there = f"'{_FINALIZER}' in object.metadata.?finalizers.orValue([])"
    # The API server takes no further finalizer for what is being deleted.
    when = f"!has(object.metadata.deletionTimestamp) && !({there})"
    value = f"object.metadata.?finalizers.orValue([]) + ['{_FINALIZER}']"
    patch = f'[JSONPatch{{op: "add", path: "/metadata/finalizers", value: {value}}}]'
    try:
        with mutated(service, Mutation("finalizer_of_somebody", LLM_SERVICE, when, patch)):
            yield
    finally:
        _take_off(service, fault_labels(service, "finalizer_of_somebody")[RUN])


def _take_off(service: LlmService, run: str) -> None:
    kube = service.kube
    for namespace in kube.objects(NAMESPACE, labels=f"{RUN}={run}"):
        for each in kube.objects(LLM_SERVICE, namespace["metadata"]["name"]):
            meta = each["metadata"]
            kept = [held for held in meta.get("finalizers", []) if held != _FINALIZER]
            if kept == meta.get("finalizers", []):
                continue
            try:
                kube.patch(LLM_SERVICE, meta["name"], meta["namespace"], {"metadata": {"finalizers": kept}})
            except KubeError as error:
                if error.status != 404:
                    raise
