"""Names that vLLM's metrics had from release to release, so that an older or newer server can be imitated.

Two groups were renamed, each in three steps: the old name, both, the new one. A generation is named by the first
release that had it. Sources: vllm-project/vllm pull requests 18354, 24110, 29330 and 32661. What else came and went
between these releases is not imitated: every generation has the families of 0.16, under these names.
"""

from collections.abc import Mapping

LATEST = "0.16"

_CACHE = {
    "vllm:kv_cache_usage_perc": "vllm:gpu_cache_usage_perc",
    "vllm:prefix_cache_queries": "vllm:gpu_prefix_cache_queries",
    "vllm:prefix_cache_hits": "vllm:gpu_prefix_cache_hits",
}
_GAP = {"vllm:inter_token_latency_seconds": "vllm:time_per_output_token_seconds"}
# Distinct from the one above, and not there before it was renamed.
_PER_REQUEST = "vllm:request_time_per_output_token_seconds"


def _old(names: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    return {new: (old,) for new, old in names.items()}


def _both(names: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    return {new: (new, old) for new, old in names.items()}


# For each generation: today's name of a family, and the names it is exposed under. What is not listed keeps its name.
GENERATIONS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "0.9": {**_old(_CACHE), **_old(_GAP), _PER_REQUEST: ()},
    "0.10": {**_both(_CACHE), **_old(_GAP), _PER_REQUEST: ()},
    "0.11": _both(_GAP),
    LATEST: {},
}


def names(generation: str, family: str) -> tuple[str, ...]:
    """The names under which a family is exposed; none if that generation did not have it.

    Args:
        generation: a key of GENERATIONS.
        family: its name in 0.16.
    """
    return GENERATIONS[generation].get(family, (family,))
