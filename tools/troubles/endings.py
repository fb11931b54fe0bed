"""Why a container ended, by its last words, its exit code and the node's word for it. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from tools.kube.client import Object

_KILLED = 137
_ASKED_TO_END = 143


@dataclass(frozen=True)
class Ending:
    """Why it ended.

    Attributes:
        cause: in words.
        lasting: whether the next start will end the same way, unless somebody changes something.
    """

    cause: str
    lasting: bool = True


_TPU = (
    r"No TPU devices found|Failed to initialize TPU|Failed to get global TPU topology|TPU (platform|initialization)"
    r"|libtpu.*in use|/dev/(accel|vfio)\S*: Device or resource busy"
)
_UNREACHABLE = (
    r"Name or service not known|Temporary failure in name resolution|Max retries exceeded|ConnectTimeout"
    r"|Network is unreachable|NameResolutionError|LocalEntryNotFoundError"
)
# Another process may let go of the chips, and a network may come back.
_MAY_PASS = {_TPU, _UNREACHABLE}
# vLLM's, PyTorch's, JAX's, Hugging Face's and the kernel's own words, the more telling first.
_LAST_WORDS = (
    (
        r"error: unrecognized arguments: (?P<said>[^\n]*)",
        "the server does not know {said!r}: an option that this version of vLLM has no longer (or not yet), or a"
        " program in `args`, which KServe's presets append to `vllm serve`",
    ),
    (r"error: argument (?P<said>[^\n]*)", "the server does not take a value of its options: {said}"),
    (
        r"Bfloat16 is only supported on GPUs with compute capability",
        "this GPU (a T4 has compute capability 7.5) has no bfloat16, which is the model's own type: --dtype=half is"
        " missing",
    ),
    (
        r"not evenly divisible|must be divisible by tensor parallel size|divisible by .*tensor_parallel_size",
        "the model's attention heads are not divisible by --tensor-parallel-size: a smaller one, on fewer accelerators",
    ),
    (
        r"RESOURCE_EXHAUSTED|memory space hbm|OutOfMemoryError|CUDA out of memory|HIP out of memory",
        "the accelerator's own memory is too small (device OOM; limits.memory has nothing to do with it): a smaller"
        " --max-model-len, a lower --gpu-memory-utilization, a quantized model, or more accelerators",
    ),
    (
        r"No available memory for the cache blocks|larger than the (maximum|available) .*KV cache",
        "the accelerator's memory holds the weights and no KV cache beside them: a smaller --max-model-len, a higher"
        " --gpu-memory-utilization, or more accelerators",
    ),
    (
        _TPU,
        "the TPU could not be used: chips that do not go with TPU_CHIPS_PER_HOST_BOUNDS and the node's topology, an"
        " image for another TPU version, or another process that still holds the chips",
    ),
    (
        r"No CUDA GPUs are available|Failed to infer device type|libcuda\.so|driver version is insufficient"
        r"|no NVIDIA driver|nvidia-container-cli",
        "the container sees no GPU: no accelerator in its limits, or the node's driver is missing or too old for the"
        " image",
    ),
    (
        r"GatedRepoError|gated repo|401 Client Error|Access to model .* is restricted|Invalid (credentials|user token)",
        "the model is gated and the download had no valid token: the Secret needs the key HF_TOKEN and has to be listed"
        " in the `secrets` of the pod's ServiceAccount, and the account must have accepted the model's licence",
    ),
    (
        r"403 Client Error|not in the authorized list",
        "the token is valid and may not read this model: its owner has not accepted the licence, or it has too few"
        " rights",
    ),
    (
        r"RepositoryNotFoundError|404 Client Error|EntryNotFoundError|is not a local folder and is not a valid model",
        "there is no such model: spec.model.uri is misspelt, or private and read without a token",
    ),
    (
        _UNREACHABLE,
        "the download cannot reach its source: DNS, an egress NetworkPolicy, a proxy, or a sidecar that has not"
        " started",
    ),
    (
        r"[Rr]ead-only file ?system",
        "the container's root is read-only (KServe's presets from 0.18 on), and something has to be written or mounted"
        " there: an emptyDir at that path, or readOnlyRootFilesystem: false",
    ),
    (r"No space left on device", "a volume or the node's disk is full: the model is larger than what it is put in"),
    (
        r"Bus error|dev/shm|shared memory",
        "shared memory is too small for the processes of a parallel server: a larger emptyDir with medium Memory is"
        " wanted there",
    ),
    (
        r"executable file not found|No such file or directory: '?vllm|vllm: (command )?not found"
        r"|No module named '?vllm",
        "the image has no `vllm` for KServe's preset to start: another image, or a `command` of its own",
    ),
    (
        r"[Aa]ddress already in use",
        "its port is taken, by another process of the pod: --port belongs to KServe's preset",
    ),
    (
        r"[Pp]ermission denied",
        "the container's user (runAsNonRoot, an arbitrary UID) may not read or write what it needs",
    ),
)
_BY_PROBE = re.compile(r"failed (?P<probe>liveness|startup) probe")


def explain(ended: Object, limits: Object, events: Iterable[str]) -> Ending:
    """Why a container ended.

    Args:
        ended: its `terminated` state, with what its log ended with where its policy is FallbackToLogsOnError.
        limits: of its resources.
        events: messages of the pod's events about it.
    """
    code, reason = ended.get("exitCode"), ended.get("reason", "")
    if reason == "OOMKilled":
        most = limits.get("memory", "none")
        return Ending(
            f"the kernel ended it because it used more memory than its limit (host OOM; limits.memory is {most}); the"
            " accelerator's memory has nothing to do with it",
        )
    killed = next((found for text in events if (found := _BY_PROBE.search(text))), None)
    if killed and code in (_KILLED, _ASKED_TO_END, 0, None):
        return Ending(_probed(killed["probe"]))
    said = ended.get("message") or ""
    for pattern, cause in _LAST_WORDS:
        if found := re.search(pattern, said):
            return Ending(cause.format(**found.groupdict()), lasting=pattern not in _MAY_PASS)
    if killed:
        return Ending(_probed(killed["probe"]))
    if code in (_KILLED, _ASKED_TO_END):
        return Ending("it was killed: by a probe, by somebody, or because its node ran out of memory", lasting=False)
    if code == 0:
        return Ending("it ended by itself and without an error, though it is to serve: its command does something else")
    last = next((line for line in reversed(said.splitlines()) if line.strip()), "")
    return Ending(f"it ended with an error of its own{f': {last.strip()}' if last else ''}", lasting=False)


def _probed(probe: str) -> str:
    fits = "periodSeconds × failureThreshold of the startupProbe must hold load and first compile, with a margin"
    if probe == "startup":
        return f"the kubelet killed it because its startup probe failed for too long: {fits}"
    return (
        "the kubelet killed it because its liveness probe failed: it starts for longer than the probe waits (a"
        f" startupProbe is missing or too short: {fits}), its path, port or scheme is wrong, or the server hangs"
    )
