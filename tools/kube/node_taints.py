"""A taint of a node taken away for a while, in a way that whoever comes after a killed run can put right."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

from tools.kube.client import Kube
from tools.kube.kinds import NODE
from tools.kube.labels import PREFIX

# The taints as they were, as JSON.
BEFORE = f"{PREFIX}/taints-before"


@contextmanager
def without(kube: Kube, node: str, key: str) -> Iterator[None]:
    """The node without its taints of a key; they are written down on the node itself until they are back.

    Raises:
        RuntimeError: the node has no such taint, or keeps it.
    """
    before = kube.get(NODE, node)["spec"].get("taints", [])
    left = [each for each in before if each["key"] != key]
    if left == before:
        raise RuntimeError(f"node {node} has no taint {key}")
    note = {"metadata": {"annotations": {BEFORE: json.dumps(before)}}, "spec": {"taints": left or None}}
    try:
        found = kube.patch(NODE, node, "", note)
        if found["spec"].get("taints", []) != left:
            raise RuntimeError(f"node {node} keeps its taints {before}")
        yield
    finally:
        _restore(kube, node, json.dumps(before))


def restore(kube: Kube) -> list[str]:
    """Put right what killed runs left; one line for each node."""
    lines = []
    for node in kube.objects(NODE):
        if text := (node["metadata"].get("annotations") or {}).get(BEFORE):
            _restore(kube, node["metadata"]["name"], text)
            lines.append(f"node {node['metadata']['name']} has its taints again: {text}")
    return lines


def _restore(kube: Kube, node: str, text: str) -> None:
    note = {"metadata": {"annotations": {BEFORE: None}}, "spec": {"taints": json.loads(text)}}
    kube.patch(NODE, node, "", note)
