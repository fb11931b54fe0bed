"""The pool by what is around it: its pods, other pools, its twin of the former API, Istio's Service for it."""

import json
from http import HTTPStatus

import pytest

from tools.cases.capabilities import ACCOUNTS, FORWARD
from tools.cases.requirement import feature
from tools.explain import bullets, check
from tools.faults import members as faults
from tools.faults import pool as pool_faults
from tools.faults import workload
from tools.kube import pool as pools
from tools.kube.errors import KubeError
from tools.kube.kinds import OLD_POOL, POOL, SERVICE
from tools.kube.llm_service import LlmService, source
from tools.kube.port_forward import get_from_pod
from tools.metrics.scrape import server_port


@pytest.mark.conformance(
    name="pool-ports-answer",
    level="core",
    requires=[FORWARD],
    fault=[
        pool_faults.pool_of_another_port.shows(":8001", "nothing listens there"),
        workload.servers_stopped.shows("the pool selects no pod"),
    ],
    checks=["pool"],
)
def test_ports_answer(service: LlmService) -> None:
    """Every pod that the pool selects answers a health check on every port that the pool names."""
    found = service.child("pool")
    pool = pools.read(found)
    members = pools.selected(service, pool)
    wrong = [
        f"{pod['metadata']['name']}:{port}: {problem}"
        for pod in members
        for port in pool.ports
        if (problem := _problem(service, pod["metadata"]["name"], port))
    ]
    wrong += [] if members else ["the pool selects no pod"]
    check(
        not wrong,
        f"200 to GET /health from each pod of {source(found)}, on {pool.ports}",
        bullets(wrong),
        cause="nothing listens there: the pool's targetPorts are not the server's port (8000 in every preset, unless"
        " --port says otherwise), or the server has not started",
        next_step=service.kubectl("get", POOL.resource, found["metadata"]["name"], "-o", "yaml"),
    )


@pytest.mark.conformance(
    name="pool-serves-one-model",
    level="core",
    requires=[FORWARD],
    fault=[
        faults.pod_of_another_model.shows("-another", "another/model", "no filter for models"),
        workload.servers_stopped.shows("the pool selects no pod"),
    ],
    checks=["pool"],
)
def test_serves_one_model(service: LlmService) -> None:
    """All pods that the pool selects serve the same models, the service's among them: the picker does not ask which."""
    found, model = service.child("pool"), service.read()["spec"]["model"].get("name", service.name)
    members = pools.selected(service, pools.read(found))
    served = {pod["metadata"]["name"]: _models(service, pod["metadata"]["name"], server_port(pod)) for pod in members}
    different = len({tuple(each) for each in served.values()}) > 1
    wrong = [f"{name} serves {each}" for name, each in served.items() if different or model not in each]
    wrong += [] if members else ["the pool selects no pod"]
    check(
        not wrong,
        f"the same models from every pod of the pool, {model} among them",
        bullets(wrong),
        cause="the selector matches pods of different models, and the picker has no filter for models: a part of all"
        " requests is 404 (The model does not exist)",
        next_step=service.kubectl("get", "pods", "-l", pools.labels(pools.read(found).selector), "--show-labels"),
    )


@pytest.mark.conformance(
    name="pool-shares-no-pods",
    level="core",
    fault=faults.second_pool.shows("-second-pool", "two pickers"),
    checks=["pool"],
)
def test_shares_no_pods(service: LlmService) -> None:
    """No other pool of the namespace selects a pod that this one selects: two pickers know half of each pod's load."""
    found = service.child("pool")
    own = {pod["metadata"]["name"] for pod in pools.selected(service, pools.read(found))}
    shared = {
        other["metadata"]["name"]: names
        for other in service.kube.objects(POOL, service.namespace)
        if other["metadata"]["name"] != found["metadata"]["name"]
        if (names := own & {pod["metadata"]["name"] for pod in pools.selected(service, pools.read(other))})
    }
    check(
        not shared,
        f"the pods of {source(found)} to be of no other InferencePool",
        bullets([f"InferencePool {name} selects {sorted(names)} as well" for name, names in shared.items()]),
        cause="a pool of one's own beside KServe's, or two services whose labels are the same: two pickers send to the"
        " same pods, and neither knows what the other sent",
        next_step=service.kubectl("get", POOL.resource, "-o", "yaml"),
    )


@pytest.mark.conformance(
    name="pool-twins-agree",
    level="core",
    requires=[feature("inference-pool-v1alpha2"), ACCOUNTS],
    fault=faults.twin_of_another_port.shows("target ports [8000] against [8001]"),
    checks=["pool"],
)
def test_twins_agree(service: LlmService) -> None:
    """The pool of the former API, which KServe makes beside today's, says the same: a gateway may read either."""
    found = service.child("pool")
    twin = service.kube.find(OLD_POOL, found["metadata"]["name"], service.namespace)
    wrong = pools.differences(pools.read(found), pools.read_former(twin)) if twin else ["there is none"]
    check(
        not wrong,
        f"{OLD_POOL.resource} {found['metadata']['name']} to say what {POOL.resource} says",
        bullets(wrong),
        cause="somebody changed one of the two, or applied one by hand; KServe keeps both while both CRDs are there",
        next_step=service.kubectl("get", f"{POOL.resource},{OLD_POOL.resource}", "-o", "yaml"),
    )


@pytest.mark.conformance(
    name="pool-is-known-to-istio",
    level="core",
    requires=[feature("istio-inference")],
    fault=faults.shadow_of_another_picker.shows("extension-service is no-such-picker"),
    checks=["pool"],
)
def test_is_known_to_istio(service: LlmService) -> None:
    """Istio's Service for the pool, of which the gateway's configuration is made, is what the pool says now."""
    found = service.child("pool")
    name = found["metadata"]["name"]
    shadows = service.kube.objects(SERVICE, service.namespace, labels=f"istio.io/inferencepool-name={name}")
    wrong = [
        f"{shadow['metadata']['name']}: {line}"
        for shadow in shadows
        for line in pools.shadow_trouble(shadow, name, pools.read(found))
    ]
    wrong += [] if len(shadows) == 1 else [f"there are {len(shadows)} such Services"]
    check(
        not wrong,
        f"one headless Service like {pools.shadow_name(name)}, as {source(found)} has it",
        bullets(wrong),
        cause="istiod does not follow the pool: it has no leader, ENABLE_GATEWAY_API_INFERENCE_EXTENSION is off, it may"
        " not write Services here, or somebody changed the Service",
        next_step=service.kubectl("get", SERVICE.plural, "-l", f"istio.io/inferencepool-name={name}", "-o", "yaml"),
    )


def _problem(service: LlmService, pod: str, port: int) -> str:
    try:
        reply = get_from_pod(service.kube, service.namespace, pod, port, "/health")
    except KubeError as error:
        return error.message
    return "" if reply.status == HTTPStatus.OK else f"HTTP {reply.status}"


def _models(service: LlmService, pod: str, port: int) -> list[str]:
    try:
        reply = get_from_pod(service.kube, service.namespace, pod, port, "/v1/models")
        return sorted(str(each["id"]) for each in json.loads(reply.body)["data"])
    except KubeError as error:
        return [f"(did not answer: {error.message})"]
    except (ValueError, KeyError, TypeError):
        return [f"(HTTP {reply.status}: {reply.body[:80]})"]
