"""Labels of a node changed for a while, in a way that whoever comes after a killed run can put right."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from tools.kube import node_taints
from tools.kube.client import Kube
from tools.kube.kinds import NODE
from tools.kube.labels import PREFIX

# The labels as they were, as JSON. An annotation, because what carries a run's label is deleted with the run.
BEFORE = f"{PREFIX}/labels-before"


@contextmanager
def changed(kube: Kube, node: str, labels: Mapping[str, str]) -> Iterator[None]:
    """Other values of labels that the node has; what they were is written down on the node itself until they are back.

    Raises:
        RuntimeError: the node does not keep them.
    """
    there = kube.get(NODE, node)["metadata"]["labels"]
    before = {key: there[key] for key in labels}
    note = {"metadata": {"labels": dict(labels), "annotations": {BEFORE: json.dumps(before)}}}
    try:
        found = kube.patch(NODE, node, "", note)
        if {key: found["metadata"]["labels"].get(key) for key in labels} != dict(labels):
            raise RuntimeError(f"node {node} keeps its labels {before}")
        yield
    finally:
        _restore(kube, node, before)


def restore(kube: Kube) -> list[str]:
    """Put right what killed runs left, of taints too; one line for each node."""
    lines = node_taints.restore(kube)
    for node in kube.objects(NODE):
        text = (node["metadata"].get("annotations") or {}).get(BEFORE)
        if text:
            _restore(kube, node["metadata"]["name"], json.loads(text))
            lines.append(f"node {node['metadata']['name']} has its labels again: {text}")
    return lines


def _restore(kube: Kube, node: str, before: Mapping[str, str]) -> None:
    kube.patch(NODE, node, "", {"metadata": {"labels": dict(before), "annotations": {BEFORE: None}}})
