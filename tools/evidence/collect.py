"""Evidence of a failure, collected while everything is still there."""

import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import yaml

from tools.evidence import clusters, logs, metrics, scope, status
from tools.evidence.detail import KEPT, Detail, Kept
from tools.evidence.parts import Part, collect_parts
from tools.evidence.reading import Reader, Unread
from tools.evidence.requests import RequestLog
from tools.evidence.subject import Subject
from tools.evidence.text import utc_now
from tools.kube.client import Kube
from tools.kube.errors import KubeError
from tools.kube.kinds import DESTINATION_RULE, ENDPOINT_SLICE, GATEWAY, HTTP_ROUTE, LLM_SERVICE, POD, POOL, SERVICE
from tools.redact import Redactor
from tools.secret import Secret

NOT_WELL = "not well"
SECONDS = 20.0

_REACHED_SECONDS = 5.0
_OBJECTS = (LLM_SERVICE, GATEWAY, HTTP_ROUTE, POOL, DESTINATION_RULE, SERVICE, ENDPOINT_SLICE, POD)
_YAML = "objects"


@dataclass(frozen=True)
class Evidence:
    """What was seen.

    Attributes:
        texts: by title, in the order in which a person wants them; the first, NOT_WELL, tells what is wrong at once.
        objects: the objects as YAML; empty where there are none.
        taken: when, UTC.
        seconds: how long it took.
    """

    texts: Mapping[str, str]
    objects: str
    taken: datetime
    seconds: float


def collect(
    kube: Kube,
    subject: Subject,
    redactor: Redactor,
    *,
    requests: RequestLog | None = None,
    before: metrics.Scrapes | None = None,
    token: Secret | None = None,
    detail: Detail = Detail.FULL,
    seconds: float = SECONDS,
) -> Evidence:
    """Collect it; never fails, and ends in time: what could not be had says why in its place.

    Args:
        kube: the cluster; only read from.
        subject: what failed.
        redactor: hides secrets in all of it; learns those that it meets in environments of pods.
        requests: of the case.
        before: metrics before it, from `metrics.scrape`.
        token: may read the picker's metrics.
        detail: how much to keep.
        seconds: all of it may take.
    """
    taken, started = utc_now(), time.monotonic()
    if problem := _unreachable(kube, min(_REACHED_SECONDS, seconds)):
        parts: dict[str, str] = {NOT_WELL: redactor.text(problem)}
        if requests:
            parts["requests"] = redactor.text("\n".join(requests.told(KEPT[detail])))
        return Evidence(parts, "", taken, time.monotonic() - started)
    reader = Reader(kube)
    found = dict(
        collect_parts(
            _parts(reader, subject, redactor, requests or RequestLog(), before, token, KEPT[detail], taken),
            redactor,
            started + seconds,
            seconds,
        )
    )
    objects = found.pop(_YAML)
    return Evidence(found, objects, taken, time.monotonic() - started)


def _parts(
    reader: Reader,
    subject: Subject,
    redactor: Redactor,
    requests: RequestLog,
    before: metrics.Scrapes | None,
    token: Secret | None,
    kept: Kept,
    now: datetime,
) -> list[Part]:
    ids = requests.ids
    well = "every condition is True and fresh, every pod is Ready, and there are no warnings"
    return [
        Part(NOT_WELL, partial(status.not_well, reader, subject, now), well),
        Part("requests", partial(requests.told, kept)),
        Part("gateway: access log", partial(logs.access, reader, subject, ids), "no Gateway serves it"),
        Part("endpoint picker: decisions", partial(logs.decisions, reader, subject, ids)),
        Part("gateway: Envoy's clusters", partial(clusters.of_gateways, reader, subject), "no Gateway serves it"),
        Part("conditions", partial(status.condition_table, reader, subject, now), "nothing has conditions"),
        Part("pods", partial(status.pod_table, reader, subject, kept, now), "no pods"),
        Part("endpoints", partial(status.endpoints, reader, subject), "no EndpointSlices"),
        Part("events", partial(status.events, reader, subject), "no events"),
        Part("metrics", partial(metrics.moved, reader, subject, before, token), "no pods to ask"),
        Part("logs", partial(logs.containers, reader, subject, kept), "no pods"),
        Part("controllers", partial(logs.controllers, reader, subject)),
        Part(_YAML, partial(_objects, reader, subject, redactor, kept), "", block=60_000, limit=400_000),
    ]


def _unreachable(kube: Kube, seconds: float) -> str:
    """Why the API server cannot be asked; empty if it can. Without this every part would wait for its own time-out."""
    problem = [f"the API server of context {kube.context} has not answered GET /version for {seconds:g} s"]

    def ask() -> None:
        try:
            kube.version()
        except KubeError as error:
            # One that forbids this may allow the rest; any other refusal would come again for every part.
            problem[:] = [] if error.status == 403 else [f"the API server cannot be asked: {error}"]
        except Exception as error:
            problem[:] = [f"the API server cannot be asked: {type(error).__name__}: {error}"]
        else:
            problem[:] = []

    asking = threading.Thread(target=ask, name="evidence: is the API server there", daemon=True)
    asking.start()
    asking.join(seconds)
    return "".join(problem[:1])


def _objects(reader: Reader, subject: Subject, redactor: Redactor, kept: Kept) -> Iterator[str]:
    for kind in _OBJECTS:
        try:
            listed = scope.objects(reader, subject, kind)
        except Unread as error:
            yield f"# {' '.join(str(error).split())}"
            continue
        for found in listed:
            redactor.learn(found)
            shown = redactor.objects(found if kept.last_words else _without_last_words(found))
            shown["metadata"].pop("managedFields", None)
            yield f"---\n{yaml.safe_dump(shown, sort_keys=False, allow_unicode=True, width=120).strip()}"


def _without_last_words(found: Any) -> Any:
    """A copy without the messages of ended containers, which may be the end of a server's log. Pure."""
    if isinstance(found, list):
        return [_without_last_words(each) for each in found]
    if not isinstance(found, dict):
        return found
    return {
        key: {name: each for name, each in value.items() if name != "message"}
        if key == "terminated" and isinstance(value, dict)
        else _without_last_words(value)
        for key, value in found.items()
    }
