"""Evidence of a namespace: conditions, pods, events, logs. A part that cannot be read never hides the others."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

from tools.kube import pods
from tools.kube.client import Kube, Object
from tools.kube.conditions import Condition, conditions, parents
from tools.kube.errors import KubeError
from tools.kube.kinds import DEPLOYMENT, EVENT, GATEWAY, HTTP_ROUTE, LLM_SERVICE, POD, POOL

NOT_WELL = "not well"

_WITH_CONDITIONS = (LLM_SERVICE, GATEWAY, HTTP_ROUTE, POOL, DEPLOYMENT)
_OBJECTS = (LLM_SERVICE, GATEWAY, HTTP_ROUTE, POOL)
_EVENTS = 30
_WARNINGS = 8
_LOG_LINES = 25


def snapshot(kube: Kube, namespace: str) -> dict[str, str]:
    """Texts by title; the first, NOT_WELL, is what a person wants to see at once."""
    pods_of = partial(kube.objects, POD, namespace)
    events = partial(_events, kube, namespace)
    reporting = [partial(kube.objects, kind, namespace) for kind in _WITH_CONDITIONS]
    bad = [_guarded(read, partial(condition_lines, only_bad=True)) for read in reporting]
    bad.append(_guarded(pods_of, lambda pod: [] if pods.is_ready(pod) else [pods.line(pod)]))
    bad.append(_guarded(lambda: _warnings(events()), _event_line))
    return {
        NOT_WELL: _joined(bad) or "every condition is True and fresh, every pod is Ready, and there are no warnings",
        "conditions": _joined([_guarded(read, condition_lines) for read in reporting]) or "nothing has conditions",
        "pods": _joined([_guarded(pods_of, lambda pod: [pods.line(pod)])]) or "no pods",
        "events": _joined([_guarded(lambda: events()[-_EVENTS:], _event_line)]) or "no events",
        "logs": _joined([_guarded(pods_of, partial(_logs, kube, namespace))]) or "no pods",
        "objects": _joined([_guarded(partial(kube.objects, kind, namespace), _whole) for kind in _OBJECTS]) or "none",
    }


def condition_lines(found: Object, *, only_bad: bool = False) -> list[str]:
    """Conditions of an object, those of its parents too: all of them, or those that do not hold."""
    rows: list[tuple[str, Condition]] = [("", each) for each in conditions(found).values()]
    rows += [(f"{parent}: ", each) for parent, held in parents(found) for each in held.values()]
    name = f"{found['kind']} {found['metadata']['name']}"
    lines = [f"{name}: {where}{each}" for where, each in rows if not (only_bad and each.holds)]
    observed, generation = found.get("status", {}).get("observedGeneration"), found["metadata"].get("generation")
    if observed is not None and (observed != generation or not only_bad):
        lines.append(f"{name}: observedGeneration {observed} of {generation}")
    return lines if rows else [f"{name}: no conditions"]


def _events(kube: Kube, namespace: str) -> list[Object]:
    """Oldest first: what went wrong last is at the end, where a terminal shows it."""
    found = kube.objects(EVENT, namespace)
    return sorted(found, key=lambda event: event.get("lastTimestamp") or event.get("eventTime") or "")


def _warnings(events: list[Object]) -> list[Object]:
    return [event for event in events if event.get("type") == "Warning"][-_WARNINGS:]


def _event_line(event: Object) -> list[str]:
    return [pods.event_line(event)]


def _logs(kube: Kube, namespace: str, pod: Object) -> list[str]:
    lines = []
    name = pod["metadata"]["name"]
    for each in [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]:
        try:
            log = kube.logs(name, namespace, each["name"], lines=_LOG_LINES)
        except KubeError as error:
            log = f"could not be read: {error}"
        lines.append(f"--- {name} {each['name']}\n{log.strip() or '(empty)'}\n")
    return lines


def _whole(found: Object) -> list[str]:
    found["metadata"].pop("managedFields", None)
    # The whole object once more, as text.
    found["metadata"].get("annotations", {}).pop("kubectl.kubernetes.io/last-applied-configuration", None)
    return [json.dumps(masked(found), indent=1)]


def masked(found: Any) -> Any:
    """The same with every literal value of an environment variable hidden: it may be a token. Pure."""
    if isinstance(found, list):
        return [masked(each) for each in found]
    if not isinstance(found, dict):
        return found
    return {key: _hidden(value) if key == "env" else masked(value) for key, value in found.items()}


def _hidden(variables: Any) -> Any:
    if not isinstance(variables, list):
        return masked(variables)
    return [each | {"value": "(hidden)"} if "value" in each else each for each in variables]


def _guarded(read: Callable[[], list[Object]], tell: Callable[[Object], list[str]]) -> list[str]:
    try:
        return [line for found in read() for line in tell(found)]
    except KubeError as error:
        return [f"could not be read: {error}"]


def _joined(parts: list[list[str]]) -> str:
    return "\n".join(line for lines in parts for line in lines)
