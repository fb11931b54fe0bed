"""Which metrics an expression of PromQL is about. Pure."""

import re
from collections.abc import Collection, Iterable

from tools.metrics import picker, vllm

_QUOTED = re.compile(r"\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'")
_LABELS = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)")
_NAME = re.compile(r"(?<![\w:.])[a-zA-Z_:][\w:]*(?!\s*\(|[\w:])")
_WORDS = {"and", "or", "unless", "by", "without", "on", "ignoring", "group_left", "group_right", "bool", "offset",
          "start", "end", "atan2", "inf", "nan"}  # fmt: skip
_PART = re.compile(r"_(bucket|count|sum)$")
# Metrics that mean the same: an expression that has several needs one of them.
_CACHE_HITS = ("vllm:prefix_cache_hits_total", "vllm:gpu_prefix_cache_hits_total")
_ALIASES = tuple(
    frozenset(_PART.sub("", name) for name in names) for names in (*vllm.CORE.values(), picker.REQUESTS, _CACHE_HITS)
)


def metrics(expression: str) -> frozenset[str]:
    """Names of the metrics that an expression selects; what it selects by other labels than the name is left out."""
    text = _QUOTED.sub('""', expression)
    text = re.sub(r"\{[^}]*\}|\[[^\]]*\]", " ", text)
    text = _LABELS.sub(" ", text)
    return frozenset(name for name in _NAME.findall(text) if name.lower() not in _WORDS)


def absent(expression: str, have: Collection[str]) -> list[str]:
    """Metrics of an expression that are not there, and without which it never has a result.

    Args:
        expression: of an alert or a dashboard.
        have: names that there are.
    """
    wanted = metrics(expression)
    there = {_PART.sub("", name) for name in wanted if name in have}
    return sorted(name for name in wanted if name not in have and not _alike(_PART.sub("", name)) & there)


def _alike(name: str) -> frozenset[str]:
    return next((names for names in _ALIASES if name in names), frozenset())


def all_metrics(expressions: Iterable[str]) -> frozenset[str]:
    """Names of the metrics of several expressions."""
    return frozenset(name for each in expressions for name in metrics(each))
