"""Evidence of a whole namespace as it was asked for before there was more to say than the namespace."""

from tools.evidence.collect import NOT_WELL, collect
from tools.evidence.subject import Subject
from tools.kube.client import Kube
from tools.redact import Redactor

__all__ = ["NOT_WELL", "snapshot"]


def snapshot(kube: Kube, namespace: str) -> dict[str, str]:
    """Texts by title; the first, NOT_WELL, is what a person wants to see at once."""
    found = collect(kube, Subject(namespace), Redactor())
    return {**found.texts, "objects": found.objects}
