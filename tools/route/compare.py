"""Rules of a route compared with what they must be, as a whole and told one difference a line. Pure."""

import copy
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tools.route.expected import Rule

# What a client meets when a part of a rule is not as it must be.
_MEETS = {
    "matches": "requests that should take this rule take another, or none (404 of the gateway)",
    "filters": "without the right rewrite the server gets a path that it does not know (404 of the server)",
    "backendRefs": "requests go past the picker, or to servers that are not the service's",
    "timeouts": "answers that take longer are cut: 504, or a stream without [DONE]",
}
_PARTS = tuple(_MEETS)


@dataclass(frozen=True)
class Difference:
    """One thing that is not as it must be.

    Attributes:
        line: what, in words.
        meets: what a client meets because of it.
    """

    line: str
    meets: str


def differences(found: Sequence[Rule], wanted: Sequence[Rule]) -> list[Difference]:
    """What differs between the rules of a route and those that it must have.

    The order is not compared: the Gateway API takes the most specific match, wherever it stands. What the API server
    puts in where nothing is said is taken as said, on both sides.

    Args:
        found: `spec.rules` of the route.
        wanted: the rules that it must have, each with a name, or none with one.
    """
    left = [normal(each) for each in found]
    lines: list[Difference] = []
    for rule in [normal(each) for each in wanted]:
        if rule in left:
            left.remove(rule)
            continue
        same = next((each for each in left if _stands_for(each, rule)), None)
        if same is None:
            meets = f"{' and '.join(_paths(rule))}: {_MEETS['matches']}"
            lines.append(Difference(f"there is no rule {told(rule)}", meets))
            continue
        left.remove(same)
        lines += _in_parts(same, rule)
    return lines + [
        Difference(
            f"rule {told(each)} is not KServe's: {_short(each.get('backendRefs')) or 'no backendRefs'}",
            f"requests for {' and '.join(_paths(each)) or 'everything'} go where it says",
        )
        for each in left
    ]


def told(rule: Rule) -> str:
    """A rule by its name, or by its first path where it has none."""
    return str(rule.get("name") or f"for {' and '.join(_paths(rule)) or 'everything'}")


def normal(rule: Rule) -> Rule:
    """A rule with what the API server puts in, and its matches in one order."""
    made: Rule = {"name": rule.get("name", "")}
    made["matches"] = sorted((_match(each) for each in rule.get("matches") or [{}]), key=_short)
    made["filters"] = copy.deepcopy(rule.get("filters") or [])
    made["backendRefs"] = [_backend(each) for each in rule.get("backendRefs") or []]
    made["timeouts"] = dict(rule.get("timeouts") or {})
    return made | {key: value for key, value in rule.items() if key not in made}


def _match(match: Rule) -> Rule:
    path = {"type": "PathPrefix", "value": "/"} | match.get("path", {})
    headers = [{"type": "Exact"} | each for each in match.get("headers") or []]
    rest = {key: value for key, value in match.items() if key not in ("path", "headers")}
    # The name of a header has no case.
    told_headers = sorted(({**each, "name": each["name"].lower()} for each in headers), key=_short)
    return {"path": path, "headers": told_headers, **rest}


def _backend(reference: Rule) -> Rule:
    return {"group": "", "kind": "Service", "weight": 1} | reference


def _stands_for(found: Rule, wanted: Rule) -> bool:
    """Whether it is the same rule, changed: of the same name, or without names for the same requests."""
    if wanted["name"]:
        return bool(found["name"] == wanted["name"])
    return bool(found["matches"] == wanted["matches"])


def _in_parts(found: Rule, wanted: Rule) -> list[Difference]:
    parts = [*_PARTS, *(key for key in found if key not in (*_PARTS, "name"))]
    return [
        Difference(
            f"rule {told(wanted)}: {part} {_or_none(found.get(part))}, not {_or_none(wanted.get(part))}",
            _MEETS.get(part, "nothing that KServe sets"),
        )
        for part in parts
        if found.get(part) != wanted.get(part)
    ]


def _or_none(value: Any) -> str:
    return _short(value) or "none"


def _paths(rule: Rule) -> list[str]:
    return list(dict.fromkeys(each["path"]["value"] for each in rule.get("matches", []) if "path" in each))


def _short(value: Any) -> str:
    return json.dumps(value, sort_keys=True) if value else ""
