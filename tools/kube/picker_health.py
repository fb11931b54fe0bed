"""Why an endpoint picker does not run: what it said when it ended, or says while it is not ready. Pure but for logs."""

import re
from datetime import UTC, datetime, timedelta

from tools.kube import pods
from tools.kube.client import Object
from tools.kube.errors import KubeError
from tools.kube.llm_service import SERVER_CONTAINER, LlmService

_LINES = 200
_LATE = timedelta(hours=1)
# What a picker says, and what it means; the first that is found counts.
_CAUSES = (
    (
        r"unknown (shorthand )?flag[^\n\"]*|flag provided but not defined[^\n\"]*",
        "its flags are not those of its image ({said}): image and flags are of different releases",
    ),
    (
        r"flag \\?\"[\w-]+\\?\" is deprecated and cannot be used",
        "it is started with a metric flag that its image refuses since the Extension 1.4 ({said}): the metrics' names"
        " belong into the plugin core-metrics-extractor",
    ),
    (
        r"plugin type '?[\w-]+'? (is not registered|is not found|not found in registry)|not found in registry",
        "its configuration names a plugin that its image does not have ({said}): configuration and image are of"
        " different releases",
    ),
    (r"references undefined plugin '[^']*'", "its configuration refers to a plugin that it does not define ({said})"),
    (r"unknown field [^\n,]*", "its configuration has a field that its image does not know ({said})"),
    (r"failed to decode configuration[^\n]{0,120}", "its configuration cannot be read ({said})"),
    (
        r"unexpected \\?\"[^\"]*\\?\" value for[^\n]{0,80}|invalid argument [^\n]{0,80}",
        "a flag has a value that it does not take ({said})",
    ),
    (
        r"[\w.-]+ is forbidden: User \\?\"[^\"\\]*\\?\" cannot \w+ resource \\?\"[\w/]+\\?\"[^\n]{0,60}",
        "its account lacks rights ({said}): Role or RoleBinding was changed, or the image is newer than KServe's Role",
    ),
    (r"no matches for kind \\?\"\w+\\?\"", "a CRD that it watches is not installed ({said})"),
    (r"OOMKilled", "it needs more memory than its limit ({said})"),
)


def cause(text: str) -> str:
    """What a picker's last words mean; empty if they say nothing that is known."""
    for pattern, meaning in _CAUSES:
        if found := re.search(pattern, text):
            said = found[0].replace('\\"', '"').strip()
            return meaning.format(said=said[:200])
    return ""


def trouble(pod: Object, now: datetime) -> list[str]:
    """What is not well with a picker's pod, one line each. Pure."""
    name = pod["metadata"]["name"]
    lines = [f"{name} is not Ready"] if not pods.is_ready(pod) else []
    lines += _restarted(pod, now)
    return lines + [f"{name}: {line}" for line in pods.trouble(pod)] if lines else []


def trouble_of_several(found: list[Object], now: datetime) -> list[str]:
    """What is not well with pickers that elect a leader: exactly one is Ready, and none was restarted. Pure."""
    leaders = [pod["metadata"]["name"] for pod in found if pods.is_ready(pod)]
    lines = [] if len(leaders) == 1 else [f"{len(leaders)} of {len(found)} are Ready: {leaders}; exactly one may lead"]
    return lines + [line for pod in found for line in _restarted(pod, now)]


def _restarted(pod: Object, now: datetime) -> list[str]:
    """Containers that were restarted of late: one that was, once, months ago, is well."""
    return [
        f"{pod['metadata']['name']}: container {each['name']} was restarted {each['restartCount']} times"
        for each in pod.get("status", {}).get("containerStatuses", [])
        if each.get("restartCount") and now - _ended(each) < _LATE
    ]


def _ended(status: Object) -> datetime:
    """When a container ended last; now and for ever if its status does not tell."""
    told = status.get("lastState", {}).get("terminated", {}).get("finishedAt")
    return datetime.fromisoformat(told.replace("Z", "+00:00")) if told else datetime.max.replace(tzinfo=UTC)


def last_words(service: LlmService, pod: Object) -> str:
    """How its container ended, as its status has it, and the end of its log where that may be read."""
    status = pods.container_status(pod, SERVER_CONTAINER) or {}
    ends = [status.get(when, {}).get("terminated", {}) for when in ("state", "lastState")]
    texts = [f"{each.get('reason', '')} {each.get('message', '')}" for each in ends if each]
    for previous in (False, True):
        try:
            name = pod["metadata"]["name"]
            texts.append(service.kube.logs(name, service.namespace, SERVER_CONTAINER, lines=_LINES, previous=previous))
        except KubeError:
            continue  # there is none, or it may not be read: the status has to do
    return "\n".join(texts)
