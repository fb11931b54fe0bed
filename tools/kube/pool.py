"""An InferencePool: which pods it selects, and what it says in either of its APIs. Pure but for reading pods."""

import hashlib
from dataclasses import dataclass
from typing import Any

from tools.kube import pods
from tools.kube.client import Object
from tools.kube.kinds import POD
from tools.kube.llm_service import LlmService

# What the API server puts in where nothing is said.
UNSAID_MODE = "FailClose"
UNSAID_PORT = 9002


@dataclass(frozen=True)
class Pool:
    """What a pool says, whichever API it is of.

    Attributes:
        selector: labels of its pods.
        ports: on which its pods are asked.
        picker: `kind group/name:port`, the group only where there is one.
        failure_mode: `FailOpen` or `FailClose`.
    """

    selector: dict[str, str]
    ports: list[int]
    picker: str
    failure_mode: str


def read(found: Object) -> Pool:
    """Read a pool of today's API (inference.networking.k8s.io/v1)."""
    spec = found["spec"]
    reference = spec["endpointPickerRef"]
    port = reference.get("port", {}).get("number", UNSAID_PORT)
    return Pool(
        spec["selector"]["matchLabels"],
        [each["number"] for each in spec["targetPorts"]],
        _picker(reference, port),
        reference.get("failureMode", UNSAID_MODE),
    )


def read_former(found: Object) -> Pool:
    """Read a pool of the former API (inference.networking.x-k8s.io/v1alpha2)."""
    spec = found["spec"]
    reference = spec["extensionRef"]
    return Pool(
        spec["selector"],
        [spec["targetPortNumber"]],
        _picker(reference, reference.get("portNumber", UNSAID_PORT)),
        reference.get("failureMode", UNSAID_MODE),
    )


def differences(one: Pool, other: Pool) -> list[str]:
    """What two pools say differently, one line each: the first one's word, then the other's."""
    pairs: list[tuple[str, Any, Any]] = [
        ("selector", one.selector, other.selector),
        ("target ports", one.ports, other.ports),
        ("picker", one.picker, other.picker),
        ("failureMode", one.failure_mode, other.failure_mode),
    ]
    return [f"{what} {mine} against {others}" for what, mine, others in pairs if mine != others]


def labels(selector: dict[str, str]) -> str:
    """A selector as the API takes it."""
    return ",".join(f"{key}={value}" for key, value in sorted(selector.items()))


def selected(service: LlmService, pool: Pool) -> list[Object]:
    """Pods that a pool in the service's namespace selects and that are not on their way out, by name."""
    found = service.kube.objects(POD, service.namespace, labels=labels(pool.selector))
    return [pod for pod in found if not pods.is_leaving(pod)]


def shadow_name(pool: str) -> str:
    """Name of the Service that Istio makes for a pool."""
    return f"{pool}-ip-{hashlib.sha256(pool.encode()).hexdigest()[:8]}"


def shadow_trouble(shadow: Object, name: str, pool: Pool) -> list[str]:
    """What is wrong with Istio's Service for a pool: it is what the gateway's configuration is made of.

    Args:
        shadow: the Service.
        name: the pool's.
        pool: what it says.
    """
    service, _, port = pool.picker.rpartition(" ")[2].rpartition(":")
    prefix = "istio.io/inferencepool-"
    wanted = {
        f"{prefix}name": name,
        f"{prefix}extension-service": service,
        f"{prefix}extension-port": port,
        f"{prefix}extension-failure-mode": pool.failure_mode,
    }
    told, spec = shadow["metadata"].get("labels", {}), shadow["spec"]
    wrong = [f"label {key} is {told.get(key)}, not {value}" for key, value in wanted.items() if told.get(key) != value]
    wrong += [] if spec.get("selector") == pool.selector else [f"selector is {spec.get('selector')}"]
    ports = [each.get("targetPort") for each in spec.get("ports", [])]
    wrong += [] if ports == pool.ports else [f"target ports are {ports}, not {pool.ports}"]
    return wrong + ([] if spec.get("clusterIP") == "None" else ["it is not headless"])


def _picker(reference: Object, port: int) -> str:
    group = f"{reference['group']}/" if reference.get("group") else ""
    return f"{reference.get('kind', 'Service')} {group}{reference['name']}:{port}"
