"""What Pod Security admission itself says of a pod: its creation, as a dry run, in a namespace that enforces a level.

Kubernetes, "Pod Security Admission". Which of its rules are kept is not read from a list of ours here, as it is in
`tools.kube.hardening`: the API server of this cluster, in its version, decides.
"""

import copy
import re
from typing import Any

from tools.kube.client import Kube
from tools.kube.errors import KubeError
from tools.kube.hardening import ADDED

Object = dict[str, Any]

ENFORCE = "pod-security.kubernetes.io/enforce"
_LEVELS = ("privileged", "baseline", "restricted")
_VIOLATES = re.compile(r'violates PodSecurity "[^"]*": (?P<what>.*)', re.DOTALL)
# Whoever makes such containers puts these labels in; the injector must not add them again.
_ALONE = {"sidecar.istio.io/inject": "false"}


def at_least(namespace: Object, level: str) -> bool:
    """Whether a namespace enforces a level, or a stricter one. Pure."""
    found = (namespace["metadata"].get("labels") or {}).get(ENFORCE, "privileged")
    return found in _LEVELS and _LEVELS.index(found) >= _LEVELS.index(level)


def own(pod: Object) -> Object:
    """A pod without what Istio and KServe add to it. Pure."""
    found = copy.deepcopy(pod)
    for key in ("containers", "initContainers"):
        if key in found["spec"]:
            found["spec"][key] = [each for each in found["spec"][key] if each["name"] not in ADDED]
    return found


def judged(kube: Kube, pod: Object, namespace: str) -> list[str]:
    """What admission says against a pod in a namespace, one line each; nothing is made.

    Args:
        kube: the cluster.
        pod: as it runs somewhere else.
        namespace: that enforces a level.

    Raises:
        KubeError: it was refused for another reason, so that nothing is known.
    """
    try:
        kube.preview(creation(pod, namespace))
    except KubeError as error:
        if (found := _VIOLATES.search(error.message)) is None:
            raise
        return violations(found["what"])
    return []


def violations(said: str) -> list[str]:
    """Admission's words for each rule that is broken: `RULE (DETAILS), RULE (DETAILS)`. Pure."""
    return [each.strip() for each in re.split(r"(?<=\)),\s", said.strip()) if each.strip()]


def creation(pod: Object, namespace: str) -> Object:
    """A pod as it would be made in another namespace, where nothing that it refers to by name needs to be. Pure."""
    spec = copy.deepcopy(pod["spec"])
    # Of its own namespace; admission of accounts comes before that of Pod Security.
    for key in ("serviceAccountName", "serviceAccount", "nodeName", "priority", "priorityClassName"):
        spec.pop(key, None)
    meta = {
        "name": pod["metadata"]["name"],
        "namespace": namespace,
        "labels": _ALONE,
        # AppArmor's and seccomp's old form are annotations.
        "annotations": dict(pod["metadata"].get("annotations") or {}),
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}
