"""Everything that is wrong with one pod, from its status and events."""

from typing import Any

import pytest

from tools.troubles import Kind, look
from tools.troubles.of_pod import troubles

Object = dict[str, Any]


def _pod(*statuses: Object, **status: Any) -> Object:
    container = {"name": "main", "image": "registry.example.com/a:b", "resources": {"limits": {"memory": "64Mi"}}}
    return {
        "metadata": {"name": "pod", "uid": "1"},
        "spec": {"nodeName": "node", "containers": [container]},
        "status": {"phase": "Pending", "containerStatuses": list(statuses)} | status,
    }


def _waits(why: str, said: str = "", restarts: int = 0, **last: Any) -> Object:
    state = {"waiting": {"reason": why, "message": said}}
    return {"name": "main", "ready": False, "state": state, "restartCount": restarts} | (
        {"lastState": {"terminated": last}} if last else {}
    )


def _event(reason: str, message: str, uid: str = "1") -> Object:
    about = {"uid": uid, "kind": "Pod", "name": "pod", "fieldPath": "spec.containers{main}"}
    return {"involvedObject": about, "reason": reason, "message": message}


@pytest.mark.parametrize(
    ("status", "kind", "words", "command", "lasting"),
    [
        (
            _waits("ImagePullBackOff", "Back-off pulling image: ErrImagePull: registry.example.com/a:b: not found"),
            Kind.IMAGE,
            "the tag does not exist: registry.example.com has no registry.example.com/a:b",
            "describe pod pod",
            True,
        ),
        (
            _waits("CreateContainerConfigError", 'secret "hf-token" not found'),
            Kind.CONFIGURATION,
            "Secret hf-token, to which the container refers, is not in the pod's namespace",
            "get secrets",
            True,
        ),
        (
            _waits("CreateContainerConfigError", "couldn't find key token in Secret ns/huggingface-token"),
            Kind.CONFIGURATION,
            "Secret huggingface-token has no key token",
            "describe secret huggingface-token",
            True,
        ),
        (
            _waits("CreateContainerConfigError", "container has runAsNonRoot and image will run as root"),
            Kind.CONFIGURATION,
            "set runAsUser",
            "describe pod pod",
            True,
        ),
        (
            _waits("RunContainerError", "nvidia-cdi-hook: mkdir /etc/ld.so.conf.d: read-only file system"),
            Kind.CONFIGURATION,
            "the container's root is read-only",
            "describe pod pod",
            True,
        ),
        (
            _waits("CrashLoopBackOff", "back-off", 2, exitCode=137, reason="OOMKilled"),
            Kind.ENDING,
            "limits.memory is 64Mi",
            "logs pod -c main --previous",
            True,
        ),
        (
            _waits("CrashLoopBackOff", "back-off", 1, exitCode=2, message="vllm: error: unrecognized arguments: --x"),
            Kind.ENDING,
            "does not know '--x'",
            "logs pod -c main --previous",
            True,
        ),
        (
            {"name": "main", "ready": True, "state": {"running": {}}, "restartCount": 1}
            | {"lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}},
            Kind.ENDING,
            "host OOM",
            "logs pod -c main --previous",
            False,
        ),
        (_waits("ContainerCreating"), Kind.STARTING, "not started yet", "describe pod pod", False),
        (
            {"name": "main", "ready": False, "state": {"running": {}}, "restartCount": 0},
            Kind.UNREADY,
            "not said yet",
            "logs pod -c main",
            False,
        ),
    ],
)
def test_of_a_container(status: Object, kind: Kind, words: str, command: str, lasting: bool) -> None:
    (found,) = troubles(_pod(status))
    assert (found.kind, " ".join(found.command), found.lasting) == (kind, command, lasting)
    assert words in found.cause


def test_events_tell_what_the_status_does_not() -> None:
    mount = _event("FailedMount", 'MountVolume.SetUp failed for volume "tls" : secret "certs" not found')
    (found,) = troubles(_pod(_waits("ContainerCreating")), [_event("FailedMount", "another", uid="2"), mount])
    assert (found.kind, found.lasting) == (Kind.CONFIGURATION, False)
    assert "secret certs, which a volume is made of" in found.cause
    (found,) = troubles(_pod(_waits("ImagePullBackOff", "Back-off pulling image")), [_event("Failed", "403 Forbidden")])
    assert "no permission" in found.cause
    running = {"name": "main", "ready": False, "state": {"running": {}}, "restartCount": 0}
    unready = _event("Unhealthy", "Readiness probe failed: http: server gave HTTP response to HTTPS client")
    (found,) = troubles(_pod(running), [unready])
    assert "over HTTPS" in found.cause


def test_killed_by_its_probe() -> None:
    again = _waits("CrashLoopBackOff", "back-off", 3, exitCode=137, reason="Error")
    (found,) = troubles(_pod(again), [_event("Killing", "Container main failed liveness probe, will be restarted")])
    assert "liveness probe failed" in found.cause


def test_evicted() -> None:
    told = 'Usage of EmptyDir volume "model-cache" exceeds the limit "1Mi".'
    (found,) = troubles(_pod(phase="Failed", reason="Evicted", message=told))
    assert found.kind is Kind.EVICTION
    assert "wrote more to its disk" in found.cause


def test_what_is_worst_comes_first() -> None:
    creating = {"name": "istio-proxy", "ready": False, "state": {"waiting": {"reason": "PodInitializing"}}}
    found = troubles(_pod(creating, _waits("InvalidImageName")))
    assert [each.kind for each in found] == [Kind.IMAGE, Kind.STARTING]
    assert (chosen := look.worst([look.Found("pod", "1", each) for each in reversed(found)])) is not None
    assert chosen.trouble.kind is Kind.IMAGE
    assert look.worst([]) is None


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ('pods "a" is forbidden: exceeded quota: none, requested: requests.nvidia.com/gpu=1', "ResourceQuota"),
        ("pods is forbidden: maximum memory usage per Container is 1Gi", "LimitRange"),
        ("violates PodSecurity restricted", "pod security"),
        (
            "admission webhook warden-validating.common-webhooks.networking.gke.io denied the request",
            "admission webhook",
        ),
    ],
)
def test_pods_that_are_not_made(message: str, words: str) -> None:
    row = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": message}
    found = look.uncreated({"kind": "ReplicaSet", "metadata": {"name": "rs"}, "status": {"conditions": [row]}})
    assert found is not None
    assert words in found.cause
    assert message in found.what
    row["status"] = "False"
    assert look.uncreated({"kind": "ReplicaSet", "metadata": {"name": "rs"}, "status": {"conditions": [row]}}) is None
