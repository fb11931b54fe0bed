"""Counters before and after: N requests at the gateway are N at the picker and N over the servers."""

from collections.abc import Mapping
from dataclasses import dataclass

from tools.explain import Violation
from tools.kube.llm_service import LlmService
from tools.metrics import picker, scrape, vllm
from tools.secret import Secret


@dataclass(frozen=True)
class Counts:
    """Requests that components have counted since they started.

    Attributes:
        picked: by picker pod.
        finished: by server pod.
    """

    picked: Mapping[str, float]
    finished: Mapping[str, float]


def count(service: LlmService, token: Secret) -> Counts:
    """Read all counters; `token` may read the picker's metrics."""
    picked = {pod: found.total(picker.REQUESTS) for pod, found in scrape.pickers(service, token).items()}
    return Counts(picked, finished_by_pod(service))


def finished_by_pod(service: LlmService) -> dict[str, float]:
    """Requests that each server pod has answered to the end."""
    return {pod: vllm.finished(found) for pod, found in scrape.servers(service).items()}


def moved(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """How far each pod's counter moved.

    Raises:
        Violation: pods came, went or began to count anew, so nothing can be said about the requests between.
    """
    if before.keys() != after.keys() or any(after[pod] < before[pod] for pod in before):
        raise Violation(
            "the same pods, counting on, before and after the requests",
            f"before {_told(before)}; after {_told(after)}",
            cause="a pod was replaced or a container restarted under the requests",
        )
    return {pod: after[pod] - before[pod] for pod in before}


def _told(counts: Mapping[str, float]) -> str:
    return ", ".join(f"{pod}: {value:.0f}" for pod, value in counts.items()) or "no pods"
