"""A rule of what the API server must refuse of LLMInferenceServices, and the documents that show it. Pure."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from tools.manifests import Document
from tools.profile.versions import in_range

Fields = Mapping[str, Any]
_ALWAYS = ">=0.17"


@dataclass(frozen=True)
class Rule:
    """One thing that is refused.

    Attributes:
        topic: group of rules, as cases have them.
        what: is wrong, in words.
        wrong: fields of `spec` that are refused.
        says: words of the refusal; one of them is enough where versions or places of the check differ.
        right: fields of `spec` that are accepted in their place.
        versions: of KServe that have the rule.
        warns: whether the right form is accepted with a warning.
    """

    topic: str
    what: str
    wrong: Fields
    says: tuple[str, ...]
    right: Fields
    versions: str = _ALWAYS
    warns: bool = False

    def holds_in(self, version: str) -> bool:
        """Whether a version of KServe has the rule; one that could not be told is taken to have it."""
        return in_range(version, self.versions) is not False


def service(fields: Fields, name: str, namespace: str) -> Document:
    """The smallest LLMInferenceService with some fields of `spec`."""
    spec = {"model": {"uri": "hf://o/m"}} | deepcopy(dict(fields))
    return _document("LLMInferenceService", spec, name, namespace)


def config(fields: Fields, name: str, namespace: str) -> Document:
    """The smallest LLMInferenceServiceConfig with some fields of `spec`."""
    return _document("LLMInferenceServiceConfig", deepcopy(dict(fields)), name, namespace)


def _document(kind: str, spec: Document, name: str, namespace: str) -> Document:
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "serving.kserve.io/v1alpha2", "kind": kind, "metadata": metadata, "spec": spec}
