"""Why no node takes a pod: the scheduler's message taken apart, and compared with what the nodes have. Pure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum

from tools.kube import pods
from tools.kube.client import Object
from tools.kube.quantity import amount


class Hindrance(StrEnum):
    """What keeps a pod from a node."""

    INSUFFICIENT = "insufficient"
    TAINT = "taint"
    SELECTOR = "selector"
    VOLUME = "volume"
    CORDON = "cordon"
    OTHER = "other"


@dataclass(frozen=True)
class Hindered:
    """Nodes that do not take a pod, for one reason.

    Attributes:
        why: the reason.
        nodes: how many.
        what: the resource, the taint, or the scheduler's own words.
    """

    why: Hindrance
    nodes: int
    what: str


_PARTS = (
    (Hindrance.INSUFFICIENT, re.compile(r"(\d+) Insufficient ([\w./-]+?)(?=[,.]? |[,.]?$)")),
    (Hindrance.TAINT, re.compile(r"(\d+) node\(s\) had untolerated taint(?:\(s\))?(?: (\{[^}]*\}))?")),
    (Hindrance.SELECTOR, re.compile(r"(\d+) node\(s\) (didn't match Pod's node affinity/selector)")),
    (Hindrance.VOLUME, re.compile(r"(\d+) node\(s\) ([^,]*volume[^,]*)")),
    (Hindrance.CORDON, re.compile(r"(\d+) node\(s\) (were unschedulable)")),
)
_UNBOUND = re.compile(r"(pod has unbound immediate PersistentVolumeClaims|persistentvolumeclaim \S+ not found)")
# What a cluster autoscaler says about a pod that waits.
AUTOSCALER = {"FailedScaleUp", "NotTriggerScaleUp", "TriggeredScaleUp", "ScaleUpFailed"}


def parse(message: str) -> list[Hindered]:
    """The parts of a message such as `0/2 nodes are available: 1 Insufficient google.com/tpu, 1 node(s) had …`."""
    said = message.partition(" preemption:")[0]
    found = [
        Hindered(why, int(match[1]), match[2] or "") for why, pattern in _PARTS for match in pattern.finditer(said)
    ]
    return [*found, *(Hindered(Hindrance.VOLUME, 0, match[1]) for match in _UNBOUND.finditer(said))]


def asks(pod: Object, resource: str) -> float:
    """How much of a resource a pod asks for: all containers together, or its greediest init container."""
    spec = pod["spec"]
    sidecars = [each for each in spec.get("initContainers", []) if each.get("restartPolicy") == "Always"]
    alone = [each for each in spec.get("initContainers", []) if each.get("restartPolicy") != "Always"]
    together = sum(_asked(each, resource) for each in [*spec["containers"], *sidecars])
    return max([together, *(_asked(each, resource) for each in alone)])


def free(node: Object, placed: Iterable[Object], resource: str) -> float:
    """What is left of a resource on a node, given the pods of the cluster."""
    name = node["metadata"]["name"]
    used = sum(
        asks(pod, resource) for pod in placed if pod["spec"].get("nodeName") == name and not pods.is_leaving(pod)
    )
    return amount(node["status"].get("allocatable", {}).get(resource, "0")) - used


def selected(node: Object, selector: Mapping[str, str]) -> bool:
    """Whether a node has the labels."""
    labels = node["metadata"].get("labels", {})
    return all(labels.get(key) == value for key, value in selector.items())


def untolerated(node: Object, tolerations: Iterable[Object]) -> list[Object]:
    """Taints of a node that keep a pod with these tolerations from being placed there."""
    kept = list(tolerations)
    hard = [each for each in node["spec"].get("taints", []) if each["effect"] in ("NoSchedule", "NoExecute")]
    return [taint for taint in hard if not any(tolerates(each, taint) for each in kept)]


def tolerates(toleration: Object, taint: Object) -> bool:
    """Whether a toleration is one for a taint, as Kubernetes matches them."""
    if toleration.get("effect") not in (None, "", taint["effect"]):
        return False
    if toleration.get("operator") == "Exists":
        return toleration.get("key") in (None, "", taint["key"])
    return bool(toleration.get("key") == taint["key"] and toleration.get("value", "") == taint.get("value", ""))


def misspelt(nodes: Iterable[Object], selector: Mapping[str, str]) -> list[str]:
    """Entries of a node selector that no node has, each with the nearest that there is."""
    there: dict[str, set[str]] = {}
    for node in nodes:
        for key, value in node["metadata"].get("labels", {}).items():
            there.setdefault(key, set()).add(value)
    lines = []
    for key, value in selector.items():
        if key not in there:
            near = get_close_matches(key, there, 1)
            lines.append(f"no node has the label {key}" + (f"; did you mean {near[0]}?" if near else ""))
        elif value not in there[key]:
            near = get_close_matches(value, there[key], 1, 0.3)
            meant = f"; did you mean {near[0]}?" if near else ""
            lines.append(f"no node has {key}={value}, only {', '.join(sorted(there[key]))}{meant}")
    return lines


def explain(
    pod: Object, message: str, events: Iterable[Object], nodes: Iterable[Object], placed: Iterable[Object]
) -> str:
    """Why no node takes a pod, in words.

    Args:
        pod: the one that waits.
        message: the scheduler's.
        events: of the pod, for what an autoscaler says.
        nodes: all nodes; none where they may not be read.
        placed: all pods; none where they may not be read.
    """
    known, others, selector = list(nodes), list(placed), pod["spec"].get("nodeSelector", {})
    causes = [*misspelt(known, selector)] if known else []
    for part in parse(message):
        causes += _in_words(part, pod, known, others, bool(causes))
    if not causes:
        causes = [f"the scheduler finds no node: {message}"]
    return "; ".join(dict.fromkeys([*causes, *_autoscaler(events)]))


def _in_words(part: Hindered, pod: Object, nodes: list[Object], placed: list[Object], misspelt_too: bool) -> list[str]:
    match part.why:
        case Hindrance.INSUFFICIENT:
            return [_shortage(part.what, pod, nodes, placed)]
        case Hindrance.TAINT:
            return _taints(part, pod, nodes)
        case Hindrance.SELECTOR:
            # The other nodes are not meant; that is no hindrance if there are some that are.
            meant = [each for each in nodes if selected(each, pod["spec"].get("nodeSelector", {}))]
            words = f"{part.nodes} node(s) do not have the labels that the pod selects by"
            return [] if meant or misspelt_too else [words]
        case Hindrance.CORDON:
            return [f"{part.nodes} node(s) are cordoned"]
        case _:
            return [f"a volume: {part.what}"]


def _taints(part: Hindered, pod: Object, nodes: list[Object]) -> list[str]:
    """Taints of the nodes that the pod selects; those of others keep it from nothing."""
    meant = [each for each in nodes if selected(each, pod["spec"].get("nodeSelector", {}))]
    if not meant:
        return [f"{part.nodes} node(s) have the taint {part.what}, which the pod does not tolerate".replace("  ", " ")]
    return [
        f"node {node['metadata']['name']} has the taint {each['key']}={each.get('value', '')}:{each['effect']},"
        " which the pod does not tolerate"
        for node in meant
        for each in untolerated(node, pod["spec"].get("tolerations", []))
    ]


def _shortage(resource: str, pod: Object, nodes: list[Object], placed: list[Object]) -> str:
    need = asks(pod, resource)
    meant = [each for each in nodes if selected(each, pod["spec"].get("nodeSelector", {}))]
    has = [
        f"free {free(each, placed, resource):g} of"
        f" {amount(each['status'].get('allocatable', {}).get(resource, '0')):g} on node {each['metadata']['name']}"
        for each in meant
    ]
    return f"not enough {resource}: need {need:g}" + (f", {', '.join(has)}" if has else "")


def _autoscaler(events: Iterable[Object]) -> list[str]:
    told = [f"the autoscaler says {each['reason']}: {each.get('message', '')}" for each in events if _scales(each)]
    return list(dict.fromkeys(told))


def _scales(event: Object) -> bool:
    return event.get("reason") in AUTOSCALER


def _asked(container: Object, resource: str) -> float:
    return amount(container.get("resources", {}).get("requests", {}).get(resource, "0"))
