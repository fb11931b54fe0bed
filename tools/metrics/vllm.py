"""Names of vLLM's metrics, by what they mean.

Each is a tuple with the newest name first. Sources: vLLM 0.16's exposition, recorded; the older names are those that
vLLM 0.6 to 0.11 exported and that dashboards and endpoint pickers still ask for.
"""

from collections.abc import Mapping

from tools.metrics.exposition import Exposition


def _counts(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{name}_count" for name in names)


FINISHED = ("vllm:request_success_total",)
RUNNING = ("vllm:num_requests_running",)
WAITING = ("vllm:num_requests_waiting",)
CACHE_USAGE = ("vllm:kv_cache_usage_perc", "vllm:gpu_cache_usage_perc")
PROMPT_TOKENS = ("vllm:prompt_tokens_total",)
GENERATED_TOKENS = ("vllm:generation_tokens_total",)
# Histograms, without `_count`, `_sum` and `_bucket`.
TIME_TO_FIRST_TOKEN = ("vllm:time_to_first_token_seconds",)
TIME_BETWEEN_TOKENS = ("vllm:inter_token_latency_seconds", "vllm:time_per_output_token_seconds")
REQUEST_LATENCY = ("vllm:e2e_request_latency_seconds",)
REQUEST_GENERATED = ("vllm:request_generation_tokens",)

# What the picker's scorers, dashboards and budgets rest on.
CORE: Mapping[str, tuple[str, ...]] = {
    "requests running": RUNNING,
    "requests waiting": WAITING,
    "KV cache usage": CACHE_USAGE,
    "requests finished": FINISHED,
    "prompt tokens": PROMPT_TOKENS,
    "generated tokens": GENERATED_TOKENS,
    "time to first token": _counts(TIME_TO_FIRST_TOKEN),
    "time between tokens": _counts(TIME_BETWEEN_TOKENS),
    "request latency": _counts(REQUEST_LATENCY),
    "prefix cache queries": ("vllm:prefix_cache_queries_total", "vllm:gpu_prefix_cache_queries_total"),
    "cache configuration": ("vllm:cache_config_info",),
}


def missing(found: Exposition) -> list[str]:
    """Core metrics that an exposition lacks under every name, one line each."""
    return [
        f"{meaning}: {' or '.join(names)}"
        for meaning, names in CORE.items()
        if not any(name in found.names for name in names)
    ]


def finished(found: Exposition) -> float:
    """Requests that the server answered to the end; those that a client gave up or an error ended do not count."""
    return sum(
        sample.value
        for sample in found.find(FINISHED)
        if sample.labels.get("finished_reason") not in ("abort", "error")
    )
