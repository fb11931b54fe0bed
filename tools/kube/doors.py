"""What is outside of a cluster and may be knocked at: the local cluster's stand-ins, or what the user has named."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tools.cluster.identity import ANCHOR
from tools.kube.errors import KubeError
from tools.kube.kinds import CONFIG_MAP

if TYPE_CHECKING:
    from tools.kube.client import Kube

NAME = "llmisvc-conformance-outside"


@dataclass(frozen=True)
class Door:
    """An address to connect to by TCP, and nothing else.

    Attributes:
        address: an IP address.
        port: TCP.
    """

    address: str
    port: int

    @classmethod
    def parsed(cls, text: str) -> "Door":
        """ADDRESS:PORT as a door."""
        address, _, port = text.rpartition(":")
        return cls(address.strip("[]"), int(port))


@dataclass(frozen=True)
class Outside:
    """Doors outside of a cluster; None where there is none that may be knocked at.

    Attributes:
        internet: a server that the service has nothing to do with.
        metadata: where a cloud serves a node's credentials.
        silent: where nobody answers; without a stand-in an address for documentation (RFC 5737), which is nobody's.
    """

    internet: Door | None = None
    metadata: Door | None = None
    silent: Door = Door("192.0.2.1", 443)


def outside_of(kube: "Kube") -> Outside:
    """The stand-ins of a cluster that tells of them; else nothing: what is real is not knocked at unasked."""
    try:
        found = kube.find(CONFIG_MAP, NAME, ANCHOR)
    except KubeError as error:
        if error.status != 403:
            raise
        return Outside()
    return Outside(**{key: Door.parsed(text) for key, text in found["data"].items()}) if found else Outside()
