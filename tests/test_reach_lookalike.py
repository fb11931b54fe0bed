"""Look-alikes: policies take them for the service's pods, and nothing that sends requests does."""

from typing import Any

from tools.reach.lookalike import labels_like, takers

POD: dict[str, Any] = {
    "metadata": {
        "labels": {"app": "llm", "pod-template-hash": "5d8f", "controller-revision-hash": "1", "kserve.io/x": "y"}
    }
}


def service(name: str, selector: dict[str, str] | None, *, unready: bool = False) -> dict[str, Any]:
    spec: dict[str, Any] = {"publishNotReadyAddresses": True} if unready else {}
    return {"metadata": {"name": name}, "spec": spec | ({"selector": selector} if selector else {})}


def test_labels_are_those_that_policies_select_by_and_not_those_of_its_owner() -> None:
    assert labels_like(POD) == {"app": "llm", "kserve.io/x": "y", "sidecar.istio.io/inject": "false"}


def test_only_services_that_send_to_pods_which_are_not_ready_would_take_it() -> None:
    services = [
        service("careful", {"app": "llm"}),
        service("hasty", {"app": "llm"}, unready=True),
        service("of-others", {"app": "web"}, unready=True),
        service("without-selector", None, unready=True),
    ]
    assert takers(labels_like(POD), services) == ["hasty"]
