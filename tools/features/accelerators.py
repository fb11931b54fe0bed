"""Nodes with accelerators, and whether a real device plugin stands behind what they offer. Pure."""

import re
from collections import Counter

from tools.features.feature import Feature, Settings
from tools.features.reading import Object, untold
from tools.features.survey import Survey

STANDIN = "accelerators"
# Labels that say which product a node has, by GKE and by NVIDIA's feature discovery.
_PRODUCTS = (
    "cloud.google.com/gke-accelerator",
    "cloud.google.com/gke-tpu-accelerator",
    "cloud.google.com/gke-tpu-topology",
    "nvidia.com/gpu.product",
)
# Names and images of the DaemonSets of vendors: NVIDIA's own and its operator's, GKE's for GPUs and TPUs.
_PLUGINS = {
    "nvidia.com/gpu": re.compile(r"nvidia[a-z-]*-device-plugin|nvidia/k8s-device-plugin"),
    "google.com/tpu": re.compile(r"tpu-device-plugin"),
}
_PRETENDS = re.compile(r"fake|mock|stub|simulat")


def features(survey: Survey, settings: Settings) -> list[Feature]:
    """`accelerators-KIND` and `device-plugin-KIND` for each kind of the settings."""
    return [
        feature
        for kind, resource in settings.accelerators.items()
        for feature in (_nodes(survey, kind, resource), _plugin(survey, settings, kind, resource))
    ]


def _nodes(survey: Survey, kind: str, resource: str) -> Feature:
    name, reading = f"accelerators-{kind}", survey.nodes
    if reading.problem:
        return untold(name, reading)
    where = f"{reading.where}: status.allocatable[{resource}], status.capacity, labels"
    offers = {_node(each): _count(each, "allocatable", resource) for each in reading.items}
    lost = [
        f"{_node(each)} has {_count(each, 'capacity', resource)}, none allocatable"
        for each in reading.items
        if _count(each, "capacity", resource) and not offers[_node(each)]
    ]
    offering = [each for each in reading.items if offers[_node(each)]]
    rest = f"; {'; '.join(lost)}" if lost else ""
    if not offering:
        return Feature(name, False, f"none of {len(reading.items)} nodes has {resource} allocatable{rest}", where)
    total = sum(offers.values())
    products = Counter(_product(each) for each in offering)
    told = ", ".join(f"{count} with {product}" for product, count in sorted(products.items()))
    return Feature(name, True, f"{total} of {resource} on {_nodes_in_words(len(offering))}: {told}{rest}", where)


def _plugin(survey: Survey, settings: Settings, kind: str, resource: str) -> Feature:
    name, reading = f"device-plugin-{kind}", survey.daemon_sets
    where = f"{reading.where}: names and images of ready DaemonSets"
    if STANDIN in settings.standins:
        return Feature(name, False, "a stand-in without devices behind it", f"manifests/stack/standins.yaml: {STANDIN}")
    if reading.problem:
        return untold(name, reading)
    ready = [each for each in reading.items if each["status"].get("numberReady")]
    plugins = [each for each in ready if _serves(each, resource)]
    if pretending := [each for each in plugins if _PRETENDS.search(_words(each))]:
        return Feature(name, False, f"pretends by its name: {_told(pretending)}", where)
    if plugins:
        return Feature(name, True, _told(plugins), where)
    if any(_count(each, "allocatable", resource) for each in survey.nodes.items):
        have = f"could not be told: {resource} is offered, but by no DaemonSet of a known device plugin"
        return Feature(name, None, have, where)
    return Feature(name, False, "no DaemonSet of a known device plugin", where)


def _serves(daemon_set: Object, resource: str) -> bool:
    known = _PLUGINS.get(resource, re.compile(re.escape(resource.partition(".")[0]) + ".*device-plugin"))
    words = _words(daemon_set)
    pretends = bool(_PRETENDS.search(words)) and ("device-plugin" in words or resource.rpartition("/")[2] in words)
    return pretends or bool(known.search(words))


def _words(daemon_set: Object) -> str:
    spec = daemon_set["spec"]["template"]["spec"]
    return " ".join([daemon_set["metadata"]["name"], *(each["image"] for each in spec["containers"])])


def _told(daemon_sets: list[Object]) -> str:
    return "; ".join(
        f"DaemonSet {each['metadata']['namespace']}/{each['metadata']['name']}, {each['status']['numberReady']} ready,"
        f" {each['spec']['template']['spec']['containers'][0]['image']}"
        for each in daemon_sets
    )


def _count(node: Object, field: str, resource: str) -> int:
    return int(node.get("status", {}).get(field, {}).get(resource, 0))


def _product(node: Object) -> str:
    labels = node["metadata"].get("labels", {})
    return " ".join(labels[label] for label in _PRODUCTS if label in labels) or "no product label"


def _node(node: Object) -> str:
    return str(node["metadata"]["name"])


def _nodes_in_words(count: int) -> str:
    return "1 node" if count == 1 else f"{count} nodes"
