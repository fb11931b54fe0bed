"""The family of a service, what is wrong with a child, and what differs between two of them."""

from typing import Any

import pytest

from tests.kube_server import Serve
from tools.kube import relatives
from tools.kube.family import Child, family, wrong_with
from tools.kube.kinds import DEPLOYMENT
from tools.kube.likeness import differences, hands, lacks, normalised
from tools.kube.llm_service import LlmService, Place
from tools.kube.relatives import unlike
from tools.manifests.names import child_name

FULL: dict[str, Any] = {"router": {"route": {}, "gateway": {}, "scheduler": {}}}
LONG = "a-service-with-a-rather-long-name-of-fifty-letters"


def parts(spec: dict[str, Any]) -> set[str]:
    return {each.part for each in family("llm", "ns", spec)}


def test_whole_family() -> None:
    made = {(each.kind.kind, each.name, each.namespace) for each in family("llm", "ns", FULL)}
    assert made == {
        ("Deployment", "llm-kserve", "ns"),
        ("Service", "llm-kserve-workload-svc", "ns"),
        ("Secret", "llm-kserve-self-signed-certs", "ns"),
        ("HTTPRoute", "llm-kserve-route", "ns"),
        ("InferencePool", "llm-inference-pool", "ns"),
        ("Deployment", "llm-kserve-router-scheduler", "ns"),
        ("Service", "llm-epp-service", "ns"),
        ("ServiceAccount", "llm-epp-sa", "ns"),
        ("Role", "llm-epp-role", "ns"),
        ("RoleBinding", "llm-epp-rb", "ns"),
        ("ClusterRoleBinding", "ns-llm-epp-auth-rb", ""),
    }


@pytest.mark.parametrize(
    ("spec", "there", "missing"),
    [
        ({}, {"workload", "workload service", "certificate"}, {"route", "pool", "picker"}),
        ({"router": {"route": {}, "gateway": {}}}, {"route"}, {"pool", "picker account"}),
        ({"router": {"route": {"http": {"refs": [{"name": "r"}]}}}}, {"workload"}, {"route"}),
        ({"router": {"scheduler": {"pool": {"ref": {"name": "p"}}}}}, {"workload"}, {"picker", "pool"}),
        (
            {"router": {"scheduler": {"template": {"serviceAccountName": "own", "containers": []}}}},
            {"picker role"},
            {"picker account"},
        ),
        ({"worker": {}, "prefill": {}}, {"prefill"}, {"workload"}),
    ],
)
def test_family_follows_the_specification(spec: dict[str, Any], there: set[str], missing: set[str]) -> None:
    assert there <= parts(spec)
    assert not missing & parts(spec)


def test_long_names_are_hashed_as_knative_does() -> None:
    # Made by knative.dev/pkg kmeta.ChildName.
    assert len(child_name(LONG, "-kserve-router-scheduler")) == 63
    assert child_name(LONG, "-kserve-router-scheduler").startswith(LONG[:7])
    long = child_name("llmisvc-1124-121636-19-gpu", f"-{LONG}-epp-auth-rb")
    assert len(long) == 63
    assert long.startswith("llmisvc-1124-121636-19-gpu")
    assert long.endswith("-a-se")


def child(**meta: Any) -> dict[str, Any]:
    owner = {"kind": "LLMInferenceService", "uid": "u", "controller": True, "name": "llm"}
    made = {"name": "llm-kserve", "labels": {"a": "b", "more": "c"}, "ownerReferences": [owner]}
    return {"kind": "Deployment", "metadata": made | meta}


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (child(), ""),
        (None, "there is no such Deployment: llm-kserve (workload)"),
        (child(labels={"a": "x"}), "label a is x, and not b"),
        (child(labels=None), "label a is None"),
        (child(ownerReferences=[]), "its owners are none"),
        (child(ownerReferences=[{"kind": "LLMInferenceService", "uid": "other", "controller": True}]), "other"),
        (child(deletionTimestamp="2026-01-01T00:00:00Z"), "being deleted since 2026-01-01"),
    ],
)
def test_what_is_wrong_with_a_child(found: dict[str, Any] | None, words: str) -> None:
    lines = wrong_with(Child("workload", DEPLOYMENT, "llm-kserve", "ns", {"a": "b"}), found, "u")
    assert (words in lines[0]) if words else not lines


def test_normalised_leaves_what_every_twin_has() -> None:
    found = {
        "kind": "Service",
        "metadata": {
            "name": "llm",
            "namespace": "ns-1",
            "uid": "u",
            "resourceVersion": "7",
            "annotations": {"deployment.kubernetes.io/revision": "2", "keep": "/ns-1/llm"},
            "ownerReferences": [{"kind": "K", "uid": "u"}],
        },
        "spec": {"clusterIP": "10.0.0.1", "ports": [{"port": 1}], "replicas": 3},
        "status": {"x": 1},
    }
    assert normalised(found, "ns-1", without=["spec.replicas"]) == {
        "kind": "Service",
        "metadata": {
            "name": "llm",
            "namespace": "NAMESPACE",
            "annotations": {"keep": "/NAMESPACE/llm"},
            "ownerReferences": [{"kind": "K"}],
        },
        "spec": {"ports": [{"port": 1}]},
    }
    assert found["status"] == {"x": 1}


def test_normalised_secret_has_names_of_keys_only() -> None:
    found = {"kind": "Secret", "metadata": {"name": "s"}, "data": {"b": "secret", "a": "secret"}}
    assert normalised(found, "ns")["data"] == ["a", "b"]


@pytest.mark.parametrize(
    ("wanted", "found", "lines"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"a": 2}, ["a is 2, and not 1"]),
        ({"a": {"b": 1}}, {"a": {}}, ["a.b is absent, and not 1"]),
        ({}, {"a": {"b": 1}}, ["a is {'b': 1}, and not absent"]),
        ([{"name": "x", "v": 1}], [{"name": "y"}, {"name": "x", "v": 2}], ["[x].v is 2, and not 1", "[y] is "]),
        ([1, 2], [1], ["[1] is absent, and not 2"]),
        (["same\n" * 50 + "one"], ["same\n" * 50 + "two"], ["[0] is …two… (line 51), and not …one… (line 51)"]),
    ],
)
def test_differences_have_paths(wanted: Any, found: Any, lines: list[str]) -> None:
    told = list(differences(wanted, found))
    assert len(told) == len(lines)
    assert all(line in each for each, line in zip(told, lines, strict=True))


def test_parts_that_are_not_there_are_told() -> None:
    assert unlike({"route": {"a": 1}, "pool": None}, {"route": None, "pool": {}}) == [
        "route: it is not there",
        "pool: it is there, unexpected",
    ]


@pytest.mark.parametrize(
    ("stated", "found", "words"),
    [
        ({"a": 1}, {"a": 1, "b": 2}, ""),
        ({"a": {"b": "x"}}, {"a": {"b": "y"}}, "a.b is y, and not x"),
        ([{"name": "main", "image": "i"}], [{"name": "side"}, {"name": "main", "image": "i"}], ""),
        ([{"name": "main", "image": "i"}], [{"name": "side"}], "[main] is absent"),
        (["--a", "--b"], ["--b", "--c", "--a"], ""),
        (["--a=1"], ["--a=2"], "without --a=1"),
        ([{"key": "k", "effect": "e"}], [{"key": "k", "effect": "e", "operator": "Equal"}], ""),
        ({"cpu": "1"}, {"cpu": "1000m"}, ""),
        ({"memory": "1024Mi"}, {"memory": "1Gi"}, ""),
        ({"memory": "1Gi"}, {"memory": "2Gi"}, "memory is 2Gi, and not 1Gi"),
        ({"image": "a"}, {"image": "b"}, "image is b, and not a"),
    ],
)
def test_what_is_stated_and_not_there(stated: Any, found: Any, words: str) -> None:
    lines = list(lacks(stated, found))
    assert (len(lines) == 1 and words in lines[0]) if words else not lines, lines


def test_hands_are_those_of_others() -> None:
    rows = [
        {"manager": "manager", "time": "t1"},
        {"manager": "kubectl-edit", "time": "t2"},
        {"manager": "somebody", "subresource": "status", "time": "t3"},
    ]
    assert hands({"metadata": {"managedFields": rows}}, ["manager"]) == ["kubectl-edit at t2"]


def service(serve: Serve, objects: dict[str, Any]) -> LlmService:
    """A service in a cluster that has objects by path, and empty lists for what ends in a known plural."""

    def answer(_: str, path: str, *__: Any) -> tuple[int, Any]:
        if path in objects:
            return 200, objects[path]
        return 404, {"message": "not found"}

    return LlmService(serve(answer)[1], "ns", "llm", Place("ns", "gw"))


def test_pool_of_the_old_group_is_expected_where_its_kind_is(serve: Serve) -> None:
    listing = {"items": [], "metadata": {"resourceVersion": "1"}}
    path = "/apis/inference.networking.x-k8s.io/v1alpha2/namespaces/ns/inferencepools"
    for objects, expected in (({path: listing}, True), ({}, False)):
        found = relatives.expected(service(serve, objects), {"spec": FULL})
        assert ("pool of the old group" in {each.part for each in found}) is expected


def test_values_of_secrets_go_nowhere(serve: Serve) -> None:
    secret: dict[str, Any] = {
        "kind": "Secret",
        "metadata": {"name": "llm-kserve-self-signed-certs"},
        "data": {"tls.key": "SECRET"},
    }
    llm = service(serve, {"/api/v1/namespaces/ns/secrets/llm-kserve-self-signed-certs": secret})
    child = next(each for each in family("llm", "ns", FULL) if each.part == "certificate")
    found = relatives.portrait(llm, [child])
    assert "SECRET" not in str(relatives.find(llm.kube, child))
    assert found == {
        "certificate": {"kind": "Secret", "metadata": {"name": secret["metadata"]["name"]}, "data": ["tls.key"]}
    }


def test_those_who_wrote_what_differs_are_named(serve: Serve) -> None:
    rows = [{"manager": "kubectl-edit", "time": "t"}]
    found = {"kind": "Deployment", "metadata": {"name": "llm-kserve", "managedFields": rows}}
    llm = service(serve, {"/apis/apps/v1/namespaces/ns/deployments/llm-kserve": found})
    children = family("llm", "ns", FULL)
    told = relatives.hands_on(llm, children, ["workload: spec.x is 1, and not 2"])
    assert told == "written by Deployment llm-kserve (workload): kubectl-edit at t. "
    assert relatives.hands_on(llm, children, []) == ""
