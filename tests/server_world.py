"""A service with one server on a node, as the real controllers made it on the local cluster, told by a tiny API server.

Cases are plain functions: they are called here with objects as they are, and with objects as they are when something is
wrong, which no local cluster can show (hardware, clouds, registries).
"""

import copy
import re
from typing import Any

from tests.kube_server import Serve
from tools.kube.llm_service import LlmService, Place

Object = dict[str, Any]
NS, NAME = "ns", "llm"
GPU = "nvidia.com/gpu"
LABELS = {"cloud.google.com/gke-accelerator": "nvidia-tesla-t4"}
_WORKLOAD = {
    "app.kubernetes.io/name": NAME,
    "app.kubernetes.io/part-of": "llminferenceservice",
    "kserve.io/component": "workload",
}
_PICKER = {
    "app.kubernetes.io/name": NAME,
    "app.kubernetes.io/part-of": "llminferenceservice",
    "app.kubernetes.io/component": "llminferenceservice-router-scheduler",
}
_SCRIPT = 'eval "exec vllm serve /mnt/models \\\n  --served-model-name "a/b" \\\n  --port 8000 \\\n  $@"'
_PROBE = {"httpGet": {"path": "/health", "port": 8000, "scheme": "HTTP"}, "periodSeconds": 10, "failureThreshold": 90}


class World:
    """Objects of a cluster, to be changed before they are asked for.

    Attributes:
        node, deployment, picker, service, secret, pod, picker_pod: the objects.
        more: further objects by their kind's plural.
    """

    def __init__(self) -> None:
        spec = _spec()
        self.node: Object = {
            "metadata": {"name": "gpu-node", "labels": dict(LABELS)},
            "spec": {"taints": [{"key": GPU, "value": "present", "effect": "NoSchedule"}]},
            "status": {how: {GPU: "4", "ephemeral-storage": "90Gi"} for how in ("capacity", "allocatable")},
        }
        self.deployment = _deployment(f"{NAME}-kserve", spec)
        self.picker = _deployment(f"{NAME}-kserve-router-scheduler", {"containers": [{"name": "main", "image": "epp"}]})
        ports = [{"name": "http", "port": 8000, "appProtocol": "http"}]
        self.service: Object = {"metadata": {"name": f"{NAME}-kserve-workload-svc"}, "spec": {"ports": ports}}
        self.secret: Object = {
            "metadata": {"name": "pull"},
            "type": "kubernetes.io/dockerconfigjson",
            # {"auths": {"registry.example.com": {}}}
            "data": {".dockerconfigjson": "eyJhdXRocyI6IHsicmVnaXN0cnkuZXhhbXBsZS5jb20iOiB7fX19"},
        }
        self.pod = _pod("server", _WORKLOAD, spec)
        self.picker_pod = _pod("picker", _PICKER, {"containers": [{"name": "main", "image": "epp"}]})
        self.picker_pod["spec"]["nodeName"] = "another-node"
        self.more: dict[str, list[Object]] = {}

    def second(self, **status: Any) -> Object:
        """A second server pod, not Ready, with this status."""
        pod = copy.deepcopy(self.pod)
        pod["metadata"] |= {"name": "second", "uid": "second"}
        pod["status"] = {"phase": "Pending", "conditions": [{"type": "Ready", "status": "False"}]} | status
        self.more.setdefault("pods", []).append(pod)
        return pod

    def serve(self, serve: Serve) -> LlmService:
        """The service in it."""
        _, kube = serve(self._answer)
        return LlmService(kube, NS, NAME, Place(NS, "gw"))

    def _objects(self) -> dict[str, list[Object]]:
        found = {
            "nodes": [self.node],
            "deployments": [self.deployment, self.picker],
            "services": [self.service],
            "secrets": [self.secret] if self.secret else [],
            "serviceaccounts": [{"metadata": {"name": "default"}}],
            "pods": [self.pod, self.picker_pod],
        }
        return {kind: [*found.get(kind, []), *self.more.get(kind, [])] for kind in {*found, *self.more}}

    def _answer(self, _: str, path: str, query: dict[str, str], __: Any) -> tuple[int, Any]:
        match = re.fullmatch(
            r"/apis?/[^/]+(?:/v\d\w*)?(?:/namespaces/(?P<ns>[^/]+))?/(?P<kind>[a-z]+)(?:/(?P<name>.+))?", path
        )
        assert match, path
        items = self._objects().get(match["kind"], [])
        if match["name"]:
            return next(((200, each) for each in items if each["metadata"]["name"] == match["name"]), (404, {}))
        chosen = [each for each in items if _selected(each, query)]
        return 200, {"metadata": {"resourceVersion": "1"}, "items": chosen}


def _selected(found: Object, query: dict[str, str]) -> bool:
    labels, on = found["metadata"].get("labels", {}), query.get("fieldSelector", "").removeprefix("spec.nodeName=")
    pairs = [each.partition("=") for each in query.get("labelSelector", "").split(",") if each]
    if on and found.get("spec", {}).get("nodeName") != on:
        return False
    return all(labels.get(key) == value if equals else key in labels for key, equals, value in pairs)


def _spec() -> Object:
    resources = {how: {"cpu": "2", "memory": "10Gi", GPU: "1"} for how in ("requests", "limits")}
    container: Object = {
        "name": "main",
        "image": "registry.example.com/vllm:1",
        "command": ["/bin/bash", "-c", _SCRIPT, "--"],
        "args": ["--dtype=half", "--max-model-len=2048"],
        "env": [{"name": "HOME", "value": "/home"}],
        "ports": [{"containerPort": 8000}],
        "resources": resources,
        "volumeMounts": [{"name": "dshm", "mountPath": "/dev/shm"}],  # noqa: S108 - a path in a container
        "startupProbe": _PROBE,
        "livenessProbe": _PROBE,
        "readinessProbe": _PROBE,
    }
    return {
        "containers": [container],
        "imagePullSecrets": [{"name": "pull"}],
        "nodeSelector": dict(LABELS),
        "tolerations": [{"key": GPU, "operator": "Equal", "value": "present", "effect": "NoSchedule"}],
        "volumes": [{"name": "dshm", "emptyDir": {"medium": "Memory", "sizeLimit": "1Gi"}}],
    }


def _deployment(name: str, spec: Object) -> Object:
    return copy.deepcopy(
        {
            "kind": "Deployment",
            "metadata": {"name": name, "namespace": NS, "uid": name, "generation": 1},
            "spec": {
                "replicas": 1,
                "strategy": {"rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}, "type": "RollingUpdate"},
                "template": {"spec": spec},
            },
            "status": {"observedGeneration": 1, "conditions": []},
        }
    )


def _pod(name: str, labels: dict[str, str], spec: Object) -> Object:
    status = {
        "name": "main",
        "ready": True,
        "restartCount": 0,
        "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}},
    }
    ready = {"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:05:00Z"}
    return copy.deepcopy(
        {
            "metadata": {"name": name, "namespace": NS, "uid": name, "labels": labels},
            "spec": spec | {"nodeName": "gpu-node"},
            "status": {"phase": "Running", "conditions": [ready], "containerStatuses": [status]},
        }
    )
