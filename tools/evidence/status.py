"""What objects say of themselves: conditions, events, pods, endpoints."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from typing import Any

from tools.evidence import scope
from tools.evidence.detail import Kept
from tools.evidence.reading import Reader, Unread, guarded
from tools.evidence.subject import Subject
from tools.evidence.text import age, table
from tools.kube import pods
from tools.kube.client import Object
from tools.kube.conditions import Condition, conditions, parents
from tools.kube.kinds import DEPLOYMENT, ENDPOINT_SLICE, EVENT, GATEWAY, HTTP_ROUTE, LLM_SERVICE, POD, POOL

_WITH_CONDITIONS = (LLM_SERVICE, GATEWAY, HTTP_ROUTE, POOL, DEPLOYMENT)
# Conditions that are bad when they are True.
_NEGATIVE = {"Conflicted", "ReplicaFailure", "OverlappingTLSConfig", "Stalled"}
_EVENTS = 60
_WARNINGS = 8


def not_well(reader: Reader, subject: Subject, now: datetime) -> Iterator[str]:
    """What a person wants to see at once: conditions that do not hold, pods that are not Ready, warnings."""
    seen: set[str] = set()
    for line in _not_well(reader, subject, now):
        # What the user may not read can be in the way of more than one thing.
        if line not in seen:
            seen.add(line)
            yield line


def condition_lines(found: Object) -> list[str]:
    """Conditions of an object, its parents and listeners that do not hold, and that its status is out of date. Pure."""
    name = f"{found['kind']} {found['metadata']['name']}"
    rows = list(_rows(found))
    lines = [f"{name}: {f'{at}: ' if at else ''}{each}" for at, each in rows if not _is_well(each)]
    observed, generation = _generations(found)
    if observed is not None and observed != generation:
        lines.append(f"{name}: its status is about generation {observed} of {generation}: does its controller run?")
    return lines if rows else [f"{name}: no conditions: has any controller seen it?"]


def condition_table(reader: Reader, subject: Subject, now: datetime) -> Iterator[str]:
    """All conditions, with their age and whether they are about the object as it is now."""
    rows: list[tuple[str, ...]] = []
    trouble: list[str] = []
    for kind in _WITH_CONDITIONS:
        for found in _listed(reader, subject, kind):
            if isinstance(found, str):
                trouble.append(found)
            else:
                rows += _cells(found, now)
    yield table(("OBJECT", "AT", "CONDITION", "STATUS", "AGE", "GENERATION", "REASON", "MESSAGE"), rows)
    yield from dict.fromkeys(trouble)


def events(reader: Reader, subject: Subject) -> Iterator[str]:
    """The last events, oldest first: what went wrong last is at the end, where a terminal shows it."""
    rows = [
        (
            _when(event)[:19],
            event.get("type", ""),
            _about(event["involvedObject"]),
            event.get("reason", ""),
            str(_times(event)),
            event.get("message", ""),
        )
        for event in _events(reader, subject)[-_EVENTS:]
    ]
    yield table(("TIME (UTC)", "TYPE", "OBJECT", "REASON", "TIMES", "MESSAGE"), rows)


def pod_table(reader: Reader, subject: Subject, kept: Kept, now: datetime) -> Iterator[str]:
    """Pods of the service and its gateways: restarts, and how containers ended last."""
    found, trouble = scope.all_pods(reader, subject)
    rows = [
        (
            f"{pod['metadata']['namespace']}/{pod['metadata']['name']}",
            pod.get("status", {}).get("phase", ""),
            "Ready" if pods.is_ready(pod) else "terminating" if pods.is_leaving(pod) else "not Ready",
            str(sum(each.get("restartCount", 0) for each in _statuses(pod))),
            pod["spec"].get("nodeName", "no node"),
            age(pod["metadata"].get("creationTimestamp", ""), now),
            "; ".join(pods.trouble(pod)) or "containers well",
        )
        for pod in found
    ]
    yield table(("POD", "PHASE", "READY", "RESTARTS", "NODE", "AGE", "CONTAINERS"), rows)
    for pod in found:
        for status in _statuses(pod):
            yield from _ended(pod, status, kept, now)
    yield from trouble


def endpoints(reader: Reader, subject: Subject) -> Iterator[str]:
    """Addresses behind the service's Services."""
    yield table(
        ("SLICE", "SERVICE", "ADDRESS", "PORTS", "READY", "SERVING", "TERMINATING", "POD"),
        _endpoint_rows(scope.objects(reader, subject, ENDPOINT_SLICE)),
    )


def _not_well(reader: Reader, subject: Subject, now: datetime) -> Iterator[str]:
    for kind in _WITH_CONDITIONS:
        listed = list(_listed(reader, subject, kind))
        if kind is LLM_SERVICE and not listed:
            yield f"there is no LLMInferenceService {subject.name or 'at all'} in namespace {subject.namespace}"
        for found in listed:
            yield from [found] if isinstance(found, str) else condition_lines(found)
    for pod in _listed(reader, subject, POD):
        if isinstance(pod, str):
            yield pod
        elif not pods.is_ready(pod):
            yield pods.line(pod)
    yield from guarded(lambda: [_warning(each, now) for each in _warnings(reader, subject)])


def _endpoint_rows(slices: list[Object]) -> Iterator[tuple[str, ...]]:
    for each in slices:
        meta = each["metadata"]
        name, service = meta["name"], (meta.get("labels") or {}).get("kubernetes.io/service-name", "")
        ports = ",".join(f"{port.get('name') or ''}:{port.get('port')}" for port in each.get("ports") or [])
        for endpoint in each.get("endpoints") or []:
            state = endpoint.get("conditions", {})
            told = [str(state.get(key, "not told")).lower() for key in ("ready", "serving", "terminating")]
            pod = (endpoint.get("targetRef") or {}).get("name", "")
            yield name, service, ",".join(endpoint.get("addresses", [])), ports, *told, pod
        if not each.get("endpoints"):
            yield name, service, "NONE", ports, "", "", "", ""


def _listed(reader: Reader, subject: Subject, kind: Any) -> Iterator[Object | str]:
    """Objects, or the line that says why there are none."""
    found: list[Object] = []

    def read() -> list[str]:
        found.extend(scope.objects(reader, subject, kind))
        return []

    yield from guarded(read)
    yield from found


def _rows(found: Object) -> Iterator[tuple[str, Condition]]:
    yield from (("", each) for each in conditions(found).values())
    for parent, held in parents(found):
        yield from ((f"parent {parent}", each) for each in held.values())
    for listener in found.get("status", {}).get("listeners", []):
        at = f"listener {listener['name']}"
        yield from ((at, each) for each in conditions(found, listener.get("conditions", [])).values())


def _is_well(condition: Condition) -> bool:
    return condition.status != "True" and not condition.stale if condition.type in _NEGATIVE else condition.holds


def _generations(found: Object) -> tuple[int | None, int]:
    return found.get("status", {}).get("observedGeneration"), found["metadata"].get("generation", 0)


def _cells(found: Object, now: datetime) -> Iterator[tuple[str, ...]]:
    name = f"{found['kind']}/{found['metadata']['name']}"
    rows = list(_rows(found))
    for at, each in rows:
        observed = "not told" if each.observed is None else f"{each.observed} of {each.generation}"
        generation = f"{'STALE' if each.stale else 'fresh'} ({observed})"
        yield name, at, each.type, each.status, age(each.since, now), generation, each.reason, each.message
    if not rows:
        yield name, "", "no conditions", "", "", "", "", ""


def _events(reader: Reader, subject: Subject) -> list[Object]:
    found = [
        event
        for event in reader.objects(EVENT, subject.namespace)
        if not subject.name or event["involvedObject"].get("name", "").startswith(subject.name)
    ]
    return sorted(found, key=_when)


def _about(involved: Object) -> str:
    # Kubelets name the container: spec.containers{main}.
    container = involved.get("fieldPath", "").partition("{")[2].rstrip("}")
    return f"{involved.get('kind', '')}/{involved.get('name', '')}{f' {container}' if container else ''}"


def _when(event: Object) -> str:
    series = event.get("series") or {}
    return str(series.get("lastObservedTime") or event.get("lastTimestamp") or event.get("eventTime") or "")


def _warning(event: Object, now: datetime) -> str:
    """A warning with its age: an old one may be about what is over."""
    since = age(_when(event), now)
    return f"{f'{since} ago' if since else 'at no known time'}: {pods.event_line(event)}"


def _times(event: Object) -> int:
    return int((event.get("series") or {}).get("count") or event.get("count") or 1)


def _warnings(reader: Reader, subject: Subject) -> list[Object]:
    """The last warnings; without failed probes of pods that are Ready by now, or gone."""
    found = [event for event in _events(reader, subject) if event.get("type") == "Warning"]
    with suppress(Unread):
        unready = {pod["metadata"]["name"] for pod in scope.objects(reader, subject, POD) if not pods.is_ready(pod)}
        found = [
            each for each in found if each.get("reason") != "Unhealthy" or each["involvedObject"]["name"] in unready
        ]
    return found[-_WARNINGS:]


def _statuses(pod: Object) -> list[Object]:
    status = pod.get("status", {})
    return [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]


def _ended(pod: Object, status: Object, kept: Kept, now: datetime) -> Iterator[str]:
    last = (status.get("lastState") or {}).get("terminated") or (status.get("state") or {}).get("terminated")
    if not last or (not last.get("exitCode") and not status.get("restartCount")):
        return
    message = last.get("message", "").strip() if kept.last_words else "(message left out at this level of evidence)"
    yield (
        f"{pod['metadata']['name']} {status['name']}: ended {age(last.get('finishedAt', ''), now)} ago with"
        f" {last.get('exitCode')} ({last.get('reason', '')}), {status.get('restartCount', 0)} restarts"
        f"{': ' + message if message else ''}"
    )
