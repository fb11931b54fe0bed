"""Faults of the program that answers, while its pods are Ready: the simulator's own, switched on inside of each pod.

A real vLLM has no such switches: against one these faults cannot be put in, and say so. What each does is in
`tools.simulator.faults`.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from tools.faults.fault import fault
from tools.kube.command import run_in_pod
from tools.kube.errors import KubeError
from tools.kube.llm_service import SERVER_CONTAINER, LlmService
from tools.simulator.faults import Fault as Switch

_ADMIN = ("python3", "-m", "tools.simulator.admin")


@fault()
def engine_hangs(service: LlmService) -> Iterator[None]:
    """The engine produces no token any more, and /health goes on being 200."""
    yield from _switched(service, Switch.HANG)


@fault()
def server_slow(service: LlmService) -> Iterator[None]:
    """Every token takes twenty times as long."""
    yield from _switched(service, Switch.SLOW)


@fault()
def engine_fails(service: LlmService) -> Iterator[None]:
    """Every completion is answered 500, while /health and /v1/models go on being 200."""
    yield from _switched(service, Switch.ERROR_5XX)


@fault()
def errors_inside(service: LlmService) -> Iterator[None]:
    """Answers are 200 and have an error inside."""
    yield from _switched(service, Switch.ERROR_IN_BODY)


@fault()
def streams_end_early(service: LlmService) -> Iterator[None]:
    """Servers close the connection of each stream after two events."""
    yield from _switched(service, Switch.CUT_STREAM)


@fault()
def end_mark_missing(service: LlmService) -> Iterator[None]:
    """Streams end without their end mark."""
    yield from _switched(service, Switch.NO_DONE)


@fault()
def streams_in_one_piece(service: LlmService) -> Iterator[None]:
    """Streams come in one piece at their end, with a Content-Length."""
    yield from _switched(service, Switch.CONTENT_LENGTH)


@fault()
def tokens_garbled(service: LlmService) -> Iterator[None]:
    """Every token is an exclamation mark, as vLLM writes when its numbers overflow."""
    yield from _switched(service, Switch.GARBAGE)


@fault()
def another_model_answers(service: LlmService) -> Iterator[None]:
    """Answers name a model that nobody asked for."""
    yield from _switched(service, Switch.WRONG_MODEL)


@fault()
def metrics_frozen(service: LlmService) -> Iterator[None]:
    """The servers' metrics stay what they were."""
    yield from _switched(service, Switch.FROZEN_METRICS)


@fault()
def metrics_renamed(service: LlmService) -> Iterator[None]:
    """The servers' metrics have other names."""
    yield from _switched(service, Switch.RENAMED_METRICS)


@fault()
def ready_too_soon(service: LlmService) -> Iterator[None]:
    """Servers are Ready and answer completions 503, as one that has not loaded its model yet."""
    yield from _switched(service, Switch.READY_TOO_SOON)


def _switched(service: LlmService, switch: Switch) -> Iterator[None]:
    with ExitStack() as every:
        for pod in service.servers():
            every.enter_context(_on(service, pod["metadata"]["name"], switch))
        yield


@contextmanager
def _on(service: LlmService, pod: str, switch: Switch) -> Iterator[None]:
    """A fault on in a pod while entered; the simulator itself says that it is, and that it is no more."""
    try:
        _expect(pod, switch, _told(service, pod, "on", switch), wanted=True)
        yield
    finally:
        _expect(pod, switch, _told(service, pod, "off", switch), wanted=False)


def _told(service: LlmService, pod: str, verb: str, switch: Switch) -> list[str]:
    """Switch, and read which faults are on in a pod."""
    command = [*_ADMIN, verb, switch.value]
    try:
        return run_in_pod(service.kube, service.namespace, pod, command, container=SERVER_CONTAINER).split()
    except KubeError as error:
        raise LookupError(f"only the simulator has a switch for {switch}; in pod {pod}: {error}") from None


def _expect(pod: str, switch: Switch, active: list[str], *, wanted: bool) -> None:
    if (switch.value in active) != wanted:
        raise RuntimeError(f"fault {switch} is {'not on' if wanted else 'still on'} in pod {pod}: {active}")
