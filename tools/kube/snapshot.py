"""Evidence of a namespace: conditions, pods, events, logs. A part that cannot be read never hides the others."""

import json
from collections.abc import Callable
from functools import partial

from tools.kube import pods
from tools.kube.client import Kube, Object
from tools.kube.conditions import conditions, parents
from tools.kube.errors import KubeError
from tools.kube.kinds import DEPLOYMENT, EVENT, GATEWAY, HTTP_ROUTE, LLM_SERVICE, POD, POOL, Kind

_EVENTS = 30
_LOG_LINES = 25


def snapshot(kube: Kube, namespace: str) -> dict[str, str]:
    """Texts by title, the most telling first."""
    parts: dict[str, Callable[[], str]] = {
        "conditions": lambda: "\n".join(_conditions(kube, namespace)),
        "pods": lambda: "\n".join(pods.line(pod) for pod in kube.objects(POD, namespace)) or "no pods",
        "events": lambda: _events(kube, namespace),
        "logs": lambda: "\n\n".join(_logs(kube, namespace)),
        "objects": lambda: _objects(kube, namespace),
    }
    return {title: _guarded(read) for title, read in parts.items()}


def condition_lines(found: Object) -> list[str]:
    """Every condition of an object, those of its parents too."""
    lines = [str(each) for each in conditions(found).values()]
    lines += [f"{parent}: {each}" for parent, held in parents(found) for each in held.values()]
    return [f"{found['kind']} {found['metadata']['name']}: {line}" for line in lines or ["no conditions"]]


def _conditions(kube: Kube, namespace: str) -> list[str]:
    lines: list[str] = []
    for kind in (LLM_SERVICE, GATEWAY, HTTP_ROUTE, POOL, DEPLOYMENT):
        for found in kube.objects(kind, namespace):
            lines += condition_lines(found)
    return lines or ["nothing with conditions is there"]


def _events(kube: Kube, namespace: str) -> str:
    found = kube.objects(EVENT, namespace)
    found.sort(key=lambda event: event.get("lastTimestamp") or event.get("eventTime") or "")
    # What went wrong last is at the end, where a terminal shows it.
    return "\n".join(pods.event_line(event) for event in found[-_EVENTS:]) or "no events"


def _logs(kube: Kube, namespace: str) -> list[str]:
    texts = []
    for pod in kube.objects(POD, namespace):
        name = pod["metadata"]["name"]
        for each in [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]:
            log = _guarded(partial(kube.logs, name, namespace, each["name"], lines=_LOG_LINES))
            texts.append(f"--- {name} {each['name']}\n{log.strip() or '(empty)'}")
    return texts


def _objects(kube: Kube, namespace: str) -> str:
    kinds: list[Kind] = [LLM_SERVICE, GATEWAY, HTTP_ROUTE, POOL]
    found = [each for kind in kinds for each in kube.objects(kind, namespace)]
    for each in found:
        each["metadata"].pop("managedFields", None)
    return json.dumps(found, indent=1)


def _guarded(read: Callable[[], str]) -> str:
    try:
        return read()
    except KubeError as error:
        return f"could not be read: {error}"
