"""What containers may, what pods show, and where probes go."""

import base64
from typing import Any

import pytest

from tools.kube.exposed import in_pod, in_text, values
from tools.kube.hardening import added, trouble
from tools.kube.pods import has_run
from tools.mesh.probes import astray

Object = dict[str, Any]
GOOD: Object = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}


def pod(security: Object, name: str = "main", **spec: Any) -> Object:
    """A pod with one container."""
    return {
        "metadata": {"name": "server"},
        "spec": {"containers": [{"name": name, "securityContext": security}]} | spec,
    }


def test_what_restricted_allows_is_no_trouble() -> None:
    assert trouble(pod(GOOD)) == []
    assert trouble(pod(GOOD | {"capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}})) == []
    of_container = {key: GOOD[key] for key in ("allowPrivilegeEscalation", "capabilities")}
    of_pod = {key: GOOD[key] for key in ("runAsNonRoot", "seccompProfile")}
    assert trouble(pod(of_container, securityContext=of_pod)) == []


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"allowPrivilegeEscalation": None}, "main: allowPrivilegeEscalation is not false"),
        ({"privileged": True}, "main: it is privileged"),
        ({"capabilities": {}}, "main: it keeps capabilities (drop lacks ALL)"),
        ({"capabilities": {"drop": ["ALL"], "add": ["SYS_ADMIN"]}}, "main: it has capabilities SYS_ADMIN"),
        ({"runAsNonRoot": False}, "main: runAsNonRoot is not true"),
        ({"runAsUser": 0}, "main: runAsUser is 0"),
        ({"seccompProfile": None}, "main: seccomp is not set"),
        ({"seccompProfile": {"type": "Unconfined"}}, "main: seccomp is Unconfined"),
    ],
)
def test_what_restricted_forbids_is_told(change: Object, line: str) -> None:
    assert trouble(pod(GOOD | change)) == [line]


def test_the_nodes_own_is_told() -> None:
    found = pod(GOOD, hostNetwork=True, volumes=[{"name": "root", "hostPath": {"path": "/"}}, {"name": "tmp"}])
    assert trouble(found) == ["hostNetwork is true", "volume root is a path of the node"]


def test_the_meshs_containers_are_told_apart() -> None:
    init = {"name": "istio-init", "securityContext": {"runAsUser": 0, "capabilities": {"add": ["NET_ADMIN"]}}}
    found = pod(GOOD, initContainers=[init])
    assert trouble(found) == []
    (line,) = added(found)
    assert line.startswith("istio-init (")
    assert "NET_ADMIN" in line
    assert trouble(pod({}, initContainers=[init]))
    assert added(pod(GOOD)) == []


TOKEN = "hf_0123456789abcdefghij"


def secret(name: str, kind: str = "Opaque", **data: str) -> Object:
    """A Secret."""
    encoded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
    return {"metadata": {"name": name}, "type": kind, "data": encoded}


def test_values_are_found_wherever_they_are_and_never_told() -> None:
    known = values(
        [secret("token", HF_TOKEN=f"{TOKEN}\n"), secret("tls", "kubernetes.io/tls", crt=TOKEN), secret("s", a="true")]
    )
    assert list(known) == ["token/HF_TOKEN"]
    assert TOKEN not in repr(known)
    container: Object = {"name": "main", "env": [{"name": "T", "value": TOKEN}, {"name": "U", "valueFrom": {}}]}
    shown: Object = {
        "metadata": {"annotations": {"note": f"use {TOKEN}"}},
        "spec": {"containers": [container], "initContainers": [{"name": "get", "args": ["--token", TOKEN]}]},
    }
    lines = in_pod(shown, known)
    assert lines == [
        "token/HF_TOKEN is in clear in annotation note",
        "token/HF_TOKEN is in clear in the command line of get",
        "token/HF_TOKEN is in clear in env T of main",
    ]
    assert TOKEN not in "".join(lines)
    assert in_text(f"started with {base64.b64encode(TOKEN.encode()).decode()}", known) == ["token/HF_TOKEN"]
    assert in_text("started", known) == []


def test_a_container_that_never_ran_has_no_log() -> None:
    assert has_run({"state": {"running": {}}})
    assert has_run({"state": {"waiting": {}}, "lastState": {"terminated": {}}})
    assert not has_run({"state": {"waiting": {}}})


def probed(port: int, path: str, sidecar: str = "istio-proxy") -> Object:
    """A pod whose server is probed so."""
    main = {"name": "main", "startupProbe": {"httpGet": {"port": port, "path": path}}, "livenessProbe": {"exec": {}}}
    own = {"name": sidecar, "readinessProbe": {"httpGet": {"port": 15021, "path": "/healthz/ready"}}}
    return {"spec": {"containers": [main], "initContainers": [own]}}


def test_probes_that_meet_the_sidecar_are_told() -> None:
    assert astray(probed(15020, "/app-health/main/startupz")) == []
    assert astray(probed(8000, "/health", sidecar="storage-initializer")) == []
    assert astray(probed(8000, "/health")) == ["startupProbe of main asks port 8000 /health, not Istio's agent"]
    assert astray(probed(15020, "/healthz/ready")) != []
