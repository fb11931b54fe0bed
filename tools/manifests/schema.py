"""Documents against the schemas of their CRDs: types and limits, and fields that the API server would not keep.

A CRD's API server drops unknown fields silently unless asked not to (structural pruning): a manifest with a field that
does not exist is accepted and does something else than it says. Here such a field is a finding, with its right form.
CEL rules (`x-kubernetes-validations`) are not evaluated; the cluster does that.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import jsonschema

from tools.errors import UserError
from tools.manifests import Document
from tools.manifests.crds import Crds
from tools.manifests.hints import right_form

# Groups with a dot that the API server itself serves and that service manifests may use.
_BUILT_IN = {"rbac.authorization.k8s.io", "networking.k8s.io", "scheduling.k8s.io"}


@dataclass(frozen=True)
class Finding:
    """Something in a document that its schema does not allow.

    Attributes:
        path: where, for example `spec.template.containers[0].image`.
        problem: what is wrong.
        right: what to write instead; empty if unknown.
    """

    path: str
    problem: str
    right: str = ""

    def __str__(self) -> str:
        return f"{self.path}: {self.problem}" + (f"; right: {self.right}" if self.right else "")


def check(document: Document, schema: Document) -> list[Finding]:
    """All findings of a document, unknown fields first.

    Args:
        document: an object.
        schema: the openAPIV3Schema of its kind and version.
    """
    # The validator of draft 4 has the same boolean exclusiveMinimum as OpenAPI 3.0.
    errors = jsonschema.Draft4Validator(schema).iter_errors(document)
    invalid = [
        Finding(path := _path(error.absolute_path), _short(error), right_form(path, {}))
        for error in sorted(errors, key=lambda error: list(map(str, error.absolute_path)))
    ]
    return [*_unknown(document, schema, "", root=True), *invalid]


def refuse_wrong(documents: Sequence[Document], crds: Crds, source: str) -> None:
    """Raise for documents that a cluster with some CRDs would refuse or silently cut.

    Args:
        documents: custom resources; others (core API, apps) are passed over.
        crds: what the cluster knows.
        source: where the documents are from, for the message.

    Raises:
        UserError: naming every wrong field of every document and its right form.
    """
    wrong = [
        f"{each['kind']} {each['metadata']['name']}: {finding}" for each in documents for finding in _of(each, crds)
    ]
    if wrong:
        raise UserError(
            "manifests whose every field the cluster's CRDs know",
            f"in {source}:\n" + "\n".join(f"    - {line}" for line in wrong),
            cause="the manifest follows a document about another version, or about none",
            next_step="compare with manifests/services/; kubectl explain llminferenceservice.spec",
        )


def _of(document: Document, crds: Crds) -> list[Finding]:
    group, _, version = document["apiVersion"].rpartition("/")
    if "." not in group or group in _BUILT_IN:
        return []
    crd = crds.find(group, document["kind"])
    if version not in crd.schemas:
        known = ", ".join(crd.schemas)
        return [Finding("apiVersion", f"{version} is not served", f"one of {known}")]
    return check(document, crd.schemas[version])


def _unknown(value: Any, schema: Document, path: str, *, root: bool = False) -> Iterator[Finding]:
    if isinstance(value, list) and isinstance(schema.get("items"), dict):
        for index, item in enumerate(value):
            yield from _unknown(item, schema["items"], f"{path}[{index}]")
    if not isinstance(value, dict) or schema.get("x-kubernetes-preserve-unknown-fields"):
        return
    properties = schema.get("properties", {})
    rest = schema.get("additionalProperties")
    whole = root or schema.get("x-kubernetes-embedded-resource")
    for name, inner in value.items():
        here = f"{path}.{name}".removeprefix(".")
        if name in properties:
            if not (whole and name == "metadata"):
                yield from _unknown(inner, properties[name], here)
        elif isinstance(rest, dict):
            yield from _unknown(inner, rest, here)
        elif rest is not True and not (whole and name in ("apiVersion", "kind", "metadata")) and _is_object(schema):
            yield Finding(here, "no such field", right_form(here, schema))


def _is_object(schema: Document) -> bool:
    return schema.get("type") == "object" or "properties" in schema


def _path(parts: Sequence[str | int]) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    return text.removeprefix(".") or "(the object)"


def _short(error: jsonschema.ValidationError) -> str:
    """The validator's message, without the value if that is long."""
    if error.validator == "type":
        return f"must be {error.validator_value}, is {type(error.instance).__name__} {str(error.instance)[:60]!r}"
    return error.message if len(error.message) < 200 else f"violates {error.validator}: {error.validator_value!s:.120}"
