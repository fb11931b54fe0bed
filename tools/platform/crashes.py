"""Whether the controllers keep running: containers that wait, or have ended by themselves lately. Pure."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from tools.kube.client import Object

# A node that was drained or upgraded leaves restarts behind that say nothing about today.
_LATELY = timedelta(hours=1)
_STUCK = {"CrashLoopBackOff", "CreateContainerConfigError", "CreateContainerError", "RunContainerError"}


def crashed(pods: Iterable[Object], now: datetime) -> list[str]:
    """Containers that do not stay up, one line each, with how they ended.

    Args:
        pods: of a controller.
        now: the time, with its zone.
    """
    return [line for pod in pods for line in _of_pod(pod, now)]


def _of_pod(pod: Object, now: datetime) -> list[str]:
    lines, name = [], pod["metadata"]["name"]
    status = pod.get("status", {})
    for each in [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]:
        waiting = each.get("state", {}).get("waiting", {})
        ended = each.get("lastState", {}).get("terminated") or each.get("state", {}).get("terminated") or {}
        how = f"{ended.get('reason', '')} with exit code {ended.get('exitCode')}" if ended else ""
        message = f": {ended['message'].strip()[-300:]}" if ended.get("message") else ""
        restarts = f"{each.get('restartCount', 0)} restarts"
        if waiting.get("reason") in _STUCK:
            told = how or waiting.get("message", "")
            lines.append(f"{name}, container {each['name']}: {waiting['reason']}, {restarts}, {told}{message}")
        elif ended.get("exitCode") and now - _time(ended["finishedAt"]) < _LATELY:
            lines.append(f"{name}, container {each['name']}: {restarts}, the last after {how}{message}")
    return lines


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)
