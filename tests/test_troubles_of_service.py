"""Why a service is not Ready, and when waiting for it is of no use any more."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.kube_server import Serve
from tools.kube.llm_service import LlmService, Place
from tools.troubles.of_service import Lookout, explain

Object = dict[str, Any]
LLM = "/apis/serving.kserve.io/v1alpha2/namespaces/ns/llminferenceservices/llm"
PODS = "/api/v1/namespaces/ns/pods"
EVENTS = "/api/v1/namespaces/ns/events"


def _llm(observed: int = 1, **conditions: tuple[str, str]) -> Object:
    rows = [
        {"type": name, "status": "False", "reason": reason, "message": message}
        for name, (reason, message) in conditions.items()
    ]
    return {
        "metadata": {"name": "llm", "generation": 1},
        "spec": {},
        "status": {"observedGeneration": observed, "conditions": rows},
    }


def _pod(reason: str, message: str) -> Object:
    return {
        "metadata": {"name": "llm-kserve-1", "uid": "1"},
        "spec": {"nodeName": "node", "containers": [{"name": "main", "image": "registry.example.com/a:b"}]},
        "status": {
            "phase": "Pending",
            "containerStatuses": [
                {"name": "main", "ready": False, "state": {"waiting": {"reason": reason, "message": message}}}
            ],
        },
    }


@pytest.fixture
def service(serve: Serve) -> Callable[..., LlmService]:
    """A service of which the API server tells this."""

    def make(found: Object | None, *pods: Object) -> LlmService:
        def answer(_: str, path: str, query: dict[str, str], __: Any) -> tuple[int, Any]:
            if path == LLM and found:
                return 200, found
            if path in (PODS, EVENTS):
                servers = path == PODS and "component=workload" in query.get("labelSelector", "")
                return 200, {"metadata": {"resourceVersion": "1"}, "items": list(pods) if servers else []}
            return 404, {}

        _, kube = serve(answer)
        return LlmService(kube, "ns", "llm", Place("ns", "gw"))

    return make


def test_a_pod_says_more_than_conditions(service: Callable[..., LlmService]) -> None:
    unavailable = ("MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
    pod = _pod("ImagePullBackOff", "Back-off: ErrImagePull: 403 Forbidden")
    found = explain(service(_llm(MainWorkloadReady=unavailable), pod))
    assert "no permission (403)" in found.cause
    assert found.lines == [
        "llm-kserve-1: Pending, not Ready, on node: main waits: ImagePullBackOff: Back-off: ErrImagePull: 403 Forbidden"
    ]
    assert found.next_step.endswith("-n ns describe pod llm-kserve-1")


@pytest.mark.parametrize(
    ("found", "words", "next_step"),
    [
        (None, "nobody applied it", "get llminferenceservices.serving.kserve.io"),
        (_llm(observed=0), "does not run", "-n kserve logs deployment/llmisvc-controller-manager"),
        (
            _llm(
                PresetsCombined=("ConfigNotFound", 'LLMInferenceServiceConfig "x" not found in namespaces [ns kserve]')
            ),
            "kserve.llmisvcConfigs.enabled=true",
            "describe llminferenceservices.serving.kserve.io llm",
        ),
        (
            _llm(HTTPRoutesReady=("RefsInvalid", "Managed HTTPRoute references non-existent Gateway kserve/gw")),
            "its Gateway does not exist",
            "describe llminferenceservices.serving.kserve.io llm",
        ),
        (
            _llm(HTTPRoutesReady=("HTTPRoutesNotReady", "InvalidKind: InferencePool is not enabled.")),
            "ENABLE_GATEWAY_API_INFERENCE_EXTENSION",
            "describe llminferenceservices.serving.kserve.io llm",
        ),
        (
            _llm(SchedulerWorkloadReady=("SchedulerReconcileError", "roles is forbidden")),
            "could not make the endpoint picker",
            "-n kserve logs deployment/llmisvc-controller-manager",
        ),
        (_llm(), "", "describe llminferenceservices.serving.kserve.io llm"),
    ],
)
def test_conditions_tell_where_no_pod_does(
    service: Callable[..., LlmService], found: Object | None, words: str, next_step: str
) -> None:
    told = explain(service(found))
    assert words in told.cause
    assert told.next_step.endswith(next_step)


def test_what_only_a_change_can_end_is_given_up(service: Callable[..., LlmService]) -> None:
    now = [0.0]
    lookout = Lookout(service(_llm(), _pod("InvalidImageName", "")), lambda: now[0])
    seen = []
    for now[0] in (0, 1, 10, 29, 33):
        seen.append(lookout.hopeless())
    assert seen[:4] == [""] * 4
    assert "is not a valid name of an image" in seen[4]


@pytest.mark.parametrize(
    "pod",
    [
        _pod("ContainerCreating", ""),
        _pod("ImagePullBackOff", "dial tcp 192.0.2.1:443: i/o timeout"),
        _pod("PodInitializing", ""),
    ],
)
def test_what_may_pass_is_waited_for(service: Callable[..., LlmService], pod: Object) -> None:
    now = [0.0]
    lookout = Lookout(service(_llm(), pod), lambda: now[0])
    for now[0] in range(0, 600, 30):
        assert lookout.hopeless() == ""
