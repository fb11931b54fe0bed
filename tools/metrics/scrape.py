"""Scrapes of the pods of a service, each pod by itself: a Service would answer for one of them, chosen by chance."""

from tools.kube import port_forward
from tools.kube.client import Object
from tools.kube.llm_service import SERVER_CONTAINER, LlmService
from tools.kube.pods import container
from tools.metrics import picker
from tools.metrics.exposition import Exposition
from tools.secret import Secret


class ScrapeRefused(Exception):
    """A component answered, but not with its metrics."""


def servers(service: LlmService) -> dict[str, Exposition]:
    """`/metrics` of every model server, by pod."""
    return {pod["metadata"]["name"]: _scrape(service, pod, server_port(pod), None) for pod in service.pods()}


def pickers(service: LlmService, token: Secret) -> dict[str, Exposition]:
    """`/metrics` of every endpoint picker, by pod; `token` is of a service account that may get /metrics."""
    return {pod["metadata"]["name"]: _scrape(service, pod, picker.PORT, token) for pod in service.picker_pods()}


def server_port(pod: Object) -> int:
    """The port that the model server's container declares."""
    found = container(pod, SERVER_CONTAINER)
    return int(found["ports"][0]["containerPort"]) if found else 8000


def _scrape(service: LlmService, pod: Object, port: int, token: Secret | None) -> Exposition:
    headers = {"Authorization": Secret(f"Bearer {token}")} if token else {}
    name = pod["metadata"]["name"]
    reply = port_forward.get_from_pod(service.kube, service.namespace, name, port, "/metrics", headers)
    if reply.status != 200:
        raise ScrapeRefused(f"GET {reply.url} in {service.namespace}: {reply.status}: {reply.body[:200]}")
    return Exposition(reply.body)
