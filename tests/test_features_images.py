"""Images as running, and versions out of texts."""

from typing import Any

import pytest

from tests.kube_server import Serve
from tools.features.images import images, running
from tools.features.version import at_least, guess, tag

DIGEST = "sha256:" + "a" * 64


def pod(name: str, image_id: str, owner: str = "", template: str = "") -> dict[str, Any]:
    meta: dict[str, Any] = {"name": name, "namespace": "ns"}
    if owner:
        meta["ownerReferences"] = [{"kind": "ReplicaSet", "name": owner, "controller": True}]
        meta["labels"] = {"pod-template-hash": template} if template else {}
    return {
        "metadata": meta,
        "spec": {
            "containers": [{"name": "main", "image": "ghcr.io/x/y:v1"}],
            "initContainers": [{"name": "istio-proxy", "image": "istio/proxyv2@sha256:old"}],
        },
        "status": {
            "containerStatuses": [{"name": "main", "imageID": image_id}],
            "initContainerStatuses": [{"name": "istio-proxy", "imageID": f"docker.io/istio/proxyv2@{DIGEST}"}],
        },
    }


def test_replicas_are_one_line_with_digest() -> None:
    pods = [pod(f"web-7f9c-{each}", f"ghcr.io/x/y@{DIGEST}", "web-7f9c", "7f9c") for each in ("a", "b")]
    assert running(pods) == {
        "ns/web/istio-proxy": f"istio/proxyv2@{DIGEST}",
        "ns/web/main": f"ghcr.io/x/y:v1@{DIGEST}",
    }


def test_two_images_under_one_name_are_both_told() -> None:
    pods = [pod("web-1-a", f"x@{DIGEST}", "web-1", "1"), pod("web-2-a", "sha256:bb", "web-2", "2")]
    assert running(pods)["ns/web/main"] == f"ghcr.io/x/y:v1 (image id sha256:bb) and ghcr.io/x/y:v1@{DIGEST}"


def test_owners() -> None:
    assert list(running([pod("set-0", "x@y", "set")])) == ["ns/set/istio-proxy", "ns/set/main"]
    assert list(running([pod("alone", "x@y")])) == ["ns/alone/istio-proxy", "ns/alone/main"]


def test_a_container_that_never_ran_has_no_image() -> None:
    assert "ns/alone/main" not in running([pod("alone", "")])


def test_namespaces_that_may_not_be_read_are_told(serve: Serve) -> None:
    def answer(_: str, path: str, *__: object) -> tuple[int, Any]:
        if "/namespaces/closed/" in path:
            return 403, {"message": "no"}
        return 200, {"metadata": {"resourceVersion": "1"}, "items": [pod("alone", f"x@{DIGEST}")]}

    _, kube = serve(answer)
    found = images(kube, ["closed", "ns", "ns"])
    assert found["closed"] == "could not be told: 403: no"
    assert found["ns/alone/main"] == f"ghcr.io/x/y:v1@{DIGEST}"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("v1.36.3", "1.36.3"),
        ("v1.33.5-gke.1080000", "1.33.5"),
        ("1.31-conformance", "1.31"),
        ("1.29.0-abc123-Clean", "1.29.0"),
        ("latest", ""),
        ("", ""),
        ("10.0.0.1", ""),
    ],
)
def test_guessed_versions(text: str, number: str) -> None:
    assert guess(text) == number


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("docker.io/istio/pilot:1.28.2", "1.28.2"),
        ("registry:5000/istio/pilot", ""),
        ("registry:5000/istio/pilot:1.28.2@sha256:1234", "1.28.2"),
        ("quay.io/x@sha256:1.2", ""),
    ],
)
def test_tags(image: str, expected: str) -> None:
    assert tag(image) == expected


def test_versions_compare_by_number() -> None:
    assert at_least("1.31", "1.28.1")
    assert at_least("1.28", "1.28.0")
    assert not at_least("1.9.5", "1.28")
    assert not at_least("", "1.0")
