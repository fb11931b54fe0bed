"""Names of the endpoint picker's metrics, newest first, and its port.

Generations: `inference_model_*` (GIE up to 1.0) and `inference_objective_*` (GIE 1.1 and later; 1.5's exposition is
recorded; llm-d-router 0.9 and later still exports them beside its own).
"""

REQUESTS = ("inference_objective_request_total", "inference_model_request_total")
READY_PODS = ("inference_pool_ready_pods",)

# The port that the picker's pods and Service name `metrics`.
PORT = 9090
