"""Why the API server does not take a manifest, and what to write instead: from its own words. Pure."""

import re
from collections.abc import Iterable

from tools.explain import Violation, bullets
from tools.manifests import Document
from tools.manifests.hints import KNOWN

# In the words of strict decoding, of server-side apply, and of the schema.
_FIELDS = (
    re.compile(r'unknown field "([^"]+)"'),
    re.compile(r"\.(\S+?): field not declared in schema"),
    re.compile(r"\.(\S+?): expected \w+, got"),
    re.compile(r"\b(spec\.\S+?): (?:Invalid value|Required value|Unsupported value)"),
)
_WEBHOOK = re.compile(r'failed calling webhook "([^"]+)"')
_POLICY = re.compile(r"ValidatingAdmissionPolicy '([^']+)'")
# What the API server answers to what it cannot make sense of; 500 is for what server-side apply cannot.
_OF_THE_MANIFEST = (400, 422)


def fields(words: str) -> list[str]:
    """Paths of the fields that a refusal is about, each once, in its order."""
    found = sorted((match.start(), match[1]) for pattern in _FIELDS for match in pattern.finditer(words))
    return list(dict.fromkeys(path for _, path in found))


def is_refusal(status: int, words: str) -> bool:
    """Whether an answer is about the manifest or its admission, and not about rights or the API server."""
    return status in _OF_THE_MANIFEST or bool(fields(words) or _WEBHOOK.search(words) or _POLICY.search(words))


def explain(document: Document, words: Iterable[str], kubectl: str, controller: str = "") -> Violation:
    """The text of a refusal, with the right form of every field that is known to be written wrongly.

    Args:
        document: the object.
        words: what the API server said, of one or several attempts.
        kubectl: a command line that ends before the command.
        controller: where KServe's controller is.
    """
    said = list(dict.fromkeys(words))
    text = "\n".join(said)
    wrong = fields(text)
    forms = [f"{path} -> {KNOWN[path]}" for path in wrong if path in KNOWN]
    what = f"{document['kind']} {document['metadata']['name']}"
    cause, step = (
        "the manifest is not for this version of its API",
        f"{kubectl} explain {document['kind'].lower()}.spec",
    )
    if hook := _WEBHOOK.search(text):
        cause = f"nobody answers the webhook {hook[1]}" + (f": is {controller} running?" if "kserve" in hook[1] else "")
        step = f"{kubectl} get deployments -A"
    elif policy := _POLICY.search(text):
        cause, step = (
            f"the cluster's policy {policy[1]} forbids it",
            f"{kubectl} get validatingadmissionpolicies -o yaml",
        )
    elif forms:
        lines = "".join(f"\n- {each}" for each in forms)
        cause = f"it follows a document about another version, or about none; right is:{lines}"
        step += "; compare with manifests/services/"
    return Violation(f"{what} to be taken by the API server", bullets(said), cause=cause, next_step=step)
