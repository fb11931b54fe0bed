"""What a server is started with, by the presets of several KServe releases."""

from typing import Any

import pytest

from tools.kube.argv import argv, problems

SCRIPT = """echo "vllm version"
eval "exec vllm serve /mnt/models \\
  --served-model-name "a/b" "publishers/ns/models/a/b" \\
  --port 8000 \\
  ${ACCESS_LOG_ARGS} \\
  ${VLLM_ADDITIONAL_ARGS} \\
  $@"
"""
PORTS = [{"containerPort": 8000}]


def _shell(*args: str, **more: Any) -> dict[str, Any]:
    return {"command": ["/bin/bash", "-c", SCRIPT, "--"], "args": list(args), "ports": PORTS, **more}


PLAIN = {
    "command": ["vllm", "serve", "/mnt/models", "--served-model-name", "a/b", "--port", "8000"],
    "args": ["--dtype", "half", "-tp=2"],
    "ports": PORTS,
}


def test_a_preset_with_a_script() -> None:
    environment = [{"name": "VLLM_ADDITIONAL_ARGS", "value": "--tensor-parallel-size 4 -dpl 2"}]
    found = argv(_shell("--dtype=half", "--max_model_len=2048", env=environment))
    assert found is not None
    assert found.models == ["/mnt/models"]
    assert found.options == {
        "--served-model-name": ["a/b publishers/ns/models/a/b"],
        "--port": ["8000"],
        "--tensor-parallel-size": ["4"],
        "--data-parallel-size-local": ["2"],
        "--dtype": ["half"],
        "--max-model-len": ["2048"],
    }
    assert found.parallel == 8
    assert not found.tls


def test_a_preset_with_a_command() -> None:
    found = argv(PLAIN)
    assert found is not None
    assert (found.value("--dtype"), found.parallel) == ("half", 2)


@pytest.mark.parametrize(
    "container",
    [
        {
            "command": ["/bin/bash", "-c"],
            "args": ["python3 -m vllm.entrypoints.openai.api_server --port=8000 --model=x"],
        },
        {"command": ["python3", "-m", "vllm.entrypoints.openai.api_server"], "args": ["--port=8000", "--model=x"]},
        {"args": ["--port=8000", "--model=x"]},
    ],
)
def test_other_ways_to_start(container: dict[str, Any]) -> None:
    found = argv(container)
    assert found is not None
    assert (found.models, found.value("--port")) == (["x"], "8000")
    assert problems(container | {"ports": PORTS}) == []


@pytest.mark.parametrize("container", [_shell("--dtype=half"), PLAIN])
def test_sane_commands(container: dict[str, Any]) -> None:
    assert problems(container) == []


@pytest.mark.parametrize(
    ("container", "words"),
    [
        (_shell("python3 -m vllm.entrypoints.openai.api_server --model=/mnt/models"), "a program among its arguments"),
        (_shell("set -e; exec vllm serve x"), "a shell script among its arguments"),
        (_shell("--model=other"), "2 models, /mnt/models, other"),
        (_shell("--port=9000"), "--port 2 times: 8000, 9000"),
        (_shell("--max-model-len=1", "--max_model_len=2"), "--max-model-len 2 times: 1, 2"),
        (PLAIN | {"ports": [{"containerPort": 8001}]}, "port 8000, and its container's port is 8001"),
        ({"command": ["/bin/sleep", "1"]}, "does not start vLLM"),
        ({"command": ["/bin/sh", "-c", "sleep 1"]}, "does not start vLLM"),
        ({}, "does not start vLLM"),
    ],
)
def test_commands_that_are_not(container: dict[str, Any], words: str) -> None:
    assert words in "\n".join(problems(container))
