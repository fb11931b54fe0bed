"""A recorded-looking cluster for tests of evidence: one service with a picker, a gateway, and what they wrote."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.kube_server import Answer

NAMESPACE = "llmisvc-run-gpu"
SERVICE = "qwen"
SINCE = "2026-11-24T09:00:00Z"
_PATH = re.compile(
    r"/apis?/(?:[^/]+/)?v[^/]+/namespaces/(?P<ns>[^/]+)/(?P<plural>[a-z]+)(?:/(?P<name>[^/]+))?(?P<log>/log)?$"
)


@dataclass
class FakeCluster:
    """What the API server answers.

    Attributes:
        objects: by namespace and plural.
        logs: by pod and container; with `previous` before the container's name for the log before.
        refused: plurals (or `log`) that the user may not read.
        stalled: plurals (or `log`) that are never answered; `ended` says when to give up.
    """

    objects: dict[tuple[str, str], list[dict[str, Any]]] = field(default_factory=dict)
    logs: dict[tuple[str, str], str] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    stalled: Mapping[str, Callable[[], object]] = field(default_factory=dict)

    @property
    def answer(self) -> Answer:
        """For tests.kube_server."""
        return self._answer

    def add(self, plural: str, found: dict[str, Any], namespace: str = NAMESPACE) -> None:
        """One more object."""
        found["metadata"] = {"namespace": namespace, "uid": f"{plural}/{found['metadata']['name']}"} | found["metadata"]
        self.objects.setdefault((namespace, plural), []).append(found)

    def _answer(self, method: str, path: str, query: dict[str, str], _: Any) -> tuple[int, Any]:
        if method != "GET":
            return 405, {"message": f"evidence must not {method}"}
        if path == "/version":
            return 200, {"gitVersion": "v1.36.3"}
        asked = _PATH.match(path)
        if asked is None:
            return 404, {"message": f"the server could not find {path}"}
        what = "log" if asked["log"] else asked["plural"]
        if what in self.stalled:
            self.stalled[what]()
        if what in self.refused:
            return 403, {"message": f'{what} is forbidden: User "eve" cannot list resource "{what}"'}
        if asked["log"]:
            container = ("previous " if query.get("previous") == "true" else "") + query["container"]
            text = self.logs.get((asked["name"], container))
            if text is None:
                return 400, {"message": f'container "{container}" in pod "{asked["name"]}" is waiting to start'}
            return 200, "\n".join(text.splitlines()[-int(query["tailLines"]) :]).encode() + b"\n"
        found = self.objects.get((asked["ns"], asked["plural"]), [])
        if asked["name"]:
            one = [each for each in found if each["metadata"]["name"] == asked["name"]]
            return (200, one[0]) if one else (404, {"message": f"{asked['name']} not found"})
        wanted = dict(pair.split("=") for pair in query.get("labelSelector", "").split(",") if pair)
        chosen = [each for each in found if wanted.items() <= each["metadata"].get("labels", {}).items()]
        return 200, {"metadata": {"resourceVersion": "1"}, "items": chosen}


def condition(name: str, status: str = "True", reason: str = "", message: str = "", **more: Any) -> dict[str, Any]:
    """A condition of an object."""
    return {"type": name, "status": status, "reason": reason, "message": message, "lastTransitionTime": SINCE, **more}


def pod(name: str, labels: dict[str, str], *containers: str, ready: bool = True, **status: Any) -> dict[str, Any]:
    """A pod; `status` holds more of its main container's status."""
    states = [
        {"name": each, "ready": ready, "restartCount": 0, "state": {"running": {}}} | (status if place == 0 else {})
        for place, each in enumerate(containers)
    ]
    return {
        "metadata": {"name": name, "labels": labels, "creationTimestamp": SINCE},
        "spec": {"nodeName": "gpu-node", "containers": [{"name": each} for each in containers]},
        "status": {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": "True" if ready else "False"}],
            "containerStatuses": states,
        },
    }


def access_line(request_id: str, user_agent: str, code: int, **fields: Any) -> str:
    """A line as Istio's gateways write it in JSON."""
    line = {
        "start_time": "2026-11-24T09:01:02.003Z",
        "method": "POST",
        "path": f"/{NAMESPACE}/{SERVICE}/v1/completions",
        "response_code": code,
        "response_flags": "-",
        "response_code_details": "via_upstream",
        "duration": 12,
        "upstream_host": "10.0.0.5:8000",
        "upstream_cluster": f"outbound|54321||{SERVICE}-inference-pool-ip-1234.{NAMESPACE}.svc.cluster.local",
        "request_id": request_id,
        "user_agent": user_agent,
        "upstream_transport_failure_reason": None,
    }
    return json.dumps(line | fields)


def cluster() -> FakeCluster:
    """A service whose second server was killed, with everything that evidence looks at."""
    found = FakeCluster()
    owner = {"app.kubernetes.io/name": SERVICE, "app.kubernetes.io/part-of": "llminferenceservice"}
    server = owner | {"kserve.io/component": "workload"}
    picker = owner | {"app.kubernetes.io/component": "llminferenceservice-router-scheduler"}
    gateway = {"gateway.networking.k8s.io/gateway-name": f"{SERVICE}-gateway"}
    found.add(
        "llminferenceservices",
        {
            "metadata": {"name": SERVICE, "generation": 3, "labels": {}},
            "spec": {"model": {"name": "qwen"}},
            "status": {
                "observedGeneration": 2,
                "conditions": [
                    condition("Ready", "False", "MinimumReplicasUnavailable", "one of two"),
                    condition("RouterReady"),
                ],
            },
        },
    )
    accepted = condition("Accepted", "True", "Accepted", observedGeneration=1)
    found.add(
        "httproutes",
        {
            "metadata": {"name": f"{SERVICE}-kserve-route", "generation": 2},
            "spec": {"parentRefs": [{"name": f"{SERVICE}-gateway"}]},
            "status": {"parents": [{"parentRef": {"name": f"{SERVICE}-gateway"}, "conditions": [accepted]}]},
        },
    )
    programmed = condition("Programmed", "True", "Programmed", observedGeneration=1)
    listener = {"name": "http", "conditions": [condition("Conflicted", "False", "NoConflicts", observedGeneration=1)]}
    found.add(
        "gateways",
        {
            "metadata": {"name": f"{SERVICE}-gateway", "generation": 1},
            "status": {"conditions": [programmed], "listeners": [listener]},
        },
    )
    found.add("pods", pod(f"{SERVICE}-kserve-1", server, "main"))
    killed = {"exitCode": 137, "reason": "OOMKilled", "message": "last words", "finishedAt": SINCE}
    found.add(
        "pods",
        pod(f"{SERVICE}-kserve-2", server, "main", ready=False, restartCount=2, lastState={"terminated": killed}),
    )
    found.add("pods", pod(f"{SERVICE}-kserve-router-scheduler-1", picker, "main"))
    found.add("pods", pod(f"{SERVICE}-gateway-istio-1", gateway, "istio-proxy"))
    found.add(
        "endpointslices",
        {
            "metadata": {
                "name": f"{SERVICE}-epp-service-x",
                "labels": {"kubernetes.io/service-name": "qwen-epp-service"},
            },
            "ports": [{"name": "grpc", "port": 9002}],
            "endpoints": [
                {"addresses": ["10.0.0.9"], "conditions": {"ready": True}, "targetRef": {"name": "picker-1"}}
            ],
        },
    )
    for number, when in enumerate(("09:00:03", "09:00:01", "09:00:02")):
        found.add(
            "events",
            {
                "metadata": {"name": f"event-{number}"},
                "involvedObject": {"kind": "Pod", "name": f"{SERVICE}-kserve-2"},
                "type": "Warning" if number == 0 else "Normal",
                "reason": ("BackOff", "Pulled", "Started")[number],
                "message": f"happened at {when}",
                "lastTimestamp": f"2026-11-24T{when}Z",
                "count": 4,
            },
        )
    found.logs |= {
        (f"{SERVICE}-kserve-1", "main"): "INFO serving\n",
        (f"{SERVICE}-kserve-2", "main"): "INFO starting anew\n",
        (f"{SERVICE}-kserve-2", "previous main"): "ERROR out of memory\n",
        (f"{SERVICE}-kserve-router-scheduler-1", "main"): (
            '{"level":"info","msg":"picked","x-request-id":"id-of-case","endpoint":"10.0.0.5:8000"}\n'
            '{"level":"info","msg":"picked","x-request-id":"id-of-others"}\n'
        ),
        (f"{SERVICE}-gateway-istio-1", "istio-proxy"): "\n".join(
            [
                "2026-11-24T09:00:00Z info starting Envoy",
                access_line("id-of-case", "suite (case)", 503, response_flags="UH", response_code_details="no_healthy"),
                access_line("id-of-others", "curl", 200),
            ]
        ),
        ("llmisvc-1", "manager"): f"reconciling {NAMESPACE}/{SERVICE}\nreconciling elsewhere/qwen3\n",
        ("istiod-1", "discovery"): f"push for {SERVICE}-gateway.{NAMESPACE}\npush for others\n",
    }
    for namespace, name, container in (
        ("kserve", "llmisvc-controller-manager", "manager"),
        ("istio-system", "istiod", "discovery"),
    ):
        labels = {"app": name}
        deployment = {"metadata": {"name": name}, "spec": {"selector": {"matchLabels": labels}}}
        found.add("deployments", deployment, namespace)
        found.add("pods", pod("istiod-1" if name == "istiod" else "llmisvc-1", labels, container), namespace)
    return found
