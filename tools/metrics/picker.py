"""Names of the endpoint picker's metrics, newest first, and its port.

Generations: `inference_model_*` (GIE up to 1.0) and `inference_objective_*` (GIE 1.1 and later; 1.5's exposition is
recorded; llm-d-router 0.9 and later still exports them beside its own).
"""

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
