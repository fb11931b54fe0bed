"""Names of the endpoint picker's metrics, newest first, and its port.

Generations: `inference_model_*` (GIE up to 1.0) and `inference_objective_*` (GIE 1.1 and later; 1.5's exposition is
recorded; llm-d-router 0.9 and later still exports them beside its own).
"""

from collections.abc import Mapping

from tools.metrics.exposition import Exposition

REQUESTS = ("inference_objective_request_total", "inference_model_request_total")
READY_PODS = ("inference_pool_ready_pods",)
# Averages over the pods with fresh metrics, brought up to date every 5 s.
RUNNING = ("inference_pool_average_running_requests",)
CACHE_USAGE = ("inference_pool_average_kv_cache_utilization",)
# By `model_server_pod` (`NAME-rank-0`): as last scraped, so at most 50 ms old. GIE 1.5's name.
QUEUED = ("inference_pool_per_pod_queue_size",)
# By `pod_name`: which server was picked how often.
PICKS = ("inference_extension_scheduler_attempts_total",)

# The plugin of GIE 1.4 and later whose parameters say what the servers' metrics are called.
EXTRACTOR = "core-metrics-extractor"

# The port that the picker's pods and Service name `metrics`.
PORT = 9090

# Histograms of tokens, without `_count` and `_sum`; GIE reads them in the usage that a reply states.
INPUT_TOKENS = ("inference_objective_input_tokens", "inference_model_input_tokens")
OUTPUT_TOKENS = ("inference_objective_output_tokens", "inference_model_output_tokens")

_POOL = ("inference_pool_average_kv_cache_utilization", "inference_pool_average_queue_size")
_SCHEDULER = ("inference_extension_scheduler_e2e_duration_seconds_count",)
_OF_MODELS = ("request_total", "request_duration_seconds_count", "input_tokens_count", "output_tokens_count")
# What dashboards of each generation show; all there once a request with usage was answered.
GENERATIONS: Mapping[str, tuple[str, ...]] = {
    "llm-d-router 0.9 and later": (
        "llm_d_epp_request_total",
        "llm_d_epp_request_duration_seconds_count",
        "llm_d_epp_average_kv_cache_utilization",
        "llm_d_epp_average_queue_size",
        "llm_d_epp_ready_endpoints",
        "llm_d_epp_scheduler_e2e_duration_seconds_count",
    ),
    "Inference Extension 1.1 to 1.5": (
        *(f"inference_objective_{name}" for name in _OF_MODELS),
        *_POOL,
        *READY_PODS,
        *_SCHEDULER,
    ),
    "Inference Extension until 1.0": (*(f"inference_model_{name}" for name in _OF_MODELS), *_POOL, *_SCHEDULER),
}


def missing(found: Exposition) -> list[str]:
    """What the generation of which a picker has most lacks there, one line each; empty where one is whole."""
    lacking = {
        generation: [name for name in names if name not in found.names] for generation, names in GENERATIONS.items()
    }
    nearest = min(lacking, key=lambda each: len(lacking[each]) / len(GENERATIONS[each]))
    return [f"{name} ({nearest})" for name in lacking[nearest]]
