"""What a recorded cluster lacks to be a whole installation for the preflight, and how its webhook answers."""

from typing import Any

from tools.platform import presets

Object = dict[str, Any]
_CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_DEPLOYMENTS = "/apis/apps/v1/deployments"
_PRESETS = "/apis/serving.kserve.io/v1alpha2/llminferenceserviceconfigs"
_CONTROLLERS = ("llmisvc-controller-manager", "istiod")


def complete(objects: dict[str, Any]) -> None:
    """Add it."""
    for crd in objects[_CRDS]:
        conditions = [{"type": name, "status": "True"} for name in ("Established", "NamesAccepted")]
        crd.setdefault("status", {})["conditions"] = conditions
        crd["spec"]["names"] = {"shortNames": ["llmisvc"]}
    for deployment in objects[_DEPLOYMENTS]:
        name, spec = deployment["metadata"]["name"], deployment["spec"]
        if name in _CONTROLLERS:
            spec["selector"] = {"matchLabels": {"name": name}}
            deployment["status"]["availableReplicas"] = spec["replicas"]
    if _PRESETS in objects:
        there = {each["metadata"]["name"] for each in objects[_PRESETS]}
        wanted = [name for name in presets.names("0.20.0", "kserve-") if name not in there]
        objects[_PRESETS] += [{"metadata": {"name": name, "namespace": "kserve"}} for name in wanted]


def admitted(body: Object) -> tuple[int, Any]:
    """The answer to a dry run: workers need parallelism, as KServe's webhook has it."""
    spec = body.get("spec", {})
    if "worker" in spec and "parallelism" not in spec:
        message = 'admission webhook "llminferenceservice.kserve-webhook-server.v1alpha2.validator" denied the request:'
        return 403, {"message": f"{message} when worker is specified, parallelism must be configured"}
    return 201, body
