"""A cluster in memory behind a real API server's doors: a recorded one, to which objects can be added."""

import re
import threading
from pathlib import Path
from typing import Any

from tests.features_world import answers, world
from tests.frame.installed import admitted, complete
from tests.kube_server import KubeServer
from tools.kube.kinds import KNOWN, LLM_SERVICE, NAMESPACE, POD
from tools.kube.llm_service import expected_conditions

Object = dict[str, Any]
IDENTITY = "0b1c6f1e-0000-4000-8000-000000000001"
USER = "eve"
CREDENTIAL = "credential-2f6c9b1e"
_PATH = re.compile(
    r"(?P<root>/api/v1|/apis/[^/]+/[^/]+)(?:/namespaces/(?P<namespace>[^/]+))?"
    r"/(?P<plural>[a-z]+)(?:/(?P<name>[^/]+))?$"
)


class FakeCluster:
    """A cluster with Istio and KServe, as far as a session asks; a LLMInferenceService is Ready when it is applied.

    Args:
        url: of every service.
        without: what is not installed: part of the name of an API group.
        lacking: a condition of services that never becomes True.

    Attributes:
        url: of every service.
        denied: verb and plural of what its user may not do.
        refused: plurals of what KServe's controller may not touch.
        webhook: what the API server says of a webhook that it cannot ask; empty while it can.
        fails: part of a path; when it is asked for, the API server is out of order from then on.
    """

    def __init__(self, url: str = "", without: str = "", lacking: str = "") -> None:
        self.url, self._lacking = url, lacking
        self.denied: set[tuple[str, str]] = set()
        self.fails = ""
        self.refused: set[str] = set()
        self.webhook = ""
        self._is_down = False
        self._lock = threading.Lock()
        self._versions = 0
        self._objects = {kind.path(): [] for kind in KNOWN} | world("gke")
        # A whole API group can be left out, as on a cluster on which something is not installed.
        self._objects = {path: found for path, found in self._objects.items() if not without or without not in path}
        # When it was recorded, its GPU was out of order.
        for node in self._objects["/api/v1/nodes"]:
            node["status"]["allocatable"] = node["status"]["capacity"]
        for each in self._objects["/apis/apps/v1/daemonsets"]:
            each["status"]["numberReady"] = each["status"]["desiredNumberScheduled"]
        crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
        self._objects[crds] = [
            each for each in self._objects[crds] if not without or without not in each["metadata"]["name"]
        ]
        complete(self._objects)
        self._objects[NAMESPACE.path()].append({"metadata": {"name": "kube-system", "uid": IDENTITY}})
        self._read = answers(self._objects)
        self._server = KubeServer(self._answer)

    @property
    def asked(self) -> list[tuple[str, str]]:
        """Method and path of every request."""
        return [(method, path) for method, path, *_ in self._server.asked]

    def kubeconfig(self, directory: Path) -> Path:
        """A kubeconfig for it, with the context of tests.kube_server and a token that no other text has in it."""
        path = self._server.kubeconfig(directory)
        path.write_text(path.read_text().replace("token: secret", f"token: {CREDENTIAL}"))
        return path

    def names(self, plural: str) -> list[str]:
        """Names of the objects of a kind, in all namespaces."""
        return [
            each["metadata"]["name"]
            for path, found in self._objects.items()
            if path.endswith(f"/{plural}")
            for each in found
        ]

    def remove(self, plural: str, name: str) -> None:
        """One object less."""
        for path, found in self._objects.items():
            if path.endswith(f"/{plural}"):
                found[:] = [each for each in found if each["metadata"]["name"] != name]

    def add(self, collection: str, found: Object) -> None:
        """One more object, by the path of its collection."""
        self._objects.setdefault(collection, []).append(found)

    def close(self) -> None:
        """Stop answering."""
        self._server.close()

    def _answer(self, method: str, path: str, query: dict[str, str], body: Any) -> tuple[int, Any]:
        self._is_down = self._is_down or bool(self.fails and self.fails in path)
        if self._is_down:
            return 503, {"message": "etcd has no leader"}
        if path.endswith("/selfsubjectaccessreviews"):
            return 201, {"status": {"allowed": not self._is_denied(body["spec"])}}
        if path.endswith("/subjectaccessreviews"):
            return 201, {"status": {"allowed": body["spec"]["resourceAttributes"]["resource"] not in self.refused}}
        if path.endswith("/selfsubjectreviews"):
            return 201, {"status": {"userInfo": {"username": USER}}}
        if path == "/api/v1":
            return 200, {"resources": []}
        with self._lock:
            if method != "GET" and "dryRun" in query:
                return (500, {"message": self.webhook}) if self.webhook else admitted(body)
            if method != "GET":
                return self._write(method, path, body)
            status, found = self._read(method, path, query, body)
        if "watch" in query:
            return 200, []
        # The same path gives discovery in both of its forms.
        return status, found | {"groups": []} if path == "/apis" else found

    def _is_denied(self, spec: Object) -> bool:
        asked = spec.get("resourceAttributes", {})
        return (asked.get("verb", ""), asked.get("resource", "")) in self.denied

    def _write(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        parts = _PATH.match(path)
        if parts is None:
            return 404, {"message": f"{path} not found"}
        if (method, parts["plural"]) == ("POST", POD.plural):
            return 403, {"message": f"pods is forbidden: {USER} cannot create pods here"}
        namespace, name = parts["namespace"] or "", parts["name"] or body["metadata"]["name"]
        found = self._objects.setdefault(f"{parts['root']}/{parts['plural']}", [])
        there = next((each for each in found if _is(each, namespace, name)), None)
        if method == "DELETE":
            return self._delete(found, there, parts["plural"], name)
        if method == "POST" and there is not None:
            return 409, {"message": f"{name} already exists"}
        made = self._made(there or {}, body or {}, namespace, name)
        found[:] = [*(each for each in found if each is not there), made]
        return 200, made

    def _delete(self, found: list[Object], there: Object | None, plural: str, name: str) -> tuple[int, Any]:
        if there is None:
            return 404, {"message": f"{name} not found"}
        found.remove(there)
        if plural == NAMESPACE.plural:
            for objects in self._objects.values():
                if isinstance(objects, list):
                    objects[:] = [each for each in objects if not _is_in(each, name)]
        return 200, {}

    def _made(self, there: Object, body: Object, namespace: str, name: str) -> Object:
        self._versions += 1
        meta = {"name": name, "uid": f"uid of {name}", "generation": 1} | there.get("metadata", {})
        meta |= {"namespace": namespace} if namespace else {}
        meta |= body.get("metadata", {}) | {"resourceVersion": str(self._versions)}
        spec = there.get("spec", {}) | body.get("spec", {})
        made = there | body | {"metadata": meta, "spec": spec}
        if made.get("kind") == LLM_SERVICE.kind:
            conditions = [self._condition(each) for each in expected_conditions(spec)]
            made["status"] = {"observedGeneration": meta["generation"], "url": self.url, "conditions": conditions}
        return made

    def _condition(self, name: str) -> Object:
        if name != self._lacking:
            return {"type": name, "status": "True"}
        return {"type": name, "status": "False", "reason": "Pending", "message": "nothing has come of it yet"}


def _is(found: Object, namespace: str, name: str) -> bool:
    meta = found["metadata"]
    return (meta.get("namespace", ""), meta["name"]) == (namespace, name)


def _is_in(found: Any, namespace: str) -> bool:
    return isinstance(found, dict) and found.get("metadata", {}).get("namespace") == namespace
