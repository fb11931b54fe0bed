"""Servers asked inside of their own pods: nothing is on the way, so that what is seen is the server's own doing."""

import json
from collections.abc import Mapping
from typing import Any

from tools.kube.client import Object
from tools.kube.llm_service import LlmService
from tools.kube.port_forward import PodReply, ask_pod
from tools.metrics.scrape import server_port
from tools.secret import Secret
from tools.waiting.timeouts import seconds

_JSON = {"Content-Type": "application/json"}


def get(service: LlmService, pod: Object, path: str) -> PodReply:
    """GET a path of a server.

    Raises:
        KubeError: it did not answer.
    """
    return _ask(service, pod, "GET", path, {}, None, seconds("port-forward"))


def send(
    service: LlmService, pod: Object, path: str, body: str, headers: Mapping[str, str], within: float | None = None
) -> PodReply:
    """POST a body as it is.

    Args:
        service: whose server.
        pod: the server's.
        path: where.
        body, headers: as they are sent.
        within: seconds that each read may take; by default the timeout `port-forward`.

    Raises:
        KubeError: it did not answer.
    """
    return _ask(service, pod, "POST", path, headers, body, within or seconds("port-forward"))


def complete(service: LlmService, pod: Object, model: str, within: float | None = None, **fields: Any) -> PodReply:
    """POST /v1/completions.

    Raises:
        KubeError: it did not answer.
    """
    body = {"model": model, "prompt": "The gate opens", "max_tokens": 1} | fields
    return send(service, pod, "/v1/completions", json.dumps(body), _JSON, within)


def _ask(
    service: LlmService,
    pod: Object,
    method: str,
    path: str,
    headers: Mapping[str, str],
    body: str | None,
    within: float,
) -> PodReply:
    token = service.connection.token
    sent = {"Authorization": Secret(f"Bearer {token}"), **headers} if token else headers
    name = pod["metadata"]["name"]
    return ask_pod(service.kube, service.namespace, name, server_port(pod), method, path, sent, body, within)
