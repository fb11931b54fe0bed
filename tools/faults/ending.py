"""Faults of a server's life: a second pod that starts and ends, beside the one that serves on.

What a real server says when it fails is said here by a few words of Python in its place, with the exit status that goes
with it: the accelerators and the model that would make vLLM say it are not there.
"""

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager

from tools.faults.fault import fault
from tools.faults.revision import beside, ended, waits
from tools.kube import pods
from tools.kube.client import Object
from tools.kube.kinds import EVENT, POD
from tools.kube.llm_service import SERVER_CONTAINER, LlmService


@fault()
def option_removed(service: LlmService) -> Iterator[None]:
    """A second server pod ends as vLLM ends on an option that it does not have any more."""
    text = "usage: vllm [-h] [-v] {chat,complete,serve,bench,collect-env,run-batch} ...\n"
    text += "vllm: error: unrecognized arguments: --disable-log-requests"
    with _ends(service, text, 2):
        yield


@fault()
def device_memory_exceeded(service: LlmService) -> Iterator[None]:
    """A second server pod ends as PyTorch ends when the accelerator's memory is too small."""
    text = (
        "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 500.00 MiB. GPU 0 has a total capacity of 14.58"
    )
    with _ends(service, f"{text} GiB of which 38.56 MiB is free.", 1):
        yield


@fault()
def heads_not_divisible(service: LlmService) -> Iterator[None]:
    """A second server pod ends as JAX ends when the model's heads do not go into the chips."""
    text = "ValueError: shard_map applied to the function was given argument arrays with axis sizes that are not evenly"
    with _ends(service, f"{text} divisible by the corresponding mesh axis sizes", 1):
        yield


@fault()
def bfloat16_refused(service: LlmService) -> Iterator[None]:
    """A second server pod ends as vLLM ends on a GPU without bfloat16."""
    text = (
        "ValueError: Bfloat16 is only supported on GPUs with compute capability of at least 8.0. Your Tesla T4 GPU has"
    )
    with _ends(service, f"{text} compute capability 7.5.", 1):
        yield


@fault()
def tpu_not_found(service: LlmService) -> Iterator[None]:
    """A second server pod ends as JAX ends when it cannot use the TPU."""
    text = "RuntimeError: Unable to initialize backend 'tpu': INTERNAL: Failed to get global TPU topology."
    with _ends(service, text, 1):
        yield


@fault()
def host_memory_exceeded(service: LlmService) -> Iterator[None]:
    """A second server pod uses more memory than its limit, and the kernel ends it."""

    def change(_: Object, container: Object) -> None:
        container["command"] = ["python3", "-c", "print(len(b'x' * (512 << 20)))"]
        container["args"] = []
        container["resources"]["requests"]["memory"] = container["resources"]["limits"]["memory"] = "64Mi"

    with beside(service, change, _out_of_memory):
        yield


@fault()
def killed_by_probe(service: LlmService) -> Iterator[None]:
    """A second server pod is slower to start than its liveness probe waits, and is killed again and again."""

    def change(_: Object, container: Object) -> None:
        container["command"] = ["/bin/sleep", "600"]
        container["args"] = []
        container.pop("startupProbe", None)
        # Its sleep before the end would be longer than the fault.
        container.pop("lifecycle", None)
        container["livenessProbe"] |= {"periodSeconds": 1, "failureThreshold": 1, "timeoutSeconds": 1}

    with beside(service, change, ended) as pod:
        _expect_event(service, pod, "failed liveness probe")
        yield


@fault()
def disk_overrun(service: LlmService) -> Iterator[None]:
    """A second server pod writes more to a volume than that may hold, and is evicted."""

    def change(spec: Object, container: Object) -> None:
        spec["volumes"].append({"name": "small", "emptyDir": {"sizeLimit": "1Mi"}})
        container["volumeMounts"].append({"name": "small", "mountPath": "/small"})
        container["command"] = ["/bin/sh", "-c", "head -c 64M /dev/zero > /small/model; exec sleep 600"]
        container["args"] = []

    try:
        with beside(service, change, _evicted):
            yield
    finally:
        # Nobody removes them for a long time.
        for pod in service.kube.objects(POD, service.namespace, fields="status.phase=Failed"):
            service.kube.delete(POD, pod["metadata"]["name"], service.namespace)


def _ends(service: LlmService, text: str, code: int) -> AbstractContextManager[Object]:
    script = f"import sys; print({json.dumps(text)}, file=sys.stderr); sys.exit({code})"

    def change(_: Object, container: Object) -> None:
        container["command"] = ["python3", "-c", script]
        container["args"] = []
        container["terminationMessagePolicy"] = "FallbackToLogsOnError"

    return beside(service, change, _crashes)


def _crashes(pod: Object) -> bool:
    return ended(pod) and waits("CrashLoopBackOff")(pod)


def _out_of_memory(pod: Object) -> bool:
    status = pods.container_status(pod, SERVER_CONTAINER) or {}
    states = (status.get("state", {}), status.get("lastState", {}))
    return any(each.get("terminated", {}).get("reason") == "OOMKilled" for each in states)


def _expect_event(service: LlmService, pod: Object, words: str) -> None:
    about = f"involvedObject.uid={pod['metadata']['uid']}"
    told = [each.get("message", "") for each in service.kube.objects(EVENT, service.namespace, fields=about)]
    if not any(words in each for each in told):
        raise RuntimeError(f"no event says {words!r}: {told}")


def _evicted(pod: Object) -> bool:
    return bool(pod.get("status", {}).get("reason") == "Evicted")
