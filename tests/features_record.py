"""`python -m tests.features_record KUBECONFIG CONTEXT`: a cluster as tests/data/features has it, and no more.

Run against a cluster whose objects may be published; look at the result before it is committed.
"""

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import yaml

from tools.features.feature import Settings
from tools.features.reading import Object, Reading
from tools.features.survey import Survey, survey
from tools.kube.client import Kube

_CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_LABELS = ("app", "istio.io/rev", "app.kubernetes.io/name", "app.kubernetes.io/part-of", "app.kubernetes.io/version")
_NODE_LABELS = ("cloud.google.com/", "nvidia.com/")
_ANNOTATIONS = ("bundle-version", "channel")
_RESOURCES = ("nvidia.com/gpu", "google.com/tpu")
_KINDS = ("validatingadmissionpolicies", "gatewayclasses", "peerauthentications", "telemetries", "istios")


def recorded(found: Survey) -> dict[str, Any]:
    """The parts of a survey that conclusions rest on, by the path of their collection."""
    deployments = [found.kserve, found.controllers, found.operators, found.istiods]
    lists = {
        "/apis/apps/v1/deployments": _all(deployments, _workload),
        "/apis/apps/v1/daemonsets": _all([found.daemon_sets], _workload),
        _path(found.presets): _all([found.presets], _preset),
        _path(found.gateway_classes): _all([found.gateway_classes], _gateway_class),
        _path(found.injectors): _all([found.injectors], _injector),
        _path(found.peer_authentications): _all([found.peer_authentications], _with_spec),
        _path(found.telemetries): _all([found.telemetries], _with_spec),
        "/api/v1/configmaps": _all(found.meshes, lambda each: _meta(each) | {"data": {"mesh": each["data"]["mesh"]}}),
        "/api/v1/nodes": _all([found.nodes], _node),
        "/api/v1/pods": [],
        _CRDS: _all(found.crds.values(), _crd),
    }
    words = {"istiod_words": found.istiod_words.body} if found.istiod_words else {}
    proxy = {"proxy": _proxy(found.proxy.body)} if found.proxy and found.proxy.body else {}
    return {"/version": {"gitVersion": (found.version.body or {})["gitVersion"]}, "served": _served(found), **lists} | (
        words | proxy
    )


def _all(readings: Iterable[Reading], strip: Callable[[Object], Object]) -> list[Object]:
    bodies = [each.body for each in readings if each.body]
    objects = [each for body in bodies for each in body.get("items", [body])]
    by_name = {(each["metadata"].get("namespace", ""), each["metadata"]["name"]): strip(each) for each in objects}
    return list(by_name.values())


def _path(reading: Reading) -> str:
    path = reading.where.partition("?")[0]
    before, namespaces, rest = path.partition("/namespaces/")
    return before + "/" + rest.partition("/")[2] if namespaces else path


def _meta(each: Object, annotations: Iterable[str] = ()) -> Object:
    meta = each["metadata"]
    found = {"name": meta["name"]} | ({"namespace": meta["namespace"]} if "namespace" in meta else {})
    labels = {
        key: value for key, value in meta.get("labels", {}).items() if key in _LABELS or key.startswith(_NODE_LABELS)
    }
    kept = {key: value for key, value in meta.get("annotations", {}).items() if key.endswith(tuple(annotations))}
    found |= {"labels": labels} if labels else {}
    return {"metadata": found | ({"annotations": kept} if annotations and kept else {})}


def _workload(each: Object) -> Object:
    containers = [
        {key: container[key] for key in ("name", "image")}
        | ({"env": env} if (env := [row for row in container.get("env", []) if "INFERENCE" in row["name"]]) else {})
        for container in each["spec"]["template"]["spec"]["containers"]
    ]
    status = each.get("status", {})
    kept = {key: status[key] for key in ("readyReplicas", "numberReady", "desiredNumberScheduled") if key in status}
    spec = {"template": {"spec": {"containers": containers}}}
    return _meta(each) | {"spec": {"replicas": each["spec"].get("replicas", 1)} | spec, "status": kept}


def _preset(each: Object) -> Object:
    scheduler = each["spec"].get("router", {}).get("scheduler", {})
    containers = [
        {"name": found["name"], "image": found["image"]}
        for found in scheduler.get("template", {}).get("containers", [])
    ]
    spec = {"router": {"scheduler": {"template": {"containers": containers}}}} if containers else {}
    return _meta(each) | {"spec": spec}


def _gateway_class(each: Object) -> Object:
    rows = [{"type": row["type"], "status": row["status"]} for row in each.get("status", {}).get("conditions", [])]
    spec = {"controllerName": each["spec"]["controllerName"]}
    return _meta(each) | {"spec": spec, "status": {"conditions": [row for row in rows if row["type"] == "Accepted"]}}


def _injector(each: Object) -> Object:
    webhooks = [
        {"name": row["name"], "clientConfig": {"caBundle": "cut"} if row["clientConfig"].get("caBundle") else {}}
        for row in each.get("webhooks", [])
    ]
    return _meta(each) | {"webhooks": webhooks}


def _with_spec(each: Object) -> Object:
    return _meta(each) | {"spec": each.get("spec", {})}


def _node(each: Object) -> Object:
    status = each["status"]
    counts = {
        field: {key: value for key, value in status[field].items() if key in _RESOURCES}
        for field in ("capacity", "allocatable")
    }
    return _meta(each) | {"status": {"nodeInfo": {"kubeletVersion": status["nodeInfo"]["kubeletVersion"]}} | counts}


def _crd(each: Object) -> Object:
    versions = [{key: row[key] for key in ("name", "served", "storage")} for row in each["spec"]["versions"]]
    stored = {"storedVersions": each["status"]["storedVersions"]}
    return _meta(each, _ANNOTATIONS) | {"spec": {"versions": versions}, "status": stored}


def _proxy(server: Object) -> Object:
    extensions = [each for each in server["node"]["extensions"] if "stats" in each["name"]]
    return {"version": server["version"], "node": {"extensions": [{"name": each["name"]} for each in extensions]}}


def _served(found: Survey) -> list[str]:
    return [
        f"{group['metadata']['name']}/{version['version']}/{row['resource']}"
        for group in (found.apis.body or {"items": []})["items"]
        for version in group["versions"]
        for row in version.get("resources", [])
        if row["resource"] in _KINDS
    ]


if __name__ == "__main__":
    kube = Kube(Path(sys.argv[1]), sys.argv[2])
    print(yaml.safe_dump(recorded(survey(kube, Settings())), sort_keys=False, width=120), end="")
