"""Why a container ended."""

from typing import Any

import pytest

from tools.troubles.endings import explain


def _ended(code: int, message: str = "", reason: str = "Error") -> dict[str, Any]:
    return {"exitCode": code, "message": message, "reason": reason}


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("vllm: error: unrecognized arguments: --disable-log-requests", "does not know '--disable-log-requests'"),
        (
            "api_server.py: error: argument --dtype: invalid choice: 'halff'",
            "does not take a value of its options: --dtype",
        ),
        (
            "ValueError: Bfloat16 is only supported on GPUs with compute capability of at least 8.0. Your Tesla T4 GPU"
            " has compute capability 7.5.",
            "--dtype=half is missing",
        ),
        ("axis sizes that are not evenly divisible by the corresponding mesh axis sizes", "not divisible"),
        ("Total number of attention heads (8) must be divisible by tensor parallel size (3).", "not divisible"),
        ("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 500.00 MiB", "device OOM"),
        ("RESOURCE_EXHAUSTED: Ran out of memory in memory space hbm", "device OOM"),
        ("ValueError: No available memory for the cache blocks.", "no KV cache"),
        ("No TPU devices found", "the TPU could not be used"),
        ("RuntimeError: Failed to get global TPU topology.", "the TPU could not be used"),
        ("RuntimeError: No CUDA GPUs are available", "sees no GPU"),
        ("huggingface_hub.errors.GatedRepoError: 401 Client Error.", "HF_TOKEN"),
        ("403 Client Error: you are not in the authorized list", "licence"),
        ("RepositoryNotFoundError: 404 Client Error.", "no such model"),
        ("OSError: [Errno 30] Read-only file system: '/home/vllm/.cache'", "readOnlyRootFilesystem"),
        ("socket.gaierror: [Errno -2] Name or service not known", "cannot reach its source"),
        ("OSError: [Errno 28] No space left on device", "full"),
        ("/bin/bash: line 1: vllm: command not found", "has no `vllm`"),
        ("[Errno 98] error while attempting to bind: address already in use", "port is taken"),
        ("Traceback\nSomeError: nobody knows this", "SomeError: nobody knows this"),
    ],
)
def test_last_words(said: str, words: str) -> None:
    assert words in explain(_ended(1, said), {}, ()).cause


def test_memory_of_the_host_is_not_the_accelerators() -> None:
    found = explain(_ended(137, "torch.OutOfMemoryError", "OOMKilled"), {"memory": "64Mi"}, ())
    assert "host OOM; limits.memory is 64Mi" in found.cause
    assert found.lasting


@pytest.mark.parametrize(("code", "probe"), [(137, "liveness"), (143, "liveness"), (0, "liveness"), (137, "startup")])
def test_killed_by_a_probe(code: int, probe: str) -> None:
    events = [f"Container main failed {probe} probe, will be restarted"]
    found = explain(_ended(code, "KeyboardInterrupt: terminated"), {}, events)
    assert f"{probe} probe failed" in found.cause
    assert "startupProbe" in found.cause


def test_killed_by_nobody_known() -> None:
    found = explain(_ended(137), {}, ())
    assert "killed" in found.cause
    assert not found.lasting


def test_ended_without_an_error() -> None:
    assert "by itself" in explain(_ended(0, reason="Completed"), {}, ()).cause


@pytest.mark.parametrize("said", ["No TPU devices found", "Max retries exceeded with url", "nobody knows this"])
def test_what_may_pass_is_not_given_up(said: str) -> None:
    assert not explain(_ended(1, said), {}, ()).lasting
