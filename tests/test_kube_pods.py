"""Pods in a line that says what is wrong with them."""

from typing import Any

from tools.kube import pods


def _pod(*containers: dict[str, Any], ready: bool = True, **meta: Any) -> dict[str, Any]:
    conditions = [{"type": "Ready", "status": str(ready)}]
    return {
        "metadata": {"name": "a"} | meta,
        "spec": {"nodeName": "node", "containers": [], "initContainers": []},
        "status": {"phase": "Running", "conditions": conditions, "containerStatuses": list(containers)},
    }


def test_pod_that_is_well() -> None:
    pod = _pod({"name": "main", "ready": True, "state": {"running": {}}})
    assert pods.line(pod) == "a: Running, Ready, on node: containers well"


def test_leaving_pod_is_not_ready() -> None:
    pod = _pod(deletionTimestamp="2026-01-01T00:00:00Z")
    assert pods.is_leaving(pod)
    assert not pods.is_ready(pod)
    assert "terminating" in pods.line(pod)


def test_reasons_of_containers_are_told() -> None:
    waiting = {"name": "main", "ready": False, "state": {"waiting": {"reason": "ErrImagePull", "message": "no such"}}}
    ended = {"name": "b", "state": {"terminated": {"exitCode": 1, "reason": "Error"}}, "restartCount": 3}
    unready = {"name": "c", "ready": False, "state": {"running": {}}}
    again = {"name": "d", "ready": True, "state": {"running": {}}, "lastState": {"terminated": {"exitCode": 137}}}
    assert list(pods.trouble(_pod(waiting, ended, unready, again, ready=False))) == [
        "main waits: ErrImagePull: no such",
        "b ended with 1 (Error), 3 restarts",
        "c runs and is not ready",
        "d ended before with 137 ()",
    ]


def test_unscheduled_pod_says_what_is_missing() -> None:
    pod = _pod(ready=False)
    pod["status"]["conditions"].append(
        {"type": "PodScheduled", "status": "False", "message": "0/2 nodes: Insufficient google.com/tpu"}
    )
    assert list(pods.trouble(pod)) == ["not scheduled: 0/2 nodes: Insufficient google.com/tpu"]


def test_native_sidecar_is_found_among_init_containers() -> None:
    pod = _pod()
    pod["spec"]["initContainers"] = [{"name": "istio-proxy", "restartPolicy": "Always"}]
    assert (pods.container(pod, "istio-proxy") or {})["restartPolicy"] == "Always"
    assert pods.container(pod, "main") is None


def test_event_line() -> None:
    event = {
        "involvedObject": {"kind": "Pod", "name": "a"},
        "type": "Warning",
        "reason": "FailedScheduling",
        "message": "no room",
        "count": 4,
        "lastTimestamp": "2026-01-01T00:00:00Z",
    }
    assert pods.event_line(event) == "Warning Pod/a FailedScheduling x4: no room"
