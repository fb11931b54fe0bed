"""Pods and nodes: is it ready, why not, what does it ask for. Pure."""

from collections.abc import Iterator
from typing import Any

from tools.kube import download

Object = dict[str, Any]


def is_ready(pod: Object) -> bool:
    """Running, Ready and not on its way out."""
    return pod["metadata"].get("deletionTimestamp") is None and any(
        row["type"] == "Ready" and row["status"] == "True" for row in pod.get("status", {}).get("conditions", [])
    )


def is_leaving(pod: Object) -> bool:
    """Being deleted, or ended."""
    ended = pod.get("status", {}).get("phase") in ("Succeeded", "Failed")
    return ended or pod["metadata"].get("deletionTimestamp") is not None


def container(pod: Object, name: str) -> Object | None:
    """A container's specification, be it an init container (a native sidecar is one)."""
    spec = pod["spec"]
    return next((each for each in [*spec["containers"], *spec.get("initContainers", [])] if each["name"] == name), None)


def container_status(pod: Object, name: str) -> Object | None:
    """A container's status; of an init container as well."""
    return next((each for each in statuses(pod) if each["name"] == name), None)


def has_run(status: Object) -> bool:
    """Whether a container has started at least once, so that it has a log."""
    states = [*status.get("state", {}), *status.get("lastState", {})]
    return "running" in states or "terminated" in states


def line(pod: Object) -> str:
    """A pod in one line: phase, node, and of each container that is not well, why."""
    phase = pod.get("status", {}).get("phase", "unknown")
    leaving = ", terminating" if pod["metadata"].get("deletionTimestamp") else ""
    ready = "Ready" if is_ready(pod) else "not Ready"
    wrong = "; ".join(trouble(pod)) or "containers well"
    return f"{pod['metadata']['name']}: {phase}, {ready}{leaving}, on {pod['spec'].get('nodeName', 'no node')}: {wrong}"


def trouble(pod: Object) -> Iterator[str]:
    """What is wrong with a pod: why it is not scheduled, what containers wait for, how they ended."""
    for row in pod.get("status", {}).get("conditions", []):
        if row["type"] == "PodScheduled" and row["status"] == "False":
            yield f"not scheduled: {row.get('message', row.get('reason', ''))}"
    yield from (told for status in statuses(pod) if (told := state_line(status)))
    yield from download.trouble(pod)


def state_line(status: Object) -> str:
    """What is wrong with a container, in a line; empty if nothing is."""
    state = status.get("state", {})
    restarted = f", {status['restartCount']} restarts" if status.get("restartCount") else ""
    if "waiting" in state:
        told = state["waiting"].get("message", "")
        return f"{status['name']} waits: {state['waiting'].get('reason', '')}{': ' if told else ''}{told}{restarted}"
    if state.get("terminated", {}).get("exitCode"):
        ended = state["terminated"]
        return f"{status['name']} ended with {ended['exitCode']} ({ended.get('reason', '')}){restarted}"
    if "running" in state and not status.get("ready"):
        return f"{status['name']} runs and is not ready{restarted}"
    if last := status.get("lastState", {}).get("terminated"):
        return f"{status['name']} ended before with {last.get('exitCode')} ({last.get('reason', '')}){restarted}"
    return ""


def event_line(event: Object) -> str:
    """An event in one line, without its time."""
    about = event["involvedObject"]
    times = f" x{event['count']}" if event.get("count", 1) > 1 else ""
    message = event.get("message", "")
    return f"{event.get('type', '')} {about['kind']}/{about['name']} {event.get('reason', '')}{times}: {message}"


def statuses(pod: Object) -> list[Object]:
    """Statuses of all containers, init containers first."""
    status = pod.get("status", {})
    return [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]
