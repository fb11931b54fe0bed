"""Why a download failed, told from what its container left: recorded from KServe's own package against the hub."""

from typing import Any

import pytest

from tools.kube import pods
from tools.kube.download import Reason, captured, classify, download, failure, half

URL = "http://model-hub.test/google/gemma-2b-it/resolve/7d91cd0ee83e1bea7af6fd3c0667a8f1b93126dc/config.json"
UNREACHED = (
    "ERROR [storage_errors.py:raise_storage_error():42] HuggingFace error for hf://google/gemma-2b-it: An error "
    "happened while trying to locate the files on the Hub and we cannot find the appropriate snapshot folder for the "
    "specified revision on the local disk. Please check your internet connection and try again."
)
HALF = (
    "Returning existing local_dir `/mnt/models` as remote repo cannot be accessed in `snapshot_download` (503 Server "
    "Error: Service Unavailable for url: http://model-hub.test/api/models/google/gemma-2b-it/revision/main"
)


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (f"401 Client Error. Cannot access gated repo for url {URL}.", Reason.AUTHENTICATION),
        (f"403 Client Error.\nCannot access gated repo for url {URL}.", Reason.AUTHENTICATION),
        ("Invalid credentials in Authorization header", Reason.AUTHENTICATION),
        (
            "404 Client Error.\nRepository Not Found for url: http://model-hub.test/api/models/nobody/nothing\n"
            "Storage initialization failed: HuggingFace authentication failed. Set HF_TOKEN or request access",
            Reason.MISSING,
        ),
        (f"404 Client Error.\nEntry Not Found for url: {URL}.", Reason.MISSING),
        ("Failed to resolve 'no-such-host' ([Errno -2] Name or service not known)", Reason.DNS),
        ("[Errno -3] Temporary failure in name resolution", Reason.DNS),
        ("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed", Reason.AUTHORITY),
        ("429 Client Error: Too Many Requests", Reason.BUSY),
        ("[Errno 113] No route to host", Reason.NETWORK),
        ("Connection to huggingface.co timed out", Reason.NETWORK),
        (UNREACHED, Reason.UNREACHED),
        ("OSError: [Errno 28] No space left on device", Reason.DISK),
        ("Segmentation fault", Reason.UNKNOWN),
    ],
)
def test_the_log_tells_the_reason(message: str, reason: Reason) -> None:
    assert classify({"exitCode": 1, "reason": "Error", "message": message}).reason is reason


@pytest.mark.parametrize("ended", [{"exitCode": 137, "reason": "OOMKilled"}, {"exitCode": 137, "reason": "Error"}])
def test_killed_for_memory_counts_more_than_the_log(ended: dict[str, Any]) -> None:
    found = classify(ended | {"message": "401 Client Error"})
    assert found.reason is Reason.MEMORY
    assert "storageInitializer.memoryLimit" in found.cause


def test_a_part_that_passed_for_the_model_is_seen_in_the_log() -> None:
    assert half(f"Copying contents\n{HALF}\nSuccessfully copied").startswith("Returning existing local_dir")
    assert half("Successfully copied hf://google/gemma-2b-it to /mnt/models") == ""


def test_how_a_download_stands_is_told() -> None:
    failed = pod({"state": {"waiting": {"reason": "CrashLoopBackOff"}}, "restartCount": 2,
                  "lastState": {"terminated": {"exitCode": 1, "reason": "Error", "message": UNREACHED}}})  # fmt: skip
    found = download(failed)
    assert found is not None
    assert not found.is_done
    assert "ended with 1" in found.state()
    assert "hub not reached, 2 restarts" in found.state()
    assert (found.source, found.memory_limit) == ("hf://google/gemma-2b-it", "1Gi")
    assert any("the hub's API did not answer well" in line for line in pods.trouble(failed))


def test_a_download_that_ended_well_is_no_trouble() -> None:
    ended = {"exitCode": 0, "startedAt": "2026-11-24T12:00:00Z", "finishedAt": "2026-11-24T12:00:03Z"}
    found = download(pod({"state": {"terminated": ended}}))
    assert found is not None
    assert (found.is_done, found.seconds, failure(found)) == (True, 3.0, None)
    assert list(pods.trouble(found.pod)) == []


def test_a_pod_without_a_download_has_none() -> None:
    assert download({"metadata": {"name": "a"}, "spec": {"containers": []}}) is None


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["istio-proxy", "storage-initializer"], ""),
        (["istio-init", "istio-proxy", "storage-initializer"], ""),
        (["storage-initializer"], ""),
        (["istio-init", "storage-initializer"], "istio-init before storage-initializer"),
        (["istio-validation", "storage-initializer"], "istio-validation before"),
        (["storage-initializer", "istio-proxy"], "istio-proxy comes after"),
    ],
)
def test_traffic_is_captured_unless_the_sidecar_comes_first(names: list[str], words: str) -> None:
    found = captured({"spec": {"initContainers": [{"name": name} for name in names]}})
    assert bool(found) == bool(words)
    assert words in found


def test_the_mesh_is_named_where_it_took_the_network() -> None:
    ended = {"exitCode": 1, "message": UNREACHED}
    assert classify(ended, captured=True).reason is Reason.CAPTURED
    assert classify({"exitCode": 1, "message": "401 Client Error"}, captured=True).reason is Reason.AUTHENTICATION


def pod(status: dict[str, Any]) -> dict[str, Any]:
    container = {
        "name": "storage-initializer",
        "args": ["hf://google/gemma-2b-it", "/mnt/models"],
        "resources": {"limits": {"memory": "1Gi"}},
    }
    return {
        "metadata": {"name": "a"},
        "spec": {"containers": [], "initContainers": [container]},
        "status": {"initContainerStatuses": [{"name": "storage-initializer", "ready": True} | status]},
    }
