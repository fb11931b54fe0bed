"""Where models come from, as a cluster tells: the stand-in of the local cluster, or Hugging Face itself."""

from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import TYPE_CHECKING, Any

from tools.cluster.identity import ANCHOR
from tools.kube.errors import KubeError
from tools.kube.kinds import CONFIG_MAP
from tools.stack.images import MODEL_HUB

if TYPE_CHECKING:
    from tools.cluster.local.addresses import AddressPlan
    from tools.kube.client import Kube

_NAME = "llmisvc-conformance-model-hub"
# In a range for documentation: like the real hub's addresses it belongs to no cluster and no private network.
_OUTSIDE = IPv4Address("203.0.113.1")


@dataclass(frozen=True)
class Hub:
    """A hub.

    Attributes:
        host: its name.
        port: where downloads connect to.
        address: its address, or one that stands for any outside.
        switches: URL of the stand-in's switches; empty for the real hub.
    """

    host: str
    port: int
    address: IPv4Address
    switches: str = ""


REAL = Hub("huggingface.co", 443, _OUTSIDE)


def standin_of(plan: "AddressPlan") -> dict[str, Any]:
    """The object by which a local cluster tells of its stand-in."""
    data = {"address": str(plan.hub), "switches": f"http://{plan.fabric_to_host.ip}:9901"}
    meta = {"name": _NAME, "namespace": ANCHOR}
    return {"apiVersion": CONFIG_MAP.api, "kind": CONFIG_MAP.kind, "metadata": meta, "data": data}


def hub_of(kube: "Kube") -> Hub:
    """The hub that services of a cluster download from; the real one where a stand-in may not be looked for."""
    try:
        found = kube.find(CONFIG_MAP, _NAME, ANCHOR)
    except KubeError as error:
        if error.status != 403:
            raise
        return REAL
    if found is None:
        return REAL
    return Hub(MODEL_HUB, 80, IPv4Address(found["data"]["address"]), found["data"]["switches"])
