"""How long a server's start may take, by its probes, and how long it took. Pure."""

import math
from datetime import datetime

from tools.kube import pods
from tools.kube.client import Object


def budget(container: Object) -> float:
    """Seconds until a probe has a container killed that never answers; infinite without such a probe."""
    for name in ("startupProbe", "livenessProbe"):
        if probe := container.get(name):
            period, tries = probe.get("periodSeconds", 10), probe.get("failureThreshold", 3)
            return float(probe.get("initialDelaySeconds", 0) + period * tries)
    return math.inf


def observed(pod: Object, container: str) -> float | None:
    """Seconds from a container's start to its pod's being Ready; None where that cannot be told.

    A pod that was not Ready for a while in between says when it became so again. That is mistaken for a start only
    where it is within what the probes allow a start.
    """
    status = pods.container_status(pod, container) or {}
    started = status.get("state", {}).get("running", {}).get("startedAt")
    rows = [row for row in pod.get("status", {}).get("conditions", []) if row["type"] == "Ready"]
    if status.get("restartCount") or not started or not rows or rows[0]["status"] != "True":
        return None
    took = (_time(rows[0]["lastTransitionTime"]) - _time(started)).total_seconds()
    return took if 0 <= took <= budget(pods.container(pod, container) or {}) else None


def _time(stamp: str) -> datetime:
    return datetime.fromisoformat(stamp)
