"""Faults of a registry that answers: a stand-in of our own on the server's node, which knows no image or gives none."""

import json
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from tools.faults.fault import fault
from tools.faults.revision import beside, waits
from tools.kube import pods
from tools.kube.client import Object
from tools.kube.convergence import Selection, converge, gone
from tools.kube.kinds import NAMESPACE, POD
from tools.kube.labels import made_for
from tools.kube.llm_service import LlmService
from tools.waiting.timeouts import seconds

# What a registry says, by its status: the API's own error codes.
_ERRORS = {401: "UNAUTHORIZED", 403: "DENIED", 404: "MANIFEST_UNKNOWN"}
_SCRIPT = """
import http.server, sys
class Registry(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        inside = "/manifests/" in self.path or "/blobs/" in self.path
        self.send_response(int(sys.argv[2]) if inside else 200)
        self.send_header("Content-Type", "application/json")
        if inside and sys.argv[2] == "401":
            self.send_header("WWW-Authenticate", 'Basic realm="stand-in"')
        body = sys.argv[3].encode() if inside else b"{}"
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)
    do_HEAD = do_GET
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Registry).serve_forever()
"""


@fault()
def image_tag_missing(service: LlmService) -> Iterator[None]:
    """A second server pod has an image whose tag its registry does not know."""
    with _image_of_registry(service, 404):
        yield


@fault()
def image_forbidden(service: LlmService) -> Iterator[None]:
    """A second server pod has an image that its registry gives to others only."""
    with _image_of_registry(service, 403):
        yield


@fault()
def image_without_credentials(service: LlmService) -> Iterator[None]:
    """A second server pod has an image whose registry wants credentials, and has none for it."""
    with _image_of_registry(service, 401):
        yield


@contextmanager
def _image_of_registry(service: LlmService, status: int) -> Iterator[None]:
    with _registry(service, status) as host:

        def change(_: Object, container: Object) -> None:
            container["image"] = f"{host}/rhaiis/vllm:none"
            container["imagePullPolicy"] = "IfNotPresent"

        # Not the first moment: what was said stays in the message of the back-off.
        with beside(service, change, waits("ImagePullBackOff")):
            yield


@contextmanager
def _registry(service: LlmService, status: int) -> Iterator[str]:
    """A registry in the network of the server's node; yields its host and port."""
    kube, namespace, server = service.kube, service.namespace, service.pods()[0]
    name = f"registry-{status}"
    # Of any two services on a node each has its own.
    port = 40000 + zlib.crc32(f"{namespace}/{name}".encode()) % 8000
    error = json.dumps({"errors": [{"code": _ERRORS[status], "message": "said by a stand-in of llmisvc-conformance"}]})
    probe = {"tcpSocket": {"host": "127.0.0.1", "port": port}, "periodSeconds": 1}
    container = {
        "name": "registry",
        # Python is in it, and it is on the node.
        "image": next(each["image"] for each in server["spec"]["containers"] if each["name"] == "main"),
        "imagePullPolicy": "IfNotPresent",
        "command": ["python3", "-c", _SCRIPT, str(port), str(status), error],
        "readinessProbe": probe,
    }
    spec = {
        "nodeName": server["spec"]["nodeName"],
        "hostNetwork": True,
        "terminationGracePeriodSeconds": 0,
        "tolerations": [{"operator": "Exists"}],
        "containers": [container],
    }
    labels = made_for(kube.get(NAMESPACE, namespace), name)
    kube.apply(
        {
            "apiVersion": POD.api,
            "kind": POD.kind,
            "metadata": {"name": name, "namespace": namespace, "labels": labels},
            "spec": spec,
        }
    )
    chosen = Selection(POD, namespace, name)
    try:
        converge(kube, "a registry of our own", chosen, _is_up, budget=seconds("fault-effect"))
        yield f"localhost:{port}"
    finally:
        kube.delete(POD, name, namespace)
        converge(kube, "the registry to be gone", chosen, gone, budget=seconds("fault-recovery"))


def _is_up(found: list[Object]) -> str:
    return "" if found and pods.is_ready(found[0]) else "; ".join(pods.line(each) for each in found) or "no pod"
