"""Who wrote what on the local cluster, by its API server's audit log; and what the versions of all objects say."""

import json
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tools.cluster.local import registry
from tools.kube.client import Kube
from tools.kube.discovery import removable
from tools.kube.kinds import Kind

# Questions: they are asked by POST, and nothing is stored.
_REVIEWS = {
    "localsubjectaccessreviews",
    "selfsubjectaccessreviews",
    "selfsubjectreviews",
    "selfsubjectrulesreviews",
    "subjectaccessreviews",
    "tokenreviews",
}
_SUCCESS = 300
_EVENTS = "events"
# Plural with group, namespace, name.
Key = tuple[str, str, str]


@dataclass(frozen=True)
class Write:
    """A request that may have changed something.

    Attributes:
        user: who asked.
        agent: by which program.
        verb: `create`, `update`, `patch`, `delete`, `deletecollection`.
        uri: path and query.
        key: what it was about; without a name where the API server gave it one, or for a whole collection.
        status: HTTP status of the answer.
    """

    user: str
    agent: str
    verb: str
    uri: str
    key: Key
    status: int

    def __str__(self) -> str:
        return f"{self.user} ({self.agent}): {self.verb} {self.uri}: {self.status}"


def log_of(cluster: str) -> Path:
    """The audit log of a local cluster that runs."""
    topology = registry.load(cluster)
    assert topology is not None
    assert topology.audit_log.exists(), "a cluster that was started before there was an audit log; next: make it anew"
    return topology.audit_log


def now() -> str:
    """This moment as the log has it."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def writes(log: Path, since: str = "") -> list[Write]:
    """What was asked since a moment, oldest first; without questions and dry runs.

    Args:
        log: the file; an older one that was full is beside it.
        since: as `now` gives it.
    """
    files = sorted(log.parent.glob(f"{log.stem}*{log.suffix}"), key=lambda each: each.stat().st_mtime)
    events = [json.loads(line) for each in files for line in _whole_lines(each)]
    recent = [each for each in events if each["requestReceivedTimestamp"] >= since]
    return [_write(each) for each in recent if not _asks(each)]


def versions(kube: Kube) -> dict[Key, str]:
    """UID and version of every object on the cluster."""
    kinds, trouble = removable(kube)
    assert trouble == []
    with ThreadPoolExecutor(4) as pool:
        found = pool.map(lambda kind: [(_key(kind, each), each["metadata"]) for each in kube.objects(kind)], kinds)
        return {key: f"{meta['uid']} {meta['resourceVersion']}" for each in found for key, meta in each}


def unexplained(before: Mapping[Key, str], after: Mapping[Key, str], others: Iterable[Write]) -> list[Key]:
    """What came, went or changed without a write of anybody else's to explain it; old events go by themselves."""
    done = {each.key for each in others if each.status < _SUCCESS}
    changed = [key for key in {*before, *after} if before.get(key) != after.get(key)]
    expired = {key for key in changed if key[0] == _EVENTS and key not in after}
    return sorted(key for key in {*changed} - expired if not {key, (key[0], key[1], "")} & done)


def _whole_lines(path: Path) -> list[str]:
    # The last one may be in the middle of being written.
    return path.read_text().split("\n")[:-1]


def _asks(event: dict[str, Any]) -> bool:
    query = parse_qs(urlsplit(event["requestURI"]).query)
    return event.get("objectRef", {}).get("resource") in _REVIEWS or "dryRun" in query


def _write(event: dict[str, Any]) -> Write:
    about = event.get("objectRef", {})
    key = (
        _plural(about.get("resource", ""), about.get("apiGroup", "")),
        # A namespace is in none, whatever a request about it says.
        "" if about.get("resource") == "namespaces" else about.get("namespace", ""),
        about.get("name", ""),
    )
    status = int(event.get("responseStatus", {}).get("code", 0))
    return Write(event["user"]["username"], event.get("userAgent", ""), event["verb"], event["requestURI"], key, status)


def _key(kind: Kind, found: dict[str, Any]) -> Key:
    meta = found["metadata"]
    return _plural(kind.plural, kind.api.rpartition("/")[0]), meta.get("namespace", ""), meta["name"]


def _plural(resource: str, group: str) -> str:
    # The same events are in two groups.
    return f"{resource}.{group}" if group and resource != _EVENTS else resource
