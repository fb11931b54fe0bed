"""Label selectors, by the text of meta/v1 LabelSelector. Pure."""

from collections.abc import Mapping
from typing import Any

Object = dict[str, Any]


def matches(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether labels satisfy a selector: all of matchLabels and all of matchExpressions; an empty selector takes all.

    Raises:
        ValueError: an operator that the API does not have.
    """
    wanted = selector.get("matchLabels") or {}
    expressions = selector.get("matchExpressions") or []
    # Every expression is looked at, so that an unknown operator is told wherever it stands.
    by_expressions = [_satisfied(each, labels) for each in expressions]
    return all(labels.get(key) == value for key, value in wanted.items()) and all(by_expressions)


def is_empty(selector: Mapping[str, Any]) -> bool:
    """Whether a selector takes everything."""
    return not selector.get("matchLabels") and not selector.get("matchExpressions")


def text(selector: Mapping[str, Any]) -> str:
    """A selector as `kubectl --selector` takes it; `{}` for the empty one."""
    parts = [f"{key}={value}" for key, value in (selector.get("matchLabels") or {}).items()]
    parts += [_text(each) for each in selector.get("matchExpressions") or []]
    return ",".join(parts) or "{}"


def _satisfied(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    key, values = expression["key"], expression.get("values") or []
    match expression["operator"]:
        case "In":
            return labels.get(key) in values
        case "NotIn":
            # Also where there is no such label at all.
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
    raise ValueError(f"a label selector has no operator {expression['operator']!r}")


def _text(expression: Mapping[str, Any]) -> str:
    key, values = expression["key"], ",".join(expression.get("values") or [])
    forms: dict[str, str] = {
        "In": f"{key} in ({values})",
        "NotIn": f"{key} notin ({values})",
        "Exists": key,
        "DoesNotExist": f"!{key}",
    }
    return forms[expression["operator"]]
