"""Several pickers: one leads, the others stand by."""

from datetime import UTC, datetime

import pytest

from fixtures.throwaway import Throwaway
from tools.explain import bullets, check
from tools.faults import pickers_to_come as faults
from tools.kube import picker_flags, picker_health, pods
from tools.kube.client import Object
from tools.kube.convergence import Selection, converge
from tools.kube.kinds import LEASE, POD
from tools.kube.llm_service import PICKER_LABELS, SERVER_CONTAINER, LlmService
from tools.manifests import Document
from tools.waiting.eventually import eventually
from tools.waiting.patience import unhurried
from tools.waiting.timeouts import seconds

_PICKERS = 2


@pytest.mark.conformance(
    name="picker-leads-alone",
    level="core",
    fault=faults.leaders_not_elected.shows("2 of 2 are Ready", "without --ha-enable-leader-election"),
    checks=["picker"],
)
def test_leads_alone(throwaway: Throwaway) -> None:
    """Of two pickers one is Ready and holds the Lease, the other runs, unready, without ever being restarted."""
    with throwaway("leader", _several) as other:
        _await_running(other)

        def leads() -> None:
            found = other.pickers()
            wrong = [*picker_health.trouble_of_several(found, datetime.now(UTC)), *_lease_trouble(other, found)]
            check(
                not wrong,
                f"{_PICKERS} pickers of which one leads",
                bullets(wrong),
                cause=_cause(found),
                next_step=other.kubectl("get", "pods,leases", "-o", "wide"),
            )

        eventually("one of the pickers to lead", leads, budget=seconds("picker-replaced"))


def _several(made: list[Document]) -> list[Document]:
    for document in made:
        if document["kind"] == "LLMInferenceService":
            document["spec"]["router"]["scheduler"]["replicas"] = _PICKERS
    return made


def _await_running(service: LlmService) -> None:
    def decide(found: list[Object]) -> str:
        states = [(pods.container_status(pod, SERVER_CONTAINER) or {}).get("state", {}) for pod in found]
        running = sum("running" in each for each in states)
        return "" if running == _PICKERS else "; ".join(pods.line(pod) for pod in found) or "no picker pod"

    selection = Selection(POD, service.namespace, labels=PICKER_LABELS.format(name=service.name))
    with unhurried():
        converge(service.kube, f"{_PICKERS} pickers to run", selection, decide, budget=seconds("picker-replaced"))


def _lease_trouble(service: LlmService, found: list[Object]) -> list[str]:
    """What is wrong with the Lease of the pickers: its holder is the one that is Ready."""
    leases = [
        str(each["spec"].get("holderIdentity", ""))
        for each in service.kube.objects(LEASE, service.namespace)
        if each["metadata"]["name"].startswith("epp-")
    ]
    leaders = [pod["metadata"]["name"] for pod in found if pods.is_ready(pod)]
    held = [name for name in leaders for holder in leases if holder.startswith(name)]
    return [] if len(held) == 1 else [f"the Leases of pickers are held by {leases}"]


def _cause(found: list[Object]) -> str:
    containers = [each for pod in found for each in [pods.container(pod, SERVER_CONTAINER)] if each]
    if not all(picker_flags.flags(each).on("ha-enable-leader-election") for each in containers):
        return "they are started without --ha-enable-leader-election: requests are split, and each knows a part of them"
    return (
        "liveness asks for the leader's service, so that others are restarted for ever; or their account may not write"
        " Leases, so that none ever leads"
    )
