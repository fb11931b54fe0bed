"""Placing rendered manifests: nothing falls out, whatever the name, namespace or Gateway."""

import hashlib
from typing import Any

import pytest

from tools.errors import UserError
from tools.manifests import Document
from tools.manifests.names import child_name, picker_service
from tools.manifests.place import GatewayRef, Placement, destination_rule, own_gateway, place
from tools.manifests.versions import in_served_version


def documents() -> list[Document]:
    spec: dict[str, Any] = {"router": {"gateway": {}}, "template": {"serviceAccountName": "chat"}}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "llm", "labels": {"team": "a"}}},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "chat"}, "secrets": [{"name": "token"}]},
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "token"}},
        {
            "apiVersion": "serving.kserve.io/v1alpha2",
            "kind": "LLMInferenceService",
            "metadata": {"name": "chat", "namespace": "llm"},
            "spec": spec,
        },
        destination_rule("chat", "llm"),
    ]


def by_kind(found: list[Document]) -> dict[str, Document]:
    return {each["kind"]: each for each in found}


def test_everything_moves_to_the_namespace() -> None:
    found = by_kind(place(documents(), Placement("run-7-gpu")))
    assert found.pop("Namespace")["metadata"] == {
        "name": "run-7-gpu",
        "labels": {"team": "a", "istio-injection": "enabled"},
    }
    assert {each["metadata"]["namespace"] for each in found.values()} == {"run-7-gpu"}


def test_what_belongs_to_a_service_follows_its_name() -> None:
    found = by_kind(place(documents(), Placement("n", suffix="-b")))
    assert found["LLMInferenceService"]["metadata"]["name"] == "chat-b"
    assert found["LLMInferenceService"]["spec"]["template"]["serviceAccountName"] == "chat-b"
    assert found["ServiceAccount"]["metadata"]["name"] == "chat-b"
    assert found["ServiceAccount"]["secrets"] == [{"name": "token"}]
    assert found["Secret"]["metadata"]["name"] == "token"
    assert found["DestinationRule"] == destination_rule("chat-b", "n")
    assert found["DestinationRule"]["spec"]["host"] == "chat-b-epp-service"


def test_an_account_from_elsewhere_keeps_its_name() -> None:
    given = [each for each in documents() if each["kind"] != "ServiceAccount"]
    found = by_kind(place(given, Placement("n", suffix="-b")))
    assert found["LLMInferenceService"]["spec"]["template"]["serviceAccountName"] == "chat"


def test_gateway_of_its_own() -> None:
    gateway = own_gateway("chat", "n", {"run": "7"})
    reference = GatewayRef(gateway["metadata"]["name"], gateway["metadata"]["namespace"])
    found = by_kind(place(documents(), Placement("n", gateway=reference)))
    assert found["LLMInferenceService"]["spec"]["router"]["gateway"] == {
        "refs": [{"name": "chat-gateway", "namespace": "n"}]
    }
    assert gateway["spec"]["gatewayClassName"] == "istio"


def test_labels_go_on_every_object() -> None:
    found = place(documents(), Placement("n", labels={"run": "7"}))
    assert {each["metadata"]["labels"]["run"] for each in found} == {"7"}


def test_a_namespace_outside_the_mesh_says_so() -> None:
    found = by_kind(place(documents(), Placement("n", sidecars=False)))
    assert found["Namespace"]["metadata"]["labels"]["istio-injection"] == "disabled"


def test_the_given_documents_stay_as_they_are() -> None:
    given = documents()
    place(given, Placement("n", suffix="-b", gateway=GatewayRef("g", "n"), labels={"run": "7"}))
    assert given == documents()


@pytest.mark.parametrize(
    "stray",
    [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}},
        destination_rule("another", "llm"),
    ],
)
def test_what_would_fall_out_is_refused(stray: Document) -> None:
    with pytest.raises(UserError, match=stray["metadata"]["name"]):
        place([*documents(), stray], Placement("n"))


def test_child_names_are_knatives() -> None:
    assert child_name("chat", "-epp-service") == "chat-epp-service"
    longest = "a" * 51
    assert picker_service(longest) == f"{longest}-epp-service"
    too_long = "a" * 52
    digest = hashlib.md5(too_long.encode(), usedforsecurity=False).hexdigest()
    assert picker_service(too_long) == "a" * 19 + digest + "-epp-service"
    assert len(picker_service(too_long)) == 63


@pytest.mark.parametrize(
    ("served", "version"),
    [({"v1alpha1"}, "v1alpha1"), ({"v1alpha1", "v1alpha2"}, "v1alpha2"), ({"v1alpha2", "v1"}, "v1alpha2")],
)
def test_services_take_the_newest_served_version(served: set[str], version: str) -> None:
    service = by_kind(documents())["LLMInferenceService"]
    found = in_served_version(service, served)
    assert found == service | {"apiVersion": f"serving.kserve.io/{version}"}


def test_a_cluster_without_a_known_version_is_refused() -> None:
    with pytest.raises(UserError, match="v1beta1"):
        in_served_version(by_kind(documents())["LLMInferenceService"], {"v1beta1"})


def test_an_own_gateway_serves_tls_where_it_has_a_certificate() -> None:
    plain = own_gateway("chat", "n")["spec"]["listeners"]
    both = own_gateway("chat", "n", certificate="chat-tls")["spec"]["listeners"]
    assert [each["protocol"] for each in plain] == ["HTTP"]
    assert both[0] == plain[0]
    assert (both[1]["port"], both[1]["protocol"]) == (443, "HTTPS")
    assert both[1]["tls"] == {"mode": "Terminate", "certificateRefs": [{"name": "chat-tls"}]}
    # KServe would take a hostname for the service's URL.
    assert "hostname" not in both[1]
