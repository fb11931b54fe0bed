"""Everything that is wrong with one pod. Pure."""

import re
from collections.abc import Iterable, Iterator, Sequence

from tools.kube import pods
from tools.kube.client import Object
from tools.troubles import endings, images, placement
from tools.troubles.trouble import Kind, Trouble

_CONFIGURATION = {"CreateContainerConfigError", "CreateContainerError", "RunContainerError", "StartError"}
_STARTING = {"ContainerCreating", "PodInitializing", ""}
_MOUNTS = {"FailedMount", "FailedAttachVolume"}
_REFERENCE = re.compile(r"(?P<kind>secret|configmap) \\?\"(?P<name>[^\"\\]+)\\?\" not found", re.IGNORECASE)
_KEY = re.compile(r"couldn't find key (?P<key>\S+) in (?P<kind>Secret|ConfigMap) (?:[^/\s]+/)?(?P<name>\S+)")
_SCHEME = re.compile(
    r"server gave HTTP response to HTTPS client|malformed HTTP response|HTTP request to an HTTPS server"
)


def troubles(
    pod: Object, events: Iterable[Object] = (), nodes: Iterable[Object] = (), placed: Iterable[Object] = ()
) -> list[Trouble]:
    """What is wrong with a pod, the more telling first.

    Args:
        pod: the pod.
        events: of its namespace.
        nodes: all nodes; none where they may not be read.
        placed: all pods of the cluster; none where they may not be read.
    """
    own = [each for each in events if each["involvedObject"].get("uid") == pod["metadata"].get("uid")]
    found = [*_eviction(pod), *_placement(pod, own, nodes, placed)]
    for status in pods.statuses(pod):
        found += _of_container(pod, status, own)
    return sorted(found, key=lambda each: each.kind in (Kind.UNREADY, Kind.STARTING))


def _eviction(pod: Object) -> Iterator[Trouble]:
    status, name = pod.get("status", {}), pod["metadata"]["name"]
    if status.get("reason") != "Evicted":
        return
    told = status.get("message", "")
    cause = "its node was short of something, and this pod was the one to go"
    if re.search(r"emptyDir|EmptyDir|local ephemeral storage|ephemeral-storage|ephemeral local storage", told):
        cause = (
            "it wrote more to its disk than its limit or its node has (ephemeral storage): the model is larger than the"
            " sizeLimit of its emptyDir, the limit of ephemeral-storage, or the node's disk"
        )
    elif "memory" in told:
        cause = "its node ran out of memory: its request is smaller than what it uses"
    yield Trouble(Kind.EVICTION, f"evicted: {told}", cause, ("describe", "pod", name), lasting=True)


def _placement(
    pod: Object, events: Sequence[Object], nodes: Iterable[Object], placed: Iterable[Object]
) -> Iterator[Trouble]:
    for row in pod.get("status", {}).get("conditions", []):
        if row["type"] == "PodScheduled" and row["status"] == "False":
            message = row.get("message", row.get("reason", ""))
            cause = placement.explain(pod, message, events, nodes, placed)
            command = ("describe", "pod", pod["metadata"]["name"])
            yield Trouble(Kind.PLACEMENT, f"not scheduled: {message}", cause, command)


def _of_container(pod: Object, status: Object, events: Sequence[Object]) -> Iterator[Trouble]:
    what, state = pods.state_line(status), status.get("state", {})
    name, container = pod["metadata"]["name"], status["name"]
    reason = state.get("waiting", {}).get("reason", "")
    message = state.get("waiting", {}).get("message", "")
    if reason in images.REASONS:
        image = str((pods.container(pod, container) or status).get("image", ""))
        told = [message, *(each.get("message", "") for each in events if each.get("reason") == "Failed")]
        refusal = images.explain(reason, " ".join(told), image)
        yield Trouble(Kind.IMAGE, what, refusal.cause, ("describe", "pod", name), refusal.lasting)
    elif reason in _CONFIGURATION:
        yield _misconfigured(name, what, message)
    elif ended := _ended(status):
        yield _ending(pod, status, ended, what, events)
    elif "waiting" in state and (reason in _STARTING):
        yield _starting(name, what, events)
    elif "waiting" in state:
        yield Trouble(Kind.ENDING, what, f"the kubelet says {reason}", ("describe", "pod", name))
    elif what:
        yield _unready(pod, container, what, events)


def _ended(status: Object) -> Object | None:
    """How a container ended last, if it did and ought not to have."""
    now: Object | None = status.get("state", {}).get("terminated")
    last: Object | None = status.get("lastState", {}).get("terminated")
    return now if now and now.get("exitCode") else last


def _ending(pod: Object, status: Object, ended: Object, what: str, events: Sequence[Object]) -> Trouble:
    name, container = pod["metadata"]["name"], status["name"]
    if ended.get("reason") in ("StartError", "ContainerCannotRun"):
        return _misconfigured(name, what, ended.get("message", ""))
    limits = (pods.container(pod, container) or {}).get("resources", {}).get("limits", {})
    about = [
        each.get("message", "") for each in events if f"{{{container}}}" in each["involvedObject"].get("fieldPath", "")
    ]
    found = endings.explain(ended, limits, about)
    # A container that runs again, or has ended for the first time, may yet do what it should.
    again = status.get("restartCount", 0) > 0 and "running" not in status.get("state", {})
    previous = ("--previous",) if status.get("restartCount", 0) > 0 else ()
    code = f"exit code {ended.get('exitCode')}"
    told = what if "ended" in what else f"{what}; it ended with {code} ({ended.get('reason', '')})"
    return Trouble(
        Kind.ENDING, told, found.cause, ("logs", name, "-c", container, *previous), lasting=found.lasting and again
    )


def _misconfigured(name: str, what: str, message: str) -> Trouble:
    if found := _KEY.search(message):
        kind = found["kind"]
        cause = f"{kind} {found['name']} has no key {found['key']}, to which the container refers"
        return Trouble(Kind.CONFIGURATION, what, cause, ("describe", kind.lower(), found["name"]), lasting=True)
    if found := _REFERENCE.search(message):
        kind = "Secret" if found["kind"].lower() == "secret" else "ConfigMap"
        cause = f"{kind} {found['name']}, to which the container refers, is not in the pod's namespace"
        return Trouble(Kind.CONFIGURATION, what, cause, ("get", f"{kind.lower()}s"), lasting=True)
    if "runAsNonRoot" in message or "non-root" in message or "non-numeric user" in message:
        cause = "KServe's presets demand runAsNonRoot, and the image's user is root or not numeric: set runAsUser"
    else:
        cause = endings.explain({"message": message, "exitCode": 1}, {}, ()).cause
    return Trouble(Kind.CONFIGURATION, what, cause, ("describe", "pod", name), lasting=True)


def _starting(name: str, what: str, events: Sequence[Object]) -> Trouble:
    if failed := [each.get("message", "") for each in events if each.get("reason") in _MOUNTS]:
        if found := _REFERENCE.search(failed[-1]):
            cause = f"{found['kind'].lower()} {found['name']}, which a volume is made of, is not in the pod's namespace"
        else:
            cause = "a volume cannot be mounted"
        what = f"{what}: {failed[-1]}"
        # What is missing at first often comes, and a kubelet may let two minutes pass before it looks again.
        return Trouble(Kind.CONFIGURATION, what, cause, ("describe", "pod", name))
    return Trouble(Kind.STARTING, what, "it has not started yet", ("describe", "pod", name))


def _unready(pod: Object, container: str, what: str, events: Sequence[Object]) -> Trouble:
    command = ("logs", pod["metadata"]["name"], "-c", container)
    failed = [each.get("message", "") for each in events if each.get("reason") == "Unhealthy"]
    if not failed:
        return Trouble(Kind.UNREADY, what, "it has not said yet that it is ready", command)
    what = f"{what}: {failed[-1]}"
    if _SCHEME.search(failed[-1]):
        cause = "its probe asks over HTTPS and the server speaks plain HTTP, or the other way round"
        return Trouble(Kind.UNREADY, what, cause, command)
    return Trouble(
        Kind.UNREADY, what, "its probe fails: it still starts, hangs, or is asked at the wrong place", command
    )
