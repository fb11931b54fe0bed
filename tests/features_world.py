"""A cluster made of objects in a file, behind a real API server's doors: lists by selectors, objects, discovery."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.kube_server import Answer

DATA = Path(__file__).parent / "data" / "features"
Object = dict[str, Any]
_CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_IN = re.compile(r"^(\S+) in \((.*)\)$")


def world(name: str) -> dict[str, Any]:
    """A cluster: objects by the path of their collection, and `/version`; `served` adds kinds without definition."""
    found: dict[str, Any] = yaml.safe_load((DATA / f"{name}.yaml").read_text())
    return found


def answers(cluster: Mapping[str, Any]) -> Answer:
    """An API server's answers for it."""

    def answer(method: str, path: str, query: dict[str, str], _: Any) -> tuple[int, Any]:
        assert method == "GET"
        if path == "/version":
            return 200, cluster[path]
        if path == "/apis":
            return 200, _discovery(cluster)
        collection, _, name = _without_namespace(path).rpartition("/")
        namespace = _namespace(path)
        if _without_namespace(path) in cluster:
            items = [each for each in cluster[_without_namespace(path)] if _is_chosen(each, namespace, query)]
            return 200, {"metadata": {"resourceVersion": "1"}, "items": items}
        for each in cluster.get(collection, []):
            if each["metadata"]["name"] == name and _is_chosen(each, namespace, {}):
                return 200, each
        return 404, {"message": f"{path} not found"}

    return answer


def refusals(*open_paths: str, of: Mapping[str, Any]) -> Answer:
    """The same cluster for a user who may read these paths only."""
    inner = answers(of)

    def answer(method: str, path: str, query: dict[str, str], body: Any) -> tuple[int, Any]:
        if path in open_paths:
            return inner(method, path, query, body)
        return 403, {"message": f'User "somebody" cannot list {path}'}

    return answer


def _discovery(cluster: Mapping[str, Any]) -> Object:
    resources: dict[tuple[str, str], list[str]] = {}
    for crd in cluster.get(_CRDS, []):
        plural, _, group = crd["metadata"]["name"].partition(".")
        for version in crd["spec"]["versions"]:
            if version["served"]:
                resources.setdefault((group, version["name"]), []).append(plural)
    for each in cluster.get("served", []):
        group, version, plural = each.split("/")
        resources.setdefault((group, version), []).append(plural)
    groups: dict[str, list[Object]] = {}
    for (group, version), plurals in sorted(
        sorted(resources.items(), reverse=True), key=lambda each: _unripe(each[0][1])
    ):
        groups.setdefault(group, []).append({"version": version, "resources": [{"resource": each} for each in plurals]})
    items = [{"metadata": {"name": group}, "versions": versions} for group, versions in groups.items()]
    return {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "items": items}


def _unripe(version: str) -> int:
    """Stable versions go first, then beta, then alpha, as an API server prefers them."""
    return 2 if "alpha" in version else 1 if "beta" in version else 0


def _without_namespace(path: str) -> str:
    return re.sub(r"/namespaces/[^/]+(?=/)", "", path)


def _namespace(path: str) -> str:
    found = re.search(r"/namespaces/([^/]+)/", path)
    return found[1] if found else ""


def _is_chosen(each: Object, namespace: str, query: Mapping[str, str]) -> bool:
    meta = each["metadata"]
    if namespace and meta.get("namespace") != namespace:
        return False
    if (fields := query.get("fieldSelector")) and fields != f"metadata.name={meta['name']}":
        return False
    return _has_label(meta.get("labels", {}), query.get("labelSelector", ""))


def _has_label(labels: Mapping[str, str], selector: str) -> bool:
    if not selector:
        return True
    if found := _IN.match(selector):
        return labels.get(found[1]) in found[2].split(",")
    key, equals, value = selector.partition("=")
    return labels.get(key) == value if equals else key in labels
