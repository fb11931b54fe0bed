"""Services of other shapes than the one under test: each gets what its specification calls for, or is told why not."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from fixtures.throwaway import Throwaway
from tools.cases.capabilities import ACCOUNTS
from tools.explain import Violation, bullets, check
from tools.faults import controller_writes as faults
from tools.faults import controllers
from tools.kube import relatives
from tools.kube.client import Object
from tools.kube.conditions import conditions
from tools.kube.convergence import NotConverged, Selection, converge
from tools.kube.family import wrong_with
from tools.kube.kinds import DEPLOYMENT, LLM_SERVICE, POOL
from tools.kube.llm_service import LlmService, not_ready
from tools.kube.platform import Platform
from tools.manifests import Document
from tools.manifests.names import picker_service
from tools.waiting.eventually import eventually
from tools.waiting.patience import unhurried
from tools.waiting.timeouts import seconds

# With the longest suffixes beyond 63 characters, so that KServe hashes.
_LONG = "a-release-with-a-name-as-long-as-pipelines-make"
_MISSING = "no-such-config"
_NOWHERE = {"llmisvc-conformance/nowhere": "true"}


@pytest.mark.conformance(
    name="reconcile-new-service-is-seen",
    level="core",
    fault=[
        faults.controller_mute.shows("has seen generation None of 1", "may not write"),
        controllers.kserve_stopped.shows("webhook", "llmisvc-controller-manager"),
    ],
)
def test_new_service_is_seen(throwaway: Throwaway, platform: Platform) -> None:
    """A new service is looked at within a minute: its status is about its generation, and has conditions."""
    with throwaway("seen", ready=False) as other:

        def lacking(found: list[Object]) -> str:
            status = found[0].get("status", {}) if found else {}
            observed, generation = status.get("observedGeneration"), found[0]["metadata"]["generation"] if found else 0
            if observed == generation and status.get("conditions"):
                return ""
            said = len(status.get("conditions", []))
            return f"the controller has seen generation {observed} of {generation}, and set {said} conditions"

        try:
            chosen = Selection(LLM_SERVICE, other.namespace, other.name)
            converge(other.kube, "a new service to be seen", chosen, lacking, budget=seconds("service-seen"))
        except NotConverged as error:
            raise Violation(
                f"a new service to be seen within {error.budget:g} s",
                error.lacking,
                cause=f"{_controllers(platform)}; it is not elected, or may not write (its RBAC, a policy)",
                next_step=platform.kube.kubectl(
                    "-n", platform.controller.namespace, "logs", f"deployment/{platform.controller.name}", "--tail=50"
                ),
            ) from None


@pytest.mark.conformance(
    name="reconcile-picker-waits-for-nobody",
    level="core",
    fault=faults.pickers_not_made.shows("there is no such Deployment", "SchedulerReconcileError"),
    checks=["picker"],
)
def test_picker_waits_for_nobody(throwaway: Throwaway) -> None:
    """The picker is made at once, also where no server has started: a first installation must not wait in a circle."""

    def nowhere(made: list[Document]) -> list[Document]:
        for document in made:
            if document["kind"] == "LLMInferenceService":
                document["spec"].setdefault("template", {})["nodeSelector"] = dict(_NOWHERE)
        return made

    with throwaway("circle", nowhere, replicas=1, ready=False) as other:
        _within("a picker beside servers that wait", other, lambda: _picker_beside_waiting(other))


@pytest.mark.conformance(
    name="reconcile-needs-no-scheduler",
    level="extended",
    requires=[ACCOUNTS],
    fault=faults.routes_not_made.shows("there is no such HTTPRoute"),
    checks=["route"],
)
def test_needs_no_scheduler(throwaway: Throwaway) -> None:
    """Without a scheduler the route leads to the Service, without a router there is none; no picker or pool is made."""
    for stem, router, ready in (("plain", {"route": {}}, True), ("bare", None, False)):

        def change(made: list[Document], router: Document | None = router) -> list[Document]:
            for document in made:
                if document["kind"] == "LLMInferenceService":
                    gateway = document["spec"]["router"]["gateway"]
                    document["spec"].pop("router")
                    document["spec"] |= {} if router is None else {"router": router | {"gateway": gateway}}
            return made

        with throwaway(stem, change, ready=False) as other:
            _within(f"a service without a scheduler ({stem})", other, lambda: _whole(other, plain=True))
            if not ready:
                continue
            kinds = {
                each.get("kind")
                for rule in other.child("route")["spec"]["rules"]
                for each in rule.get("backendRefs", [])
            }
            check(
                kinds == {"Service"},
                "every rule of a service without a scheduler to lead to its Service",
                f"they lead to {sorted(map(str, kinds))}",
                cause="rules go on naming a pool that does not exist: every completion is 500",
                next_step=other.kubectl("get", "httproutes.gateway.networking.k8s.io", "-o", "yaml"),
            )


@pytest.mark.conformance(
    name="reconcile-long-names-work",
    level="extended",
    requires=[ACCOUNTS],
    fault=faults.long_names_refused.shows("SchedulerReconcileError"),
)
def test_long_names_work(throwaway: Throwaway) -> None:
    """A service with a long name in a namespace with a long name is Ready, with children whose names are hashed."""

    def renamed(made: list[Document]) -> list[Document]:
        for document in made:
            if document["kind"] == "LLMInferenceService":
                document["metadata"]["name"] = _LONG
            if document["kind"] == "DestinationRule":
                document["spec"]["host"] = picker_service(_LONG)
        return made

    with throwaway("long-names-as-teams-have-them-", renamed, ready=False) as made:
        other = replace(made, name=_LONG)
        _within(f"a service named {_LONG}", other, lambda: _whole(other))


@pytest.mark.conformance(
    name="reconcile-missing-config-is-told",
    level="core",
    fault=faults.controller_mute.shows("PresetsCombined is absent"),
)
def test_missing_config_is_told(throwaway: Throwaway) -> None:
    """A configuration that does not exist is told by its name, and nothing is made meanwhile."""

    def with_missing(made: list[Document]) -> list[Document]:
        for document in made:
            if document["kind"] == "LLMInferenceService":
                document["spec"]["baseRefs"] = [{"name": _MISSING}]
        return made

    with throwaway("lost", with_missing, ready=False) as other:
        _within("a missing configuration to be told", other, lambda: _untold(other))


def _within(what: str, service: LlmService, lacking: Callable[[], list[str]]) -> None:
    def holds() -> None:
        lines = lacking()
        known = [str(each) for each in conditions(service.read()).values() if each.status == "False"]
        check(
            not lines,
            what,
            bullets(lines),
            cause=f"in the controller's words: {'; '.join(known) or 'nothing'}",
            next_step=service.kubectl("describe", LLM_SERVICE.resource, service.name),
        )

    # A service is made in spite of most faults, and needs its time.
    with unhurried():
        eventually(what, holds, budget=seconds("throwaway-shaped"), in_a_row=1)


def _picker_beside_waiting(service: LlmService) -> list[str]:
    found = service.kube.find(DEPLOYMENT, service.children["picker"][1], service.namespace)
    lines = [] if found else [f"there is no such Deployment: {service.children['picker'][1]}"]
    workload = service.kube.find(DEPLOYMENT, service.children["workload"][1], service.namespace) or {}
    waiting = workload.get("status", {}).get("availableReplicas", 0) == 0
    return lines + ([] if waiting else ["the servers did not wait: nothing is shown"])


def _whole(service: LlmService, *, plain: bool = False) -> list[str]:
    found = service.read()
    lines = not_ready(found)
    uid = found["metadata"]["uid"]
    for each in relatives.expected(service, found):
        if each.kind.kind != "Secret":
            lines += wrong_with(each, relatives.find(service.kube, each), uid)
    if plain:
        lines += [f"InferencePool {name} was made" for name in relatives.labelled(service, POOL)]
        picker = service.children["picker"][1]
        lines += [f"Deployment {picker} was made"] if picker in relatives.labelled(service, DEPLOYMENT) else []
    return lines


def _untold(service: LlmService) -> list[str]:
    found = service.read()
    known = conditions(found).get("PresetsCombined")
    if known is None:
        return ["PresetsCombined is absent"]
    words = f"{known.reason} {known.message}"
    lines = [] if known.status == "False" and _MISSING in words else [f"{known}, which does not name {_MISSING}"]
    ready = conditions(found).get("Ready")
    lines += [f"{ready}, though nothing could be combined"] if ready is not None and ready.status == "True" else []
    made = relatives.labelled(service, DEPLOYMENT)
    return lines + ([f"Deployments were made: {', '.join(sorted(made))}"] if made else [])


def _controllers(platform: Platform) -> str:
    """The controller's Deployment as it is, in words."""
    place = platform.controller
    found = platform.kube.find(DEPLOYMENT, place.name, place.namespace)
    if found is None:
        return f"there is no Deployment {place}"
    image = found["spec"]["template"]["spec"]["containers"][0]["image"]
    ready = found.get("status", {}).get("readyReplicas", 0)
    return f"Deployment {place} ({image}) has {ready} of {found['spec'].get('replicas', 1)} replicas ready"
