"""The page docs/profiles.md, made of the schema, the claims and the shipped profiles. Pure but for reading these."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tools.profile.claims import CLAIMS, Claim
from tools.profile.load import PROFILES, load_profile, profile_names, schema
from tools.profile.model import Profile

_HEAD = """# Profiles

Made by `python -m tools.profile > docs/profiles.md`; a test keeps it true.

A profile is what a release promises, in one YAML file: accelerator, mesh, Gateway, isolation, versions, budgets. The
suite checks exactly that, and nothing of it is hard-wired in a case. **What a profile does not say is not promised.**

```
pytest -m gpu                                                                   # the local cluster: local-gpu
pytest -m tpu --cluster existing --context NAME --profile gke-tpu-v6e           # a shipped profile
pytest -m gpu --cluster existing --context NAME --profile ./my-release.yaml     # a file of your own
```

A name is one of `manifests/profiles/`; what has a slash or ends in `.yaml` or `.yml` is a path. For a profile of your
own, copy the nearest one and change its values. An editor with the YAML language server completes and checks it, by the
first line `# yaml-language-server: $schema=…/manifests/profiles/schema.yaml`. A wrong file is refused before anything
is touched, with everything that is wrong in it:

```
{refusal}
```

YAML is read as version 1.2 has it: only `true` and `false` are truth values, `off` and dates are text. Passwords and
tokens have no place in a profile; Secrets are referred to by name, and their values are never read.
"""
# What is said of local-gpu with `cuont` for `count` and `sidecars` for `sidecar`.
REFUSAL = (
    "my-release.yaml:5:1: accelerator: 'count' is missing\n"
    "my-release.yaml:12:3: accelerator.cuont: no such key; did you mean count?"
    " Allowed are kind, name, resource, count, node_labels\n"
    "my-release.yaml:18:1: mesh: sidecars is none of none, sidecar, ambient; did you mean sidecar?"
)
_KEYS = """## Keys

The last column is what holds where the profile says nothing. It is written in `manifests/profiles/schema.yaml`, and
nowhere else.

| key | means | may be | unsaid |
|---|---|---|---|
"""
_CLAIMS = """## What a profile promises

Every promise has a key; cases name the keys that they check, and reports tell for each key whether it was checked. The
sentences here are those of `local-gpu`.

| key | promise | promised by a profile with | shipped profiles that do |
|---|---|---|---|
"""
_SIGNOFF = """## Sign-off

`llmisvc-conformance signoff RUN` goes by `signoff` of the run's profiles. Three rules hold whatever a profile says:
every core case passed, every version that `versions` names is in its range (one that could not be told is not), and no
skip has expired. A load budget that is stated and was not measured is not kept; `budgets_certified: false` takes load
budgets out of the decision, and the report says so.

A version is compared without what a vendor put behind it (`v1.33.5-gke.1100` is 1.33.5); a pre-release comes before its
release; a version that says only when its code was written (`v0.0.0-2026…`), or nothing (`latest`, a digest), could not
be told.
"""
_LIMITS = {"minimum": "from", "exclusiveMinimum": "above", "maximum": "up to"}


def page() -> str:
    """docs/profiles.md."""
    found = [load_profile(name) for name in profile_names()]
    keys = _KEYS + "\n".join(_rows(schema(), "", required=True)) + "\n"
    claims = _CLAIMS + "\n".join(_claim(each, found) for each in CLAIMS) + "\n"
    shipped = "## Shipped profiles\n\n" + "".join(_shipped(each) for each in found)
    return "\n".join([_HEAD.format(refusal=REFUSAL), keys, claims, shipped, _SIGNOFF])


def _rows(node: Mapping[str, Any], path: str, *, required: bool) -> Iterator[str]:
    """A row for each key below a node; the node of a section has none of its own but for its description."""
    for key, each in node.get("properties", {}).items():
        inner = f"{path}.{key}".removeprefix(".")
        needed = required and key in node.get("required", [])
        if "properties" in each:
            optional = "" if needed or "default" in each else "may be left out"
            yield f"| **`{inner}`** | {each['description']} | | {optional} |".replace("|  |", "| |")
            yield from _rows(each, inner, required=True)
        else:
            yield f"| `{inner}` | {each['description']} | {_values(each)} | {_unsaid(each, needed)} |"


def _values(node: Mapping[str, Any]) -> str:
    if "enum" in node:
        return ", ".join(f"`{each}`" for each in node["enum"])
    kinds: list[str] = node["type"] if isinstance(node["type"], list) else [node["type"]]
    text = {
        "object": "texts by key",
        "array": "a list of texts",
        "integer": "whole number",
        "boolean": "`true`, `false`",
        "string": "text",
    }
    told = text.get(kinds[0]) or kinds[0]
    limits = [f"{word} {node[key]}" for key, word in _LIMITS.items() if key in node]
    example = f", for example `{node['examples'][0]}`" if "examples" in node else ""
    return told + (f" {' '.join(limits)}" if limits else "") + example


def _unsaid(node: Mapping[str, Any], needed: bool) -> str:
    if needed:
        return "must be said"
    default = node.get("default")
    if default in (None, "", {}):
        return "none"
    return f"`{default if isinstance(default, str) else json.dumps(default)}`"


def _claim(claim: Claim, profiles: list[Profile]) -> str:
    rehearsed = next(each for each in profiles if each.name == "local-gpu")
    names = [f"`{each.name}`" for each in profiles if claim.holds(each)]
    those = "all" if len(names) == len(profiles) else ", ".join(names) or "none"
    when = f"`{claim.when}`" if claim.when else "(every profile)"
    return f"| `{claim.key}` | {claim.sentence(rehearsed)} | {when} | {those} |"


def _shipped(profile: Profile) -> str:
    file = PROFILES / f"{profile.name}.yaml"
    head = [line.removeprefix("#").strip() for line in file.read_text().split("\n\n")[0].splitlines()]
    text = " ".join(line for line in head if not line.startswith("yaml-language-server"))
    promised = ", ".join(f"`{key}`" for key in profile.claims())
    name = f"[`{profile.name}`](../manifests/profiles/{profile.name}.yaml)"
    return f"- {name}: {text} Service `{profile.service}`, image `{profile.server_image}`. Promises {promised}.\n"
