"""The controller keeps its children as they should be, and writes nothing when there is nothing to do."""

from typing import Any

import pytest

from fixtures.measure import Record
from fixtures.throwaway import Throwaway
from tools.cases.capabilities import CHILDREN
from tools.explain import Violation, bullets, check
from tools.faults import controller_writes as faults
from tools.faults import fighting
from tools.kube import relatives
from tools.kube.client import Object
from tools.kube.family import Child
from tools.kube.kinds import LLM_SERVICE, SECRET, Kind
from tools.kube.likeness import hands
from tools.kube.llm_service import LlmService
from tools.manifests import Document
from tools.waiting.consistently import consistently
from tools.waiting.eventually import eventually
from tools.waiting.failure import NotHeld
from tools.waiting.timeouts import seconds

_IDLE_SECONDS = 4.0
_LISTENING_SECONDS = 3.0
_NOWHERE = {"llmisvc-conformance/nowhere": "true"}
# Kinds that KServe does not watch come first: they are put right together with what it sees.
_CHANGES: dict[str, Object] = {
    "picker account": {"metadata": {"labels": {"app.kubernetes.io/part-of": "somebody"}}},
    "picker role": {"rules": []},
    "picker role binding": {"subjects": []},
    "certificate": {"metadata": {"labels": {"app.kubernetes.io/name": "somebody"}}},
    "pool": {"spec": {"targetPorts": [{"number": 9999}]}},
    "pool of the old group": {"spec": {"targetPortNumber": 9999}},
    "route": {"spec": {"rules": [{"timeouts": {"request": "1s"}}]}},
    "workload service": {"spec": {"selector": {"app.kubernetes.io/name": "somebody"}}},
    "picker service": {"spec": {"selector": {"app.kubernetes.io/name": "somebody"}}},
    "picker": {"spec": {"template": {"spec": {"serviceAccountName": "default"}}}},
    # As `kubectl scale` does: of replicas that the service states, the service's are right.
    "workload": {"spec": {"replicas": 1}},
}


@pytest.mark.conformance(
    name="reconcile-drift-is-put-right",
    level="core",
    requires=[CHILDREN],
    fault=[
        faults.repairs_refused.shows("workload: spec.replicas is 1, and not 0", "workload service: spec.selector"),
        faults.routes_not_changed.shows("route: spec.rules"),
    ],
    checks=["route", "pool"],
)
def test_drift_is_put_right(throwaway: Throwaway, record: Record) -> None:
    """Every child that somebody changes is soon as it was, and every one that somebody deletes is there again."""
    with throwaway("drift", _placed_nowhere) as other:
        children = {each.part: each for each in relatives.expected(other)}
        before = _portrait(other, children)
        for part in (each for each in _CHANGES if each in children):
            child = children[part]
            other.kube.patch(child.kind, child.name, child.namespace, _CHANGES[part])
        _await_likeness(other, children, before, "changed", record)
        for child in (each for each in children.values() if each.kind != SECRET):
            other.kube.delete(child.kind, child.name, child.namespace)
        _await_likeness(other, children, before, "deleted", record)


@pytest.mark.conformance(
    name="reconcile-idle-writes-nothing",
    level="core",
    fault=fighting.somebody_fights.shows("route: ", "manager", "somebody"),
)
def test_idle_writes_nothing(service: LlmService) -> None:
    """While nobody changes anything, nobody writes the service or its children: their resourceVersions stand still."""
    before = _versions(service)

    def stand_still() -> None:
        moved = [part for part, version in _versions(service).items() if before[part] != version]
        check(not moved, "resourceVersions that stand still", f"written meanwhile: {', '.join(moved)}")

    try:
        consistently("nobody writes", stand_still, for_seconds=_IDLE_SECONDS, pause=1.0)
    except NotHeld:
        lines = [
            f"{each}: {before[each]} -> {version}, written by {', '.join(_writers(service, each, before[each]))}"
            for each, version in _versions(service).items()
            if before[each] != version
        ]
        raise Violation(
            f"the service and its children not to be written for {_IDLE_SECONDS:g} s in which nothing is asked of them",
            bullets(lines),
            cause="two controllers that do not agree put right what the other wrote, for ever: load on the API server,"
            " and proxies are told of each change",
            next_step=service.kubectl("get", LLM_SERVICE.resource, service.name, "-o", "yaml", "--show-managed-fields"),
        ) from None


def _placed_nowhere(made: list[Document]) -> list[Document]:
    """A service whose servers find no node: a replica that somebody adds takes no accelerator."""
    for document in made:
        if document["kind"] == "LLMInferenceService":
            document["spec"].setdefault("template", {})["nodeSelector"] = dict(_NOWHERE)
    return made


def _portrait(service: LlmService, children: dict[str, Child]) -> dict[str, Any]:
    return relatives.portrait(service, list(children.values()), whole=True)


def _await_likeness(
    service: LlmService, children: dict[str, Child], wanted: dict[str, Any], what: str, record: Record
) -> None:
    budget = seconds("drift-put-right")

    def like() -> None:
        lines = relatives.unlike(wanted, _portrait(service, children))
        check(
            not lines,
            f"children that were {what} to be as before",
            bullets(lines),
            cause="the controller does not see it (it does not run, or lost its watch), may not write, or keeps what it"
            " finds",
            next_step=service.kube.kubectl(
                "-n", service.controller.namespace, "logs", f"deployment/{service.controller.name}", "--tail=50"
            ),
        )

    found = eventually(f"children that were {what} to be as before", like, budget=budget, in_a_row=2)
    record(f"until what was {what} is put right", found.seconds, budget)


def _parts(service: LlmService) -> dict[str, tuple[Kind, str]]:
    """The service and what KServe makes of it, by its part."""
    return {"the service": (LLM_SERVICE, service.name), **service.children}


def _versions(service: LlmService) -> dict[str, str]:
    """resourceVersions by part; of what is not there it is empty."""
    found = {part: service.kube.find(kind, name, service.namespace) for part, (kind, name) in _parts(service).items()}
    return {part: each["metadata"]["resourceVersion"] if each else "" for part, each in found.items()}


def _writers(service: LlmService, part: str, since: str) -> list[str]:
    """Who has written an object since a version, and goes on writing it: of two only the last is told in the object."""
    kind, name = _parts(service)[part]
    changes = service.kube.watch(
        kind, service.namespace, since, fields=f"metadata.name={name}", seconds=_LISTENING_SECONDS
    )
    found = [hand for kind_of, each in changes if kind_of == "MODIFIED" for hand in hands(each, ())]
    return sorted({each.partition(" at ")[0] for each in found})
