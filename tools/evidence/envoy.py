"""What a gateway's Envoy says: its clusters, and its access log. Pure."""

import json
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from tools.evidence.text import table

ADMIN_PORT = 15000
CLUSTERS = "/clusters"

_COUNTERS = (
    "cx_active",
    "cx_connect_fail",
    "cx_total",
    "rq_active",
    "rq_error",
    "rq_success",
    "rq_timeout",
    "rq_total",
)


@dataclass(frozen=True)
class Line:
    """A line of an access log.

    Attributes:
        text: as it was written.
        fields: decoded, where the log is JSON.
    """

    text: str
    fields: dict[str, Any]

    @property
    def request_id(self) -> str:
        """Envoy's id of the request."""
        return str(self.fields.get("request_id") or "")


def cluster_table(text: str, namespace: str, name: str = "", without: str = "") -> str:
    """Members of a service's clusters, from the text of the admin port's /clusters.

    Clusters without a member are rows as well: they answer with 503 `no healthy upstream`.

    Args:
        text: of /clusters.
        namespace, name: the service; with no name all of the namespace.
        without: a Gateway, whose own Service is nobody's backend.
    """
    wanted = _of_service(namespace, name)
    members: dict[str, dict[str, dict[str, str]]] = {}
    for line in text.splitlines():
        cluster, *rest = line.split("::")
        if not wanted.search(cluster) or (without and f"||{without}-" in cluster):
            continue
        hosts = members.setdefault(short(cluster, namespace), defaultdict(dict))
        # Members are addresses; other lines tell limits and settings of the cluster.
        if len(rest) == 3 and ":" in rest[0]:
            hosts[rest[0]][rest[1]] = rest[2]
    head = ("CLUSTER", "MEMBER", "HEALTH", *(name.upper() for name in _COUNTERS))
    return table(head, (row for cluster, hosts in sorted(members.items()) for row in _rows(cluster, hosts)))


def access_lines(log: str, user_agents: Collection[str], ids: Collection[str]) -> list[Line]:
    """Lines of an access log about a case's requests: by user agent where the log is JSON, else by any mention."""
    return [line for line in map(_decoded, log.splitlines()) if _is_about(line, user_agents, ids)]


def access_table(lines: Iterable[Line], namespace: str) -> Iterator[str]:
    """What matters of JSON lines, in columns; other lines as they are.

    Args:
        lines: of an access log.
        namespace: the service's, which is left out of the names of its clusters.
    """
    lines = list(lines)
    head = ("TIME", "CODE", "FLAGS", "DETAILS", "MS", "UPSTREAM", "CLUSTER", "REQUEST ID", "REQUEST", "FAILURE")
    yield table(head, (_cells(line.fields, namespace) for line in lines if line.fields))
    yield from (line.text for line in lines if not line.fields)


def short(cluster: str, namespace: str) -> str:
    """A cluster's name without the end that all of a namespace have. Pure."""
    return cluster.partition(f".{namespace}.svc.")[0]


def _of_service(namespace: str, name: str) -> re.Pattern[str]:
    """What names of clusters of a service match: `outbound|PORT|SUBSET|NAME-….NAMESPACE.svc.…`."""
    return re.compile(rf"\|{re.escape(name)}[^|.]*\.{re.escape(namespace)}\.svc\.")


def _rows(name: str, hosts: dict[str, dict[str, str]]) -> Iterator[tuple[str, ...]]:
    for address, told in hosts.items():
        yield name, address, told.get("health_flags", ""), *(told.get(counter, "") for counter in _COUNTERS)
    if not hosts:
        yield name, "NO MEMBERS", "", *("" for _ in _COUNTERS)


def _decoded(line: str) -> Line:
    try:
        found = json.loads(line) if line.startswith("{") else {}
    except ValueError:
        found = {}
    # Envoy's own messages may be JSON as well.
    return Line(line, found if isinstance(found, dict) and "response_code" in found else {})


def _is_about(line: Line, user_agents: Collection[str], ids: Collection[str]) -> bool:
    if line.fields:
        return line.fields.get("user_agent") in user_agents or line.request_id in ids
    return any(word in line.text for word in (*user_agents, *ids))


def _cells(fields: dict[str, Any], namespace: str) -> tuple[str, ...]:
    def told(*names: str) -> str:
        return str(next((fields[name] for name in names if fields.get(name) not in (None, "")), "-"))

    return (
        told("start_time"),
        told("response_code"),
        told("response_flags"),
        told("response_code_details"),
        told("duration"),
        told("upstream_host"),
        short(told("upstream_cluster"), namespace),
        told("request_id"),
        f"{told('method')} {told('path')}",
        told("upstream_transport_failure_reason", "connection_termination_details"),
    )
