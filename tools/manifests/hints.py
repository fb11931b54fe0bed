"""Where a field belongs that does not exist where it was written.

The forms are those that documents about LLMInferenceService spread: fields of an early draft, of InferenceService,
or of a pod, written straight into `spec`.
"""

import difflib
from collections.abc import Iterator

from tools.manifests import Document

_CONTAINER = "spec.template.containers[name=main]"

# Path as written to what is right.
KNOWN = {
    "spec.model": "an object: model: {uri: hf://ORGANISATION/MODEL, name: ORGANISATION/MODEL}",
    "spec.image": f"{_CONTAINER}.image",
    "spec.args": f"{_CONTAINER}.args (options only: KServe's preset starts `vllm serve` and appends them)",
    "spec.command": f"{_CONTAINER}.command (rarely needed: it replaces the preset's whole start script)",
    "spec.env": (
        f"{_CONTAINER}.env; but a Hugging Face token is read from a Secret with the key HF_TOKEN that is listed in the"
        " `secrets` of the ServiceAccount (spec.template.serviceAccountName), because the download is an init container"
    ),
    "spec.envFrom": f"{_CONTAINER}.envFrom",
    "spec.resources": f"{_CONTAINER}.resources",
    "spec.runtime": "nothing, the preset's container `main` serves on port 8000, which Service, pool and probes use",
    "spec.port": "nothing, port 8000 is fixed in the preset, the Service and the InferencePool",
    "spec.dtype": f"{_CONTAINER}.args: --dtype=…",
    "spec.maxModelLen": f"{_CONTAINER}.args: --max-model-len=…",
    "spec.tpuTopology": "spec.template.nodeSelector: cloud.google.com/gke-tpu-topology",
    "spec.machineType": "spec.template.nodeSelector",
    "spec.containers": "spec.template.containers",
    "spec.volumes": "spec.template.volumes",
    "spec.nodeSelector": "spec.template.nodeSelector",
    "spec.tolerations": "spec.template.tolerations",
    "spec.affinity": "spec.template.affinity",
    "spec.imagePullSecrets": "spec.template.imagePullSecrets",
    "spec.serviceAccountName": "spec.template.serviceAccountName",
    "spec.autoscaling": "spec.scaling",
    "spec.minReplicas": "spec.scaling.minReplicas",
    "spec.maxReplicas": "spec.scaling.maxReplicas",
    "spec.scheduler": "spec.router.scheduler",
    "spec.gateway": "spec.router.gateway",
    "spec.route": "spec.router.route",
}


def right_form(path: str, schema: Document) -> str:
    """What to write in place of a field that does not exist, or has the wrong type; empty if there is no idea.

    Args:
        path: the field as written, for example `spec.image` or `spec.template.containers[0].imge`.
        schema: of the object that the field was written in.
    """
    if known := KNOWN.get(path):
        return known
    name = path.rsplit(".", 1)[-1]
    if near := difflib.get_close_matches(name, schema.get("properties", {}), n=1, cutoff=0.7):
        return f"did you mean {near[0]}?"
    elsewhere = next((found for found in _paths(schema) if found.rsplit(".", 1)[-1] == name), "")
    return f"there is {elsewhere} below it" if elsewhere else ""


def _paths(schema: Document, limit: int = 4) -> Iterator[str]:
    """Paths of the properties below a schema, nearest first, as deep as a person would nest by mistake."""
    level = [("", schema)]
    for _ in range(limit):
        below = []
        for path, each in level:
            inner = each.get("items", each)
            for name, found in inner.get("properties", {}).items():
                below.append((f"{path}.{name}" + ("[]" if "items" in found else ""), found))
        yield from (path.removeprefix(".").removesuffix("[]") for path, _ in below)
        level = below
