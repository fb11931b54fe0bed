"""The canary for NetworkPolicies, against an API server whose pods end as one says."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.kube_server import Serve
from tools.features.canary import canary
from tools.features.canary_verdict import Enforcement, Probe, Seen, judge, outcome
from tools.kube.client import Kube

_PODS = "/api/v1/namespaces/ns/pods"
_POLICIES = "/apis/networking.k8s.io/v1/namespaces/ns/networkpolicies"
Object = dict[str, Any]
# Given whether the policy is there, and how many probes there were since that changed: what a probe says.
Network = Callable[[bool, int], str]


@dataclass
class Cluster:
    """Pods that are ready or ended as soon as they are made.

    Attributes:
        network: decides what becomes of probes.
        annotations: of the namespace.
        refused: methods and paths that are forbidden.
        starts: whether pods start.
    """

    network: Network
    annotations: dict[str, str] = field(default_factory=dict)
    refused: Sequence[tuple[str, str]] = ()
    starts: bool = True
    pods: dict[str, Object] = field(default_factory=dict)
    made: list[Object] = field(default_factory=list)
    policies: set[str] = field(default_factory=set)
    probes: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, method: str, path: str, query: dict[str, str], body: Any) -> tuple[int, Any]:
        """One request."""
        if (method, path) in self.refused:
            return 403, {"message": f"cannot {method} {path}"}
        with self.lock:
            return self._answer(method, path, query, body)

    def _answer(self, method: str, path: str, query: dict[str, str], body: Any) -> tuple[int, Any]:
        if path == "/api/v1/namespaces/ns":
            return 200, {"metadata": {"name": "ns", "annotations": self.annotations}}
        if path == "/apis/networking.k8s.io/v1":
            return 200, {"resources": [{"name": "networkpolicies", "kind": "NetworkPolicy", "namespaced": True}]}
        if method == "POST":
            self.made.append(body)
            name = body["metadata"]["name"]
            if path == _POLICIES:
                self.policies, self.probes = {name}, 0
            else:
                self.pods[name] = body | {"status": self._status(body)}
            return 201, body
        if method == "DELETE":
            collection, _, name = path.rpartition("/")
            if collection == _POLICIES:
                self.policies, self.probes = set(), 0
            else:
                self.pods.pop(name, None)
            return 200, {}
        if query.get("watch"):
            return 200, []
        chosen = query["fieldSelector"].partition("=")[2]
        items = [pod for name, pod in self.pods.items() if name == chosen]
        return 200, {"metadata": {"resourceVersion": "1"}, "items": items}

    def _status(self, pod: Object) -> Object:
        if not self.starts:
            return {"phase": "Pending"}
        if pod["spec"]["containers"][0]["name"] == "server":
            return {"phase": "Running", "podIP": "10.0.0.1", "conditions": [{"type": "Ready", "status": "True"}]}
        self.probes += 1
        said = self.network(bool(self.policies), self.probes)
        ended = {"exitCode": 1 if said else 0, "message": said}
        return {"phase": "Failed", "containerStatuses": [{"name": "probe", "state": {"terminated": ended}}]}


def run(serve: Serve, cluster: Cluster, effect_seconds: float = 0.05) -> tuple[Any, Kube]:
    _, kube = serve(cluster.answer)
    found = canary(kube, "ns", "agnhost:1", labels={"run": "r1"}, effect_seconds=effect_seconds, start_seconds=0.5)
    return found, kube


def enforcing(policy: bool, _: int) -> str:
    return "TIMEOUT\n" if policy else ""


def open_to_all(_: bool, __: int) -> str:
    return ""


def test_enforced(serve: Serve) -> None:
    cluster = Cluster(enforcing)
    found, _ = run(serve, cluster)
    assert found.present is True
    assert found.have == "ENFORCED: ALLOWED before, DROPPED (1 probes) under default-deny for 0 s, ALLOWED after it"
    assert not cluster.pods
    assert not cluster.policies


def test_not_enforced(serve: Serve) -> None:
    found, _ = run(serve, Cluster(open_to_all))
    assert found.present is False
    assert found.have.startswith("NOT_ENFORCED: ALLOWED before, ALLOWED (")


def test_a_policy_and_its_removal_may_take_a_while(serve: Serve) -> None:
    changed: list[bool] = []

    def network(policy: bool, probes: int) -> str:
        changed.extend([True] * policy)
        denied = policy is (probes > 2) if changed else False
        return "REFUSED\n" if denied else ""

    found, _ = run(serve, Cluster(network), effect_seconds=5)
    assert found.have.startswith("ENFORCED: ")
    assert "ALLOWED, then REFUSED (3 probes)" in found.have


def test_a_network_that_is_down_denies_nothing(serve: Serve) -> None:
    cluster = Cluster(lambda *_: "TIMEOUT\n")
    found, _ = run(serve, cluster)
    assert found.present is None
    assert found.have == "INVALID: the positive control failed: DROPPED without any policy"
    assert [each["kind"] for each in cluster.made] == ["Pod", "Pod"]  # no policy was tried


def test_a_server_that_dies_under_the_policy_is_not_enforcement(serve: Serve) -> None:
    dead: list[bool] = []

    def network(policy: bool, _: int) -> str:
        dead.extend([True] * policy)
        return "TIMEOUT\n" if dead else ""

    found, _ = run(serve, Cluster(network))
    assert found.have == "INVALID: the positive control failed: DROPPED after the policy's removal"


def test_pods_that_do_not_start(serve: Serve) -> None:
    cluster = Cluster(enforcing, starts=False)
    found, _ = run(serve, cluster)
    assert found.present is None
    assert found.have.startswith("INVALID: expected: the canary's server to be ready within")
    assert not cluster.pods


@pytest.mark.parametrize("path", [_PODS, _POLICIES])
def test_who_may_make_no_pods_or_policies_is_told(serve: Serve, path: str) -> None:
    cluster = Cluster(enforcing, refused=[("POST", path)])
    found, _ = run(serve, cluster)
    assert found.present is None
    assert found.have.startswith(f"INVALID: POST {path}: 403: cannot POST")
    assert not cluster.pods


def test_what_stays_is_told(serve: Serve) -> None:
    cluster = Cluster(enforcing)
    _, kube = serve(cluster.answer)
    names: list[str] = []
    inner = cluster.answer

    def answer(method: str, path: str, query: dict[str, str], body: Any) -> tuple[int, Any]:
        if method == "DELETE" and path.startswith(_PODS):
            names.append(path.rpartition("/")[2])
            return 403, {"message": "no"}
        return inner(method, path, query, body)

    _, kube = serve(answer)
    found = canary(kube, "ns", "agnhost:1", labels={}, effect_seconds=0.05, start_seconds=0.5)
    assert found.present is True
    assert [f"left behind: Pod {name}: 403: no" in found.have for name in names] == [True] * 4


@pytest.mark.parametrize(("annotations", "user"), [({}, 65532), ({"openshift.io/sa.scc.uid-range": "1/1"}, None)])
def test_pods_are_fit_for_a_strict_namespace(serve: Serve, annotations: dict[str, str], user: int | None) -> None:
    cluster = Cluster(enforcing, annotations=annotations)
    run(serve, cluster)
    pods = [each for each in cluster.made if each["kind"] == "Pod"]
    security = [pod["spec"]["containers"][0]["securityContext"] for pod in pods]
    assert {each.get("runAsUser") for each in security} == {user}
    assert all(each["runAsNonRoot"] and not each["allowPrivilegeEscalation"] for each in security)
    assert all(each["metadata"]["labels"]["run"] == "r1" for each in cluster.made)
    assert all(each["metadata"]["labels"]["sidecar.istio.io/inject"] == "false" for each in pods)


def test_policy_forbids_the_server_alone(serve: Serve) -> None:
    cluster = Cluster(enforcing)
    run(serve, cluster)
    policy = next(each for each in cluster.made if each["kind"] == "NetworkPolicy")
    server = next(each for each in cluster.made if each["spec"].get("containers", [{}])[0].get("name") == "server")
    ((label, value),) = policy["spec"]["podSelector"]["matchLabels"].items()
    assert server["metadata"]["labels"][label] == value
    assert policy["spec"]["policyTypes"] == ["Ingress"]
    assert "ingress" not in policy["spec"]


@pytest.mark.parametrize(
    ("code", "message", "probe"),
    [
        (0, "", Probe.ALLOWED),
        (1, "TIMEOUT\n", Probe.DROPPED),
        (1, "REFUSED\n", Probe.REFUSED),
        (1, "OTHER: dial tcp 10.0.0.1:80: connect: no route to host\n", Probe.UNREACHABLE),
        (1, "DNS: no such host\n", Probe.PROBE_FAILED),
        (137, "", Probe.PROBE_FAILED),
    ],
)
def test_words_of_the_probe(code: int, message: str, probe: Probe) -> None:
    ended = {"exitCode": code, "message": message}
    assert outcome({"status": {"containerStatuses": [{"name": "p", "state": {"terminated": ended}}]}}) is probe
    assert outcome({"status": {}}) is Probe.PROBE_FAILED


def test_probes_that_fail_prove_nothing() -> None:
    seen = Seen(Probe.ALLOWED, [Probe.ALLOWED, Probe.PROBE_FAILED], [Probe.ALLOWED], 15)
    assert judge(seen)[0] is Enforcement.INVALID
    assert judge(Seen(Probe.ALLOWED, [], [Probe.ALLOWED]))[0] is Enforcement.INVALID
    assert judge(Seen(Probe.PROBE_FAILED))[0] is Enforcement.INVALID
