"""HTTP to a port inside a pod, through the API server and the kubelet: works from wherever kubectl works.

A forwarded connection comes from inside the pod, so neither NetworkPolicy nor the mesh's mTLS is in its way, and a
bearer token reaches the pod unchanged (the API server's own proxy may strip it).
"""

import http.client
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from kubernetes import client, stream
from websocket import WebSocketException

from tools.kube.client import Kube
from tools.kube.errors import KubeError
from tools.openai.chunked import pieces

_SECONDS = 15.0
# The longest header and payload of a TLS record.
_RECORD = 5 + 2**14


@dataclass(frozen=True)
class PodReply:
    """What a pod's port answered.

    Attributes:
        url: in the form `pod/NAME:PORT/path`, for messages.
        status: HTTP status.
        headers: names in lower case.
        body: decoded text.
    """

    url: str
    status: int
    headers: Mapping[str, str]
    body: str


def get_from_pod(
    kube: Kube, namespace: str, pod: str, port: int, path: str, headers: Mapping[str, str] | None = None
) -> PodReply:
    """GET a path of a port inside a pod.

    Raises:
        KubeError: the pod could not be reached or did not speak HTTP.
    """
    return ask_pod(kube, namespace, pod, port, "GET", path, headers)


def ask_pod(
    kube: Kube,
    namespace: str,
    pod: str,
    port: int,
    method: str,
    path: str,
    headers: Mapping[str, str] | None = None,
    body: str | None = None,
    seconds: float = _SECONDS,
) -> PodReply:
    """Send any request to a port inside a pod.

    Args:
        kube: the cluster.
        namespace, pod, port: where.
        method, path: of the request.
        headers: with `Transfer-Encoding: chunked` the body goes in chunks.
        body: sent as UTF-8.
        seconds: that each read may take.

    Raises:
        KubeError: the pod could not be reached or did not speak HTTP.
    """
    url = f"pod/{pod}:{port}{path}"
    sent = {"Connection": "close", **(headers or {})}
    chunked = "transfer-encoding" in {name.lower() for name in sent}
    content = None if body is None else pieces(body) if chunked else body.encode()
    with _forwarded(kube, namespace, pod, port, f"{method} {url}") as socket:
        socket.settimeout(seconds)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
        connection.sock = socket
        connection.request(method, path, content, sent, encode_chunked=chunked)
        answer = connection.getresponse()
        text = answer.read().decode(errors="replace")
        return PodReply(url, answer.status, {key.lower(): value for key, value in answer.getheaders()}, text)


def speaks_tls(kube: Kube, namespace: str, pod: str, port: int) -> bool | None:
    """Whether a port inside a pod answers a TLS greeting in TLS; None where nothing listens there.

    Who it is does not matter here, only whether it speaks TLS: nothing is sent, so no certificate is checked.
    """
    greeting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    greeting.check_hostname, greeting.verify_mode = False, ssl.CERT_NONE
    greeting.set_alpn_protocols(["h2", "http/1.1"])
    ours, theirs = ssl.MemoryBIO(), ssl.MemoryBIO()
    hello = greeting.wrap_bio(ours, theirs, server_hostname=pod)
    with suppress(ssl.SSLWantReadError):
        hello.do_handshake()
    try:
        with _forwarded(kube, namespace, pod, port, f"TLS to pod/{pod}:{port}") as socket:
            socket.sendall(theirs.read())
            answer = socket.recv(_RECORD)
    except KubeError:
        return None
    # A record of the handshake, or an alert: both are TLS.
    return answer[:1] in (b"\x16", b"\x15")


@contextmanager
def _forwarded(kube: Kube, namespace: str, pod: str, port: int, what: str) -> Iterator[Any]:
    """A socket to a port inside a pod; what goes wrong with it is a KubeError about `what`."""
    # An API client of its own: the streaming call replaces a method of the one it uses while it connects.
    api = kube.new_api_client()
    forward: Any = None
    try:
        core = client.CoreV1Api(api)
        connect = core.connect_get_namespaced_pod_portforward
        forward = stream.portforward(connect, pod, namespace, ports=str(port), _request_timeout=_SECONDS)
        # Its thread ends with `close`, which leaves the connection open where the API server was the first to close.
        forward.websocket.close = forward.websocket.shutdown
        socket = forward.socket(port)
        socket.settimeout(_SECONDS)
        yield socket
    except client.ApiException as error:
        raise KubeError(f"port-forward for {what}", error.status or 0, str(error.reason)) from None
    except (OSError, http.client.HTTPException, WebSocketException) as error:
        # What the kubelet said about the port, if it said anything, is the better explanation.
        said = forward.error(port) if forward is not None else ""
        raise KubeError(
            f"{what} in namespace {namespace}", 0, str(said or f"{type(error).__name__}: {error}")
        ) from None
    finally:
        if forward is not None:
            forward.close()
        api.close()


@contextmanager
def posted_to_pod(kube: Kube, namespace: str, pod: str, port: int, path: str, body: str) -> Iterator[None]:
    """A JSON body posted to a port inside a pod, whose answer nobody reads; leaving it cuts the connection.

    Raises:
        KubeError: the pod could not be reached.
    """
    api = kube.new_api_client()
    forward: Any = None
    try:
        connect = client.CoreV1Api(api).connect_get_namespaced_pod_portforward
        forward = stream.portforward(connect, pod, namespace, ports=str(port), _request_timeout=_SECONDS)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_SECONDS)
        connection.sock = forward.socket(port)
        connection.request("POST", path, body, {"Connection": "close", "Content-Type": "application/json"})
        yield
    except client.ApiException as error:
        raise KubeError(f"port-forward to pod/{pod}:{port}", error.status or 0, str(error.reason)) from None
    finally:
        if forward is not None:
            # Its thread may die of what still comes, and would leave both of its ends open.
            forward.websocket.shutdown()
            forward.close()
            forward.local_ports[port].python.close()
        api.close()
