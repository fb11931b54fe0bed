"""KServe's presets as the local cluster needs them: a transformation of what the chart renders, never a copy."""

import copy
from collections.abc import Sequence

from tools.manifests import Document

SCHEDULER = "kserve-config-llm-scheduler"
# Both nodes of the local cluster carry their accelerator's taint, as on GKE, and there is no third.
EITHER_NODE = [
    {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"},
    {"key": "google.com/tpu", "operator": "Exists", "effect": "NoSchedule"},
]
_REQUESTS = {"cpu": "10m", "memory": "48Mi"}


def for_local_cluster(documents: Sequence[Document]) -> list[Document]:
    """The chart kserve-runtime-configs' documents, with the endpoint picker fit for the local cluster.

    The picker's pod keeps the shape that the preset gives it (containers, ports, volumes, security). What changes:
    either node will do, it asks for little, and it is asked for readiness at once instead of after 30 s.

    Args:
        documents: as rendered by Helm; not changed.

    Raises:
        ValueError: the scheduler preset is not among them, so nothing would be changed.
    """
    found = [copy.deepcopy(each) for each in documents]
    scheduler = [each for each in found if each["metadata"]["name"] == SCHEDULER]
    if len(scheduler) != 1:
        raise ValueError(f"expected one {SCHEDULER} among the presets, found {len(scheduler)}")
    template = scheduler[0]["spec"]["router"]["scheduler"]["template"]
    template["tolerations"] = [*template.get("tolerations", []), *EITHER_NODE]
    for container in template["containers"]:
        container["resources"] = {"requests": dict(_REQUESTS)}
        for probe in ("startupProbe", "readinessProbe"):
            if probe in container:
                container[probe] |= {"initialDelaySeconds": 0, "periodSeconds": 1}
    return found
