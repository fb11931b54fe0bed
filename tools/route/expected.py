"""The rules that KServe's router preset gives the route of a service, by version. Pure.

Read from the preset `kserve-config-llm-router-route` of 0.17.0 and 0.19.0 and from the notes on 0.18 and 0.20. Before
0.17 one rule sends all to the pool; 0.18 adds responses; 0.19 names the rules and routes by a model header as well;
0.20 adds messages and the publishers' paths.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

Rule = dict[str, Any]

POOL_GROUP = "inference.networking.k8s.io"
OLD_POOL_GROUP = "inference.networking.x-k8s.io"
MODEL_HEADER = "X-Gateway-Model-Name"
NEVER = {"request": "0s", "backendRequest": "0s"}
VERSIONS = ("0.16", "0.17", "0.18", "0.19", "0.20")
# By version, the paths of which requests go to the picker; the name of each in rules' names.
_APIS = {
    "0.16": {},
    "0.17": {"completions": "completions", "chat-completions": "chat/completions"},
}
_APIS["0.18"] = _APIS["0.19"] = _APIS["0.17"] | {"responses": "responses"}
_APIS["0.20"] = _APIS["0.19"] | {"messages": "messages"}
_PORT = 8000


@dataclass(frozen=True)
class Backend:
    """Where a rule sends requests.

    Attributes:
        kind: `InferencePool` or `Service`.
        name: in the route's namespace.
        group: API group; empty for the core group.
        port: port.
    """

    kind: str
    name: str
    group: str = ""
    port: int = _PORT

    @property
    def reference(self) -> Rule:
        """As a rule's only backend."""
        return {"group": self.group, "kind": self.kind, "name": self.name, "port": self.port, "weight": 1}


@dataclass(frozen=True)
class Routed:
    """What the rules of a service are made of.

    Attributes:
        namespace, name: of the service.
        model: `spec.model.name`.
        picked: where requests go that have a model: the pool, or without a scheduler the Service.
        workload: the Service, for all else.
        header: the header that names the model; empty where routing by it is off.
        adapters: names of LoRA adapters, which the header may name as well.
    """

    namespace: str
    name: str
    model: str
    picked: Backend
    workload: Backend
    header: str = MODEL_HEADER
    adapters: tuple[str, ...] = ()

    @property
    def prefix(self) -> str:
        """Of the service's own paths."""
        return f"/{self.namespace}/{self.name}"

    @property
    def publisher(self) -> str:
        """What the header says, and the other prefix from 0.20 on."""
        return f"publishers/{self.namespace}/models/{self.model}"


def minor(version: str) -> str:
    """`0.19` of `0.19.0`; empty if it is none of the known ones, of which the newest counts for all that are newer."""
    parts = version.split(".")
    if len(parts) < 2 or not all(part.isdigit() for part in parts[:2]):
        return ""
    number = (int(parts[0]), int(parts[1]))
    known = [each for each in VERSIONS if tuple(map(int, each.split("."))) <= number]
    return known[-1] if known else ""


def picked_paths(version: str) -> tuple[str, ...]:
    """Paths below the service's prefix that go to the picker, in a minor version; in 0.16 all do."""
    return tuple(f"/v1/{path}" for path in _APIS[version].values())


def routes_by_header(version: str) -> bool:
    """Whether a minor version has rules for the header that names the model."""
    return version in ("0.19", "0.20")


def expected_rules(version: str, routed: Routed) -> list[Rule]:
    """The rules of a service's route.

    Args:
        version: one of VERSIONS.
        routed: the service.
    """
    apis = _APIS[version]
    if not apis:
        return [_path_rule("", routed.prefix, "/", routed.picked)]
    named = routes_by_header(version)
    own = [_path_rule(f"v1-{key}-path" * named, f"{routed.prefix}/v1/{path}", f"/v1/{path}", routed.picked)
           for key, path in apis.items()]  # fmt: skip
    catch_all = _path_rule("v1-catch-all-path" * named, routed.prefix, "/", routed.workload)
    if not named:
        return [*own, catch_all]
    return [*own, *_publisher_rules(version, routed), catch_all, *_header_rules(version, routed)]


def _publisher_rules(version: str, routed: Routed) -> list[Rule]:
    if version != "0.20":
        return []
    prefix = f"/{routed.publisher}"
    rules = [
        _path_rule(f"v1-{key}-publisher-path", f"{prefix}/v1/{path}", f"/v1/{path}", routed.picked)
        for key, path in _APIS[version].items()
    ]
    return [*rules, _path_rule("v1-publisher-path-catch-all", prefix, "/", routed.workload)]


def _header_rules(version: str, routed: Routed) -> list[Rule]:
    if not routed.header:
        return []
    apis = _APIS[version]
    groups = {"v1-model-routing": apis.values()} if version == "0.20" else {
        f"v1-{key}-model-routing": [path] for key, path in apis.items()
    }  # fmt: skip
    picked = [_header_rule(name, _exactly(paths), routed.picked, routed) for name, paths in groups.items()]
    everything = [{"type": "PathPrefix", "value": "/"}]
    return [*picked, _header_rule("v1-catch-all-model-routing", everything, routed.workload, routed)]


def _exactly(paths: Iterable[str]) -> list[Rule]:
    return [{"type": "Exact", "value": f"/v1/{path}{end}"} for path in paths for end in ("", "/")]


def _path_rule(name: str, prefix: str, becomes: str, backend: Backend) -> Rule:
    rewrite = {"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": becomes}}
    rule: Rule = {
        "matches": [{"path": {"type": "PathPrefix", "value": prefix}}],
        "filters": [{"type": "URLRewrite", "urlRewrite": rewrite}],
        "backendRefs": [backend.reference],
        "timeouts": dict(NEVER),
    }
    return {"name": name} | rule if name else rule


def _header_rule(name: str, paths: list[Rule], backend: Backend, routed: Routed) -> Rule:
    values = [f"publishers/{routed.namespace}/models/{model}" for model in (routed.model, *routed.adapters)]
    headers = [{"type": "Exact", "name": routed.header, "value": value} for value in values]
    return {
        "name": name,
        "matches": [{"path": path, "headers": [header]} for header in headers for path in paths],
        "backendRefs": [backend.reference],
        "timeouts": dict(NEVER),
    }
