"""Label selectors (`metav1.LabelSelector`)."""

from collections.abc import Mapping
from typing import Any


def selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether a selector matches labels; an empty one matches all.

    Raises:
        ValueError: an operator that there is none of; the API server lets none pass.
    """
    wanted = selector.get("matchLabels") or {}
    same = all(labels.get(key) == value for key, value in wanted.items())
    return same and all(_holds(each, labels) for each in selector.get("matchExpressions") or [])


def _holds(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    key, values = expression["key"], expression.get("values") or []
    match expression["operator"]:
        case "In":
            return key in labels and labels[key] in values
        case "NotIn":
            return key not in labels or labels[key] not in values
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
        case other:
            raise ValueError(f"operator In, NotIn, Exists or DoesNotExist expected, {other!r} found")
