"""Which pod of this node was given which address, as the CNI plugin tells: earlier than the API server knows it."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Attachment:
    """A pod's sandbox on the network.

    Attributes:
        namespace, name, uid: the pod; `uid` is empty where the runtime does not tell it.
        container: the sandbox's id, under which it is taken off again.
        address: what it was given.
    """

    namespace: str
    name: str
    uid: str
    container: str
    address: str


class Attachments:
    """The attachments of a node, a file for each, so that an agent that starts again knows them.

    Args:
        directory: where the files are; it ends with the node, as the pods do.
    """

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self._known = {path.name: Attachment(**json.loads(path.read_text())) for path in directory.glob("*.*.*.*[0-9]")}

    def add(self, attachment: Attachment) -> None:
        """Note one; whoever had the address has it no longer, nor has the pod the one that it had."""
        for each in [each for each in self._known.values() if _same_pod(each, attachment)]:
            self._forget(each.address)
        whole = self._directory / f"{attachment.address}.new"
        whole.write_text(json.dumps(asdict(attachment)))
        whole.rename(self._directory / attachment.address)
        self._known[attachment.address] = attachment

    def remove(self, container: str) -> None:
        """Forget those of a sandbox."""
        for address in [address for address, each in self._known.items() if each.container == container]:
            self._forget(address)

    def over(self, pods: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """The pods with the addresses that they were given, in place of those that the API server has for them."""
        by_pod = {(each.namespace, each.name): each for each in self._known.values()}
        return [self._one(pod, by_pod.get((pod["metadata"]["namespace"], pod["metadata"]["name"]))) for pod in pods]

    def _forget(self, address: str) -> None:
        (self._directory / address).unlink(missing_ok=True)
        del self._known[address]

    def _one(self, pod: Mapping[str, Any], mine: Attachment | None) -> Mapping[str, Any]:
        # A pod of a StatefulSet has the name of the one before it: that one's address is not its own.
        if mine and mine.uid in ("", pod["metadata"].get("uid")):
            return _with_address(pod, mine.address)
        told = pod.get("status", {}).get("podIP", "")
        return _with_address(pod, "") if told in self._known else pod


def _same_pod(one: Attachment, other: Attachment) -> bool:
    return (one.namespace, one.name) == (other.namespace, other.name)


def _with_address(pod: Mapping[str, Any], address: str) -> Mapping[str, Any]:
    status = {key: value for key, value in pod.get("status", {}).items() if key not in ("podIP", "podIPs")}
    return {**pod, "status": {**status, **({"podIP": address} if address else {})}}
