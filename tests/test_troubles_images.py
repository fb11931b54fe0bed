"""Why an image could not be pulled, in the words of containerd and registries."""

import pytest

from tools.troubles.images import explain, host_of

IMAGE = "registry.example.com/rhaiis/vllm-cuda-rhel9:3.0.0"
FAILED = f'failed to pull and unpack image "{IMAGE}": failed to resolve reference "{IMAGE}": '


@pytest.mark.parametrize(
    ("said", "words", "lasting"),
    [
        (f"{IMAGE}: not found", "tag does not exist", True),
        ("manifest unknown", "tag does not exist", True),
        (
            "unexpected status from HEAD request to https://registry.example.com/v2/rhaiis/manifests/3: 403 Forbidden",
            "no permission (403)",
            True,
        ),
        ("denied: requested access to the resource is denied", "no permission (403)", True),
        (
            "failed to authorize: failed to fetch anonymous token: unexpected status: 401 Unauthorized",
            "wants credentials (401)",
            True,
        ),
        (
            "pull access denied, repository does not exist or may require authorization: server message:"
            " insufficient_scope: authorization failed",
            "wants credentials (401)",
            True,
        ),
        (
            'failed to do request: Head "https://registry.example.com/v2/": dial tcp: lookup registry.example.com on'
            " 10.0.0.10:53: no such host",
            "cannot be reached from the node",
            False,
        ),
        ("dial tcp 192.0.2.1:443: i/o timeout", "cannot be reached from the node", False),
        ("tls: failed to verify certificate: x509: certificate signed by unknown authority", "not trust", True),
        ("429 Too Many Requests", "limits how often", False),
        ("no match for platform in manifest", "architecture", True),
        ("write /var/lib/containerd/x: no space left on device", "disk is full", False),
        ("something new", "the pod's events have what the registry said", False),
    ],
)
def test_what_was_said(said: str, words: str, lasting: bool) -> None:
    found = explain("ErrImagePull", FAILED + said, IMAGE)
    assert words in found.cause
    assert found.lasting is lasting


@pytest.mark.parametrize(
    ("reason", "words"), [("InvalidImageName", "not a valid name"), ("ErrImageNeverPull", "imagePullPolicy is Never")]
)
def test_reasons_that_say_all(reason: str, words: str) -> None:
    found = explain(reason, "", "Vllm:latest")
    assert words in found.cause
    assert found.lasting


def test_the_image_is_not_taken_for_what_was_said() -> None:
    image = "registry.example.com/denied/not-found-401:x509"
    said = f'failed to resolve reference "{image}": dial tcp 192.0.2.1:443: connect: connection refused'
    assert "cannot be reached" in explain("ErrImagePull", said, image).cause
    assert "events" in explain("ErrImagePull", f"Back-off pulling image {image}", image).cause


@pytest.mark.parametrize(
    ("image", "host"),
    [
        (IMAGE, "registry.example.com"),
        ("vllm/vllm-openai:latest", "docker.io"),
        ("vllm", "docker.io"),
        ("localhost/a/b:c", "localhost"),
        ("localhost:5000/a", "localhost:5000"),
    ],
)
def test_the_registry_of_a_name(image: str, host: str) -> None:
    assert host_of(image) == host
