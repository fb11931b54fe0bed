"""The download of the model before a server starts: which container does it, how it went, and why not. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

Object = dict[str, Any]

DOWNLOADER = "storage-initializer"
MODEL_PATH = "/mnt/models"
SIDECAR = "istio-proxy"
# Init containers by which Istio sends a pod's traffic to a sidecar, or checks that its CNI plugin does.
_CAPTURES = ("istio-init", "istio-validation")


class Reason(StrEnum):
    """Why a download failed, as far as exit status and log tell."""

    MEMORY = "memory"
    DISK = "disk"
    AUTHENTICATION = "authentication"
    MISSING = "missing"
    DNS = "DNS"
    AUTHORITY = "certificate"
    BUSY = "rate limit"
    NETWORK = "network"
    CAPTURED = "captured by the mesh"
    UNREACHED = "hub not reached"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Failure:
    """Why a download failed.

    Attributes:
        reason: in a word.
        cause: in a sentence.
    """

    reason: Reason
    cause: str


# The first that is found counts. The package's own last line is no help before them: of a repository that does not
# exist it says "authentication failed", because the hub's page about that has the word in its address.
_PATTERNS = (
    (Reason.DISK, r"No space left|Disk quota exceeded|Read-only file system",
     "the volume of the model is full: an emptyDir takes the node's disk or its sizeLimit"),
    (Reason.MISSING, r"(Repository|Entry|Revision) Not Found|404 Client Error|does not exist",
     "the hub has no such model, revision or file (a private model looks the same without a token)"),
    (Reason.AUTHENTICATION, r"\b40[13] Client Error|gated repo|Invalid credentials|authentication failed",
     "the hub refused the token, or got none (401), or its owner has not accepted the model's licence (403): only a "
     "Secret with the key HF_TOKEN, listed in the ServiceAccount's `secrets`, reaches the download"),
    (Reason.DNS, r"NameResolution|Name or service not known|Temporary failure in name resolution|Failed to resolve",
     "a name does not resolve in the pod: cluster DNS, or a NetworkPolicy that does not let it ask port 53"),
    (Reason.AUTHORITY, r"CERTIFICATE_VERIFY_FAILED|SSLError|SSLCertVerificationError",
     "the hub's certificate is of an authority that the image does not know: KServe 0.19 mounts caBundleConfigMapName "
     "for s3:// and not for hf://, so the image has to have it"),
    (Reason.BUSY, r"429 Client Error|Too Many Requests",
     "the hub limits the rate: too many downloads from one address"),
    (Reason.NETWORK, r"timed out|unreachable|No route to host|Connection refused|Connection reset|upstream connect",
     "the host was not reached: a NetworkPolicy, a firewall or a proxy in between"),
    (Reason.UNREACHED, r"check your internet connection|Failed to connect to HuggingFace",
     "the hub's API did not answer well, and huggingface_hub does not say how: DNS, a NetworkPolicy or firewall, a "
     "certificate of an unknown authority, or the hub's own 429 or 5xx"),
)  # fmt: skip

# huggingface_hub takes what is on the volume for the model when the hub does not answer, and the download succeeds.
_HALF = re.compile(r"Returning existing local_dir .* as remote repo cannot be accessed[^\n]*")


@dataclass(frozen=True)
class Download:
    """The download in one pod.

    Attributes:
        pod: the pod.
        container: the init container that downloads.
    """

    pod: Object
    container: Object

    @property
    def name(self) -> str:
        """Of the pod."""
        return str(self.pod["metadata"]["name"])

    @property
    def status(self) -> Object:
        """Of the container; empty before it is created."""
        rows: list[Object] = self.pod.get("status", {}).get("initContainerStatuses", [])
        return next((row for row in rows if row["name"] == DOWNLOADER), {})

    @property
    def is_done(self) -> bool:
        """Whether it ended well."""
        ended = self.status.get("state", {}).get("terminated")
        return bool(ended) and ended.get("exitCode") == 0

    @property
    def is_running(self) -> bool:
        """Whether it is at work now."""
        return "running" in self.status.get("state", {})

    @property
    def last_end(self) -> Object | None:
        """How it ended last, if it did not end well: now, or before it was started again."""
        for key in ("state", "lastState"):
            ended: Object | None = self.status.get(key, {}).get("terminated")
            if ended is not None and ended.get("exitCode") != 0:
                return ended
        return None

    @property
    def seconds(self) -> float:
        """How long it took; 0 if it has not ended."""
        ended = self.status.get("state", {}).get("terminated", {})
        if not ended.get("startedAt") or not ended.get("finishedAt"):
            return 0.0
        return (
            datetime.fromisoformat(ended["finishedAt"]) - datetime.fromisoformat(ended["startedAt"])
        ).total_seconds()

    @property
    def memory_limit(self) -> str:
        """Its limit of memory; empty without one."""
        return str(self.container.get("resources", {}).get("limits", {}).get("memory", ""))

    @property
    def source(self) -> str:
        """What it downloads, as it was told."""
        return str(next(iter(self.container.get("args", [])), ""))

    def state(self) -> str:
        """How it stands, in a line."""
        status = self.status
        if not status:
            return f"{self.name}: {DOWNLOADER} was not created yet"
        if self.is_done:
            return f"{self.name}: {DOWNLOADER} ended well"
        if ended := self.last_end:
            told = failure(self)
            why = f": {told.reason}" if told else ""
            message = _last_words(ended.get("message", ""))
            times = f", {status['restartCount']} restarts" if status.get("restartCount") else ""
            said = f'{ended.get("reason", "")}, its last words: "{message}"' if message else ended.get("reason", "")
            return f"{self.name}: {DOWNLOADER} ended with {ended.get('exitCode')} ({said}){why}{times}"
        if self.is_running:
            return f"{self.name}: {DOWNLOADER} runs since {status['state']['running'].get('startedAt', 'some time')}"
        waiting = status.get("state", {}).get("waiting", {})
        return f"{self.name}: {DOWNLOADER} waits: {waiting.get('reason', '')} {waiting.get('message', '')}".rstrip()


def download(pod: Object) -> Download | None:
    """The download in a pod; None where nothing is downloaded."""
    containers = pod["spec"].get("initContainers", [])
    found = next((each for each in containers if each["name"] == DOWNLOADER), None)
    return Download(pod, found) if found else None


def failure(found: Download) -> Failure | None:
    """Why a download failed; None if it did not end badly."""
    ended = found.last_end
    return classify(ended, captured=bool(captured(found.pod))) if ended else None


def classify(ended: Object, log: str = "", *, captured: bool = False) -> Failure:
    """Why a container that downloads ended as it did.

    Args:
        ended: `terminated` of its state; KServe lets it say the end of its log when it fails.
        log: more of its log.
        captured: whether Istio takes the pod's traffic before there is a sidecar.
    """
    if ended.get("exitCode") == 137 or ended.get("reason") == "OOMKilled":
        cause = (
            "the download needs more memory than its limit (OOMKilled, 137): KServe takes it from storageInitializer."
            "memoryLimit of ConfigMap inferenceservice-config; 0.19 lets no service set it"
        )
        return Failure(Reason.MEMORY, cause)
    text = f"{log}\n{ended.get('message', '')}"
    for reason, pattern, cause in _PATTERNS:
        if re.search(pattern, text, re.IGNORECASE):
            if captured and reason in (Reason.NETWORK, Reason.UNREACHED, Reason.DNS):
                return Failure(Reason.CAPTURED, _CAPTURED)
            return Failure(reason, cause)
    return Failure(Reason.UNKNOWN, "its log says why")


_CAPTURED = (
    "Istio captures the pod's traffic before its sidecar runs, so that init containers have no network: use native "
    "sidecars (Istio's ENABLE_NATIVE_SIDECARS), or exclude the hub's addresses "
    "(traffic.sidecar.istio.io/excludeOutboundIPRanges)"
)


def captured(pod: Object) -> str:
    """How Istio keeps a pod's download from the network; empty if it does not."""
    names = [each["name"] for each in pod["spec"].get("initContainers", [])]
    if DOWNLOADER not in names:
        return ""
    before = names[: names.index(DOWNLOADER)]
    takers = [name for name in before if name in _CAPTURES]
    if SIDECAR in names and SIDECAR not in before:
        return f"{SIDECAR} comes after {DOWNLOADER}: {names}"
    if SIDECAR not in names and takers:
        return f"{' and '.join(takers)} before {DOWNLOADER}, and no {SIDECAR} before it: {names}"
    return ""


def half(log: str) -> str:
    """The line of a download's log that says that it took what was there for the model; empty if none does."""
    found = _HALF.search(log)
    return found.group() if found else ""


def trouble(pod: Object) -> Iterator[str]:
    """What a pod's failed download needs, for whoever tells of a pod that does not start."""
    found = download(pod)
    if found is not None and not found.is_done and (why := failure(found)):
        yield f"the download of {found.source} failed ({why.reason}): {why.cause}"


def _last_words(message: str) -> str:
    lines = [line.strip() for line in message.strip().splitlines() if line.strip()]
    errors = [line for line in lines if "ERROR" in line and "raise_storage_error" in line] or lines[-1:]
    return " ".join(" ".join(errors[-1:]).split())[-300:]
