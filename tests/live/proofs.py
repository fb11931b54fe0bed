"""Under which fault which case must fail, and with which words."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from suites.accelerator import test_placement as placement
from suites.gateway import test_gateway as gateway
from suites.mesh import test_sidecars as sidecars
from suites.metrics import test_server_metrics as server_metrics
from suites.pool import test_picker as picker
from suites.pool import test_pool as pool
from suites.reconcile import test_children as children
from suites.reconcile import test_readiness as readiness
from suites.route import test_paths as paths
from suites.route import test_route as route
from suites.server import test_completions as completions
from suites.server import test_first_answers as first_answers
from suites.server import test_models as models
from tools.faults import pool as pool_faults
from tools.faults import routing, workload
from tools.kube.llm_service import LlmService

Case = Callable[..., None]
Fault = Callable[[LlmService], AbstractContextManager[Any]]


@dataclass(frozen=True)
class Proof:
    """A fault and what it must show.

    Attributes:
        fault: breaks a service while it is entered.
        cases: the cases that must fail under it, with words that their failure must have.
    """

    fault: Fault
    cases: Mapping[Case, list[str]]


PROOFS = [
    Proof(workload.preset_missing, {readiness.test_becomes_ready: ["PresetsCombined=False", "no-such-config"]}),
    Proof(
        workload.rollout_stuck,
        {
            readiness.test_is_rolled_out: ["workload: 1 replicas", "'replicas': 2"],
            readiness.test_servers_run_what_was_asked_for: ["localhost/no-such-image:none"],
        },
    ),
    Proof(
        routing.route_deleted,
        {
            children.test_children_belong_to_service: ["there is no such HTTPRoute"],
            route.test_is_accepted_by_the_services_gateway: ["there is no such HTTPRoute"],
            gateway.test_listeners_take_the_route: ["attachedRoutes is 0"],
            paths.test_model_header_reaches_the_service: ["HTTP 404", "no route matches"],
            completions.test_chat_completion: ["HTTP 404", "no route matches", "curl"],
        },
    ),
    Proof(
        routing.status_of_another_gateway,
        {
            children.test_status_names_the_route: ["another-gateway"],
            gateway.test_url_is_at_the_gateway: ["http://192.0.2.1/elsewhere"],
        },
    ),
    Proof(routing.gateway_of_unknown_class, {gateway.test_is_programmed_with_an_address: ["STALE"]}),
    Proof(
        routing.every_path_routed,
        {
            paths.test_unknown_path_is_answered_by_the_gateway: ["answered by the model server"],
            paths.test_longer_name_is_not_the_service: ["answered by the model server"],
            gateway.test_listeners_take_the_route: ["attachedRoutes is 2"],
        },
    ),
    Proof(
        routing.route_past_the_pool,
        {
            route.test_leads_to_pool_and_service: ["('Service', 'vllm-gemma-kserve-workload-svc')"],
            route.test_pool_backend_is_of_the_pools_group: ["groups []"],
            picker.test_every_request_is_picked: [
                "counted 0",
                "leads to Service vllm-gemma-kserve-workload-svc rather than to InferencePool vllm-gemma-inference-",
            ],
        },
    ),
    Proof(
        routing.destination_rule_removed,
        {
            picker.test_every_request_is_picked: [
                "counted 0",
                "there is no DestinationRule for vllm-gemma-epp-service in llmisvc-",
            ]
        },
    ),
    Proof(
        pool_faults.picker_stopped,
        {
            pool.test_points_to_a_living_picker: ["no ready endpoint", "FailOpen"],
            picker.test_every_request_is_picked: ["counted 0", "(there are none)", "there is no picker pod"],
            picker.test_knows_the_ready_servers: ["no picker runs"],
            sidecars.test_picker_has_no_sidecar: ["there is no picker pod"],
        },
    ),
    Proof(
        pool_faults.picker_in_mesh,
        {
            sidecars.test_picker_has_no_sidecar: ["-router-scheduler-", "have it", "sidecar.istio.io/inject"],
            picker.test_every_request_is_picked: ["500", "has a sidecar"],
        },
    ),
    Proof(pool_faults.pool_selects_nothing, {pool.test_selects_exactly_the_servers: ["no pod"]}),
    Proof(pool_faults.stray_member, {pool.test_selects_exactly_the_servers: ["-stray"]}),
    Proof(
        pool_faults.pool_of_another_port,
        {
            pool.test_ports_agree: ["[8001]"],
            completions.test_completion: ["HTTP 503", "did not take the connection", "curl"],
            completions.test_streamed_chat: ["HTTP 503", "did not take the connection"],
        },
    ),
    Proof(
        pool_faults.pool_without_picker,
        {
            pool.test_points_to_a_living_picker: ["endpointPickerRef names no-such-service"],
            pool.test_is_accepted_by_the_services_gateway: ["ResolvedRefs=False"],
        },
    ),
    Proof(
        workload.servers_stopped,
        {
            models.test_lists_the_model: ["HTTP 503", "no healthy upstream"],
            models.test_unknown_model_is_refused_by_the_server: ["HTTP 503"],
            server_metrics.test_core_metrics_are_there: ["HTTP 503"],
            sidecars.test_servers_have_a_ready_sidecar: ["there is no server pod"],
            sidecars.test_sidecars_are_in_sync: ["there is no server pod"],
            readiness.test_servers_run_what_was_asked_for: ["there is no server pod"],
            placement.test_servers_run_on_the_promised_node: ["there is no server pod"],
            placement.test_servers_have_their_accelerators: ["there is no server pod"],
            placement.test_node_is_not_overcommitted: ["there is no server pod"],
            paths.test_unknown_path_is_answered_by_the_gateway: ["as a control", "HTTP 503"],
        },
    ),
    Proof(
        workload.sidecars_missing,
        {
            sidecars.test_servers_have_a_ready_sidecar: ["has no istio-proxy", "istio-injection"],
            sidecars.test_sidecars_are_in_sync: ["has no istio-proxy"],
        },
    ),
    Proof(
        workload.accelerators_dropped,
        {
            placement.test_servers_have_their_accelerators: ["requests and limits (0, 0)"],
            # Its upper bound is the scheduler's own doing, and is never seen broken.
            placement.test_node_is_not_overcommitted: ["0 by {}"],
        },
    ),
    Proof(workload.node_relabelled, {placement.test_servers_run_on_the_promised_node: ["'another'"]}),
    Proof(
        workload.used_by_somebody_else,
        {
            picker.test_every_request_is_picked: ["somebody else uses the service"],
            completions.test_completion: ["exactly one pod"],
            server_metrics.test_tokens_are_counted: ["the counters moved by"],
        },
    ),
]

# Cases that no fault here breaks yet, and why.
UNPROVEN: Mapping[Case, str] = {
    first_answers.test_answers_soon_after_ready: "measured once; seen to fail in tests/test_answering.py",
}
