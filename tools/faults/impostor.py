"""Somebody else's server that answers like the service's: same program, same model, not of the pool."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager

from tools.faults.admitted import from_gateway
from tools.faults.common import recreatable
from tools.kube import pods
from tools.kube.client import Object
from tools.kube.convergence import Selection, converge, gone
from tools.kube.kinds import NAMESPACE, POD, SERVICE
from tools.kube.labels import made_for
from tools.kube.llm_service import SERVER_CONTAINER, LlmService
from tools.netpolicy.facts import Pods
from tools.waiting.timeouts import seconds

_LABEL = "llmisvc-conformance/impostor"
PORT = 8000
# The server's own probe was rewritten to ask its sidecar, which the copy does not have.
_PROBE = {"tcpSocket": {"port": PORT}, "periodSeconds": 1}


@contextmanager
def impostor(service: LlmService, namespace: str, name: str) -> Iterator[None]:
    """A pod and a Service of this name, ready.

    Args:
        service: whose servers are copied, without accelerator, sidecar and labels.
        namespace: where.
        name: of both.
    """
    kube = service.kube
    labels = made_for(kube.get(NAMESPACE, service.namespace), "impostor")
    pod = _pod(service.servers()[0], namespace, name, labels)
    chosen = Selection(POD, namespace, name)
    try:
        kube.apply(pod)
        kube.apply(_service(namespace, name, labels))
        converge(kube, f"pod {name} to be ready", chosen, _ready, budget=seconds("fault-recovery"))
        with from_gateway(service, Pods(namespace, {_LABEL: name}), PORT, name):
            yield
    finally:
        kube.delete(SERVICE, name, namespace)
        kube.delete(POD, name, namespace)
        converge(kube, f"pod {name} to be gone", chosen, gone, budget=seconds("fault-recovery"))


def _pod(server: Object, namespace: str, name: str, labels: dict[str, str]) -> Object:
    container = copy.deepcopy(pods.container(server, SERVER_CONTAINER) or {})
    kept = {key: container[key] for key in ("name", "image", "command", "args", "env", "ports") if key in container}
    # Directories that the program writes to; nothing of the service's Secrets and tokens.
    volumes = [each for each in server["spec"]["volumes"] if "emptyDir" in each]
    names = {each["name"] for each in volumes}
    mounts = [each for each in container.get("volumeMounts", []) if each["name"] in names]
    spec = {
        "nodeName": server["spec"]["nodeName"],
        "terminationGracePeriodSeconds": 1,
        "automountServiceAccountToken": False,
        "containers": [kept | {"imagePullPolicy": "IfNotPresent", "volumeMounts": mounts, "readinessProbe": _PROBE}],
        "volumes": volumes,
    }
    # Without the sidecar it starts and ends at once.
    told = {_LABEL: name, "sidecar.istio.io/inject": "false"} | labels
    meta = {"name": name, "namespace": namespace, "labels": told}
    return recreatable({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec})


def _service(namespace: str, name: str, labels: dict[str, str]) -> Object:
    ports = [{"name": "http", "port": PORT, "targetPort": PORT}]
    return {
        "apiVersion": SERVICE.api,
        "kind": SERVICE.kind,
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "spec": {"selector": {_LABEL: name}, "ports": ports},
    }


def _ready(found: list[Object]) -> str:
    wrong = [pods.line(each) for each in found if not pods.is_ready(each)]
    return "; ".join(wrong) if found else "it is not there"
