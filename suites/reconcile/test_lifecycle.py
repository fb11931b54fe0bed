"""Stop, start, edit and delete: the service does what it is told, whole, and in time."""

from collections.abc import Callable

import pytest

from fixtures.measure import Record
from fixtures.throwaway import Throwaway
from tools.cases.capabilities import CHILDREN, TRAFFIC
from tools.explain import Violation, bullets, check
from tools.faults import controller_writes as faults
from tools.faults import finalizers
from tools.kube import relatives
from tools.kube.client import Object
from tools.kube.conditions import conditions
from tools.kube.convergence import NotConverged, Selection, converge, gone
from tools.kube.family import Child
from tools.kube.kinds import CLUSTER_ROLE_BINDING, DEPLOYMENT, LLM_SERVICE, ROLE, ROLE_BINDING
from tools.kube.llm_service import SERVER_CONTAINER, LlmService, not_ready
from tools.manifests import Document
from tools.waiting.eventually import eventually
from tools.waiting.timeouts import seconds

_KEPT = (ROLE, ROLE_BINDING, CLUSTER_ROLE_BINDING)
_STOP = "serving.kserve.io/stop"
_NOWHERE = {"llmisvc-conformance/nowhere": "true"}


@pytest.mark.conformance(
    name="reconcile-stops-and-starts",
    level="core",
    requires=[CHILDREN],
    fault=faults.removals_refused.shows("is still there", "Deployment vllm-gemma-kserve (workload)"),
)
def test_stops_and_starts(throwaway: Throwaway, record: Record) -> None:
    """A service that is stopped by its annotation runs nothing and says so; started again it is as it was."""
    with throwaway("stop") as other:
        # KServe 0.19 forgets the picker's Role and bindings, which grant nothing without an account: docs/kserve.md.
        children = [each for each in relatives.expected(other) if each.kind not in _KEPT]
        before = relatives.portrait(other, children, whole=True)
        _annotate(other, "true")
        _within("service-stopped", other, "a service to be stopped", lambda: _running(other, children), record)
        _annotate(other, None)
        what = "a service that was stopped to be as before"
        _within("service-stopped", other, what, lambda: _unlike(other, children, before), record)


@pytest.mark.conformance(
    name="reconcile-edits-take-effect",
    level="core",
    requires=[CHILDREN],
    fault=[
        faults.repairs_refused.shows("the servers' Deployment", "does not have the new environment"),
        faults.routes_not_changed.shows("the route's rules do not name the new model"),
    ],
    checks=["route"],
)
def test_edits_take_effect(throwaway: Throwaway, record: Record) -> None:
    """A changed environment, model name or number of replicas is at once in the servers' Deployment and the route."""
    with throwaway("edit", _placed_nowhere) as other:
        found = other.read()["spec"]
        containers = found["template"]["containers"]
        containers[0]["env"] = [*containers[0].get("env", []), {"name": "EDITED", "value": "yes"}]
        generation = other.child("workload")["metadata"]["generation"]
        edit = {"template": {"containers": containers}, "model": {"name": "edited/model"}, "replicas": 1}
        other.kube.patch(LLM_SERVICE, other.name, other.namespace, {"spec": edit})
        _within("edit-rolled-out", other, "an edit to be in effect", lambda: _unedited(other, generation), record)
        # Without replicas in the service, whoever scales the Deployment decides (an autoscaler does).
        other.kube.patch(LLM_SERVICE, other.name, other.namespace, {"spec": {"replicas": None}})
        _within("edit-rolled-out", other, "replicas to be left to others", lambda: _unseen(other), record)
        name = other.children["workload"][1]
        other.kube.patch(DEPLOYMENT, name, other.namespace, {"spec": {"replicas": 2}})
        edit = {"template": {"containers": [containers[0] | {"env": [{"name": "EDITED", "value": "twice"}]}]}}
        other.kube.patch(LLM_SERVICE, other.name, other.namespace, {"spec": edit})
        _within(
            "edit-rolled-out", other, "replicas of an autoscaler to outlive an edit", lambda: _rescaled(other), record
        )


@pytest.mark.conformance(
    name="reconcile-deletion-leaves-nothing",
    level="core",
    requires=[CHILDREN, TRAFFIC],
    fault=[
        faults.bindings_kept.shows("finalizers: serving.kserve.io/llmisvc-finalizer", "ClusterRoleBinding"),
        finalizers.finalizer_of_somebody.shows("finalizers: ", "example.com/kept", "somebody else"),
    ],
    checks=["route", "gateway"],
)
def test_deletion_leaves_nothing(throwaway: Throwaway, record: Record) -> None:
    """A deleted service is gone in time, with every child, cluster-wide ones too, and the gateway knows it no more."""
    with throwaway("gone") as other:
        children, url = relatives.expected(other), other.url
        client = other.connection.client(url, "llmisvc-conformance (deletion)")
        try:
            before = client.models().status
            other.kube.delete(LLM_SERVICE, other.name, other.namespace)
            _await_deletion(other, record)
            left = seconds("service-removed")
            eventually("every child to be gone", lambda: _none_left(other, children), budget=left, in_a_row=1)
            eventually("the gateway to answer 404", lambda: _unknown(client.models().status, before, url), budget=left)
        finally:
            client.close()


def _placed_nowhere(made: list[Document]) -> list[Document]:
    for document in made:
        if document["kind"] == "LLMInferenceService":
            document["spec"].setdefault("template", {})["nodeSelector"] = dict(_NOWHERE)
    return made


def _annotate(service: LlmService, value: str | None) -> None:
    body = {"metadata": {"annotations": {_STOP: value}}}
    service.kube.patch(LLM_SERVICE, service.name, service.namespace, body)


def _within(budget: str, service: LlmService, what: str, lacking: Callable[[], list[str]], record: Record) -> None:
    """Wait until nothing is lacking, and record how long it took."""

    def holds() -> None:
        lines = lacking()
        check(
            not lines,
            what,
            bullets(lines),
            cause="the controller does not run, may not write, or failed on it: its log and the service's events tell",
            next_step=service.kubectl("describe", LLM_SERVICE.resource, service.name),
        )

    found = eventually(what, holds, budget=seconds(budget), in_a_row=1)
    record(f"for {what}", found.seconds, found.budget)


def _running(service: LlmService, children: list[Child]) -> list[str]:
    """What is left of a service that should be stopped."""
    lines = [f"{each} is still there" for each in children if relatives.find(service.kube, each) is not None]
    found = service.read()
    known = conditions(found)
    lines += [
        f"{known.get(name, f'{name} is absent')}, and not False for Stopped"
        for name in ("Ready", "MainWorkloadReady", "HTTPRoutesReady", "InferencePoolReady", "SchedulerWorkloadReady")
        if name not in known or (known[name].status, known[name].reason) != ("False", "Stopped")
    ]
    if found["status"].get("addresses"):
        lines.append(f"status.addresses still has {len(found['status']['addresses'])}")
    return lines


def _unlike(service: LlmService, children: list[Child], before: dict[str, Object | None]) -> list[str]:
    lines = relatives.unlike(before, relatives.portrait(service, children, whole=True))
    return lines or not_ready(service.read())


def _unedited(service: LlmService, generation: int) -> list[str]:
    deployment = service.child("workload")
    container = next(
        each for each in deployment["spec"]["template"]["spec"]["containers"] if each["name"] == SERVER_CONTAINER
    )
    edited = {"name": "EDITED", "value": "yes"} in container.get("env", [])
    lines = [] if edited else ["the servers' Deployment does not have the new environment"]
    served = " ".join([*container.get("command", []), *container.get("args", [])])
    lines += [] if "edited/model" in served else ["the servers are not started with the new model name"]
    lines += [] if deployment["spec"]["replicas"] == 1 else [f"it has {deployment['spec']['replicas']} replicas, not 1"]
    lines += [] if deployment["metadata"]["generation"] > generation else ["its generation is the old one"]
    headers = [
        header["value"]
        for rule in service.child("route")["spec"]["rules"]
        for match in rule.get("matches", [])
        for header in match.get("headers", [])
    ]
    if headers and not all("edited/model" in each for each in headers):
        lines.append(f"the route's rules do not name the new model, but {sorted(set(headers))}")
    return lines


def _unseen(service: LlmService) -> list[str]:
    found = service.read()
    observed, generation = found["status"].get("observedGeneration"), found["metadata"]["generation"]
    return [] if observed == generation else [f"the controller has seen generation {observed} of {generation}"]


def _rescaled(service: LlmService) -> list[str]:
    deployment = service.child("workload")
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    lines = [] if {"name": "EDITED", "value": "twice"} in container.get("env", []) else ["the second edit is not there"]
    return lines + (
        [] if deployment["spec"]["replicas"] == 2 else [f"replicas are {deployment['spec']['replicas']}, not 2"]
    )


def _await_deletion(service: LlmService, record: Record) -> None:
    budget = seconds("service-removed")
    chosen = Selection(LLM_SERVICE, service.namespace, service.name)
    try:
        found = converge(service.kube, "a deleted service to be gone", chosen, gone, budget=budget)
    except NotConverged as error:
        held = [each for item in error.last for each in item["metadata"].get("finalizers", [])]
        foreign = [each for each in held if not each.startswith("serving.kserve.io/")]
        cause = (
            f"somebody else put {', '.join(foreign)} on it, and does not take it off"
            if foreign
            else "KServe's finalizer deletes the picker's ClusterRoleBinding first: it may not, or does not run"
        )
        raise Violation(
            f"a deleted service to be gone within {error.budget:g} s",
            error.lacking,
            cause=cause,
            next_step=service.kubectl("get", LLM_SERVICE.resource, service.name, "-o", "yaml"),
        ) from None
    record("until a deleted service is gone", found.seconds, budget)


def _none_left(service: LlmService, children: list[Child]) -> None:
    left = [str(each) for each in children if relatives.find(service.kube, each) is not None]
    check(
        not left,
        "no child of a service that is gone",
        f"still there: {bullets(left)}",
        cause="it has no owner, so that nobody collects it: it goes on taking traffic or granting rights",
        next_step=service.kubectl("get", "all,httproute,inferencepools.inference.networking.k8s.io"),
    )


def _unknown(status: int, before: int, url: str) -> None:
    check(
        status == 404,
        f"404 at {url}, whose service is gone",
        f"{status} (and {before} while it was there)",
        cause="a route to it is left, or the gateway was not told that it is gone",
        next_step=f"curl -i {url}/v1/models",
    )
