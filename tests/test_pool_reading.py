"""A pool in either API, and Istio's Service for it."""

from typing import Any

import pytest

from tools.kube.pool import Pool, differences, read, read_former, shadow_name, shadow_trouble

_LABELS = {"app": "s"}
_V1 = {
    "spec": {
        "selector": {"matchLabels": _LABELS},
        "targetPorts": [{"number": 8000}],
        "endpointPickerRef": {"kind": "Service", "name": "s-epp", "port": {"number": 9002}, "failureMode": "FailOpen"},
    }
}
_FORMER = {
    "spec": {
        "selector": _LABELS,
        "targetPortNumber": 8000,
        "extensionRef": {"name": "s-epp", "failureMode": "FailOpen"},
    }
}


def test_both_say_the_same() -> None:
    assert read(_V1) == read_former(_FORMER) == Pool(_LABELS, [8000], "Service s-epp:9002", "FailOpen")
    assert differences(read(_V1), read_former(_FORMER)) == []


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"targetPortNumber": 8001}, "target ports [8000] against [8001]"),
        ({"selector": {}}, "selector {'app': 's'} against {}"),
        ({"extensionRef": {"name": "s-epp"}}, "failureMode FailOpen against FailClose"),
        (
            {"extensionRef": {"name": "x", "failureMode": "FailOpen"}},
            "picker Service s-epp:9002 against Service x:9002",
        ),
    ],
)
def test_what_differs_is_told(change: dict[str, Any], line: str) -> None:
    assert differences(read(_V1), read_former({"spec": _FORMER["spec"] | change})) == [line]


def _shadow(**changes: Any) -> dict[str, Any]:
    labels = {
        "istio.io/inferencepool-name": "p",
        "istio.io/inferencepool-extension-service": "s-epp",
        "istio.io/inferencepool-extension-port": "9002",
        "istio.io/inferencepool-extension-failure-mode": "FailOpen",
    }
    spec = {"clusterIP": "None", "selector": _LABELS, "ports": [{"port": 54321, "targetPort": 8000}]}
    return {"metadata": {"labels": labels | changes.pop("labels", {})}, "spec": spec | changes}


def test_shadow_as_it_should_be() -> None:
    assert shadow_trouble(_shadow(), "p", read(_V1)) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"labels": {"istio.io/inferencepool-extension-service": "x"}}, "extension-service is x, not s-epp"),
        ({"labels": {"istio.io/inferencepool-extension-failure-mode": "FailClose"}}, "failure-mode is FailClose"),
        ({"selector": {}}, "selector is {}"),
        ({"ports": [{"targetPort": 8001}]}, "target ports are [8001]"),
        ({"clusterIP": "10.0.0.1"}, "not headless"),
    ],
)
def test_shadow_of_something_else(changes: dict[str, Any], words: str) -> None:
    (line,) = shadow_trouble(_shadow(**changes), "p", read(_V1))
    assert words in line


def test_shadow_name_is_as_seen() -> None:
    # On the local cluster, Istio 1.31.
    assert shadow_name("vllm-gemma-inference-pool") == "vllm-gemma-inference-pool-ip-c8c9d645"
