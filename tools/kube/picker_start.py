"""Whether a picker is started for its pool: flags, ports, probes and rights against the objects around it. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from tools.kube import picker_flags
from tools.kube.access import Access
from tools.kube.client import Object
from tools.kube.llm_service import SERVER_CONTAINER

_GIE = "inference.networking.k8s.io"
_FORMER = "inference.networking.x-k8s.io"
_PROBES = {"livenessProbe": "liveness", "readinessProbe": "readiness"}
_READS = ("list", "watch")
# Of Istio's agent, in plaintext whatever the mesh demands ("Metrics merging").
AGENT_PORT, AGENT_PATH = 15020, "/stats/prometheus"


@dataclass(frozen=True)
class Trouble:
    """One thing that a picker is started with and should not be.

    Attributes:
        observed: what it is started with.
        wanted: what it should be.
        effect: what comes of it.
    """

    observed: str
    wanted: str
    effect: str


def needs(namespace: str, *, several: bool) -> list[Access]:
    """What a picker of the Gateway API Inference Extension 1.x reads, in its pool's namespace.

    Args:
        namespace: of the pool.
        several: whether pickers elect a leader, which takes a Lease.
    """
    read = [
        ("pods", ""),
        ("inferencepools", _GIE),
        ("inferenceobjectives", _FORMER),
        ("inferencemodelrewrites", _FORMER),
    ]
    found = [Access(verb, resource, group, namespace) for resource, group in read for verb in _READS]
    leases = ("get", "create", "update") if several else ()
    return found + [Access(verb, "leases", "coordination.k8s.io", namespace) for verb in leases]


def trouble(deployment: Object, pool: Object, service: Object, workload: Object) -> list[Trouble]:
    """What a picker's Deployment has that does not go with pool, picker's Service and servers' Deployment."""
    container = picker_flags.main(deployment)
    flags = picker_flags.flags(container)
    return [
        *_pool(flags, pool),
        *_port(flags, container, pool, service),
        *scraping(flags, workload),
        *_probes(flags, container),
        *_number(flags, deployment),
        *_flag(flags, "metrics-endpoint-auth", "true", "everybody in the cluster reads the picker's metrics"),
    ]


def _flag(flags: picker_flags.Flags, name: str, wanted: str, effect: str) -> Iterator[Trouble]:
    if flags[name] != wanted:
        yield Trouble(f"{name} is {flags[name]}", wanted, effect)


def _pool(flags: picker_flags.Flags, pool: Object) -> Iterator[Trouble]:
    effect = (
        "it watches another pool than the gateway's, is not ready before it has read it, and knows no server of ours"
    )
    yield from _flag(flags, "pool-name", pool["metadata"]["name"], effect)
    yield from _flag(flags, "pool-namespace", pool["metadata"]["namespace"], effect)
    yield from _flag(flags, "pool-group", pool["apiVersion"].partition("/")[0], effect)


def _port(flags: picker_flags.Flags, container: Object, pool: Object, service: Object) -> Iterator[Trouble]:
    number = pool["spec"]["endpointPickerRef"].get("port", {}).get("number")
    target = next((each.get("targetPort") for each in service["spec"]["ports"] if each["port"] == number), None)
    named = {each.get("name"): each["containerPort"] for each in container.get("ports", [])}
    reached = named.get(target, target)
    if str(reached) != flags["grpc-port"]:
        yield Trouble(
            f"it listens on {flags['grpc-port']}, and the pool leads to {reached}",
            "one port in pool, Service and picker",
            "the gateway's stream is refused: completions are 500, or unpicked where the pool fails open",
        )


def scraping(flags: picker_flags.Flags, workload: Object) -> Iterator[Trouble]:
    """What keeps a picker from the servers' metrics, by its flags."""
    if _merged(flags, workload):
        return
    scheme, port = _server(workload)
    how = "TLS" if scheme == "https" else "plaintext"
    effect = f"it does not reach the servers' metrics: they speak {how} on {port}. Its gauges stay 0, load is not seen"
    yield from _flag(flags, "model-server-metrics-scheme", scheme, effect)
    if flags["model-server-metrics-port"] not in ("0", str(port)):
        yield Trouble(f"model-server-metrics-port is {flags['model-server-metrics-port']}", f"{port}, or none", effect)
    yield from _flag(flags, "model-server-metrics-path", "/metrics", effect)


def _merged(flags: picker_flags.Flags, workload: Object) -> bool:
    """Whether it asks Istio's agent beside the servers, which hands their metrics out with the proxy's own."""
    told = workload["spec"]["template"].get("metadata", {}).get("annotations", {})
    asks = (flags["model-server-metrics-port"], flags["model-server-metrics-path"])
    as_merged = asks == (str(AGENT_PORT), AGENT_PATH) and flags["model-server-metrics-scheme"] == "http"
    _, port = _server(workload)
    named = (told.get("prometheus.io/scrape"), told.get("prometheus.io/port"), told.get("prometheus.io/path"))
    return as_merged and named == ("true", str(port), "/metrics")


def _server(workload: Object) -> tuple[str, int]:
    containers = workload["spec"]["template"]["spec"]["containers"]
    server = next((each for each in containers if each["name"] == SERVER_CONTAINER), containers[0])
    probe = server.get("readinessProbe", {}).get("httpGet", {})
    port = next((each["containerPort"] for each in server.get("ports", [])), 8000)
    return str(probe.get("scheme", "HTTP")).lower(), int(port)


def _probes(flags: picker_flags.Flags, container: Object) -> Iterator[Trouble]:
    for probe, wanted in _PROBES.items():
        grpc = container.get(probe, {}).get("grpc")
        if grpc is None:
            yield Trouble(f"it has no {probe} by gRPC", f"{wanted} on {flags['grpc-health-port']}", _UNPROBED)
            continue
        if grpc.get("service") != wanted:
            effect = "only a leader serves the stream: every other picker is restarted for ever, or none is ever ready"
            yield Trouble(f"{probe} asks for {grpc.get('service') or 'no service'}", wanted, effect)
        if str(grpc.get("port")) != flags["grpc-health-port"]:
            yield Trouble(f"{probe} asks on {grpc.get('port')}", flags["grpc-health-port"], _UNPROBED)


def _number(flags: picker_flags.Flags, deployment: Object) -> Iterator[Trouble]:
    replicas = deployment["spec"].get("replicas", 1)
    if replicas > 1 and not flags.on("ha-enable-leader-election"):
        effect = "all are ready and asked: each knows a part of the requests, so prefixes and load are misjudged"
        yield Trouble(f"{replicas} replicas without leader election", "--ha-enable-leader-election", effect)


_UNPROBED = "nobody sees when it hangs, or it is restarted although it is well"
