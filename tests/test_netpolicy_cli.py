"""`llmisvc-conformance policies` prints the policies of a deployed service, from what is found. Over HTTP."""

from typing import Any

import pytest
import yaml

from tests.kube_server import Answer, Serve
from tests.netpolicy_service import GATEWAY, PICKER, PROMETHEUS, SERVER
from tests.netpolicy_world import namespace, pod
from tools import cli
from tools.kube.client import Kube
from tools.netpolicy.world import Object

SPEC: dict[str, Any] = {
    "model": {"uri": "hf://google/gemma-2b-it"},
    "router": {"scheduler": {}, "gateway": {"refs": [{"name": "inference", "namespace": "llm"}]}},
}


def _service(name: str, space: str, ip: str, selector: dict[str, str] | None = None) -> Object:
    return {"metadata": {"namespace": space, "name": name}, "spec": {"clusterIP": ip, "selector": selector or {}}}


def _slice(name: str, space: str, addresses: list[str], *ports: tuple[str, int]) -> Object:
    return {
        "metadata": {"namespace": space, "name": f"{name}-x", "labels": {"kubernetes.io/service-name": name}},
        "endpoints": [{"addresses": [each]} for each in addresses],
        "ports": [{"protocol": protocol, "port": port} for protocol, port in ports],
    }


def cluster(**changed: Any) -> dict[str, Any]:
    """What is asked for, by plural."""
    server = pod("llm/server", "10.0.0.1", labels=SERVER, init=[{"name": "istio-proxy", "restartPolicy": "Always"}])
    server["spec"]["initContainers"].append(
        {"name": "storage-initializer", "args": ["hf://google/gemma-2b-it", "/mnt"]}
    )
    found: dict[str, Any] = {
        "namespaces": [
            namespace("llm", {"istio-injection": "enabled"}),
            namespace("kube-system"),
            namespace("default"),
        ],
        "pods": [server, pod("llm/picker", "10.0.0.2", labels=PICKER), pod("llm/gw", "10.0.0.3", labels=GATEWAY)],
        "networkpolicies": [],
        "services": [
            _service("kubernetes", "default", "10.96.0.1"),
            _service("kube-dns", "kube-system", "10.96.0.10", {"k8s-app": "kube-dns"}),
        ],
        "endpointslices": [
            _slice("kubernetes", "default", ["172.16.0.10", "172.16.0.11"], ("TCP", 6443)),
            _slice("kube-dns", "kube-system", ["10.0.0.9"], ("UDP", 53), ("TCP", 53)),
        ],
        "gateways": [
            {
                "kind": "Gateway",
                "metadata": {"namespace": "llm", "name": "inference"},
                "spec": {"listeners": [{"port": 443}, {"port": 80}]},
            }
        ],
        "llminferenceservices": [
            {"kind": "LLMInferenceService", "metadata": {"namespace": "llm", "name": "vllm-gemma"}, "spec": SPEC}
        ],
    }
    return found | changed


def answers(found: dict[str, Any]) -> Answer:
    def answer(method: str, path: str, _query: dict[str, str], _body: Any) -> tuple[int, Any]:
        assert method == "GET", "nothing is written"
        if path.endswith("/namespaces/kube-system"):
            return 200, {"metadata": {"name": "kube-system", "uid": "u"}}
        *before, last = path.strip("/").split("/")
        if last in found:
            if found[last] is None:
                return 403, {"message": f"{last} is forbidden"}
            items = [
                each
                for each in found[last]
                if "namespaces" not in before or each["metadata"]["namespace"] == before[-1]
            ]
            return 200, {"metadata": {"resourceVersion": "1"}, "items": items}
        of_kind = found.get(before[-1], [])
        one = next((each for each in of_kind if each["metadata"]["name"] == last), None)
        return (200, one) if one else (404, {"message": "not found"})

    return answer


def run(kube: Kube, *words: str) -> int:
    return cli.main(["policies", *words, "--context", kube.context, "--kubeconfig", str(kube.kubeconfig)])


def printed(serve: Serve, capsys: pytest.CaptureFixture[str], *words: str, **changed: Any) -> dict[str, Object]:
    _, kube = serve(answers(cluster(**changed)))
    assert run(kube, "llm/vllm-gemma", *words) == 0
    return {each["metadata"]["name"]: each for each in yaml.safe_load_all(capsys.readouterr().out)}


def test_the_policies_of_a_service_are_printed(serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    found = printed(serve, capsys)
    assert sorted(name.removeprefix("vllm-gemma-") for name in found) == [
        "allow-gateway",
        "allow-gateway-to-ask",
        "allow-gateway-to-picker",
        "allow-gateway-to-vllm",
        "allow-istiod",
        "allow-model-download",
        "allow-picker-egress",
        "allow-picker-to-vllm",
        "allow-vllm-egress",
        "default-deny-all",
    ]
    asked = found["vllm-gemma-allow-picker-egress"]["spec"]["egress"]
    assert asked[2] == {
        "to": [{"ipBlock": {"cidr": "172.16.0.10/32"}}, {"ipBlock": {"cidr": "172.16.0.11/32"}}],
        "ports": [{"protocol": "TCP", "port": 6443}],
    }
    assert found["vllm-gemma-allow-model-download"]["spec"]["egress"][0]["to"][0]["ipBlock"]["cidr"] == "0.0.0.0/0"
    assert [each["port"] for each in found["vllm-gemma-allow-gateway"]["spec"]["ingress"][0]["ports"]] == [
        80,
        443,
        15021,
    ]


def test_what_is_found_decides(serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    pods = [*cluster()["pods"], pod("metrics/prometheus-0", "10.0.0.4", labels=PROMETHEUS)]
    cache = pod("kube-system/node-local-dns-x", host=True, labels={"k8s-app": "node-local-dns"})
    cache["spec"]["containers"][0]["args"] = ["-localip", "169.254.20.10,10.96.0.10", "-conf", "x"]
    pods[0]["spec"]["containers"][0]["args"] = ["--kv-events-config={}"]
    found = printed(serve, capsys, pods=[*pods, cache])
    assert {"vllm-gemma-allow-monitoring-of-vllm", "vllm-gemma-allow-kv-events"} <= found.keys()
    peers = found["vllm-gemma-allow-vllm-egress"]["spec"]["egress"][0]["to"]
    assert peers[1:] == [{"ipBlock": {"cidr": "169.254.20.10/32"}}]


def test_dns_that_is_no_pod_is_asked_by_address(serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    found = printed(serve, capsys, endpointslices=cluster()["endpointslices"][:1])
    rule = found["vllm-gemma-allow-vllm-egress"]["spec"]["egress"][0]
    assert rule["to"] == [{"ipBlock": {"cidr": "169.254.169.254/32"}}]


def test_a_model_that_is_mounted_needs_no_download(serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    spec = SPEC | {"model": {"uri": "pvc://models/gemma"}}
    service = {"kind": "LLMInferenceService", "metadata": {"namespace": "llm", "name": "vllm-gemma"}, "spec": spec}
    found = printed(serve, capsys, pods=[], llminferenceservices=[service])
    assert "vllm-gemma-allow-model-download" not in found
    assert "vllm-gemma-allow-istiod" in found, "the namespace asks for sidecars, though no pod is there to show one"


def test_a_known_source_makes_the_rule_narrower(serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    found = printed(serve, capsys, "--model-source", "198.51.100.0/28")
    rule = found["vllm-gemma-allow-model-download"]["spec"]["egress"][0]
    assert rule["to"] == [{"ipBlock": {"cidr": "198.51.100.0/28"}}]


REFUSED = [
    (["llm"], {}, "NAMESPACE/NAME"),
    (["llm/none"], {}, "there is none of this name; in llm there are vllm-gemma"),
    (["llm/vllm-gemma", "--model-source", "here"], {}, "does not appear to be an IPv4 or IPv6 network"),
    (["llm/vllm-gemma"], {"pods": None}, "pods is forbidden"),
]


@pytest.mark.parametrize(("words", "changed", "told"), REFUSED)
def test_what_cannot_be_done_is_told(
    serve: Serve, capsys: pytest.CaptureFixture[str], words: list[str], changed: dict[str, Any], told: str
) -> None:
    _, kube = serve(answers(cluster(**changed)))
    assert run(kube, *words) == 2
    assert told in capsys.readouterr().err


@pytest.mark.parametrize(
    ("spec", "labels", "told"),
    [({"prefill": {"replicas": 1}}, {}, "spec.prefill"), ({}, {"istio.io/dataplane-mode": "ambient"}, "ambient")],
)
def test_what_there_are_no_policies_for_is_refused(
    serve: Serve, capsys: pytest.CaptureFixture[str], spec: dict[str, Any], labels: dict[str, str], told: str
) -> None:
    meta = {"namespace": "llm", "name": "vllm-gemma"}
    changed = {
        "pods": [],
        "namespaces": [namespace("llm", labels)],
        "llminferenceservices": [{"kind": "LLMInferenceService", "metadata": meta, "spec": SPEC | spec}],
    }
    _, kube = serve(answers(cluster(**changed)))
    assert run(kube, "llm/vllm-gemma") == 2
    assert told in capsys.readouterr().err
