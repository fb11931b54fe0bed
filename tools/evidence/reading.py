"""Reads for evidence: each thing once, whoever asks for it, and refusals in words."""

import json
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from functools import partial
from typing import Any

from tools.kube.client import Kube, Object
from tools.kube.errors import KubeError
from tools.kube.kinds import DEPLOYMENT, POD, Kind
from tools.kube.llm_service import Place
from tools.kube.port_forward import get_from_pod

# How the client of port-forwards words a refusal: status, headers, and the API server's Status object.
_HANDSHAKE = re.compile(r'Handshake status (?P<status>\d+)(?:.*?"message":"(?P<message>(?:[^"\\]|\\.)*)")?', re.DOTALL)
_LONGEST_MESSAGE = 300


class Unread(Exception):
    """Something could not be read; its text says what, and why not."""


class Reader:
    """A cluster as it is now, shared by all parts of a piece of evidence.

    Args:
        kube: the cluster; only read from.
    """

    def __init__(self, kube: Kube) -> None:
        self._kube = kube
        self._lock = threading.Lock()
        self._found: dict[tuple[Any, ...], Future[Any]] = {}

    def objects(self, kind: Kind, namespace: str, labels: str = "") -> list[Object]:
        """Objects of a kind in a namespace; they are shared and must not be changed.

        Raises:
            Unread: refused, no answer, or no such kind.
        """
        what = f"list {kind.plural} in namespace {namespace}"
        read = partial(self._kube.objects, kind, namespace, labels=labels)
        found: list[Object] = self._once((kind, namespace, labels), what, read)
        return found

    def pods_of(self, deployment: Place) -> list[Object]:
        """Pods that a Deployment selects.

        Raises:
            Unread: as above, also when there is no such Deployment.
        """
        key = (DEPLOYMENT, deployment)
        what = f"get deployment {deployment.name} in namespace {deployment.namespace}"
        found = self._once(key, what, partial(self._kube.get, DEPLOYMENT, deployment.name, deployment.namespace))
        selector = found["spec"]["selector"].get("matchLabels", {})
        return self.objects(POD, deployment.namespace, ",".join(f"{name}={value}" for name, value in selector.items()))

    def log(self, namespace: str, pod: str, container: str, lines: int, *, previous: bool = False) -> str:
        """The end of a container's log.

        Raises:
            Unread: refused, no answer, or no log.
        """
        what = f"get the log of pod {namespace}/{pod} {container}"
        key = (namespace, pod, container, lines, previous)
        read = partial(self._kube.logs, pod, namespace, container, lines=lines, previous=previous)
        return str(self._once(key, what, read))

    def ask_pod(self, namespace: str, pod: str, port: int, path: str, headers: Mapping[str, str] | None = None) -> str:
        """What a port inside a pod answers to a GET.

        Raises:
            Unread: it could not be asked, or did not answer with 200.
        """
        what = f"port-forward to pod {namespace}/{pod}:{port}"
        read = partial(get_from_pod, self._kube, namespace, pod, port, path, headers)
        reply = self._once((namespace, pod, port, path), what, read)
        if reply.status != 200:
            raise Unread(f"GET {reply.url} answered {reply.status}: {reply.body[:_LONGEST_MESSAGE]}")
        return str(reply.body)

    def _once(self, key: tuple[Any, ...], what: str, read: Callable[[], Any]) -> Any:
        with self._lock:
            found = self._found.get(key)
            mine = found is None
            if found is None:
                found = self._found[key] = Future()
        if mine:
            try:
                found.set_result(read())
            except Exception as error:
                # Whoever else waits for it has to hear of it.
                found.set_exception(error)
        try:
            return found.result()
        except KubeError as error:
            raise Unread(told(what, error)) from None


def told(what: str, error: KubeError) -> str:
    """Why something could not be read, with the verb that is missing where it is forbidden. Pure."""
    handshake = _HANDSHAKE.search(error.message)
    status = int(handshake["status"]) if handshake else error.status
    message = json.loads(f'"{handshake["message"] or ""}"') if handshake else error.message
    message = message[:_LONGEST_MESSAGE]
    if status in (401, 403):
        return f"not allowed to {what} ({status}: {message})"
    if status == 404:
        return f"cannot {what}: there is no such thing on this cluster (404: {message})"
    return f"could not {what}: {status or 'no answer'}: {message}"


def guarded(read: Callable[[], Iterable[str]]) -> Iterator[str]:
    """Lines, or the one that says why there are none."""
    try:
        yield from read()
    except Unread as error:
        yield f"({error})"
