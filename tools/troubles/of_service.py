"""Why a service is not Ready, by its pods first: what they say is nearer to the cause than any condition."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from tools.kube import pods
from tools.kube.errors import KubeError
from tools.kube.kinds import LLM_SERVICE
from tools.kube.llm_service import LlmService
from tools.troubles import conditions, look
from tools.troubles.look import Found
from tools.waiting.history import passes_by
from tools.waiting.timeouts import seconds

# Reading pods, events and ReplicaSets every second would be more than the waiting itself asks for.
_EVERY_SECONDS = 3.0


@dataclass(frozen=True)
class Explained:
    """Why a service is not Ready.

    Attributes:
        cause: the probable one; empty if none is known.
        lines: what was seen, one finding a line.
        next_step: the next command.
    """

    cause: str
    lines: list[str]
    next_step: str


def explain(service: LlmService) -> Explained:
    """Why a service is not Ready; to be asked when it is not."""
    described = service.kubectl("describe", LLM_SERVICE.resource, service.name)
    service_object = service.kube.find(LLM_SERVICE, service.name, service.namespace)
    if service_object is None:
        return Explained("nobody applied it, or it was deleted", [], service.kubectl("get", LLM_SERVICE.resource))
    found = _found(service)
    told = conditions.explain(service_object)
    unwell = [pod for pod in _all_pods(service) if not pods.is_ready(pod)]
    lines = [pods.line(pod) for pod in unwell]
    lines += [each.trouble.what for each in found if each.where not in {pod["metadata"]["name"] for pod in unwell}]
    if chosen := _chosen(found):
        return Explained(chosen.trouble.cause, lines, service.kubectl(*chosen.trouble.command))
    if told is None:
        waits = look.worst(found)
        return Explained(waits.trouble.cause if waits else "", lines, described)
    place = service.controller
    log = service.kube.kubectl("-n", place.namespace, "logs", f"deployment/{place.name}")
    return Explained(told.cause, lines, log if told.log else described)


class Lookout:
    """Looks at a service's pods while it is waited for, and tells when that is of no use any more.

    Args:
        service: that is waited for.
        clock: seconds.
    """

    def __init__(self, service: LlmService, clock: Callable[[], float] = time.monotonic) -> None:
        self._service, self._clock = service, clock
        self._since: dict[tuple[str, str], float] = {}
        self._next = 0.0

    def hopeless(self) -> str:
        """Why waiting is of no use: a state that only a change can end, seen for the time `hopeless`; else empty."""
        now = self._clock()
        if now < self._next:
            return ""
        self._next = now + _EVERY_SECONDS
        try:
            found = [each for each in _found(self._service) if each.trouble.lasting]
        except KubeError as error:
            if not passes_by(error):
                raise
            return ""
        self._since = {_key(each): self._since.get(_key(each), now) for each in found}
        lasting = [each for each in found if now - self._since[_key(each)] >= seconds("hopeless")]
        return f"{lasting[0].where}: {lasting[0].trouble.cause}" if lasting else ""


def _found(service: LlmService) -> list[Found]:
    deployments = [service.kube.find(*service.children[part], service.namespace) for part in ("workload", "picker")]
    uncreated = [row for each in deployments if each is not None for row in look.creation(service.kube, each)]
    return [*look.at(service.kube, service.namespace, _all_pods(service)), *uncreated]


def _all_pods(service: LlmService) -> list[pods.Object]:
    return [*service.pods(), *service.picker_pods()]


def _chosen(found: list[Found]) -> Found | None:
    worst = look.worst(found)
    return worst if worst and worst.trouble.kind not in look.HARMLESS else None


def _key(found: Found) -> tuple[str, str]:
    return found.uid, found.trouble.cause
