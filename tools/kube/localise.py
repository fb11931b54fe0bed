"""Where on its way a request breaks: asked of the server itself, by the Service's rule, and by the pool's rule."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus

from tools.explain import Violation
from tools.kube import picker_path
from tools.kube.client import Object
from tools.kube.errors import KubeError
from tools.kube.llm_service import LlmService
from tools.kube.port_forward import ask_pod
from tools.metrics.scrape import server_port
from tools.openai.client import Client
from tools.openai.reply import Reply

# A broken way to the picker lets a part of the requests through (failureMode), so one alone shows nothing.
PICKED = 3


@dataclass(frozen=True)
class Probes:
    """What came back on each way.

    Attributes:
        direct: of each server pod, asked from inside the pod: nothing if it answered, else why not.
        by_service: a request that the route sends to the Service.
        by_pool: requests that the route sends to the pool.
    """

    direct: dict[str, str]
    by_service: Reply
    by_pool: tuple[Reply, ...]

    @property
    def whole(self) -> bool:
        """Whether all ways are good."""
        return not self.place

    @property
    def place(self) -> str:
        """Where it breaks; empty if it does not."""
        if not self.direct:
            return "there is no server pod"
        if all(self.direct.values()):
            return "at the servers: none answers a completion that is asked of it inside its own pod"
        if any(self.direct.values()):
            return f"at some servers: {sorted(name for name, problem in self.direct.items() if problem)}"
        if self.by_service.status != HTTPStatus.OK:
            return "between gateway and servers (route, Service, policies, mesh): the servers themselves answer"
        if all(each.status == HTTPStatus.OK for each in self.by_pool):
            return ""
        return (
            "between gateway and picker, or by the picker's choice: servers answer, the Service's rule does, the pool's"
            " does not"
        )

    @property
    def told(self) -> list[str]:
        """Each way in a line."""
        servers = [f"server {name}, inside its pod: {problem or 'answers'}" for name, problem in self.direct.items()]
        ways = [f"pool's rule: {each.summary}" for each in self.by_pool]
        return [*servers, f"Service's rule (/v1/models): {self.by_service.summary}", *ways]


def probe(service: LlmService, client: Client) -> Probes:
    """Ask on all three ways."""
    direct = {pod["metadata"]["name"]: _direct(service, pod, client.model) for pod in service.pods()}
    return Probes(direct, client.models(), tuple(client.complete() for _ in range(PICKED)))


def cause(service: LlmService, found: Probes) -> str:
    """Where it breaks, and what is seen to be in the way there."""
    if found.whole:
        return ""
    seen = picker_path.obstacles(service) if "picker" in found.place else []
    return f"it breaks {found.place}" + "".join(f"; {line}" for line in seen)


@contextmanager
def explaining(service: LlmService, client: Client) -> Iterator[None]:
    """Let a failure about a completion say where on its way completions break."""
    try:
        yield
    except Violation as error:
        try:
            where = cause(service, probe(service, client))
        except KubeError:
            raise error from None  # what explains a failure must not take its place
        told = "; ".join(each for each in (error.cause, where) if each)
        raise Violation(
            error.expected, error.observed, cause=told, next_step=error.next_step, details=error.details
        ) from None


def _direct(service: LlmService, pod: Object, model: str) -> str:
    name, port = pod["metadata"]["name"], server_port(pod)
    body = json.dumps({"model": model, "prompt": "The gate opens", "max_tokens": 2})
    headers = {"Content-Type": "application/json"}
    try:
        reply = ask_pod(service.kube, service.namespace, name, port, "POST", "/v1/completions", headers, body)
    except KubeError as error:
        return error.message
    return "" if reply.status == HTTPStatus.OK else f"HTTP {reply.status}: {reply.body[:100]}"
