"""Placeholders that templating should have filled in and did not. Pure."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

Object = dict[str, Any]

_HELM = re.compile(r"\{\{-?\s*(\.Values|\.Release|\.Chart|include\b|template\b|toYaml\b|tpl\b)[^}]*\}\}")
_BRACES = re.compile(r"\{\{[^}]*\}?\}?")
_SHELL = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_.]*\}|\$[A-Z][A-Z0-9_]{2,}\b")
_VARIABLE = re.compile(r"(?<!\$)\$\(([A-Za-z_][A-Za-z0-9_]*)\)")
_WORDS = re.compile(r"\b(REPLACE[_-]?ME|CHANGE[_-]?ME|FIXME|TODO|YOUR[_-][A-Z_-]+)\b|<(?:your|replace)[-_ a-z]*>", re.I)
_SHELLS = ("sh", "bash", "ash", "dash")


def in_config(found: Object) -> list[str]:
    """Of a ConfigMap with KServe's settings; its `…Template` values are Go templates by purpose."""
    lines = []
    for key, text in (found.get("data") or {}).items():
        if key == "_example":
            continue
        meant = re.sub(r'"[A-Za-z]*Template"\s*:\s*"[^"]*"', "", text)
        lines += [f"key {key}: {word}" for word in _matches(meant, _BRACES, _SHELL, _WORDS)]
    return lines


def in_preset(found: Object) -> list[str]:
    """Of a preset, which is a Go template itself, and has shell scripts in it."""
    return [
        f"{path}: {word}"
        for path, text in _strings(found.get("spec", {}), "spec")
        for word in _matches(text, _HELM, _WORDS, *(() if _is_script(text) else (_SHELL,)))
    ]


def in_deployment(found: Object) -> list[str]:
    """Of a Deployment: also `$(NAME)` of variables that the container does not have, which stay as they are."""
    template = found["spec"]["template"]
    lines = [f"metadata: {word}" for _, text in _strings(template["metadata"], "") for word in _plain(text)]
    spec = template["spec"]
    for each in [*spec["containers"], *spec.get("initContainers", [])]:
        where, known = f"container {each['name']}", {row["name"] for row in each.get("env", [])}
        scripted = any(str(word).rpartition("/")[2] in _SHELLS for word in each.get("command", [])[:1])
        words = [*each.get("command", []), *each.get("args", [])]
        values = [str(row.get("value", "")) for row in each.get("env", [])]
        if not each.get("envFrom"):
            lines += [
                f"{where}: $({name}), a variable that it does not have"
                for text in [*words, *values]
                for name in _VARIABLE.findall(str(text))
                if name not in known and not scripted
            ]
        texts = [each["image"], *values, *([] if scripted else words)]
        lines += [f"{where}: {word}" for text in texts for word in _plain(str(text))]
    return lines


def _plain(text: str) -> Iterable[str]:
    return _matches(text, _BRACES, _SHELL, _WORDS)


def _matches(text: str, *patterns: re.Pattern[str]) -> list[str]:
    return list(dict.fromkeys(found[0] for pattern in patterns for found in pattern.finditer(text)))


def _is_script(text: str) -> bool:
    return "\n" in text or "exec " in text


def _strings(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from _strings(each, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for place, each in enumerate(value):
            yield from _strings(each, f"{path}[{place}]")
