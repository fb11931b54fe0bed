"""Pods as Pod Security admission is asked of them, and its words taken apart."""

from typing import Any

import pytest

from tests.kube_server import Serve
from tools.kube.errors import KubeError
from tools.kube.pod_security import at_least, creation, judged, own, violations

Object = dict[str, Any]
POD: Object = {
    "metadata": {"name": "server", "namespace": "llm", "uid": "1", "annotations": {"a": "b"}},
    "spec": {
        "serviceAccountName": "llm",
        "nodeName": "node",
        "initContainers": [{"name": "istio-init"}, {"name": "mine"}],
        "containers": [{"name": "main"}, {"name": "istio-proxy"}],
    },
}
SAID = (
    'allowPrivilegeEscalation != false (container "main" must set securityContext.allowPrivilegeEscalation=false),'
    ' unrestricted capabilities (container "main" must not include "NET_RAW" in securityContext.capabilities.add)'
)


def test_what_is_added_is_left_out_of_a_pods_own() -> None:
    found = own(POD)["spec"]
    assert [each["name"] for each in [*found["initContainers"], *found["containers"]]] == ["mine", "main"]
    assert len(POD["spec"]["containers"]) == 2


def test_a_creation_refers_to_nothing_of_its_old_namespace() -> None:
    made = creation(POD, "enforcing")
    assert made["metadata"]["namespace"] == "enforcing"
    assert {"serviceAccountName", "nodeName"} & set(made["spec"]) == set()
    assert made["metadata"]["annotations"] == {"a": "b"}


@pytest.mark.parametrize(
    ("label", "level", "ok"),
    [
        ("restricted", "baseline", True),
        ("baseline", "restricted", False),
        ("", "baseline", False),
        ("x", "baseline", False),
    ],
)
def test_a_stricter_level_is_enough(label: str, level: str, ok: bool) -> None:
    labels = {"pod-security.kubernetes.io/enforce": label} if label else {}
    assert at_least({"metadata": {"labels": labels}}, level) is ok


def test_each_rule_is_a_line() -> None:
    assert [each.split(" (")[0] for each in violations(SAID)] == [
        "allowPrivilegeEscalation != false",
        "unrestricted capabilities",
    ]


def test_a_refusal_is_taken_apart(serve: Serve) -> None:
    message = f'pods "server" is forbidden: violates PodSecurity "restricted:latest": {SAID}'
    _, kube = serve(lambda *_: (403, {"message": message}))
    assert len(judged(kube, POD, "enforcing")) == 2


def test_another_refusal_says_nothing(serve: Serve) -> None:
    _, kube = serve(lambda *_: (403, {"message": "exceeded quota"}))
    with pytest.raises(KubeError, match="quota"):
        judged(kube, POD, "enforcing")


def test_a_pod_that_is_taken_is_no_trouble(serve: Serve) -> None:
    _, kube = serve(lambda *_: (201, POD))
    assert judged(kube, POD, "enforcing") == []
