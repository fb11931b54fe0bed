"""A service, its neighbours and strangers, for tests of the policies that it gets and of the audit."""

from collections.abc import Mapping

from tests.netpolicy_world import namespace, pod
from tools.netpolicy.facts import Dns, Facts, ModelSource, Pods
from tools.netpolicy.world import Object, World

SERVICE = "vllm-gemma"
FAMILY = {"app.kubernetes.io/part-of": "llminferenceservice", "app.kubernetes.io/name": SERVICE}
# As KServe 0.19 labels them: recorded from its controller.
SERVER = {
    **FAMILY,
    "app.kubernetes.io/component": "llminferenceservice-workload",
    "kserve.io/component": "workload",
    "llm-d.ai/role": "both",
}
PICKER = {
    **FAMILY,
    "app.kubernetes.io/component": "llminferenceservice-router-scheduler",
    "sidecar.istio.io/inject": "false",
}
GATEWAY = {"gateway.networking.k8s.io/gateway-name": "inference"}
ISTIOD, DNS, PROMETHEUS = {"app": "istiod"}, {"k8s-app": "kube-dns"}, {"app.kubernetes.io/name": "prometheus"}
RANGES = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16")

SHARED = Facts(
    namespace="llm",
    service=SERVICE,
    gateway=Pods("llm", GATEWAY),
    listeners=(80, 443),
    api_server=("172.16.0.10",),
    api_server_port=6443,
    api_service="10.96.0.1",
    dns=Dns(Pods("kube-system", DNS), 53, ("169.254.20.10",)),
    istiod=Pods("istio-system", ISTIOD),
    source=ModelSource("0.0.0.0/0", RANGES, 443, "203.0.113.99"),
    monitoring=(Pods("monitoring", PROMETHEUS),),
    events=True,
)
APART = Facts(
    namespace="llm",
    service=SERVICE,
    gateway=Pods("kserve", GATEWAY),
    api_server=("172.16.0.10", "172.16.0.11"),
    api_server_port=6443,
    api_service="10.96.0.1",
    dns=Dns(Pods("openshift-dns", DNS), 5353),
    istiod=Pods("istio-system", ISTIOD),
)
LEAST = Facts(
    namespace="llm",
    service=SERVICE,
    gateway=Pods("kserve", GATEWAY),
    api_server=("172.16.0.10",),
    api_server_port=443,
    api_service="10.96.0.1",
    dns=Dns(None, 53, ("169.254.169.254",)),
    istiod=Pods("istio-system", ISTIOD),
    picker=False,
    sidecars=False,
)


def world(facts: Facts, policies: list[Object] | None = None) -> World:
    """The service's pods and neighbours, a twin of each that lacks one label or is elsewhere, and strangers.

    All neighbours are on node `two`, and the service on node `one`.
    """
    neighbours = {
        f"{facts.gateway.namespace}/gateway": GATEWAY,
        f"{facts.istiod.namespace}/istiod": ISTIOD,
        "kube-system/dns": DNS,
        "openshift-dns/dns": DNS,
        "monitoring/prometheus": PROMETHEUS,
        "llm/server": SERVER,
        "llm/picker": PICKER,
    }
    spaces = ["llm", "kserve", "istio-system", "kube-system", "openshift-dns", "monitoring", "other"]
    named: dict[str, Mapping[str, str]] = {**neighbours}
    named |= {f"{space}/stranger": {} for space in spaces}
    for name, labels in neighbours.items():
        short = name.partition("/")[2]
        named |= {f"other/{short}": labels, f"llm/{short}-here": labels} if not name.startswith("llm/") else {}
        named |= {f"other/{short}": labels} if name.startswith("llm/") else {}
        for index, key in enumerate(labels):
            left = {each: value for each, value in labels.items() if each != key}
            named[f"{name}-without-{index}"] = left | ({key: "another"} if index % 2 else {})
    named["other/other-service"] = {**SERVER, "app.kubernetes.io/name": "other"}
    named["llm/other-service"] = {**SERVER, "app.kubernetes.io/name": "other"}
    service = ("llm/server", "llm/picker", "llm/gateway")
    pods = [
        pod(name, f"10.0.{index // 200}.{index % 200 + 1}", labels=labels, node="one" if name in service else "two")
        for index, (name, labels) in enumerate(sorted(named.items()))
    ]
    return World([namespace(each) for each in spaces], pods, policies or [])
