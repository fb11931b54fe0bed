"""The images that containers run, by what owns them: for the report."""

from collections.abc import Iterable

from tools.kube.client import Kube, Object
from tools.kube.errors import KubeError
from tools.kube.kinds import POD

_HASH_LABEL = "pod-template-hash"


def images(kube: Kube, namespaces: Iterable[str]) -> dict[str, str]:
    """`NAMESPACE/OWNER/CONTAINER` to the image that runs, with digest; a namespace that may not be read says so."""
    found: dict[str, str] = {}
    for namespace in sorted(set(namespaces)):
        try:
            found |= running(kube.objects(POD, namespace))
        except KubeError as error:
            found[namespace] = f"could not be told: {error.status or 'no answer'}: {error.message}"
    return found


def running(pods: Iterable[Object]) -> dict[str, str]:
    """The same of pods at hand; several images under one key are all told. Pure."""
    found: dict[str, set[str]] = {}
    for pod in pods:
        status = pod.get("status", {})
        for each in [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]:
            if each.get("imageID"):
                key = f"{pod['metadata']['namespace']}/{owner(pod)}/{each['name']}"
                found.setdefault(key, set()).add(_image(_asked(pod, each["name"]), each["imageID"]))
    return {key: " and ".join(sorted(values)) for key, values in sorted(found.items())}


def owner(pod: Object) -> str:
    """What a pod belongs to: the Deployment in place of its ReplicaSet, else its controller, else the pod itself."""
    meta = pod["metadata"]
    controller = next((each for each in meta.get("ownerReferences", []) if each.get("controller")), None)
    if controller is None:
        return str(meta["name"])
    return str(controller["name"]).removesuffix(f"-{meta.get('labels', {}).get(_HASH_LABEL, '')}")


def _asked(pod: Object, container: str) -> str:
    spec = pod["spec"]
    return next(
        (
            str(each["image"])
            for each in [*spec["containers"], *spec.get("initContainers", [])]
            if each["name"] == container
        ),
        "",
    )


def _image(asked: str, running_id: str) -> str:
    """`NAME:TAG@DIGEST`; an image that was put into the node by hand has only the hash of its configuration."""
    _, at, digest = running_id.partition("@")
    return f"{asked.partition('@')[0]}@{digest}" if at else f"{asked} (image id {running_id})"
