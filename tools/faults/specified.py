"""Faults of what is written down: nothing fails yet, and the next start will, or computes on less than it pays for."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager

from tools.faults.common import recreatable
from tools.faults.fault import fault
from tools.faults.revision import Change, on_paper
from tools.faults.starting import pull_secret_of
from tools.kube.client import Object
from tools.kube.convergence import Selection, converge, gone
from tools.kube.kinds import CONFIG_MAP, SECRET
from tools.kube.llm_service import LlmService
from tools.waiting.timeouts import seconds


@fault()
def number_format_missing(service: LlmService) -> Iterator[None]:
    """The next server would compute in a number format that its accelerator, or vLLM, does not have."""

    def change(_: Object, container: Object) -> None:
        kept = [each for each in container.get("args", []) if not each.startswith("--dtype")]
        # A TPU has bfloat16; the other is how people write float16.
        wrong = "fp16" if any("tpu" in each for each in container["resources"]["limits"]) else "bfloat16"
        container["args"] = [*kept, f"--dtype={wrong}"]

    with on_paper(service, change):
        yield


@fault()
def parallelism_lost(service: LlmService) -> Iterator[None]:
    """The next server would have two accelerators and compute on one."""

    def change(_: Object, container: Object) -> None:
        (resource,) = (key for key in container["resources"]["limits"] if "/" in key)
        for how in ("requests", "limits"):
            container["resources"][how][resource] = "2"

    with on_paper(service, change):
        yield


@fault()
def parallelism_exceeded(service: LlmService) -> Iterator[None]:
    """The next server would want more accelerators than it is given."""
    with on_paper(service, _appended("--tensor-parallel-size=4")):
        yield


@fault()
def bounds_of_another_host(service: LlmService) -> Iterator[None]:
    """The next server would be told that its host has eight chips."""

    def change(_: Object, container: Object) -> None:
        container.setdefault("env", []).append({"name": "TPU_CHIPS_PER_HOST_BOUNDS", "value": "2,4,1"})

    with on_paper(service, change):
        yield


@fault()
def script_in_arguments(service: LlmService) -> Iterator[None]:
    """The next server would be given a shell script as its arguments, as manifests for older KServe have it."""
    script = "python3 -m vllm.entrypoints.openai.api_server --model=/mnt/models --port=8000"
    with on_paper(service, _appended(script)):
        yield


@fault()
def port_given_twice(service: LlmService) -> Iterator[None]:
    """The next server would be given a port of its own behind the preset's."""
    with on_paper(service, _appended("--port=8080")):
        yield


@fault()
def shared_memory_missing(service: LlmService) -> Iterator[None]:
    """The next server would have the container runtime's 64 MiB of shared memory, and no volume for it."""

    def change(_: Object, container: Object) -> None:
        mounts = container["volumeMounts"]
        container["volumeMounts"] = [each for each in mounts if each["mountPath"].rstrip("/") != "/dev/" + "shm"]

    with on_paper(service, change):
        yield


@fault()
def disk_beyond_node(service: LlmService) -> Iterator[None]:
    """The next server would be promised more disk than any node has."""

    def change(_: Object, container: Object) -> None:
        for how in ("requests", "limits"):
            container["resources"][how]["ephemeral-storage"] = "900Ti"

    with on_paper(service, change):
        yield


@fault()
def start_too_short(service: LlmService) -> Iterator[None]:
    """The next server would be killed if it started no faster than the last one."""

    def change(_: Object, container: Object) -> None:
        container["startupProbe"] |= {"initialDelaySeconds": 0, "periodSeconds": 1, "failureThreshold": 1}

    with on_paper(service, change):
        yield


@fault()
def pull_secret_removed(service: LlmService) -> Iterator[None]:
    """The pull Secret is gone: the next image of a new node or tag will not be pulled, and nothing shows yet."""
    name = pull_secret_of(service)
    with _secret(service, name, None):
        yield


@fault()
def pull_secret_of_another_registry(service: LlmService) -> Iterator[None]:
    """The pull Secret has credentials for another registry than the server's image comes from."""
    name = pull_secret_of(service)
    found = service.kube.get(SECRET, name, service.namespace)
    content = json.dumps({"auths": {"registry.example.com": {"username": "somebody", "password": "nothing"}}})
    other = recreatable(found) | {"data": {".dockerconfigjson": base64.b64encode(content.encode()).decode()}}
    with _secret(service, name, other):
        yield


@fault()
def config_map_missing(service: LlmService) -> Iterator[None]:
    """The next server would mount a ConfigMap that does not exist."""

    def change(spec: Object, _: Object) -> None:
        spec["volumes"].append({"name": "more", "configMap": {"name": "no-such-config"}})

    assert service.kube.find(CONFIG_MAP, "no-such-config", service.namespace) is None
    with on_paper(service, change):
        yield


def _appended(argument: str) -> Change:
    def change(_: Object, container: Object) -> None:
        container["args"] = [*container.get("args", []), argument]

    return change


@contextmanager
def _secret(service: LlmService, name: str, other: Object | None) -> Iterator[None]:
    """A Secret deleted, or another in its place; the one that was there is back afterwards."""
    kube, namespace = service.kube, service.namespace
    before = recreatable(kube.get(SECRET, name, namespace))
    try:
        _put(service, name, other)
        yield
    finally:
        _put(service, name, before)


def _put(service: LlmService, name: str, content: Object | None) -> None:
    kube, namespace = service.kube, service.namespace
    kube.delete(SECRET, name, namespace)
    chosen = Selection(SECRET, namespace, name)
    converge(kube, f"Secret {name} to be gone", chosen, gone, budget=seconds("fault-effect"))
    if content is not None:
        kube.create(content)
