"""Logs: ends of those of the service's containers, and what others wrote about the service."""

import re
from collections.abc import Callable, Collection, Iterator
from functools import partial

from tools.evidence import envoy, scope
from tools.evidence.detail import Kept
from tools.evidence.reading import Reader, Unread, guarded
from tools.evidence.structured import most_telling, short
from tools.evidence.subject import Subject
from tools.evidence.text import counted, folded
from tools.kube import pods
from tools.kube.client import Object
from tools.kube.llm_service import Place

_READ = 300
_TAIL = 60
_PREVIOUS = 30
# Others' logs are long, and only some lines are about the service.
_SEARCHED = 1000
_FOUND = 40
_ACCESS_SEARCHED = 2000


def containers(reader: Reader, subject: Subject, kept: Kept) -> Iterator[str]:
    """Ends of the logs of all containers of the service's pods and gateways; of restarted ones also the log before."""
    if not kept.logs:
        yield "left out at this level of evidence: others' requests may be in them"
        return
    found, trouble = scope.all_pods(reader, subject)
    # Those that are not well first: there may be no time for all.
    for pod in sorted(found, key=pods.is_ready):
        for name in _names(pod):
            if _is_done(pod, name):
                yield f"--- {pod['metadata']['name']} {name} ended well: its log is left out"
            else:
                yield from _tail(reader, pod, name)
    yield from trouble


def access(reader: Reader, subject: Subject, ids: Collection[str]) -> Iterator[str]:
    """Lines of the gateways' access logs about the case's requests."""
    for gateway in scope.gateways(reader, subject):
        found = scope.gateway_pods(reader, gateway)
        if not found:
            yield f"Gateway {gateway}: no pods, its data plane runs elsewhere: look into the provider's own logs"
        for pod in found:
            lines = _access_lines(reader, subject, pod, ids)
            yield f"Gateway {gateway}, pod {pod['metadata']['name']}: {counted(len(lines), 'line')} about this case"
            yield from envoy.access_table(lines, subject.namespace)
            if not lines:
                yield f"  none of its last {_ACCESS_SEARCHED} lines has a user agent or request id of the case:"
                yield "  no request reached it, or it writes no access log (Istio: meshConfig.accessLogFile)"


def access_ids(reader: Reader, subject: Subject, ids: Collection[str]) -> set[str]:
    """Request ids as the gateways know them: one at the edge may have replaced those that were sent."""
    found = set(ids)
    try:
        for gateway in scope.gateways(reader, subject):
            for pod in scope.gateway_pods(reader, gateway):
                found |= {line.request_id for line in _access_lines(reader, subject, pod, ids)}
    except Unread:
        # The part about the access log says so.
        pass
    return found - {""}


def decisions(reader: Reader, subject: Subject, ids: Collection[str]) -> Iterator[str]:
    """Lines of the endpoint pickers about the case's requests."""
    wanted = access_ids(reader, subject, ids)
    found = scope.picker_pods(reader, subject)
    if not found:
        yield "the service has no endpoint picker pod"
    for pod in found:
        lines = [
            line
            for name in _names(pod)
            for line in _lines(reader, pod, name, _SEARCHED)
            if any(each in line for each in wanted)
        ]
        yield f"picker pod {pod['metadata']['name']}: {counted(len(lines), 'line')} about this case's requests"
        yield from map(short, lines)
        if not lines:
            yield "  nothing in its log: it was not asked, or its verbosity is too low to log requests (argument --v)"


def controllers(reader: Reader, subject: Subject) -> Iterator[str]:
    """What KServe's controller and istiod wrote about the service."""
    mention = mentions(subject)
    for what, deployment in (("KServe's controller", subject.controller), ("istiod", subject.istiod)):
        yield from guarded(partial(_about, reader, what, deployment, mention))


def mentions(subject: Subject) -> Callable[[str], bool]:
    """Whether a line of another component is about a subject. Pure."""
    names = [name for name in (subject.namespace, subject.name) if name]
    # As words: the namespace `llm` is in every line about an `llmisvc`. Names of children begin with the service's.
    found = [re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w])") for name in names]
    return lambda line: any(each.search(line) for each in found)


def _about(reader: Reader, what: str, deployment: Place, mention: Callable[[str], bool]) -> Iterator[str]:
    for pod in reader.pods_of(deployment):
        for name in _names(pod):
            lines = [line for line in _lines(reader, pod, name, _SEARCHED) if mention(line)]
            yield f"--- {what}, pod {pod['metadata']['name']} {name}: the most telling of {counted(len(lines), 'line')}"
            yield from most_telling([short(line) for line in lines], _FOUND)
            if _restarts(pod, name):
                yield from _previous(reader, pod, name)


def _names(pod: Object) -> list[str]:
    return [each["name"] for each in [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]]


def _is_done(pod: Object, container: str) -> bool:
    """Whether an init container has done its work, which it would tell at length."""
    state = (pods.container_status(pod, container) or {}).get("state", {})
    return bool(state.get("terminated", {}).get("exitCode") == 0 and not _restarts(pod, container))


def _restarts(pod: Object, container: str) -> int:
    return int((pods.container_status(pod, container) or {}).get("restartCount", 0))


def _tail(reader: Reader, pod: Object, container: str) -> Iterator[str]:
    yield f"--- {pod['metadata']['namespace']}/{pod['metadata']['name']} {container}"
    yield from guarded(lambda: ["\n".join(folded(_lines(reader, pod, container, _READ))[-_TAIL:]) or "(empty)"])
    if _restarts(pod, container):
        yield from _previous(reader, pod, container)


def _previous(reader: Reader, pod: Object, container: str) -> Iterator[str]:
    yield f"--- {pod['metadata']['name']} {container}, before its last restart"
    read = partial(_lines, reader, pod, container, _READ, previous=True)
    yield from guarded(lambda: ["\n".join(folded(read())[-_PREVIOUS:]) or "(empty)"])


def _lines(reader: Reader, pod: Object, container: str, lines: int, *, previous: bool = False) -> list[str]:
    meta = pod["metadata"]
    return reader.log(meta["namespace"], meta["name"], container, lines, previous=previous).splitlines()


def _access_lines(reader: Reader, subject: Subject, pod: Object, ids: Collection[str]) -> list[envoy.Line]:
    logs = [_lines(reader, pod, name, _ACCESS_SEARCHED) for name in _names(pod)]
    return [line for log in logs for line in envoy.access_lines("\n".join(log), subject.user_agents, ids)]
